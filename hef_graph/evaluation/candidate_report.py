"""Are the probabilities honest? Adaptive candidates against what they promise, and reliability of the confidence."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from hef_graph.candidates import prioritise
from hef_graph.corpus import Context
from hef_graph.emotions import family_of
from hef_graph.evaluation.bootstrap import Estimate, interval, resample_sums
from hef_graph.evaluation.metrics import confidence_bin
from hef_graph.types import EmotionAnalysis, SmallEmpatheticModel

COVERAGES: Final = (0.80, 0.90, 0.95, 0.99)
SIZE_BINS: Final = {1: "1", 2: "2 to 3", 4: "4 to 6", 7: "7 to 10", 11: "11 to 15", 16: "16 or more"}
"""Numbers of candidates told together, by the smallest of each."""

BINS: Final = 15


@dataclass(frozen=True, slots=True)
class GroupCoverage:
    """Coverage within a part of the contexts."""

    group: str
    contexts: int
    coverage: float
    """Percentage."""


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """Adaptive candidates at one promised coverage; percentages."""

    promised: float
    measured: Estimate
    mean_size: Estimate
    fixed_k: float
    """Candidates that reach the same coverage where everyone gets the same number, interpolated between whole k."""
    fixed_k_whole: int
    """The smallest whole k that reaches it."""
    saving: float
    """How far `mean_size` is below `fixed_k`."""
    saving_whole: float
    """How far it is below `fixed_k_whole`."""
    by_family: tuple[GroupCoverage, ...]
    """By family of the predicted emotion, worst first."""
    by_size: tuple[GroupCoverage, ...]
    """By number of candidates."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The contexts of similar confidence; percentages, 0 where there are none."""

    low: float
    high: float
    contexts: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far confidence and accuracy are apart."""

    error: Estimate
    """Expected calibration error, 0 to 1. Its interval leans upward: an absolute gap counts the resampling's noise."""
    bins: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True)
class CandidateReport:
    """What a small empathetic model (SEM) promises and keeps; 95 % intervals, from a bootstrap over conversations."""

    contexts: int
    calibrated: bool
    """Whether the SEM brings thresholds of its own for adaptive candidates."""
    coverages: tuple[CoverageRow, ...]
    probability: Calibration
    """Of the first emotion's probability."""
    confidence: Calibration | None
    """Of the SEM's own `confidence`; None where it gives none."""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Case:
    """One context, read."""

    analysis: EmotionAnalysis
    gold: str
    conv_id: str

    @property
    def hit(self) -> bool:
        return self.analysis.emotions[0].label == self.gold

    @property
    def rank(self) -> int:
        """Candidates needed to hold the gold label; more than there are where the SEM does not know it."""
        labels = [score.label for score in self.analysis.emotions]
        return labels.index(self.gold) + 1 if self.gold in labels else len(labels) + 1


def report_candidates(
    sem: SmallEmpatheticModel, contexts: Sequence[Context], *, coverages: Sequence[float] = COVERAGES, seed: int = 0
) -> CandidateReport:
    """Read every context, and compare what is promised with the labels.

    Raises:
        HefInputError: no contexts, or a coverage that cannot be promised.
    """
    analyses = sem.analyze([context.turns for context in contexts])
    cases = [_Case(analysis, c.emotion, c.conv_id) for analysis, c in zip(analyses, contexts, strict=True)]
    own = [confidence for analysis in analyses if (confidence := analysis.confidence) is not None]
    return CandidateReport(
        contexts=len(cases),
        calibrated=all(analysis.thresholds for analysis in analyses),
        coverages=tuple(_cover(cases, coverage, seed=seed) for coverage in coverages),
        probability=_calibrate([analysis.emotions[0].probability for analysis in analyses], cases, seed=seed),
        confidence=_calibrate(own, cases, seed=seed) if len(own) == len(cases) else None,
    )


