"""Seconds, measured side by side: in each round every candidate once, so that what slows the machine slows them all."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Self, TypeAlias

import numpy as np

Work: TypeAlias = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Spread:
    """A median and the quartiles around it."""

    median: float
    low: float
    """A quarter of the values are below."""
    high: float
    """A quarter of the values are above."""

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Of one value or more."""
        low, high = (float(value) for value in np.quantile(values, [0.25, 0.75]))
        return cls(median(values), low, high)


def seconds(work: Work) -> float:
    """How long one call takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def side_by_side(candidates: Mapping[str, Work], *, rounds: int, warm: int = 2) -> dict[str, list[float]]:
    """Seconds of each candidate in each of `rounds`, after `warm` rounds that do not count."""
    for _ in range(warm):
        for work in candidates.values():
            work()
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, work in candidates.items():
            taken[name].append(seconds(work))
    return taken


def ratio(over: Sequence[float], under: Sequence[float]) -> Spread:
    """`over / under`, round by round."""
    return Spread.of([a / b for a, b in zip(over, under, strict=True)])


def difference(of: Sequence[float], from_: Sequence[float]) -> list[float]:
    """`of - from_`, round by round."""
    return [a - b for a, b in zip(of, from_, strict=True)]


def scaled(values: Sequence[float], factor: float) -> Spread:
    """The spread of the values in another unit."""
    return Spread.of([factor * value for value in values])
