"""Two light heads on a trained encoder, which stays as it is: which words are causes, and is there any emotion at all.

The cause head learns from words that people marked (where there are marks) and from the gradient norm (on other texts,
so that it also points at what moves this very model); the presence head learns from texts with and without emotion.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import AdamW

from hef_graph.errors import HefInputError
from hef_graph.sem.attribution import gradient_norm
from hef_graph.sem.dataset import DialogueBatch, collate_dialogues
from hef_graph.sem.likelihood import length_order
from hef_graph.sem.modeling import CauseHead, EmpatheticModel, PresenceHead
from hef_graph.sem.tokenization import DialogueTokenizer, EncodedDialogue
from hef_graph.types import Dialogue, turns_from_dialogue

BATCH_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class HeadConfig:
    """How a head is trained."""

    epochs: int = 6
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    gradient_weight: float = 0.5
    """Cause head: the part of the loss that asks it to weigh words as the gradient norm does."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class WordTask:
    """A dialogue and those of its words that are to be weighed."""

    dialogue: Dialogue
    words: tuple[tuple[int, int, int], ...]
    """Turn, start and end of each."""
    marked: tuple[bool, ...] | None = None
    """Which of them people marked as cause; None: nobody did, weigh them as the gradient norm does."""


@dataclass(frozen=True, slots=True)
class PresenceTask:
    """A dialogue, and whether its speaker shows an emotion."""

    dialogue: Dialogue
    emotional: bool


@dataclass(frozen=True, slots=True)
class TokenTask:
    """One dialogue's tokens as the frozen encoder sees them."""

    inputs: Tensor
    """`(tokens, features)`"""
    target: Tensor
    """`(tokens,)`: 0 or 1 for a marked word's tokens, else shares that sum to 1."""
    marked: bool


def train_cause_head(
    model: EmpatheticModel, tokenizer: DialogueTokenizer, tasks: Sequence[WordTask], config: HeadConfig
) -> CauseHead:
    """A new cause head for `model`; the model itself is not touched.

    `tasks` may mix dialogues with marked words and without.

    Raises:
        HefInputError: no task has a word inside the model's window.
    """
    return fit_cause_head(model, prepare_words(model, tokenizer, tasks), config)


