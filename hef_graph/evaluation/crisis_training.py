"""Training of the crisis classifier: written examples, and ordinary talk as what no signal is.

The encoder starts from the public MiniLM-L6 and gets weights of its own; nothing is shared with a small empathetic
model (SEM). A run can be stopped at any time and goes on where it was (`hef_graph.sem.training`).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from hef_graph.crisis.classifier import (
    CONTEXT_TOKENS,
    TOKENIZER,
    encode,
    save_classifier,
)
from hef_graph.crisis.examples import Example, Label
from hef_graph.crisis.normalisation import normalise
from hef_graph.crisis.signals import CATEGORIES
from hef_graph.evaluation.crisis_model import CrisisModel, export_weights, load_encoder, prune_tokenizer
from hef_graph.evaluation.crisis_votes import VOTES, VotesConfig, train_votes
from hef_graph.sem.dataset import bucket_batches
from hef_graph.sem.pretrained import find_pretrained
from hef_graph.sem.training import Phase, TrainingConfig, fingerprint, train

DEFAULTS: Final = TrainingConfig(
    epochs=5, learning_rate=8e-5, new_learning_rate=5e-4, batch_size=32, label_smoothing=0.05, patience=5
)
NONE: Final = len(CATEGORIES)
IGNORED: Final = -1.0
WORDS: Final = "encoder.embeddings.word_embeddings.weight"


@dataclass(frozen=True, slots=True)
class CrisisRecipe:
    """Data and settings."""

    examples: Sequence[Example]
    ordinary: Sequence[tuple[str, ...]]
    """Dialogues of everyday talk whose newest turn is taken to be no signal."""
    aside: Sequence[Example]
    """Chooses the best epoch."""
    output: Path
    encoder: Path | None = None
    """Folder of the pretrained encoder; None for the installed package's."""
    start: Path | None = None
    """Folder of an earlier run to go on from; None begins with the pretrained encoder."""
    layers: int = 6
    frozen_layers: int = 0
    """So many of the lowest layers stay as they are, with the embeddings: two of six save a third of the time."""
    ordinary_share: float = 0.35
    """Ordinary dialogues per written example in an epoch."""
    threshold: float = 0.5
    """Probability that counts as a signal, as it is written to the checkpoint."""
    training: TrainingConfig = DEFAULTS
    votes: VotesConfig = VOTES


@dataclass(frozen=True, slots=True)
class Target:
    """What the heads should say of one example."""

    category: int
    other: float = IGNORED
    past: float = IGNORED

    @classmethod
    def of(cls, label: Label) -> "Target":
        """Who and when are asked of signals only."""
        if label.category is None:
            return cls(NONE)
        return cls(CATEGORIES.index(label.category), float(label.who == "other"), float(label.time == "past"))


@dataclass(frozen=True, slots=True)
class Encoded:
    """An example in token ids."""

    ids: list[int]
    kinds: list[int]
    target: Target


class CrisisPhase(Phase):
    """The written examples every epoch, and each time another draw of ordinary talk."""

    name = "crisis"

    def __init__(self, model: CrisisModel, tokenizer: Tokenizer, recipe: CrisisRecipe) -> None:
        self.module = self._model = model
        self._recipe, self._tokenizer, self._config = recipe, tokenizer, recipe.training
        self._written = [encode_example(tokenizer, each) for each in recipe.examples]
        self._aside = [encode_example(tokenizer, each) for each in recipe.aside]
        self._plain = [encode_example(tokenizer, Example(turns, Label(None), "")) for turns in recipe.ordinary]
        self._drawn: list[Encoded] = []

    @override
    def pretrained(self) -> set[int]:
        return {id(parameter) for parameter in self._model.encoder.parameters()}

    @override
    def batches(self, epoch: int) -> list[list[int]]:
        seed = self._config.seed * 1000 + epoch
        drawing = random.Random(seed)  # noqa: S311  drawing, not cryptography
        count = min(len(self._plain), int(self._recipe.ordinary_share * len(self._written)))
        written = [self._vary(each, drawing) for each in self._written]
        self._drawn = [*written, *drawing.sample(self._plain, count)]
        return bucket_batches([(len(each.ids),) for each in self._drawn], batch_size=self._config.batch_size, seed=seed)

    @override
    def loss(self, batch: Sequence[int]) -> Tensor:
        examples = [self._drawn[index] for index in batch]
        logits = self._read(examples)
        categories = torch.tensor([each.target.category for each in examples])
        loss = functional.cross_entropy(logits[:, :-2], categories, label_smoothing=self._config.label_smoothing)
        sides = torch.tensor([[each.target.other, each.target.past] for each in examples])
        asked = sides != IGNORED
        if asked.any():
            loss = loss + 0.3 * functional.binary_cross_entropy_with_logits(logits[:, -2:][asked], sides[asked])
        return loss

    @override
    def evaluate(self) -> dict[str, float]:
        return measure([each.target.category for each in self._aside], self.predict(self._aside))

    @torch.inference_mode()
    def predict(self, examples: Sequence[Encoded]) -> list[float]:
        """Probability of a signal for each example."""
        self._model.eval()
        order = sorted(range(len(examples)), key=lambda index: len(examples[index].ids))
        found = torch.empty(len(examples))
        for start in range(0, len(order), 64):
            batch = order[start : start + 64]
            logits = self._read([examples[index] for index in batch])
            found[torch.tensor(batch)] = 1 - torch.softmax(logits[:, :-2], dim=-1)[:, NONE]
        return [float(value) for value in found]

    def _vary(self, example: Encoded, drawing: random.Random) -> Encoded:
        """Now and then a message stands behind ordinary talk, loses a piece, or its closing mark."""
        ids, kinds = list(example.ids), list(example.kinds)
        if 1 not in kinds and self._plain and drawing.random() < 0.35:  # noqa: PLR2004
            other = drawing.choice(self._plain)
            before = [i for i, kind in zip(other.ids, other.kinds, strict=True) if kind == 0][1:-1][-CONTEXT_TOKENS:]
            ids, kinds = [*ids, *before, ids[-1]], [*kinds, *[1] * (len(before) + 1)]
        if len(ids) > 12 and drawing.random() < 0.3:  # noqa: PLR2004
            drop = drawing.randrange(1, example.kinds.count(0) - 1)
            del ids[drop], kinds[drop]
        return Encoded(ids, kinds, example.target)

    def _read(self, examples: Sequence[Encoded]) -> Tensor:
        width = max(len(each.ids) for each in examples)
        ids = torch.tensor([each.ids + [0] * (width - len(each.ids)) for each in examples])
        kinds = torch.tensor([each.kinds + [0] * (width - len(each.ids)) for each in examples])
        mask = torch.tensor([[1] * len(each.ids) + [0] * (width - len(each.ids)) for each in examples])
        logits: Tensor = self._model(ids, kinds, mask)
        return logits


