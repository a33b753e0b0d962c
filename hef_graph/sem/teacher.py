"""A larger model that teaches the shipped one: any Hugging Face encoder, fine-tuned for one epoch on the same texts.

It is needed for training only. What it thinks of each training text is kept as soft labels (`soft_labels.py`); its own
weights are not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from hef_graph.corpus import Context, Conversation, labelled_texts, read_conversations, set_aside
from hef_graph.errors import HefCheckpointError, HefInputError
from hef_graph.sem.dataset import bucket_batches
from hef_graph.sem.phases import measure_logits
from hef_graph.sem.plugins.huggingface_limits import check_folder
from hef_graph.sem.recipe import check_labelled, labels_of, situations_of
from hef_graph.sem.soft_labels import write_soft_labels
from hef_graph.sem.training import Phase, TrainingConfig, fingerprint, train

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

TEACHER_DEFAULTS: Final = TrainingConfig(
    epochs=1, learning_rate=5e-5, new_learning_rate=1e-3, batch_size=64, label_smoothing=0.0
)
FILE: Final = "soft_labels.safetensors"
ENCODER_FILES: Final = ("config.json", "tokenizer.json", "model.safetensors")


@dataclass(frozen=True, slots=True)
class TeacherRecipe:
    """Data, encoder and settings."""

    data: Path
    encoder: Path
    """Folder with a Hugging Face encoder: `config.json`, `tokenizer.json`, `model.safetensors`."""
    output: Path
    training: TrainingConfig = TEACHER_DEFAULTS
    frozen_layers: int = 4
    """The embeddings and so many of the lowest layers stay as they are: a fifth of the time saved."""
    max_tokens: int = 96
    longest: int = 3
    """Contexts of more turns are not trained on (they are few and long), only predicted."""


@dataclass(frozen=True, slots=True)
class TeacherExample:
    """A text and the index of its emotion."""

    turns: tuple[str, ...]
    ids: tuple[int, ...]
    label: int


class Teacher(nn.Module):
    """Encoder, mean of its token states, one linear layer."""

    def __init__(self, encoder: "PreTrainedModel", labels: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(0.1)
        self.output = nn.Linear(encoder.config.hidden_size, labels)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Both `(batch, tokens)` → logits `(batch, labels)`."""
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask[..., None].to(states.dtype)
        pooled = (states * weights).sum(dim=1) / weights.sum(dim=1)
        logits: Tensor = self.output(self.dropout(pooled))
        return logits.float()

    def freeze(self, layers: int) -> None:
        """Keep the embeddings and the lowest `layers` as they are."""
        frozen = ("embeddings.", *(f"encoder.layer.{index}." for index in range(layers)))
        for name, parameter in self.encoder.named_parameters():
            parameter.requires_grad_(not name.startswith(frozen))


class TeacherPhase(Phase):
    """The teacher learns the labels."""

    name = "teacher"

    def __init__(
        self,
        teacher: Teacher,
        config: TrainingConfig,
        examples: Sequence[TeacherExample],
        aside: Sequence[TeacherExample],
        padding: int,
    ) -> None:
        self.module = self._teacher = teacher
        self._config, self._examples, self._aside, self._padding = config, examples, aside, padding

    @override
    def pretrained(self) -> set[int]:
        return {id(parameter) for parameter in self._teacher.encoder.parameters()}

    @override
    def batches(self, epoch: int) -> list[list[int]]:
        lengths = [(len(example.ids),) for example in self._examples]
        return bucket_batches(lengths, batch_size=self._config.batch_size, seed=self._config.seed * 1000 + epoch)

    @override
    def loss(self, batch: Sequence[int]) -> Tensor:
        examples = [self._examples[index] for index in batch]
        labels = torch.tensor([example.label for example in examples], device=self._config.device)
        return functional.cross_entropy(self._read(examples), labels)

    @override
    def evaluate(self) -> dict[str, float]:
        labels = torch.tensor([example.label for example in self._aside])
        return measure_logits(self.predict(self._aside), labels)

    @torch.inference_mode()
    def predict(self, examples: Sequence[TeacherExample]) -> Tensor:
        """Logits `(examples, labels)` in the order given."""
        self._teacher.eval()
        logits = torch.empty(len(examples), self._teacher.output.out_features)
        order = sorted(range(len(examples)), key=lambda index: len(examples[index].ids))
        for start in range(0, len(order), 128):
            batch = order[start : start + 128]
            kind = torch.device(self._config.device).type
            with torch.autocast(kind, torch.bfloat16, enabled=self._config.precision == "bf16"):
                logits[torch.tensor(batch)] = self._read([examples[index] for index in batch]).float().cpu()
        return logits

    def _read(self, examples: Sequence[TeacherExample]) -> Tensor:
        width = max(len(example.ids) for example in examples)
        rows = [[*example.ids, *[self._padding] * (width - len(example.ids))] for example in examples]
        masks = [[1] * len(example.ids) + [0] * (width - len(example.ids)) for example in examples]
        device = torch.device(self._config.device)
        read: Tensor = self._teacher(torch.tensor(rows, device=device), torch.tensor(masks, device=device))
        return read


