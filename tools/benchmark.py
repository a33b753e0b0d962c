"""Measure how fast it is, each figure beside what a user would pick instead, in one run, side by side.

    python tools/benchmark.py [--part graph …] [--data valid.jsonl] [--quick] [--output b.json] [--picture b.png]
                              [--postgres URL]

Prints a table: medians with quartiles, and what was asked; first and last, how fast the machine itself is.
Without `--data` the dialogues are those of this tool. With the address of an empty PostgreSQL database it is measured
too.
Chance is seeded (0). Needs `pip install 'hef-graph[huggingface,eval]'`, and a machine with nothing else to do.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from langgraph.checkpoint.sqlite import SqliteSaver
from rich.console import Console

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.corpus import contexts_of, read_conversations
from hef_graph.evaluation.benchmark import conversation, crowd, database, machine, reading, starting, turns
from hef_graph.evaluation.benchmark.report import Row, draw_rows, tabulate_rows

WIDTH: Final = 150


@dataclass(frozen=True, slots=True)
class Effort:
    """How often things are measured."""

    rounds: int
    sample: int
    """Contexts that the large pipeline reads."""
    calls: int
    turns: int
    starts: int


FULL: Final = Effort(rounds=100, sample=256, calls=3000, turns=2000, starts=5)
QUICK: Final = Effort(rounds=5, sample=8, calls=64, turns=200, starts=1)
Contexts: TypeAlias = Sequence[Sequence[str]]


def measure_graph(effort: Effort, _: Contexts) -> list[Row]:
    """Overhead and first words."""
    return [*turns.measure_overhead(effort.rounds), *turns.measure_first_word(max(1, effort.rounds // 10))]


def measure_sem(effort: Effort, contexts: Contexts) -> list[Row]:
    """Latency and throughput."""
    return [
        *reading.measure_latency(effort.rounds),
        *reading.measure_free_latency(effort.rounds),
        *reading.measure_throughput(contexts, effort.sample, rounds=3),
    ]


def measure_crowd(effort: Effort, contexts: Contexts) -> list[Row]:
    """Micro-batching."""
    return crowd.measure_crowd(contexts, effort.calls)


def measure_conversation(effort: Effort, _: Contexts) -> list[Row]:
    """Prompts, memory, bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "talk.sqlite"
        with SqliteSaver.from_conn_string(str(path)) as saver:
            return [*conversation.measure_prompts(saver), *conversation.measure_long(saver, path, effort.turns)]


def measure_start(effort: Effort, _: Contexts) -> list[Row]:
    """Imports and first steps."""
    return starting.measure_starts(effort.starts)


def measure_postgres(url: str, effort: Effort) -> list[Row]:
    """What turns cost a database."""
    from langgraph.checkpoint.postgres import PostgresSaver  # noqa: PLC0415  an extra of its own

    with PostgresSaver.from_conn_string(url) as saver:
        return database.measure_database(saver, effort.rounds)


PARTS: Final[dict[str, Callable[[Effort, Contexts], list[Row]]]] = {
    "start": measure_start,
    "graph": measure_graph,
    "conversation": measure_conversation,
    "sem": measure_sem,
    "crowd": measure_crowd,
}


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=list(PARTS), help="may be repeated (default: all)")
    parser.add_argument("--data", type=Path, help="conversations to read: .jsonl, .csv or .parquet")
    parser.add_argument("--quick", action="store_true", help="few rounds: whether it runs, not how fast")
    parser.add_argument("--output", type=Path, help="where the figures go as JSON")
    parser.add_argument("--picture", type=Path, help="where the picture goes as PNG")
    parser.add_argument("--postgres", metavar="URL", help="an empty database, which is written to")
    return parser.parse_args()


def main() -> int:
    """Measure, print, write."""
    given = read_arguments()
    contexts: Contexts = [[line] for line in conversation.LINES]
    if given.data:
        contexts = [each.turns for each in contexts_of(read_conversations(given.data))]
    effort = QUICK if given.quick else FULL
    rows = machine.measure_machine("before", effort.rounds)
    for name in given.part or ([] if given.postgres else PARTS):
        rows += PARTS[name](effort, contexts)
    if given.postgres:
        rows += measure_postgres(given.postgres, effort)
    rows += machine.measure_machine("after", effort.rounds)
    Console(width=None if sys.stdout.isatty() else WIDTH).print(tabulate_rows(rows))
    if given.output:
        given.output.write_text(json.dumps(describe(rows, given), indent=1, ensure_ascii=False) + "\n", "utf-8")
    if given.picture:
        given.picture.write_bytes(draw_rows(rows))
    return 0


def describe(rows: Sequence[Row], given: argparse.Namespace) -> dict[str, Any]:
    """The figures, and where they were taken."""
    machine = {"system": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()}
    data = str(given.data) if given.data else "the lines of this tool"
    return {"machine": machine, "data": data, "quick": given.quick, "rows": [row.to_json() for row in rows]}


if __name__ == "__main__":
    sys.exit(end_in_one_line("benchmark", main))
