"""Does one system name the emotions better than another? Both answered the same cases, so cases are paired.

The cluster bootstrap decides: it draws whole conversations, while McNemar's test takes the cases of a conversation,
which share their label and most of their words, for independent ones. McNemar's test is told beside it, as papers do.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from hef_graph.errors import HefInputError
from hef_graph.evaluation.bootstrap import Estimate, Numbers, interval, resample_sums
from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cases import Case

Verdict: TypeAlias = Literal["better", "worse", "not significant"]
McNemarTest: TypeAlias = Literal["exact binomial", "chi-squared with continuity correction", "no discordant pairs"]

SIGNIFICANCE: Final = 0.05

FEW_PAIRS: Final = 25
"""Below so many discordant pairs the chi-squared distribution is a poor stand-in for the binomial one."""


@dataclass(frozen=True, slots=True)
class McNemar:
    """McNemar's test on the cases that only one of two systems has right."""

    only_first: int
    only_second: int
    test: McNemarTest
    statistic: float | None
    """Chi-squared; None for the others."""
    p: float
    """Two-sided."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean of paired differences."""

    estimate: Estimate
    p: float
    """Two-sided, of the same bootstrap."""

    @property
    def verdict(self) -> Verdict:
        """What it says of the first of the two."""
        return settle(self.estimate, self.p)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The first system against the second, by exact accuracy."""

    cases: int
    conversations: int
    missing_first: int
    missing_second: int
    """Cases without an answer; they count as wrong."""
    accuracy_first: float
    accuracy_second: float
    difference: Estimate
    """First minus second, in points, with the interval of the paired cluster bootstrap."""
    p: float
    """Two-sided, of the same bootstrap."""
    mcnemar: McNemar
    adjusted_p: float | None = None
    """By Holm's method, where the comparison is one of several (`adjust_comparisons`)."""
    family: int = 1
    """How many comparisons it was adjusted for."""

    @property
    def verdict(self) -> Verdict:
        """What the bootstrap says of the first system, at 5 %: its p, adjusted where it is, and its interval agree."""
        return settle(self.difference, self.p if self.adjusted_p is None else self.adjusted_p)

    def to_json(self) -> dict[str, Any]:
        """Plain values, the verdict among them."""
        return {**asdict(self), "verdict": self.verdict, "decided_by": "paired cluster bootstrap"}


def compare(cases: Sequence[Case], first: Sequence[Answer], second: Sequence[Answer], *, seed: int) -> Comparison:
    """The paired difference in accuracy over the cases; answers to other cases are passed over.

    Raises:
        HefInputError: no cases.
    """
    if not cases:
        raise HefInputError("there is nothing to compare: no cases")
    right = np.array([_hits(cases, first), _hits(cases, second)], dtype=float)
    gain = right[0] - right[1]
    groups = [case.conv_id for case in cases]
    difference = measure_difference(100 * gain, groups, seed=seed)
    return Comparison(
        cases=len(cases),
        conversations=len(set(groups)),
        missing_first=_count_missing(cases, first),
        missing_second=_count_missing(cases, second),
        accuracy_first=100 * float(right[0].mean()),
        accuracy_second=100 * float(right[1].mean()),
        difference=difference.estimate,
        p=difference.p,
        mcnemar=mcnemar(int((gain > 0).sum()), int((gain < 0).sum())),
    )


def measure_difference(gains: Sequence[float] | Numbers, groups: Sequence[str], *, seed: int) -> Difference:
    """The mean of each case's first value minus its second, by a bootstrap that draws whole groups.

    Raises:
        HefInputError: no cases, or not as many groups as cases.
    """
    values = np.asarray(gains, dtype=float)
    sums = resample_sums(np.column_stack([values, np.ones(len(values))]), groups, seed=seed)
    resampled = sums.resamples[:, 0] / sums.resamples[:, 1]
    p = max(_bootstrap_p(resampled), _least_p(values, groups))
    return Difference(interval(float(values.mean()), resampled), p)


def settle(difference: Estimate, p: float) -> Verdict:
    """The verdict at 5 %: a difference is significant where its p and its interval agree that it is."""
    if p >= SIGNIFICANCE or difference.low <= 0 <= difference.high:
        return "not significant"
    return "better" if difference.value > 0 else "worse"


def mcnemar(only_first: int, only_second: int) -> McNemar:
    """McNemar's test: exact for few discordant pairs, else chi-squared with Edwards' continuity correction.

    >>> mcnemar(6, 16).test, round(mcnemar(6, 16).p, 4)
    ('exact binomial', 0.0525)

    Raises:
        HefInputError: SciPy is not installed.
    """
    pairs, gap = only_first + only_second, abs(only_first - only_second)
    if not pairs:
        return McNemar(0, 0, "no discordant pairs", None, 1.0)
    stats = _scipy_stats()
    if pairs < FEW_PAIRS:
        p = float(stats.binomtest(only_first, pairs, 0.5).pvalue)
        return McNemar(only_first, only_second, "exact binomial", None, p)
    statistic = max(0, gap - 1) ** 2 / pairs
    p = float(stats.chi2.sf(statistic, 1))
    return McNemar(only_first, only_second, "chi-squared with continuity correction", statistic, p)


def adjust_comparisons(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons of one table, in their order, each with its p adjusted for their number (Holm 1979).

    Of twenty comparisons between equals one is "significant" by chance; so adjusted, all of them together are wrong
    in no more than 5 % of the tables.
    """
    adjusted = holm([comparison.p for comparison in comparisons])
    return [
        replace(comparison, adjusted_p=p, family=len(comparisons))
        for comparison, p in zip(comparisons, adjusted, strict=True)
    ]


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment: the k-th smallest times (n - k + 1), never below a smaller one's, at most 1.

    >>> [round(p, 2) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    adjusted, floor = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        floor = max(floor, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = floor
    return adjusted


def _hits(cases: Sequence[Case], answers: Sequence[Answer]) -> list[bool]:
    named = {answer.case_id: answer.emotion for answer in answers}
    return [named.get(case.case_id) == case.emotion for case in cases]


def _count_missing(cases: Sequence[Case], answers: Sequence[Answer]) -> int:
    answered = {answer.case_id for answer in answers}
    return sum(case.case_id not in answered for case in cases)


def _bootstrap_p(resampled: Numbers) -> float:
    """Twice the share of resamples on the rarer side of 0, the measured value counted as one of them."""
    rarer = min(int((resampled <= 0).sum()), int((resampled >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (len(resampled) + 1))


def _least_p(gains: Numbers, groups: Sequence[str]) -> float:
    """The least p that a sign test could reach with the conversations in which the systems differ.

    A bootstrap of one conversation repeats it and is certain of it; below six that differ nothing can be significant.
    """
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.bincount(member, weights=gains, minlength=len(names))
    return min(1.0, 2.0 * 0.5 ** int(np.count_nonzero(sums)))


def _scipy_stats() -> Any:
    try:
        from scipy import stats  # noqa: PLC0415  an extra
    except ImportError as error:
        raise HefInputError("McNemar's test needs SciPy: pip install 'hef-graph[eval]'") from error
    return stats
