"""Many callers at once: what micro-batching (`hef_graph.sem.batching`) gains, and how long callers wait."""

import random
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeAlias

import numpy as np

from hef_graph.evaluation.benchmark.reading import DIALOGUE
from hef_graph.evaluation.benchmark.report import Bar, Row
from hef_graph.evaluation.benchmark.timing import Spread, ratio, scaled, seconds
from hef_graph.sem import load_sem
from hef_graph.sem.batching import BatchingSem
from hef_graph.types import SmallEmpatheticModel

Asked: TypeAlias = Sequence[Sequence[str]]

PART: Final = "crowd"
CALLERS: Final = 64
LEG: Final = 200
"""Calls of one leg: few enough that the machine is as fast at its end as at its beginning, mostly."""


def measure_crowd(contexts: Sequence[Sequence[str]], calls: int) -> list[Row]:
    """Closed loop: each of 64 callers asks for its next dialogue as soon as the last is read. Then an open loop.

    So many calls each way, in legs: what is compared takes turns.
    """
    sem = load_sem()
    asked = [list(contexts[index % len(contexts)]) for index in range(calls)]
    return [
        *_closed(sem, _legs(asked, 2 * LEG)),
        *_half_of_capacity(sem, _legs([[DIALOGUE]] * calls, LEG), "one dialogue"),
        *_half_of_capacity(sem, _legs(asked, LEG), "any contexts"),
    ]


def _legs(asked: Asked, size: int) -> list[Asked]:
    return [asked[start : start + size] for start in range(0, len(asked), size)]


def _closed(sem: SmallEmpatheticModel, legs: Sequence[Asked]) -> list[Row]:
    """Plain calls and gathered ones."""
    alone: list[float] = []
    together: list[float] = []
    with BatchingSem(sem) as batching:
        for leg in legs:
            alone.append(seconds(lambda leg=leg: _closed_loop(sem, leg)) / len(leg))  # type: ignore[misc]
            together.append(seconds(lambda leg=leg: _closed_loop(batching, leg)) / len(leg))  # type: ignore[misc]
    unbatched, batched = (Spread.of([1 / each for each in taken]) for taken in (alone, together))
    note = f"{CALLERS} callers, {len(legs)} times {len(legs[0])} calls"
    return [
        Row(PART, "calls, each by itself", unbatched, "dialogues/s", note=note),
        Row(PART, "calls, gathered", batched, "dialogues/s", note=note),
        Row(PART, "gathered / by itself", ratio(alone, together), "times", Bar("≥", 1.5), note),
    ]


def _half_of_capacity(sem: SmallEmpatheticModel, legs: Sequence[Asked], of: str) -> list[Row]:
    """Open loop: callers come by chance (Poisson), at half the rate that a closed loop reached just before.

    A call after a pause is slower than one that follows another, as if the weights had left the caches: of lone calls
    both are measured.
    """
    rates: list[float] = []
    single: list[float] = []
    paused: list[float] = []
    waited: list[float] = []
    with BatchingSem(sem) as batching:
        for seed, leg in enumerate(legs):
            rates.append(len(leg) / seconds(lambda leg=leg: _closed_loop(batching, leg)) / 2)  # type: ignore[misc]
            single.append(Spread.of([_call(batching, given) for given in leg]).median)
            paused.append(Spread.of(_call_after_pauses(batching, leg, rates[-1], seed)).median)
            waited.append(float(np.quantile(_arrive(batching, leg, rates[-1], seed), 0.95)))
    note = f"{Spread.of(rates).median:.0f} calls a second, Poisson, {len(legs)} times {len(legs[0])}"
    return [
        Row(PART, f"{of}: a single call, nobody else", scaled(single, 1000), "ms", note=note),
        Row(PART, f"{of}: the same after pauses", scaled(paused, 1000), "ms", note=note),
        Row(PART, f"{of}: p95 at half of capacity", scaled(waited, 1000), "ms", note=note),
        Row(PART, f"{of}: p95 / a single call", ratio(waited, single), "times", Bar("≤", 3), note),
        Row(PART, f"{of}: p95 / one after pauses", ratio(waited, paused), "times", Bar("≤", 3), note),
    ]


def _closed_loop(sem: SmallEmpatheticModel, asked: Asked) -> None:
    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(lambda dialogue: sem.analyze([dialogue]), asked))


def _call(sem: SmallEmpatheticModel, dialogue: Sequence[str]) -> float:
    return seconds(lambda: sem.analyze([dialogue]))


def _call_after_pauses(sem: SmallEmpatheticModel, asked: Asked, rate: float, seed: int) -> list[float]:
    """Seconds of each call of a lone caller, who pauses between calls for as long as others' arrivals are apart."""
    drawing = random.Random(seed)  # noqa: S311  drawing, not cryptography
    taken: list[float] = []
    for dialogue in asked:
        time.sleep(drawing.expovariate(rate))
        taken.append(_call(sem, dialogue))
    return taken


def _arrive(sem: SmallEmpatheticModel, asked: Asked, rate: float, seed: int) -> list[float]:
    """Seconds that each call took, from the moment at which it was made."""
    drawing = random.Random(seed)  # noqa: S311  drawing, not cryptography
    with ThreadPoolExecutor(4 * CALLERS) as pool:
        made: list[Future[float]] = []
        due = time.perf_counter()
        for dialogue in asked:
            due += drawing.expovariate(rate)
            time.sleep(max(0.0, due - time.perf_counter()))
            made.append(pool.submit(_call, sem, dialogue))
    return [each.result() for each in made]
