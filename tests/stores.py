"""Every kind of saver and store, opened alike with its tables; "async" ones are for awaiting.

PostgreSQL's are imported late: where it is missing, only its tests are skipped.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.store.base import BaseStore, Op, Result
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite import AsyncSqliteStore, SqliteStore
from typing_extensions import override

KINDS: Final = ("memory", "memory async", "sqlite", "sqlite async", "postgres", "postgres async")

ON_DISK: Final = KINDS[2:]


class Place(NamedTuple):
    """A kind of saver or store, and where it keeps its data."""

    kind: str
    where: str
    """A file or a connection string."""

    @property
    def awaited(self) -> bool:
        return "async" in self.kind


def place_for(kind: str, request: pytest.FixtureRequest) -> Place:
    """An empty place of that kind, for one test."""
    if "postgres" in kind:
        return Place(kind, request.getfixturevalue("database"))
    folder: Path = request.getfixturevalue("tmp_path")
    return Place(kind, str(folder / "kept.sqlite"))


@asynccontextmanager
async def open_store(place: Place) -> AsyncIterator[BaseStore]:
    """Memory across conversations."""
    if place.kind.startswith("memory"):
        yield InMemoryStore()
        return
    kinds: dict[str, Any] = {"sqlite": SqliteStore, "sqlite async": AsyncSqliteStore}
    if "postgres" in place.kind:
        from langgraph.store.postgres import AsyncPostgresStore, PostgresStore  # noqa: PLC0415  as the module says

        kinds = {"postgres": PostgresStore, "postgres async": AsyncPostgresStore}
    async with _opened(kinds[place.kind], place) as store:
        yield store


@asynccontextmanager
async def open_saver(place: Place) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    """Memory within a conversation."""
    if place.kind.startswith("memory"):
        yield InMemorySaver()
        return
    kinds: dict[str, Any] = {"sqlite": SqliteSaver, "sqlite async": AsyncSqliteSaver}
    if "postgres" in place.kind:
        from langgraph.checkpoint.postgres import PostgresSaver  # noqa: PLC0415  as the module says
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver  # noqa: PLC0415  as the module says

        kinds = {"postgres": PostgresSaver, "postgres async": AsyncPostgresSaver}
    async with _opened(kinds[place.kind], place) as saver:
        yield saver


@asynccontextmanager
async def _opened(kind: Any, place: Place) -> AsyncIterator[Any]:
    opened = kind.from_conn_string(place.where)
    if place.awaited:
        async with opened as made:
            await made.setup()
            yield made
    else:
        with opened as made:
            made.setup()
            yield made


class DownStore(InMemoryStore):
    """A store that cannot be reached."""

    @override
    def batch(self, ops: Iterable[Op]) -> list[Result]:
        raise ConnectionError("down")

    @override
    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        raise ConnectionError("down")