def fit_cause_head(model: EmpatheticModel, prepared: Sequence[TokenTask], config: HeadConfig) -> CauseHead:
    """The same from tasks that `prepare_words` has made ready for this very model."""
    if not prepared:
        raise HefInputError("no dialogue has a word to learn from; give dialogues with words")
    torch.manual_seed(config.seed)
    head = CauseHead(model.config).to(_device(model)).train()
    optimizer = AdamW(head.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    for _ in range(config.epochs):
        for rows in _draw(len(prepared), BATCH_SIZE):
            losses = [_word_loss(head, prepared[row], config) for row in rows]
            _step(optimizer, torch.stack(losses).mean())
    return head.eval()


def train_presence_head(
    model: EmpatheticModel, tokenizer: DialogueTokenizer, tasks: Sequence[PresenceTask], config: HeadConfig
) -> PresenceHead:
    """A new presence head for `model`; texts with and without emotion count the same in total.

    Raises:
        HefInputError: all texts are with emotion, or all without.
    """
    if len({task.emotional for task in tasks}) < 2:  # noqa: PLR2004  both kinds
        raise HefInputError(f"the {len(tasks)} texts are all of one kind; give some with emotion and some without")
    torch.manual_seed(config.seed)
    head = PresenceHead(model.config).to(_device(model)).train()
    inputs = _pool(model, tokenizer, [task.dialogue for task in tasks])
    labels = torch.tensor([float(task.emotional) for task in tasks], device=inputs.device)
    balance = (1 - labels).sum() / labels.sum()
    optimizer = AdamW(head.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    for _ in range(config.epochs):
        for rows in _draw(len(tasks), 8 * BATCH_SIZE):
            logits = head.read(inputs[rows])
            _step(optimizer, functional.binary_cross_entropy_with_logits(logits, labels[rows], pos_weight=balance))
    return head.eval()


def attach_heads(
    model: EmpatheticModel, causes: CauseHead | None = None, presence: PresenceHead | None = None
) -> EmpatheticModel:
    """Give the model these heads; None keeps what it has."""
    model.cause_head = causes or model.cause_head
    model.presence_head = presence or model.presence_head
    model.config = replace(
        model.config, cause_head=model.cause_head is not None, presence_head=model.presence_head is not None
    )
    return model


def prepare_words(model: EmpatheticModel, tokenizer: DialogueTokenizer, tasks: Sequence[WordTask]) -> list[TokenTask]:
    """The tasks as the encoder sees them; one whose words all lie outside the window is left out."""
    prepared: list[TokenTask] = []
    for start in range(0, len(tasks), BATCH_SIZE):
        batch = tasks[start : start + BATCH_SIZE]
        encoded = [tokenizer.encode(turns_from_dialogue(task.dialogue)) for task in batch]
        padded = collate_dialogues(encoded).to(_device(model))
        inputs = _join_layers(model, padded)
        unmarked = any(task.marked is None for task in batch)
        norms = _gradient_norms(model, padded) if unmarked else torch.zeros(padded.ids.shape)
        for row, (task, dialogue) in enumerate(zip(batch, encoded, strict=True)):
            tokens, marks = _tokens_of(task, dialogue)
            if tokens:
                target = torch.tensor(marks) if marks else _shares(norms[row, tokens])
                prepared.append(TokenTask(inputs[row, tokens], target.to(inputs.device), bool(marks)))
    return prepared


def _shares(norms: Tensor) -> Tensor:
    """They sum to 1; where nothing moves the model, all are 0 and nothing is learned."""
    return norms / norms.sum().clamp(min=torch.finfo(norms.dtype).tiny)


def _word_loss(head: CauseHead, task: TokenTask, config: HeadConfig) -> Tensor:
    """Marks: each token by itself. Gradients: the tokens of a dialogue against each other."""
    logits = head.read(task.inputs)
    if task.marked:
        return functional.binary_cross_entropy_with_logits(logits, task.target)
    return config.gradient_weight * functional.cross_entropy(logits[None], task.target[None])


def _tokens_of(task: WordTask, dialogue: EncodedDialogue) -> tuple[list[int], list[float]]:
    """Positions of the task's words inside the window, and for each its mark (none without marks)."""
    places = {(word.turn, word.start, word.end): word.tokens for word in dialogue.words}
    marks = dict(zip(task.words, task.marked or (), strict=task.marked is not None))
    seen = [word for word in task.words if word in places]
    tokens = [token for word in seen for token in places[word]]
    return tokens, [float(marks[word]) for word in seen for _ in places[word]] if marks else []


@torch.no_grad()
def _join_layers(model: EmpatheticModel, padded: DialogueBatch) -> Tensor:
    layers = model.encoder.contextualise(model.encoder.embeddings(padded.ids, padded.roles), padded.mask)
    pooled, _ = model.pooling(layers[-1], padded.poolable)
    return CauseHead(model.config).join(layers, pooled)


def _gradient_norms(model: EmpatheticModel, padded: DialogueBatch) -> Tensor:
    with torch.no_grad():
        embedded = model.encoder.embeddings(padded.ids, padded.roles)
    return gradient_norm(embedded, lambda source: model.read(source, *padded).logits)


@torch.no_grad()
def _pool(model: EmpatheticModel, tokenizer: DialogueTokenizer, dialogues: Sequence[Dialogue]) -> Tensor:
    """Pooled words beside the first token's state `(dialogues, 2 hidden)`, in the order given."""
    encoded = [tokenizer.encode(turns_from_dialogue(dialogue)) for dialogue in dialogues]
    inputs = torch.empty(len(encoded), 2 * model.config.hidden_size, device=_device(model))
    for batch in length_order([len(dialogue.ids) for dialogue in encoded], batch_size=2 * BATCH_SIZE):
        padded = collate_dialogues([encoded[index] for index in batch]).to(_device(model))
        states = model.encoder(padded.ids, padded.roles, padded.mask)
        pooled, _ = model.pooling(states, padded.poolable)
        inputs[torch.tensor(batch)] = torch.cat([pooled, states[:, 0]], dim=-1)
    return inputs


def _draw(count: int, size: int) -> list[list[int]]:
    """All indices in random order, in batches."""
    order: list[int] = torch.randperm(count).tolist()
    return [order[start : start + size] for start in range(0, count, size)]


def _step(optimizer: AdamW, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    optimizer.step()


def _device(model: EmpatheticModel) -> torch.device:
    return next(model.parameters()).device
