import asyncio
import time
from dataclasses import dataclass, field

import pytest
from langgraph.store.memory import InMemoryStore

from hef_graph.chat.deadline import Deadline
from hef_graph.graph.memory import Moment, UserMemory
from hef_graph.graph.remembering import (
    arecall_in_time,
    aremember_in_time,
    recall_in_time,
    remember_in_time,
)

MOMENT = Moment("anxious", ("exam",), 1.0)

AMPLE = Deadline.after(3600)

both = pytest.mark.parametrize("awaited", [False, True], ids=["sync", "async"])


@dataclass(frozen=True, slots=True)
class HungMemory(UserMemory):
    """A memory whose store never answers."""

    store: InMemoryStore = field(default_factory=InMemoryStore)
    user_id: str = "ada"
    thread_id: str = "1"

    def recall(self) -> Moment | None:
        time.sleep(30)
        raise AssertionError("nobody waits that long")

    async def arecall(self) -> Moment | None:
        await asyncio.sleep(30)
        raise AssertionError("nobody waits that long")

    def remember(self, moment: Moment) -> None:
        time.sleep(30)

    async def aremember(self, moment: Moment) -> None:
        await asyncio.sleep(30)


@dataclass(frozen=True, slots=True)
class BrokenMemory(HungMemory):
    """A memory whose store is down."""

    def recall(self) -> Moment | None:
        raise ConnectionError("plover")

    async def arecall(self) -> Moment | None:
        raise ConnectionError("plover")

    def remember(self, moment: Moment) -> None:
        raise ConnectionError("plover")

    async def aremember(self, moment: Moment) -> None:
        raise ConnectionError("plover")


async def recall(memory: UserMemory | None, deadline: Deadline, *, awaited: bool) -> Moment | None:
    return await arecall_in_time(memory, deadline) if awaited else recall_in_time(memory, deadline)


async def remember(memory: UserMemory | None, *, awaited: bool) -> None:
    await aremember_in_time(memory, MOMENT, AMPLE) if awaited else remember_in_time(memory, MOMENT, AMPLE)


@both
async def test_what_is_remembered_is_recalled_in_another_conversation(*, awaited: bool) -> None:
    store = InMemoryStore()
    await remember(UserMemory(store, "ada", "monday"), awaited=awaited)
    assert await recall(UserMemory(store, "ada", "tuesday"), AMPLE, awaited=awaited) == MOMENT


@both
async def test_without_a_memory_nothing_is_recalled_or_remembered(*, awaited: bool) -> None:
    await remember(None, awaited=awaited)
    assert await recall(None, AMPLE, awaited=awaited) is None


@both
async def test_a_store_that_is_down_is_logged_by_its_error_alone(
    caplog: pytest.LogCaptureFixture, *, awaited: bool
) -> None:
    await remember(BrokenMemory(), awaited=awaited)
    assert await recall(BrokenMemory(), AMPLE, awaited=awaited) is None
    assert caplog.text.count("ConnectionError") == 2
    assert "plover" not in caplog.text


@both
async def test_a_store_that_hangs_costs_a_quarter_of_the_turns_time(*, awaited: bool) -> None:
    start = time.monotonic()
    assert await recall(HungMemory(), Deadline.after(0.8), awaited=awaited) is None
    assert time.monotonic() - start < 0.7


@both
async def test_past_the_deadline_a_store_that_hangs_costs_next_to_nothing(*, awaited: bool) -> None:
    start, over = time.monotonic(), Deadline.after(-1)
    if awaited:
        await aremember_in_time(HungMemory(), MOMENT, over)
    else:
        remember_in_time(HungMemory(), MOMENT, over)
    assert time.monotonic() - start < 0.6
