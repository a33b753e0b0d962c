"""The values that travel between the steps, and the protocols that plug-ins satisfy."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias, runtime_checkable

from hef_graph.errors import HefInputError

Role: TypeAlias = Literal["speaker", "listener"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance of a dialogue."""

    role: Role
    text: str


LONGEST_WORD: Final = 40
"""Characters of a cause word; longer "words" are cut, since they are no words."""

_NO_LETTER_OF_A_WORD: Final = re.compile(r"[^\w'’\-‐\u0300-\u036f]|_")


def is_word(text: str) -> bool:
    """Whether a text is made of nothing but letters, their accents, digits, apostrophes and hyphens."""
    return bool(text) and not _NO_LETTER_OF_A_WORD.search(text)


Dialogue: TypeAlias = Sequence[str] | Sequence[Turn]
"""Texts that alternate speaker and listener and end with the speaker, or `Turn`s."""


def turns_from_dialogue(dialogue: Dialogue) -> list[Turn]:
    """Turns of a dialogue given as `Turn`s or as texts that alternate and end with the speaker.

    Raises:
        HefInputError: a bare string, an empty dialogue, or an entry of another type.
    """
    if isinstance(dialogue, str):
        raise HefInputError(
            f"a dialogue is a sequence of texts, got one text of {len(dialogue)} characters; write [text]"
        )
    if not isinstance(dialogue, Iterable):
        raise HefInputError(f"a dialogue is a sequence of texts or turns, got {type(dialogue).__name__}")
    entries = list(dialogue)
    if not entries:
        raise HefInputError("the dialogue is empty; give at least one text")
    turns: list[Turn] = []
    for index, entry in enumerate(entries):
        if isinstance(entry, Turn):
            turns.append(entry)
        elif isinstance(entry, str):
            turns.append(Turn("listener" if (len(entries) - 1 - index) % 2 else "speaker", entry))
        else:
            raise HefInputError(f"turn {index} is {type(entry).__name__}; a dialogue holds texts or Turn objects")
    return turns


def turns_from_dialogues(dialogues: Sequence[Dialogue]) -> list[list[Turn]]:
    """The turns of each dialogue.

    Raises:
        HefInputError: no list of dialogues, or one of them is wrong (`turns_from_dialogue`).
    """
    if isinstance(dialogues, str) or not isinstance(dialogues, Sequence):
        raise HefInputError("expected a list of dialogues, each a list of texts; write [[text]]")
    return [turns_from_dialogue(dialogue) for dialogue in dialogues]


@dataclass(frozen=True, slots=True)
class EmotionScore:
    """The probability of one emotion label."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class WordScore:
    """How much one word of the dialogue weighed in the emotion decision."""

    word: str
    turn: int
    """Index of the turn, counted from the dialogue's first turn."""
    start: int
    end: int
    """`str` offsets into the turn's text as given: `word == text[start:end]`."""
    weight: float
    """Non-negative; the weights of a dialogue's words sum to 1."""


CoverageThresholds: TypeAlias = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class EmotionAnalysis:
    """What a small empathetic model (SEM) reads in one dialogue."""

    emotions: tuple[EmotionScore, ...]
    """All labels of the SEM, most probable first; the probabilities sum to 1."""
    words: tuple[WordScore, ...]
    """All words inside the SEM's window, in reading order."""
    confidence: float | None = None
    """Estimated probability that the first emotion is right, lowered where the text is out of domain or empty of
    emotion; None when the SEM does not estimate it."""
    in_domain: bool = True
    """False when the text is unlike anything the SEM was trained on: another language, no words, noise."""
    thresholds: CoverageThresholds = ()
    """For adaptive candidates: pairs of (coverage, least probability of a candidate), rising coverage; empty when the
    SEM was not calibrated for it."""


@dataclass(frozen=True, slots=True)
class CauseWords:
    """Words of the user that the answer should attend to, heaviest first."""

    high: tuple[str, ...] = ()
    low: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplyCandidate:
    """One reply that a SEM's decoder proposes."""

    text: str
    log_probability: float
    """Mean natural log-probability per token, given the dialogue and the emotion."""
    specificity: float
    """The same minus the mean log-probability without the dialogue: high for replies that fit only here."""


@runtime_checkable
class SmallEmpatheticModel(Protocol):
    """A model that reads emotions and their cause words: the plug-in of the framework."""

    @property
    def name(self) -> str:
        """A short name to show to people."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotion labels it can name."""
        ...

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        """Read each dialogue; one analysis each, in order."""
        ...


@runtime_checkable
class ReplyGenerator(Protocol):
    """A SEM that can also speak: it proposes replies conditioned on an emotion."""

    def propose_replies(self, dialogue: Dialogue, emotion: str, *, count: int) -> list[ReplyCandidate]:
        """Up to `count` different replies, in no particular order; the same input gives the same replies."""
        ...