def fixed_k_at(hits: int, ranks: Sequence[int]) -> float:
    """The number of first labels that holds `hits` gold labels, interpolated between whole numbers; 0 holds none.

    >>> fixed_k_at(3, ranks=[1, 1, 2, 2])
    1.5
    """
    if not hits:
        return 0.0
    last = sorted(ranks)[hits - 1]
    below, level = sum(rank < last for rank in ranks), ranks.count(last)
    return last - 1 + (hits - below) / level


def _cover(cases: Sequence[_Case], coverage: float, *, seed: int) -> CoverageRow:
    chosen = [_candidates(case.analysis, coverage) for case in cases]
    sizes = [len(labels) for labels in chosen]
    covered = [case.gold in labels for case, labels in zip(cases, chosen, strict=True)]
    sums = resample_sums(
        np.array([covered, sizes, [1] * len(cases)], dtype=float).T, [case.conv_id for case in cases], seed=seed
    )
    size = sums.mean(1, 2)
    fixed_k = fixed_k_at(sum(covered), [case.rank for case in cases])
    families = [family_of(case.analysis.emotions[0].label) or "other" for case in cases]
    by_family = _coverage_by(families, covered, dict.fromkeys(families))
    return CoverageRow(
        promised=100 * coverage,
        measured=sums.mean(0, 2, scale=100),
        mean_size=size,
        fixed_k=fixed_k,
        fixed_k_whole=int(np.ceil(fixed_k)),
        saving=_saving(size.value, fixed_k),
        saving_whole=_saving(size.value, np.ceil(fixed_k)),
        by_family=tuple(sorted(by_family, key=lambda group: group.coverage)),
        by_size=_coverage_by([_size_bin(size) for size in sizes], covered, SIZE_BINS.values()),
    )


def _candidates(analysis: EmotionAnalysis, coverage: float) -> set[str]:
    chosen = prioritise(analysis.emotions, "adaptive", coverage=coverage, thresholds=analysis.thresholds)
    return {score.label for score in chosen}


def _saving(size: float, fixed_k: float) -> float:
    return float(100 * (1 - size / fixed_k)) if fixed_k else 0.0


def _size_bin(size: int) -> str:
    return SIZE_BINS[max(least for least in SIZE_BINS if least <= size)]


def _coverage_by(groups: Sequence[str], covered: Sequence[bool], order: Iterable[str]) -> tuple[GroupCoverage, ...]:
    """Coverage of each group that has contexts, in the given order."""
    members = {name: [hit for group, hit in zip(groups, covered, strict=True) if group == name] for name in order}
    return tuple(GroupCoverage(name, len(hits), 100 * sum(hits) / len(hits)) for name, hits in members.items() if hits)


def _calibrate(confidences: Sequence[float], cases: Sequence[_Case], *, seed: int) -> Calibration:
    hits = [case.hit for case in cases]
    bins = [confidence_bin(confidence, bins=BINS) for confidence in confidences]
    gaps = np.zeros((len(cases), BINS + 1))
    gaps[:, BINS] = 1.0
    gaps[range(len(cases)), bins] = np.array(confidences) - hits
    sums = resample_sums(gaps, [case.conv_id for case in cases], seed=seed)
    error = np.abs(sums.observed[:BINS]).sum() / sums.observed[BINS]
    resampled = np.abs(sums.resamples[:, :BINS]).sum(axis=1) / sums.resamples[:, BINS]
    members = [
        [pair for pair, b in zip(zip(confidences, hits, strict=True), bins, strict=True) if b == index]
        for index in range(BINS)
    ]
    return Calibration(interval(float(error), resampled), tuple(map(_reliability, range(BINS), members)))


def _reliability(index: int, members: Sequence[tuple[float, bool]]) -> ReliabilityBin:
    share = 100 / max(1, len(members))
    confidence, accuracy = share * sum(c for c, _ in members), share * sum(hit for _, hit in members)
    return ReliabilityBin(100 * index / BINS, 100 * (index + 1) / BINS, len(members), confidence, accuracy)
