"""What is forgotten is gone: from the answers of every saver and store, and from the bytes of SQLite's files."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.store.base import BaseStore
from langgraph.store.sqlite import SqliteStore

from hef_graph.errors import HefError, HefInputError
from hef_graph.graph import HefOptions, aforget, aforget_user, create_hef_graph, forget, forget_user
from hef_graph.graph.memory import Moment, UserMemory
from tests.fakes import ScriptedModel, SpeakingStubSem, reply_json
from tests.runs import say, thread
from tests.stores import KINDS, Place, open_saver, open_store, place_for

pytest_plugins = ["tests.postgres"]

CANARY: Final = "zirköniatrace"

TRACES: Final = (CANARY.encode(), CANARY.encode("utf-16-le"), CANARY.encode("utf-16-be"), b"zirk\\u00f6niatrace")
"""The canary as UTF-8, as UTF-16, and escaped as in JSON."""

SQLITE: Final = tuple(kind for kind in KINDS if "sqlite" in kind)

POSTGRES_TABLES: Final = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")

TURNS: Final = 12


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest) -> Place:
    return place_for(request.param, request)


@pytest.fixture
async def saver(place: Place) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    async with open_saver(place) as opened:
        await keep_what_is_deleted(opened)
        yield opened


@pytest.fixture
async def store(place: Place) -> AsyncIterator[BaseStore]:
    async with open_store(place) as opened:
        await keep_what_is_deleted(opened)
        yield opened


in_sqlite = pytest.mark.parametrize("place", SQLITE, indirect=True)
in_blocking_sqlite = pytest.mark.parametrize("place", ["sqlite"], indirect=True)
in_awaited_sqlite = pytest.mark.parametrize("place", ["sqlite async"], indirect=True)
in_postgres = pytest.mark.parametrize("place", ["postgres", "postgres async"], indirect=True)


async def keep_what_is_deleted(keeper: Any) -> None:
    """As SQLite does where it was not built with `secure_delete`; a reader is not waited for long."""
    for pragma in ("PRAGMA secure_delete = OFF", "PRAGMA busy_timeout = 50"):
        if type(keeper).__module__.startswith(("langgraph.checkpoint.sqlite", "langgraph.store.sqlite")):
            pending = keeper.conn.execute(pragma)
            await pending if not isinstance(pending, sqlite3.Cursor) else None


async def talk(saver: BaseCheckpointSaver[Any], place: Place, name: str, word: str, *, turns: int = TURNS) -> None:
    """A conversation in which the word is said and repeated, in long and short messages, most of them trimmed later."""
    model = ScriptedModel(answers=[reply_json("sad", f"So, {word}.")] * turns)
    graph = create_hef_graph(
        model, sem=SpeakingStubSem(), checkpointer=saver, options=HefOptions(keep_messages=4, crisis_policy=None)
    )
    for turn in range(turns):
        said = say(f"{turn}: " + f"I lost my {word}. " * (1, 3, 40, 600)[turn % 4])
        await graph.ainvoke(said, thread(name)) if place.awaited else graph.invoke(said, thread(name))


async def read(saver: BaseCheckpointSaver[Any], place: Place, name: str) -> Any:
    kept = await saver.aget_tuple(thread(name)) if place.awaited else saver.get_tuple(thread(name))
    return kept and kept.checkpoint


async def forget_thread(saver: BaseCheckpointSaver[Any], place: Place, name: str) -> None:
    await aforget(saver, name) if place.awaited else forget(saver, name)


def count_traces(place: Place) -> int:
    """How often the canary lies in the database, its log and its index, in whatever writing."""
    files = [path.read_bytes() for path in Path(place.where).parent.glob(Path(place.where).name + "*")]
    return sum(content.count(trace) for content in files for trace in TRACES)


async def test_a_forgotten_conversation_begins_anew(saver: BaseCheckpointSaver[Any], place: Place) -> None:
    await talk(saver, place, "ring", CANARY)
    await forget_thread(saver, place, "ring")
    assert await read(saver, place, "ring") is None
    await talk(saver, place, "ring", "hat", turns=1)
    assert CANARY not in str(await read(saver, place, "ring"))


async def test_other_conversations_stay_as_they_were(saver: BaseCheckpointSaver[Any], place: Place) -> None:
    for name in ("ring", "hat"):
        await talk(saver, place, name, name)
    before = await read(saver, place, "hat")
    await forget_thread(saver, place, "ring")
    assert await read(saver, place, "hat") == before is not None


@in_sqlite
async def test_no_trace_of_a_conversation_is_left_in_the_file(saver: BaseCheckpointSaver[Any], place: Place) -> None:
    for name, word in {"hat": "hat", "ring": CANARY, "cap": "cap"}.items():
        await talk(saver, place, name, word)
    assert count_traces(place) > 0
    await forget_thread(saver, place, "ring")
    assert count_traces(place) == 0


@in_sqlite
async def test_deleting_alone_would_leave_traces(saver: BaseCheckpointSaver[Any], place: Place) -> None:
    await talk(saver, place, "ring", CANARY)
    await saver.adelete_thread("ring") if place.awaited else saver.delete_thread("ring")
    assert count_traces(place) > 0
    await forget_thread(saver, place, "ring")
    assert count_traces(place) == 0


@in_blocking_sqlite
async def test_an_awaiting_caller_may_forget_in_a_blocking_saver(saver: BaseCheckpointSaver[Any], place: Place) -> None:
    await talk(saver, place, "ring", CANARY)
    await aforget(saver, "ring")
    assert count_traces(place) == 0


@in_blocking_sqlite
async def test_a_file_that_is_being_read_is_told_of_and_cleaned_the_next_time(
    saver: BaseCheckpointSaver[Any], place: Place
) -> None:
    await talk(saver, place, "ring", CANARY)
    with closing(sqlite3.connect(place.where)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM checkpoints").fetchone()
        with pytest.raises(HefError, match=r"traces may be left in the SQLite file \(its log is being read\)"):
            forget(saver, "ring")
    forget(saver, "ring")
    assert count_traces(place) == 0


@in_postgres
async def test_no_row_of_a_conversation_is_left(saver: BaseCheckpointSaver[Any], place: Place) -> None:
    import psycopg  # noqa: PLC0415  where it is missing, only these are skipped

    await talk(saver, place, "ring", CANARY, turns=2)
    with psycopg.connect(place.where, autocommit=True) as database:

        def count_rows() -> int:
            rows = [database.execute(f"SELECT * FROM {name}".encode()).fetchall() for name in POSTGRES_TABLES]  # noqa: S608  constants
            return sum(map(len, rows))

        assert count_rows() > 0
        await forget_thread(saver, place, "ring")
        assert count_rows() == 0


@pytest.mark.parametrize("name", ["nobody's", "'; DROP TABLE checkpoints; --", "%", "*"])
def test_a_conversation_that_nobody_knows_is_no_error(name: str, tmp_path: Path) -> None:
    with SqliteSaver.from_conn_string(str(tmp_path / "kept.sqlite")) as saver:
        asyncio.run(talk(saver, Place("sqlite", ""), "ring", "ring", turns=1))
        forget(saver, name)
        assert saver.get_tuple(thread("ring")) is not None


@pytest.mark.parametrize(("name", "said"), [("", "empty"), (None, "NoneType"), (7, "int"), (b"ring", "bytes")])
async def test_a_conversation_without_a_name_cannot_be_forgotten(name: Any, said: str) -> None:
    with pytest.raises(HefInputError, match=f"thread_id is {said}"):
        forget(InMemorySaver(), name)
    with pytest.raises(HefInputError, match=f"thread_id is {said}"):
        await aforget(InMemorySaver(), name)


@pytest.mark.parametrize("checkpointer", [None, True, "sqlite"])
def test_what_keeps_no_conversations_is_refused(checkpointer: Any) -> None:
    with pytest.raises(HefInputError, match="checkpointer is"):
        forget(checkpointer, "ring")


@in_awaited_sqlite
async def test_what_is_for_awaiting_says_so(saver: BaseCheckpointSaver[Any], store: BaseStore) -> None:
    with pytest.raises(HefInputError, match="AsyncSqliteSaver is for awaiting"):
        forget(saver, "ring")
    with pytest.raises(HefInputError, match="AsyncSqliteStore is for awaiting"):
        forget_user(store, "ada")


def moment(number: int, word: str) -> Moment:
    return Moment("sad", (f"{word}{number}",), float(number))


async def fill(store: BaseStore, place: Place, user: str, word: str) -> None:
    """More than is kept of a user: earlier moments have been cut off."""
    for number in range(30):
        memory = UserMemory(store, user, "monday")
        await memory.aremember(moment(number, word)) if place.awaited else memory.remember(moment(number, word))


async def forget_one(store: BaseStore, place: Place, user: str) -> int:
    return await aforget_user(store, user) if place.awaited else forget_user(store, user)


@in_sqlite
async def test_no_trace_of_a_user_is_left_in_the_file(store: BaseStore, place: Place) -> None:
    await fill(store, place, "ada", CANARY)
    await fill(store, place, "bob", "hat")
    assert count_traces(place) > 0
    assert await forget_one(store, place, "ada") == 1
    assert count_traces(place) == 0
    of_bob = UserMemory(store, "bob", "new")
    assert (await of_bob.arecall() if place.awaited else of_bob.recall()) == moment(29, "hat")


@in_blocking_sqlite
async def test_an_awaiting_caller_may_forget_a_user_in_a_blocking_store(store: BaseStore, place: Place) -> None:
    assert isinstance(store, SqliteStore)
    await fill(store, place, "ada", CANARY)
    assert await aforget_user(store, "ada") == 1
    assert count_traces(place) == 0
