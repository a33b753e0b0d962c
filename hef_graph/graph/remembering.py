"""A user's memory as a turn uses it: in little time, and never the reason that a turn fails."""

import logging
from typing import Final

from hef_graph.chat.deadline import Deadline
from hef_graph.graph.memory import Moment, UserMemory

_log = logging.getLogger(__name__)

PATIENCE: Final = 2.0
"""Seconds that a turn waits for the store, where it has that much time left."""


def recall_in_time(memory: UserMemory | None, deadline: Deadline) -> Moment | None:
    """What `memory` recalls; None without one, or if its store fails or takes too long."""
    if memory is None:
        return None
    try:
        return _patience(deadline).call(memory.recall)
    except Exception as error:  # noqa: BLE001  a store of any make
        _go_on_without(error)
        return None


async def arecall_in_time(memory: UserMemory | None, deadline: Deadline) -> Moment | None:
    """`recall_in_time`, awaiting the store."""
    if memory is None:
        return None
    try:
        return await _patience(deadline).wait(memory.arecall())
    except Exception as error:  # noqa: BLE001  a store of any make
        _go_on_without(error)
        return None


def remember_in_time(memory: UserMemory | None, moment: Moment | None) -> None:
    """Write the moment, if there is a memory and its store takes it."""
    if memory is None or moment is None:
        return
    try:
        Deadline.after(PATIENCE).call(lambda: memory.remember(moment))
    except Exception as error:  # noqa: BLE001  a store of any make
        _go_on_without(error)


async def aremember_in_time(memory: UserMemory | None, moment: Moment | None) -> None:
    """`remember_in_time`, awaiting the store."""
    if memory is None or moment is None:
        return
    try:
        await Deadline.after(PATIENCE).wait(memory.aremember(moment))
    except Exception as error:  # noqa: BLE001  a store of any make
        _go_on_without(error)


def _patience(deadline: Deadline) -> Deadline:
    return Deadline.after(min(PATIENCE, deadline.remaining / 4))


def _go_on_without(error: Exception) -> None:
    _log.warning("the store of the users' memory failed with %s; the turn goes on without it", type(error).__name__)