def measure(categories: Sequence[int], found: Sequence[float]) -> dict[str, float]:
    """Recall where at most 3 % of what is no signal is taken for one; `score` adds how well both are told apart.

    Between epochs that are equal in both, the more certain one wins.
    """
    signals = [p for category, p in zip(categories, found, strict=True) if category != NONE]
    others = sorted((p for category, p in zip(categories, found, strict=True) if category == NONE), reverse=True)
    if not signals or not others:
        return {"score": 0.0}
    limit = others[int(0.03 * len(others))]
    recall = sum(p > limit for p in signals) / len(signals)
    ranked = float(np.mean(np.asarray(signals)[:, None] > np.asarray(others)[None, :]))
    certainty = sum(signals) / len(signals) - sum(others) / len(others)
    return {"score": recall + ranked + certainty / 100, "recall_at_3": recall, "auc": ranked}


def encode_example(tokenizer: Tokenizer, example: Example) -> Encoded:
    """Normalised and cut as at run time."""
    *before, newest = [normalise(turn).text for turn in example.turns]
    ids, kinds = encode(tokenizer, newest, before[-2:])
    return Encoded(ids, kinds, Target.of(example.label))


def train_classifier(recipe: CrisisRecipe) -> list[dict[str, float]]:
    """Train, write the checkpoint to `recipe.output`, and return each epoch's measures on what is set aside."""
    torch.manual_seed(recipe.training.seed)
    model, tokenizer = _begin(recipe)
    phase = CrisisPhase(model, tokenizer, recipe)
    data = fingerprint(*recipe.examples, *recipe.ordinary, recipe.layers, recipe.frozen_layers, recipe.ordinary_share)
    history = train(phase, recipe.training, recipe.output, data=data)
    votes = train_votes(recipe.examples, recipe.ordinary, recipe.votes, seed=recipe.training.seed)
    config = {"heads": model.encoder.config.num_attention_heads, "threshold": recipe.threshold}
    save_classifier(recipe.output, {**export_weights(model), **votes}, tokenizer, config)
    return history


def _begin(recipe: CrisisRecipe) -> tuple[CrisisModel, Tokenizer]:
    folder = find_pretrained(recipe.encoder)
    texts = [normalise(turn).text for example in recipe.examples for turn in example.turns]
    tokenizer, rows = prune_tokenizer(folder, [*texts, *(turn for turns in recipe.ordinary for turn in turns)])
    model = CrisisModel(load_encoder(folder, rows, recipe.layers))
    if recipe.start:
        _go_on_from(recipe.start, model, tokenizer)
    if recipe.frozen_layers:
        encoder = model.encoder
        for part in (encoder.embeddings, *encoder.encoder.layer[: recipe.frozen_layers]):
            part.requires_grad_(requires_grad=False)
    recipe.output.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(recipe.output / TOKENIZER), pretty=False)  # a run that is stopped can be gone on from, too
    return model, tokenizer


def _go_on_from(start: Path, model: CrisisModel, tokenizer: Tokenizer) -> None:
    """Take over what an earlier run has learned; pieces of words that it did not know keep their pretrained vectors."""
    known = Tokenizer.from_file(str(start / TOKENIZER)).get_vocab()
    learned: dict[str, Tensor] = torch.load(start / f"{CrisisPhase.name}.best.pt", weights_only=True)
    table = model.state_dict()[WORDS].clone()
    for piece, index in tokenizer.get_vocab().items():
        if piece in known:
            table[index] = learned[WORDS][known[piece]]
    model.load_state_dict({**learned, WORDS: table})
