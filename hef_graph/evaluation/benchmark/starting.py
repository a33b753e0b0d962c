"""How long it takes until something can be done: each start in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from hef_graph.evaluation.benchmark.report import Bar, Row
from hef_graph.evaluation.benchmark.timing import Spread, seconds

PART: Final = "start"
TIMED: Final = "import time; start = time.perf_counter(); {work}; print(time.perf_counter() - start)"
IMPORT: Final = TIMED.format(work="import hef_graph")
LOAD: Final = "import torch, hef_graph; " + TIMED.format(work="hef_graph.load_sem()")
CREATE: Final = TIMED.format(work="from hef_graph import create_hef_graph; create_hef_graph()")
REPLY: Final = (sys.executable, "-c", "import sys; from hef_graph.cli import main; sys.exit(main())")
ARGUMENTS: Final = ("reply", "I lost my job today.")


def measure_starts(rounds: int) -> list[Row]:
    """Import, SEM, graph, and the first reply of the command line."""
    replies = [seconds(lambda: _run((*REPLY, *ARGUMENTS))) for _ in range(rounds + 1)][1:]
    return [
        Row(PART, "import hef_graph", _timed(IMPORT, rounds), "s", Bar("≤", 1.0)),
        Row(PART, "load_sem() after import torch", _timed(LOAD, rounds), "s", Bar("≤", 1.5)),
        Row(PART, "first create_hef_graph(), imports included", _timed(CREATE, rounds), "s"),
        Row(PART, "hef reply, the whole command", Spread.of(replies), "s", Bar("≤", 5)),
    ]


def _timed(code: str, rounds: int) -> Spread:
    """Seconds that the code prints, after one start that fills the disk's cache."""
    printed = [_run((sys.executable, "-c", code)) for _ in range(rounds + 1)]
    return Spread.of([float(each) for each in printed[1:]])


def _run(command: Sequence[str]) -> str:
    """What the command prints; what Python has compiled it may keep, as an installed package's is kept."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout  # noqa: S603  commands of this module
