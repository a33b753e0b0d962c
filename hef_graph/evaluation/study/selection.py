"""Which profile helps a model, and is that more than luck? The rules of tuning, apart from any model.

Successive halving (Jamieson & Talwalkar 2016) searches on one third of the cases: all profiles are asked a few, the
better half goes on with twice as many. The best of many is partly the luckiest, so what the search measured decides
nothing: its finalists are compared with "off" on the other two thirds, which no choice has seen, at 5 % for all of
them together (Holm 1979).

A third, not half: simulated with 300 cases and 29 profiles, of which a third gain eight points and a third four, a
better one was found in 66 to 82 % of the tunings, with half of the cases in 56 to 66 %. Two finalists: three find more
where many profiles help, and less where only one does.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, get_args

from hef_graph.candidates import K2
from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cases import Case
from hef_graph.evaluation.study.comparison import Difference, Verdict, holm, measure_difference, settle
from hef_graph.instruction import Wording
from hef_graph.turn import ReadingOptions

OFF: Final = ReadingOptions(two_stage=False, cause_perception=False)
"""Nothing of the evidence is shown: the model alone, against which every profile is measured."""

FINALISTS: Final = 2
FEWEST: Final = 10
"""Cases of the first round, at least: on fewer, ranking is drawing lots."""
LEAST: Final = 3 * FEWEST
"""Cases without which there is no tuning."""
SEARCH_SHARE: Final = 3
"""One in so many cases serves the search."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The settings to try, each with each."""

    k1: tuple[int, ...] = (0, 1, 3)
    """Cause words; 0 switches emotion cause perception off."""
    k2: tuple[K2, ...] = (0, 3, 10, "adaptive")
    """Prioritised emotions; 0 switches two-stage emotion prediction off."""
    wordings: tuple[Wording, ...] = ("doubt", "list", "probabilities")

    def __post_init__(self) -> None:
        if unknown := set(self.wordings) - set(get_args(Wording)):
            raise HefInputError(f"wording is {min(unknown)!r}; allowed are {', '.join(get_args(Wording))}")
        if not self.profiles():
            raise HefInputError("there is nothing to try beside off; give k1 or k2 a number above 0")

    def profiles(self) -> tuple[ReadingOptions, ...]:
        """Every profile but "off", in the order given: of equals the earlier goes on."""
        found = [profile for k1 in self.k1 for k2 in self.k2 for profile in _worded(k1, k2, self.wordings)]
        return tuple(dict.fromkeys(found))


def _worded(k1: int, k2: K2, wordings: Sequence[Wording]) -> list[ReadingOptions]:
    words = replace(OFF, k1=k1, cause_perception=True) if k1 else OFF
    if not k2:
        return [words] if k1 else []
    return [replace(words, k2=k2, two_stage=True, wording=wording) for wording in wordings]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the cases serve."""

    search: tuple[Case, ...]
    """In the order in which rounds take them."""
    confirmation: tuple[Case, ...]
    """Of other conversations."""

    @property
    def all(self) -> tuple[Case, ...]:
        """Both."""
        return self.search + self.confirmation


def split_cases(cases: Sequence[Case], *, seed: int) -> Parts:
    """A third of the cases for the search, in whole conversations; the rest for the confirmation.

    Raises:
        HefInputError: too few cases or conversations.
    """
    lots = random.Random(seed)  # noqa: S311  no secret
    conversations = sorted({case.conv_id for case in cases})
    lots.shuffle(conversations)
    place = {conv_id: number for number, conv_id in enumerate(conversations)}
    ordered = sorted(cases, key=lambda case: (place[case.conv_id], case.case_id))
    size = len(cases) // SEARCH_SHARE
    border = place[ordered[size].conv_id] if size else 0
    search = [case for case in ordered if place[case.conv_id] < border]
    if len(cases) < LEAST or len(search) < FEWEST:
        raise HefInputError(
            f"{len(cases)} cases of {len(conversations)} conversations are too few to tune on; give at least {LEAST} "
            "of many conversations, better 300"
        )
    lots.shuffle(search)  # the first rounds too are to see many conversations
    return Parts(tuple(search), tuple(case for case in ordered if place[case.conv_id] >= border))


@dataclass(frozen=True, slots=True)
class Step:
    """One round of the search."""

    profiles: int
    """That take part."""
    cases: int
    """That each is asked, those of earlier rounds among them."""
    keep: int
    """Profiles that go on."""


def plan_rounds(profiles: int, cases: int) -> tuple[Step, ...]:
    """The rounds: half of the profiles each time, twice the cases; the last has all cases and keeps the finalists.

    >>> [(step.profiles, step.cases, step.keep) for step in plan_rounds(29, 100)]
    [(29, 13, 15), (15, 25, 8), (8, 50, 4), (4, 100, 2)]
    """
    wanted = math.ceil(math.log2(max(profiles, FINALISTS + 1) / FINALISTS))
    possible = 1 + math.floor(math.log2(max(cases, FEWEST) / FEWEST))
    steps: list[Step] = []
    for left in reversed(range(min(wanted, possible))):
        keep = min(profiles, max(FINALISTS, math.ceil(profiles / 2)) if left else FINALISTS)
        steps.append(Step(profiles, math.ceil(cases / 2**left), keep))
        profiles = keep
    return tuple(steps)


def count_calls(steps: Sequence[Step], parts: Parts) -> int:
    """Turns that are asked at most: what one round has asked the next does not."""
    before = [0, *(step.cases for step in steps)]
    search = sum(step.profiles * (step.cases - asked) for step, asked in zip(steps, before, strict=False))
    return search + len(parts.all) + steps[-1].keep * len(parts.confirmation)


@dataclass(frozen=True, slots=True)
class Standing:
    """A profile against "off", on the cases that both were asked."""

    profile: ReadingOptions
    cases: int
    accuracy: float
    off_accuracy: float
    gain: Difference
    """The profile's accuracy minus that of "off", in points."""


