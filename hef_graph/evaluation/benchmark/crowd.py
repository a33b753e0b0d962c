"""Many callers at once: what micro-batching (`hef_graph.sem.batching`) gains, and how long callers wait."""

import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from hef_graph.evaluation.benchmark.reading import DIALOGUE
from hef_graph.evaluation.benchmark.report import Bar, Row
from hef_graph.evaluation.benchmark.timing import Spread, ratio, scaled, seconds
from hef_graph.sem import load_sem
from hef_graph.sem.batching import BatchingSem
from hef_graph.types import SmallEmpatheticModel

PART: Final = "crowd"
CALLERS: Final = 64
LONE: Final = 200
"""Calls whose median is the time of a single one."""


def measure_crowd(contexts: Sequence[Sequence[str]], calls: int, rounds: int) -> list[Row]:
    """Closed loop: each of 64 callers asks for its next dialogue as soon as the last is read. Then an open loop."""
    sem = load_sem()
    asked = [list(contexts[index % len(contexts)]) for index in range(calls)]
    alone: list[float] = []
    together: list[float] = []
    for _ in range(rounds):
        alone.append(seconds(lambda: _closed_loop(sem, asked)))
        with BatchingSem(sem) as batching:
            together.append(seconds(lambda reader=batching: _closed_loop(reader, asked)))  # type: ignore[misc]
    rates = ([calls / each for each in taken] for taken in (alone, together))
    unbatched, batched = (Spread.of(rate) for rate in rates)
    note = f"{CALLERS} callers, {calls} calls"
    return [
        Row(PART, "calls, each by itself", unbatched, "dialogues/s", note=note),
        Row(PART, "calls, gathered", batched, "dialogues/s", note=note),
        Row(PART, "gathered / by itself", ratio(alone, together), "times", Bar("≥", 1.5), note),
        *_half_of_capacity(sem, [[DIALOGUE]] * (calls // 2), rounds, "one dialogue"),
        *_half_of_capacity(sem, asked[: calls // 2], rounds, "any contexts"),
    ]


def _half_of_capacity(sem: SmallEmpatheticModel, asked: Sequence[list[str]], rounds: int, of: str) -> list[Row]:
    """Open loop: callers come by chance (Poisson), at half the rate that a closed loop reached just before."""
    rates: list[float] = []
    single: list[float] = []
    waited: list[float] = []
    with BatchingSem(sem) as batching:
        for seed in range(rounds):
            rates.append(len(asked) / seconds(lambda: _closed_loop(batching, asked)) / 2)
            calls = [seconds(lambda given=given: batching.analyze([given])) for given in asked[:LONE]]  # type: ignore[misc]
            single.append(Spread.of(calls).median)
            waited.append(float(np.quantile(_arrive(batching, asked, rates[-1], seed), 0.95)))
    note = f"{Spread.of(rates).median:.0f} calls a second, Poisson, seeds 0 to {rounds - 1}"
    return [
        Row(PART, f"{of}: a single call, nobody else", scaled(single, 1000), "ms", note=note),
        Row(PART, f"{of}: p95 at half of capacity", scaled(waited, 1000), "ms", note=note),
        Row(PART, f"{of}: p95 / a single call", ratio(waited, single), "times", Bar("≤", 3), note),
    ]


def _closed_loop(sem: SmallEmpatheticModel, asked: Sequence[list[str]]) -> None:
    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(lambda dialogue: sem.analyze([dialogue]), asked))


def _arrive(sem: SmallEmpatheticModel, asked: Sequence[list[str]], rate: float, seed: int) -> list[float]:
    """Seconds that each caller waited from its arrival."""
    drawing = random.Random(seed)  # noqa: S311  drawing, not cryptography
    waited: list[float] = []
    done = threading.Lock()

    def call(dialogue: list[str], due: float) -> None:
        sem.analyze([dialogue])
        with done:
            waited.append(time.perf_counter() - due)

    with ThreadPoolExecutor(4 * CALLERS) as pool:
        due = time.perf_counter()
        for dialogue in asked:
            due += drawing.expovariate(rate)
            time.sleep(max(0.0, due - time.perf_counter()))
            pool.submit(call, dialogue, due)
    return waited
