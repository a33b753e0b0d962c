"""A user's memory as a turn uses it: in little time, and never the reason that a turn fails."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from hef_graph.chat.deadline import Deadline
from hef_graph.graph.memory import Moment, UserMemory

_log = logging.getLogger(__name__)

PATIENCE: Final = 2.0
"""Seconds that a turn waits for the store, where it has that much time left."""

LAST_MOMENT: Final = 0.1
"""Seconds for a write where the turn's time is over: a turn ends within a second of its deadline, whatever hangs."""


def recall_in_time(memory: UserMemory | None, deadline: Deadline) -> Moment | None:
    """What `memory` recalls; None without one, or if its store fails or takes too long."""
    with _going_on_without():
        return _patience(deadline).call(memory.recall) if memory else None
    return None


async def arecall_in_time(memory: UserMemory | None, deadline: Deadline) -> Moment | None:
    """`recall_in_time`, awaiting the store."""
    with _going_on_without():
        return await _patience(deadline).wait(memory.arecall()) if memory else None
    return None


def remember_in_time(memory: UserMemory | None, moment: Moment | None, deadline: Deadline) -> None:
    """Write the moment, if there is a memory and its store takes it."""
    if memory and moment:
        with _going_on_without():
            _time_to_write(deadline).call(lambda: memory.remember(moment))


async def aremember_in_time(memory: UserMemory | None, moment: Moment | None, deadline: Deadline) -> None:
    """`remember_in_time`, awaiting the store."""
    if memory and moment:
        with _going_on_without():
            await _time_to_write(deadline).wait(memory.aremember(moment))


def _patience(deadline: Deadline) -> Deadline:
    return Deadline.after(min(PATIENCE, deadline.remaining / 4))


def _time_to_write(deadline: Deadline) -> Deadline:
    return Deadline.after(min(PATIENCE, max(LAST_MOMENT, deadline.remaining)))


@contextmanager
def _going_on_without() -> Iterator[None]:
    """Log what a store raises, by its kind alone, and go on."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  a store of any make
        _log.warning("the store of the users' memory failed with %s; the turn goes on without it", type(error).__name__)
