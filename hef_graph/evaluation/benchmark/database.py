"""What a turn costs a PostgreSQL database that keeps conversations: rows, bytes, write-ahead log, time.

The database must be empty and have no other work; `graph` is the shipped one on models that cost nothing, so that what
remains of a turn is the crisis check, the graph and the database.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

from langchain_core.messages import HumanMessage

from hef_graph.evaluation.benchmark.conversation import LINES, ORDINARY
from hef_graph.evaluation.benchmark.report import Row, exactly
from hef_graph.evaluation.benchmark.stand_ins import ConstantSem, InstantModel
from hef_graph.evaluation.benchmark.timing import scaled, seconds
from hef_graph.graph import HefGraph, create_hef_graph

PART: Final = "database"
THREADS: Final = 10
"""Conversations, as many turns in each."""
TABLES: Final = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")


def measure_database(saver: Any, turns: int) -> list[Row]:
    """So many turns of each of ten conversations, in the database of a `PostgresSaver`."""
    saver.setup()
    graph = create_hef_graph(InstantModel(), sem=ConstantSem(), checkpointer=saver, options=ORDINARY)
    _say(graph, "before", 0)  # weights and plans are read
    before, begun = _look(saver), time.process_time()
    taken = [seconds(lambda turn=turn: _say(graph, str(turn % THREADS), turn)) for turn in range(turns * THREADS)]  # type: ignore[misc]
    computed, after = time.process_time() - begun, _look(saver)
    return _rows(taken, computed, {key: (after[key] - before[key]) / len(taken) for key in after})


def _rows(taken: list[float], computed: float, more: Mapping[str, float]) -> list[Row]:
    note = f"{THREADS} conversations of {len(taken) // THREADS} turns"
    rows = [
        Row(PART, "a turn, crisis check and PostgreSQL included", scaled(taken, 1000), "ms", note=note),
        Row(PART, "computing of a turn, outside the database", exactly(1000 * computed / len(taken)), "ms", note=note),
    ]
    counted = [Row(PART, f"rows of {table}", exactly(more[table]), "a turn", note=note) for table in TABLES]
    sizes = {"tables and indexes": more["stored"], "write-ahead log": more["logged"]}
    return [
        *rows,
        *counted,
        *(Row(PART, name, exactly(size / 1000), "KB a turn", note=note) for name, size in sizes.items()),
    ]


def _look(saver: Any) -> dict[str, float]:
    """Rows of each table, bytes of all, and how far the log has come."""
    counted = {table: _ask(saver, f"select count(*) from {table}") for table in TABLES}  # noqa: S608  constants
    sizes = " + ".join(f"pg_total_relation_size('{table}')" for table in TABLES)
    logged = "select (pg_current_wal_lsn() - '0/0')::bigint"
    return {**counted, "stored": _ask(saver, f"select {sizes}"), "logged": _ask(saver, logged)}


def _ask(saver: Any, query: str) -> float:
    with saver.conn.cursor() as cursor:
        [value] = cursor.execute(query).fetchone().values()
    return float(value)


def _say(graph: HefGraph, thread: str, turn: int) -> None:
    said = HumanMessage(LINES[turn % len(LINES)])
    graph.invoke({"messages": [said]}, {"configurable": {"thread_id": thread}})