def measure_standing(
    profile: ReadingOptions, cases: Sequence[Case], answers: Sequence[Answer], off: Sequence[Answer], *, seed: int
) -> Standing | None:
    """The profile's standing; None if there is no case that both have an answer to."""
    named, named_off = ({answer.case_id: answer.emotion for answer in each} for each in (answers, off))
    both = [case for case in cases if case.case_id in named and case.case_id in named_off]
    if not both:
        return None
    right = [named[case.case_id] == case.emotion for case in both]
    right_off = [named_off[case.case_id] == case.emotion for case in both]
    gains = [100.0 * (mine - its) for mine, its in zip(right, right_off, strict=True)]
    gain = measure_difference(gains, [case.conv_id for case in both], seed=seed)
    return Standing(profile, len(both), 100 * sum(right) / len(both), 100 * sum(right_off) / len(both), gain)


def halve(standings: Sequence[Standing], keep: int) -> tuple[ReadingOptions, ...]:
    """The profiles that go on: those that gain most, of equals the earlier."""
    ranked = sorted(standings, key=lambda standing: -standing.gain.estimate.value)
    return tuple(standing.profile for standing in ranked[:keep])


def leaders(standings: Sequence[Standing], keep: int) -> tuple[ReadingOptions, ...]:
    """The finalists: those of `halve` that are ahead of "off" at all; for others no confirmation need be paid."""
    ahead = [standing for standing in standings if standing.gain.estimate.value > 0]
    return halve(ahead, keep)


@dataclass(frozen=True, slots=True)
class Finalist:
    """A finalist's standing on the cases of the confirmation."""

    standing: Standing
    adjusted_p: float
    """By Holm's method, over all finalists."""

    @property
    def verdict(self) -> Verdict:
        """Against "off"."""
        return settle(self.standing.gain.estimate, self.adjusted_p)


def judge_finalists(standings: Sequence[Standing], *, count: int) -> tuple[Finalist, ...]:
    """The finalists with their p adjusted; of `count` finalists some may not have come to be measured."""
    measured = [standing.gain.p for standing in standings]
    adjusted = holm([*measured, *[1.0] * (count - len(measured))])
    return tuple(Finalist(standing, p) for standing, p in zip(standings, adjusted, strict=False))


def choose(finalists: Sequence[Finalist]) -> Finalist | None:
    """The surest gain of those better than "off" beyond noise; None where "off" wins.

    That is the highest low end of an interval: a finalist that the money was enough to ask only in part has to be that
    much better.
    """
    better = [finalist for finalist in finalists if finalist.verdict == "better"]
    return max(better, key=lambda finalist: finalist.standing.gain.estimate.low, default=None)
