"""Stand-ins for the shipped classifier: a stub that hears marked words, and a tiny one of random weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from tokenizers import Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordPiece

from hef_graph.crisis.classifier import MOST_POSITIONS, OUTPUTS, CrisisReading, save_classifier
from hef_graph.crisis.encoder import Array
from hef_graph.crisis.signals import CATEGORIES, Category

LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
WORDS: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", *LETTERS, "want", "die", "cat", "dog", "the", ".")
SIZE, INNER, HEADS, LAYERS = 16, 32, 4, 2


@dataclass
class StubClassifier:
    """Finds what its marked words stand for; keeps what it was given to read."""

    marked: Mapping[str, Category] = field(default_factory=dict)
    threshold: float = 0.5
    signal: float = 0.9
    """Probability of a signal in a text with a marked word."""
    quiet: float = 0.1
    """The same without one."""
    soothing: str = "\n\n"
    """What makes it certain that a text is none."""
    other: float = 0.1
    past: float = 0.1
    read_texts: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def knows(self, text: str) -> bool:
        return any(letter in LETTERS for letter in text)

    def read(self, newest: str, context: Sequence[str] = ()) -> CrisisReading:
        self.read_texts.append((newest, tuple(context)))
        found = next((category for word, category in self.marked.items() if word in newest), None)
        signal = 0.01 if self.soothing in newest else self.signal if found else self.quiet
        return reading(found, signal, other=self.other, past=self.past)


def reading(category: Category | None, signal: float, *, other: float = 0.1, past: float = 0.1) -> CrisisReading:
    """A reading that leaves the rest of the probability to none."""
    probabilities = np.zeros(len(CATEGORIES) + 1, np.float32)
    probabilities[CATEGORIES.index(category or "abuse")] = signal
    probabilities[-1] = 1 - signal
    return CrisisReading(probabilities, other, past)


def tiny_tokenizer() -> Tokenizer:
    """Of the letters and a few words."""
    pieces = [*WORDS, *(f"##{letter}" for letter in LETTERS)]
    numbered = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(WordPiece(numbered, unk_token="[UNK]"))  # noqa: S106  a token of text
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def tiny_weights(seed: int = 0) -> dict[str, Array]:
    """Random ones, of the smallest encoder that has all parts."""
    drawing = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.token.weight": (len(WORDS) + len(LETTERS), SIZE),
        "embeddings.position.weight": (MOST_POSITIONS, SIZE),
        "embeddings.kind.weight": (2, SIZE),
        **_norm("embeddings.norm"),
        **_linear("head.dense", 2 * SIZE, SIZE),
        **_linear("head.output", SIZE, OUTPUTS),
    }
    for layer in (f"layers.{index}" for index in range(LAYERS)):
        for part in ("query", "key", "value", "output"):
            shapes |= _linear(f"{layer}.attention.{part}", SIZE, SIZE)
        shapes |= _norm(f"{layer}.attention.norm") | _norm(f"{layer}.feed_forward.norm")
        shapes |= _linear(f"{layer}.feed_forward.inner", SIZE, INNER)
        shapes |= _linear(f"{layer}.feed_forward.outer", INNER, SIZE)
    return {name: drawing.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}


def save_tiny(folder: Path, threshold: float = 0.5) -> Path:
    """A folder that `CrisisClassifier.load` reads."""
    save_classifier(folder, tiny_weights(), tiny_tokenizer(), {"heads": HEADS, "threshold": threshold})
    return folder


def _linear(name: str, given: int, made: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (made, given), f"{name}.bias": (made,)}


def _norm(name: str) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (SIZE,), f"{name}.bias": (SIZE,)}
