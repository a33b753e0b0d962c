"""Deleting for good: a conversation (`forget`), and what is kept of a user across conversations (`forget_user`).

```python
forget(checkpointer, "monday")
forget_user(store, "ada@example.org")
```

SQLite leaves deleted text lying in its file: in pages that are free now, in the gaps of others, and in the log of
writes beside it. So the file is written anew after a deletion, and its log emptied. Its setting `secure_delete` alone
is not enough: rows that moved from one page to another leave copies behind. Other databases clean up by themselves.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import aiosqlite
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.store.base import BaseStore

from hef_graph.errors import HefError, HefInputError
from hef_graph.graph.memory import PAGE, deletions, namespace_of

_OVERWRITE: Final = "PRAGMA secure_delete = ON"
"""In case that the file cannot be written anew."""

_WIPE: Final = ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)")


def forget(checkpointer: BaseCheckpointSaver[Any], thread_id: str) -> None:
    """Delete a conversation for good; one that nobody knows is no error.

    A SQLite file is written anew, which needs as much free space as the file has, and the time to copy it.

    Raises:
        HefInputError: the id is empty or no text, or the checkpointer is none, or one for `aforget`.
        HefError: the conversation is deleted, but traces may be left in its SQLite file, since others are using it.
    """
    _check(checkpointer, thread_id)
    with _leaving_nothing(checkpointer):
        checkpointer.delete_thread(thread_id)


async def aforget(checkpointer: BaseCheckpointSaver[Any], thread_id: str) -> None:
    """`forget`, awaited; checkpointers that only know the blocking way run in a thread."""
    _check(checkpointer, thread_id)
    if type(checkpointer).adelete_thread is BaseCheckpointSaver.adelete_thread:
        return await asyncio.to_thread(forget, checkpointer, thread_id)
    async with _aleaving_nothing(checkpointer):
        await checkpointer.adelete_thread(thread_id)
    return None


def forget_user(store: BaseStore, user_id: str) -> int:
    """Delete for good all that is kept of a user across conversations; how many items that were.

    The conversations themselves belong to the checkpointer: `forget`.

    Raises:
        HefInputError: the id is empty or no text, or the store is one for `aforget_user`.
        HefError: as in `forget`.
    """
    namespace, gone = namespace_of(user_id), set[str]()
    with _leaving_nothing(store):
        while keys := {item.key for item in store.search(namespace, limit=PAGE)} - gone:
            store.batch(deletions(namespace, keys))
            gone |= keys
    return len(gone)


async def aforget_user(store: BaseStore, user_id: str) -> int:
    """`forget_user`, awaiting the store."""
    namespace, gone = namespace_of(user_id), set[str]()
    if isinstance(getattr(store, "conn", None), sqlite3.Connection):
        return await asyncio.to_thread(forget_user, store, user_id)
    async with _aleaving_nothing(store):
        while keys := {item.key for item in await store.asearch(namespace, limit=PAGE)} - gone:
            await store.abatch(deletions(namespace, keys))
            gone |= keys
    return len(gone)


def _check(checkpointer: object, thread_id: object) -> None:
    if not isinstance(checkpointer, BaseCheckpointSaver):
        raise HefInputError(
            f"checkpointer is {type(checkpointer).__name__}; give the one that the graph was built with"
        )
    if not isinstance(thread_id, str) or not thread_id:
        kind = "empty" if isinstance(thread_id, str) else type(thread_id).__name__
        raise HefInputError(f"thread_id is {kind}; allowed are texts that are not empty")


@contextmanager
def _leaving_nothing(keeper: Any) -> Iterator[None]:
    """Around a deletion: if the keeper is a SQLite file, no trace of it stays there."""
    connection = getattr(keeper, "conn", None)
    if isinstance(connection, aiosqlite.Connection):
        raise HefInputError(f"{type(keeper).__name__} is for awaiting: use aforget or aforget_user")
    if not isinstance(connection, sqlite3.Connection):
        yield
        return
    keeper.setup()
    with keeper.lock:
        connection.execute(_OVERWRITE)
    yield
    with keeper.lock, _telling_of_traces():
        _require_empty_log([connection.execute(statement).fetchone() for statement in _WIPE])


@asynccontextmanager
async def _aleaving_nothing(keeper: Any) -> AsyncIterator[None]:
    """`_leaving_nothing`, awaited."""
    connection = getattr(keeper, "conn", None)
    if not isinstance(connection, aiosqlite.Connection):
        yield
        return
    await keeper.setup()
    async with keeper.lock:
        await connection.execute_fetchall(_OVERWRITE)
    yield
    async with keeper.lock:
        with _telling_of_traces():
            _require_empty_log([[*await connection.execute_fetchall(statement)] for statement in _WIPE][-1])


def _require_empty_log(rows: Sequence[Any]) -> None:
    """`wal_checkpoint` answers last: (whether somebody kept it from emptying the log, …)."""
    if rows[-1][0]:
        raise sqlite3.OperationalError("its log is being read")


@contextmanager
def _telling_of_traces() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise HefError(
            f"deleted, but traces may be left in the SQLite file ({error}); forget it again when nobody else uses it"
        ) from error
