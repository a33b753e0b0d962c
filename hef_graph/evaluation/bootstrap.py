"""Intervals that know which cases belong together: the cluster bootstrap (Cameron et al. 2008)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hef_graph.errors import HefInputError

Numbers: TypeAlias = NDArray[np.float64]

RESAMPLES: Final = 2000
LEVEL: Final = 95.0
"""Per cent of the resamples inside an interval."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value and its 95 % interval."""

    value: float
    low: float
    high: float

    def show(self, digits: int = 1) -> str:
        """For people.

        >>> Estimate(1.25, 1.1, 1.4).show(2)
        '1.25 (1.10 to 1.40)'
        """
        return f"{self.value:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"


@dataclass(frozen=True, slots=True)
class Resampled:
    """Sums over the cases as measured, and over every resample; the same resamples for every column."""

    observed: Numbers
    """`(columns,)`"""
    resamples: Numbers
    """`(resamples, columns)`"""

    def mean(self, column: int, count: int, *, scale: float = 1.0) -> Estimate:
        """`scale` times one column's sum over that of another column, which counts and is never 0."""
        value = scale * self.observed[column] / self.observed[count]
        return interval(float(value), scale * self.resamples[:, column] / self.resamples[:, count])

    def ratio(self, top: int, bottom: int) -> Estimate | None:
        """One column's sum over another's, paired: both come from the same resamples; None if the other's is 0."""
        if self.observed[bottom] == 0:
            return None
        kept = self.resamples[self.resamples[:, bottom] != 0]
        return interval(float(self.observed[top] / self.observed[bottom]), kept[:, top] / kept[:, bottom])


def resample_sums(values: Numbers, groups: Sequence[str], *, seed: int, resamples: int = RESAMPLES) -> Resampled:
    """Draw whole groups with replacement, and sum the values of the cases drawn.

    Args:
        values: `(cases, columns)`; a column of ones counts the cases.
        groups: each case's group, such as its conversation.
        seed: of the draws.
        resamples: how many draws of all groups.

    Raises:
        HefInputError: no cases, or not as many groups as cases.
    """
    if len(values) != len(groups) or not len(groups):
        raise HefInputError(f"{len(values)} cases and {len(groups)} groups; give at least one case, each with a group")
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.zeros((len(names), values.shape[1]))
    np.add.at(sums, member, values)
    return Resampled(sums.sum(axis=0), _draw(len(names), seed, resamples) @ sums)


@lru_cache(maxsize=2)
def _draw(groups: int, seed: int, resamples: int) -> Numbers:
    """How often each group is drawn, `(resamples, groups)`: the same for every measure of one data set."""
    counts = np.random.default_rng(seed).multinomial(groups, np.full(groups, 1 / groups), size=resamples)
    return counts.astype(np.float64)


def interval(value: float, resampled: Numbers) -> Estimate:
    """The value with the percentile interval of its resamples."""
    low, high = np.percentile(resampled, [50 - LEVEL / 2, 50 + LEVEL / 2])
    return Estimate(value, float(low), float(high))
