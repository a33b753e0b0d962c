"""Emotion probabilities → the prioritised emotions of stage one (HEF, Section 3.4)."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Literal, TypeAlias

from hef_graph.errors import HefInputError
from hef_graph.types import CoverageThresholds, EmotionScore

K2: TypeAlias = int | Literal["adaptive"]
"""How many emotions to put first: a fixed number, or as many as reach the wished coverage."""


def check_k2(k2: K2) -> None:
    """Raise `HefInputError` unless `k2` is a positive int or "adaptive"."""
    fixed = isinstance(k2, int) and not isinstance(k2, bool) and k2 >= 1
    if not fixed and k2 != "adaptive":
        raise HefInputError(f"k2 is {k2!r}; allowed are a whole number from 1 on, or 'adaptive'")


def prioritise(
    emotions: Sequence[EmotionScore], k2: K2, *, coverage: float = 0.95, thresholds: CoverageThresholds = ()
) -> tuple[EmotionScore, ...]:
    """The `k2` most probable emotions, most probable first (all of them where there are fewer).

    With "adaptive", a conformal prediction set: every emotion at least as probable as the threshold under which, on
    contexts that were not trained on, the right emotion fell in no more than `1 - coverage` of all cases (Sadinle et
    al. 2019: of all sets with that coverage these are the smallest on average). One emotion at least.

    Without `thresholds` (a SEM that was not calibrated for it), the fewest emotions whose probabilities add up to
    `coverage`: a promise only as good as those probabilities.
    """
    check_k2(k2)
    ranked = sorted(emotions, key=lambda score: -score.probability)
    if k2 != "adaptive":
        return tuple(ranked[:k2])
    if not thresholds:
        return _cumulative_set(ranked, coverage)
    least = least_probability(thresholds, coverage)
    return tuple(score for index, score in enumerate(ranked) if index == 0 or score.probability >= least)


def least_probability(thresholds: CoverageThresholds, coverage: float) -> float:
    """The threshold for a coverage, between the two nearest that are known in a straight line.

    Above the highest known coverage it is 0: nothing smaller could be promised. Below the lowest, it is the lowest's.
    """
    if coverage > thresholds[-1][0]:
        return 0.0
    lower, upper = thresholds[0], thresholds[0]
    for upper in thresholds:
        if upper[0] >= coverage:
            break
        lower = upper
    width = upper[0] - lower[0]
    share = (coverage - lower[0]) / width if width > 0 else 1.0
    return lower[1] + max(0.0, share) * (upper[1] - lower[1])


def _cumulative_set(ranked: Sequence[EmotionScore], coverage: float) -> tuple[EmotionScore, ...]:
    reached = accumulate(score.probability for score in ranked)
    size = next((count for count, total in enumerate(reached, start=1) if total >= coverage), len(ranked))
    return tuple(ranked[:size])
