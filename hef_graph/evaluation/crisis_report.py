"""How well the crisis detector does: recall by category, false alarms by kind, each with its interval.

Signals count as found whatever category they are given: what matters is that help lines are shown. How often category,
person and time are right is told beside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from typing import Any, Final

from hef_graph.corpus import Conversation
from hef_graph.crisis.detector import CrisisDetector
from hef_graph.crisis.examples import Example
from hef_graph.crisis.signals import CATEGORIES, CrisisSignal
from hef_graph.types import Turn, turns_from_dialogue

_Z: Final = 1.959964
"""For 95 %."""

EVERY_SIGNAL: Final = "every signal"
EVERY_OTHER: Final = "no signal"


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with the 95 % interval of Wilson (1927)."""

    count: int
    total: int

    @property
    def percent(self) -> float:
        """0 to 100; 0 for nothing of nothing."""
        return 100 * self.count / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """In percent."""
        n, share = max(1, self.total), self.percent / 100
        middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z * ((share * (1 - share) + _Z**2 / (4 * n)) / n) ** 0.5 / (1 + _Z**2 / n)
        return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.count}/{self.total} {self.percent:5.1f} % ({low:.1f} to {high:.1f})"

    def to_json(self) -> dict[str, Any]:
        """Count, total, percent and interval."""
        return {**asdict(self), "percent": self.percent, "interval": self.interval}


@dataclass(frozen=True, slots=True)
class Judged:
    """One example and what was found in it."""

    example: Example
    found: CrisisSignal | None

    @property
    def right(self) -> bool:
        """Whether a signal was found where there is one, and none where there is none."""
        return (self.found is None) == (self.example.label.category is None)


@dataclass(frozen=True, slots=True)
class Flag:
    """An everyday turn that was taken for a signal."""

    text: str
    signal: CrisisSignal


def judge_examples(detector: CrisisDetector, examples: Iterable[Example]) -> list[Judged]:
    """What the detector finds in each example."""
    return [Judged(each, detector.detect(turns_from_dialogue(each.turns))) for each in examples]


def shares(judged: Sequence[Judged]) -> dict[str, Share]:
    """Recall of each category and of all, then false alarms of each kind and of all."""
    signals = [each for each in judged if each.example.label.category]
    others = [each for each in judged if not each.example.label.category]
    by_category = {name: [e for e in signals if e.example.label.category == name] for name in CATEGORIES}
    kinds = sorted({each.example.label.kind for each in others})
    by_kind = {f"none: {kind}": [e for e in others if e.example.label.kind == kind] for kind in kinds}
    groups = {**by_category, EVERY_SIGNAL: signals, **by_kind, EVERY_OTHER: others}
    return {name: Share(sum(e.found is not None for e in group), len(group)) for name, group in groups.items() if group}


def agreement(judged: Sequence[Judged]) -> dict[str, Share]:
    """Of the signals found: how often category, person and time are as the example says."""
    pairs = [(each.example.label, each.found) for each in judged if each.example.label.category and each.found]
    return {
        name: Share(sum(getattr(label, name) == getattr(found, name) for label, found in pairs), len(pairs))
        for name in ("category", "who", "time")
    }


def judge_late(detector: CrisisDetector, examples: Iterable[Example], filler: Sequence[str], turn: int) -> list[Judged]:
    """What is found in examples of one message when they are the conversation's `turn`-th user message, from 1.

    `filler` alternates the user's and the listener's ordinary talk, and is repeated as often as it takes.
    """
    before = list(islice(cycle(filler[: len(filler) // 2 * 2]), 2 * (turn - 1)))
    alone = [each for each in examples if len(each.turns) == 1]
    return [Judged(each, detector.detect(turns_from_dialogue([*before, *each.turns]))) for each in alone]


def flag_turns(detector: CrisisDetector, conversations: Iterable[Conversation]) -> tuple[list[Flag], int]:
    """The speaker's turns that are taken for signals, each read after what was said before; and how many were read."""
    flags: list[Flag] = []
    read = 0
    for conversation in conversations:
        turns = [Turn("listener" if i % 2 else "speaker", text) for i, text in enumerate(conversation.utterances)]
        for index in range(0, len(turns), 2):
            read += 1
            if found := detector.detect(turns[: index + 1]):
                flags.append(Flag(turns[index].text, found))
    return flags, read
