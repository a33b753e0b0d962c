"""Which of two systems responds better? A judge compares them on three aspects, each pair in both orders (A/B test).

A judge prefers a place as well as a response, so a response wins only if it does so from both places; else it is a tie.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from hef_graph.evaluation.bootstrap import Estimate, resample_sums
from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cases import Case, sample_cases
from hef_graph.evaluation.study.comparison import Verdict, measure_difference, settle
from hef_graph.evaluation.study.opinions import ASPECTS, Duel, Judge, Place, ask_opinions

Result: TypeAlias = Literal["win", "tie", "lose"]
"""Of the first system."""

_RESULTS: Final[tuple[Result, ...]] = ("win", "tie", "lose")

SAMPLE: Final = 100
"""Dialogues that are judged, as in the paper."""


@dataclass(frozen=True, slots=True)
class AspectReport:
    """One aspect; percentages of the judged dialogues, from the first system's side."""

    win: Estimate
    tie: Estimate
    lose: Estimate
    gain: Estimate
    """Win minus lose, in points."""
    p: float
    """Two-sided, of the gain's bootstrap."""
    agreement: Estimate | None
    """Dialogues in which both orders led to the same; None if none was asked about."""
    raw: Mapping[Result, int]
    """Single questions, both orders counted."""
    first_place: int
    """How many of them went to the reply that came first, whosever it was: with a fair judge half of those without
    ties."""

    @property
    def verdict(self) -> Verdict:
        """What the judge's preference says of the first system, at 5 %."""
        return settle(self.gain, self.p)


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """The first system's responses against the second's."""

    judge: str
    dialogues: int
    judged: int
    """With a verdict in both orders; only these count."""
    without_response: int
    """Dialogues in which a response is missing: not asked about."""
    identical: int
    """Dialogues with two equal responses: ties, not asked about."""
    no_verdict: Mapping[str, int] = field(default_factory=dict)
    """Questions that the judge's model left open, by cause."""
    aspects: Mapping[str, AspectReport] = field(default_factory=dict)
    """Empty if nothing was judged."""
    input_tokens: int = 0
    output_tokens: int = 0
    """Of all opinions, those of earlier runs among them."""

    def to_json(self) -> dict[str, Any]:
        """Plain values, the verdict of each aspect among them."""
        aspects = {name: {**asdict(each), "verdict": each.verdict} for name, each in self.aspects.items()}
        return {**asdict(self), "aspects": aspects}


def pair_responses(
    cases: Sequence[Case], first: Sequence[Answer], second: Sequence[Answer], *, seed: int, count: int | None = SAMPLE
) -> list[Duel]:
    """Two systems' responses to `count` cases drawn by the seed: the same cases for every two systems."""
    one, two = ({answer.case_id: answer.response.strip() for answer in answers} for answers in (first, second))
    drawn = sample_cases(cases, count=count, seed=seed)
    return [Duel(case, one.get(case.case_id, ""), two.get(case.case_id, "")) for case in drawn]


def questions_of(duels: Sequence[Duel]) -> list[Duel]:
    """What the judge is asked: each duel that needs it, in both orders."""
    return [each for duel in duels if _needs_asking(duel) for each in (duel, duel.swapped)]


def _needs_asking(duel: Duel) -> bool:
    return bool(duel.first and duel.second) and duel.first != duel.second


async def judge_duels(judge: Judge, duels: Sequence[Duel], *, seed: int) -> JudgeReport:
    """Ask about every duel in both orders; a fault of the judge's model is "no verdict", never an exception.

    Args:
        judge: the model, how many questions at a time, and where opinions are kept.
        duels: what is compared; pairs without two responses are counted, and equal ones are ties without a question.
        seed: of the intervals.

    Raises:
        Exception: what `judge.on_opinion` raises.
    """
    asked = [duel for duel in duels if _needs_asking(duel)]
    opinions = await ask_opinions(judge, questions_of(duels))
    both = zip(asked, opinions[::2], opinions[1::2], strict=True)
    settled = [
        _settle(duel, there.verdict, back.verdict) for duel, there, back in both if there.verdict and back.verdict
    ]
    identical = [_settle_identical(duel) for duel in duels if duel.first and duel.first == duel.second]
    judged = settled + identical
    return JudgeReport(
        judge=judge.name,
        dialogues=len(duels),
        judged=len(judged),
        without_response=len(duels) - len(asked) - len(identical),
        identical=len(identical),
        no_verdict=dict(Counter(opinion.failure for opinion in opinions if opinion.failure).most_common()),
        aspects={aspect: _report(aspect, judged, seed=seed) for aspect in ASPECTS if judged},
        input_tokens=sum(opinion.input_tokens for opinion in opinions),
        output_tokens=sum(opinion.output_tokens for opinion in opinions),
    )


@dataclass(frozen=True, slots=True)
class _Settled:
    """One dialogue's results by aspect, in both orders."""

    conv_id: str
    there: Mapping[str, Result]
    back: Mapping[str, Result]
    asked: bool = True

    def result(self, aspect: str) -> Result:
        """What both orders led to; a tie where they contradict each other."""
        return self.there[aspect] if self.agrees(aspect) else "tie"

    def agrees(self, aspect: str) -> bool:
        return self.there[aspect] == self.back[aspect]


def _settle(duel: Duel, there: Mapping[str, Place], back: Mapping[str, Place]) -> _Settled:
    as_asked: dict[Place, Result] = {"first": "win", "second": "lose", "tie": "tie"}
    swapped: dict[Place, Result] = {"first": "lose", "second": "win", "tie": "tie"}
    return _Settled(
        duel.case.conv_id,
        {aspect: as_asked[there[aspect]] for aspect in ASPECTS},
        {aspect: swapped[back[aspect]] for aspect in ASPECTS},
    )


def _settle_identical(duel: Duel) -> _Settled:
    ties: dict[str, Result] = dict.fromkeys(ASPECTS, "tie")
    return _Settled(duel.case.conv_id, ties, ties, asked=False)


def _report(aspect: str, judged: Sequence[_Settled], *, seed: int) -> AspectReport:
    groups = [each.conv_id for each in judged]
    results = np.array([[each.result(aspect) == result for result in _RESULTS] for each in judged], dtype=float)
    asked = [[each.asked and each.agrees(aspect), each.asked, True] for each in judged]
    sums = resample_sums(np.column_stack([results, np.array(asked, dtype=float)]), groups, seed=seed)
    gain = measure_difference(100 * (results[:, 0] - results[:, 2]), groups, seed=seed)
    there, back = (Counter(side[aspect] for side in sides) for sides in _sides(judged))
    return AspectReport(
        win=sums.mean(0, 5, scale=100),
        tie=sums.mean(1, 5, scale=100),
        lose=sums.mean(2, 5, scale=100),
        gain=gain.estimate,
        p=gain.p,
        agreement=_percent(sums.ratio(3, 4)),
        raw={result: there[result] + back[result] for result in _RESULTS},
        first_place=there["win"] + back["lose"],
    )


def _sides(judged: Sequence[_Settled]) -> tuple[list[Mapping[str, Result]], list[Mapping[str, Result]]]:
    """The results of the questions that were asked, by order."""
    asked = [each for each in judged if each.asked]
    return [each.there for each in asked], [each.back for each in asked]


def _percent(share: Estimate | None) -> Estimate | None:
    return Estimate(100 * share.value, 100 * share.low, 100 * share.high) if share else None
