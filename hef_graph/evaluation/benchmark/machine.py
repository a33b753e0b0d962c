"""How fast the machine itself is, before and after: a rented one can be half as fast an hour later.

Milliseconds of two runs can be compared as far as these figures agree. Ratios within a run hold better, but not those
of one core against several: how much a second core adds changes too.
"""

from typing import Any, Final

from hef_graph.evaluation.benchmark.report import Row
from hef_graph.evaluation.benchmark.timing import Spread, ratio, scaled, side_by_side

PART: Final = "machine"
STEPS: Final = 200_000
SIZE: Final = 512
"""Of square matrices: large enough to keep a core busy, small enough for its caches."""


def measure_machine(when: str, rounds: int) -> list[Row]:
    """Plain Python on one core, matrix products in single precision on one, and what all cores add."""
    import torch  # noqa: PLC0415  slow to import

    threads, matrix = torch.get_num_threads(), torch.ones(SIZE, SIZE)
    try:
        taken = side_by_side(
            {
                "python": lambda: sum(range(STEPS)),
                "one": lambda: _multiply(torch, matrix, 1),
                "all": lambda: _multiply(torch, matrix, threads),
            },
            rounds=rounds,
        )
    finally:
        torch.set_num_threads(threads)
    billions = 2 * SIZE**3 / 1e9
    rates = Spread.of([billions / each for each in taken["one"]])
    gain = ratio(taken["one"], taken["all"])
    return [
        Row(PART, f"{when}: Python adds {STEPS:,} numbers", scaled(taken["python"], 1000), "ms"),
        Row(PART, f"{when}: matrix products, one core", rates, "GFLOP/s"),
        Row(PART, f"{when}: the same, all cores / one", gain, "times", note=f"{threads} cores"),
    ]


def _multiply(torch: Any, matrix: Any, threads: int) -> None:
    """One product on so many threads."""
    torch.set_num_threads(threads)
    torch.mm(matrix, matrix)