def train_teacher(recipe: TeacherRecipe) -> list[dict[str, float]]:
    """Train the teacher and write its soft labels for every text of the conversations that are not set aside.

    Returns its measures on the contexts set aside.

    Raises:
        HefInputError: data that cannot be used, or a folder with another run.
        HefCheckpointError: no such encoder.
    """
    torch.manual_seed(recipe.training.seed)
    conversations = read_conversations(recipe.data)
    kept, aside = set_aside(conversations)
    check_labelled(kept, aside)
    labels = labels_of(conversations)
    encoder, tokenizer = _load_encoder(recipe.encoder)
    learned = _encode(labelled_texts(kept) + situations_of(kept), tokenizer, labels, recipe.max_tokens)
    held = _encode(labelled_texts(aside), tokenizer, labels, recipe.max_tokens)
    teacher = Teacher(encoder, len(labels)).to(torch.device(recipe.training.device))
    teacher.freeze(recipe.frozen_layers)
    short = [example for example in learned if len(example.turns) <= recipe.longest]
    phase = TeacherPhase(teacher, recipe.training, short, held, int(tokenizer.pad_token_id))
    history = train(phase, recipe.training, recipe.output, data=_fingerprint(recipe, labels, kept, aside))
    write_soft_labels(recipe.output / FILE, [example.turns for example in learned], phase.predict(learned), labels)
    return history


def _fingerprint(recipe: TeacherRecipe, labels: Sequence[str], *conversations: Sequence[Conversation]) -> str:
    """Of all that is learned from, and what is not in the training settings."""
    settings = (recipe.frozen_layers, recipe.max_tokens, recipe.longest)
    return fingerprint(labels, *conversations, settings, (recipe.encoder / "config.json").read_bytes())


def _encode(
    contexts: Sequence[Context], tokenizer: "PreTrainedTokenizerFast", labels: Sequence[str], max_tokens: int
) -> list[TeacherExample]:
    """Turns between separators; a text that is too long keeps its end."""
    index = {label: number for number, label in enumerate(labels)}
    first, end = int(tokenizer.cls_token_id), int(tokenizer.sep_token_id)
    examples = []
    for context in contexts:
        turns = tokenizer(list(context.turns), add_special_tokens=False)["input_ids"]
        joined = [token for turn in turns for token in (end, *turn, end)][1:]
        ids = (first, *joined[-(max_tokens - 1) :])
        examples.append(TeacherExample(context.turns, ids, index[context.emotion]))
    return examples


def _load_encoder(folder: Path) -> "tuple[PreTrainedModel, PreTrainedTokenizerFast]":
    try:
        from transformers import AutoModel, PreTrainedTokenizerFast  # noqa: PLC0415  slow to import; training only
    except ImportError as error:
        raise HefInputError("a teacher needs transformers: pip install 'hef-graph[huggingface]'") from error
    missing = [name for name in ENCODER_FILES if not (folder / name).is_file()]
    if missing:
        raise HefCheckpointError(f"no {missing[0]} in {folder}; give the folder of a Hugging Face encoder")
    check_folder(folder)
    options = {"attention_probs_dropout_prob": 0.0, "hidden_dropout_prob": 0.0}
    try:
        encoder: PreTrainedModel = AutoModel.from_pretrained(
            folder, use_safetensors=True, trust_remote_code=False, **options
        )
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise HefCheckpointError(f"{folder} cannot be read as a Hugging Face encoder: {error}") from error
    if None in (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id):
        raise HefCheckpointError(f"the tokenizer in {folder} lacks a token to start, end or pad with; use an encoder's")
    return encoder, tokenizer
