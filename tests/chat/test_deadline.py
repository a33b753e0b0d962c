import asyncio
import contextvars
import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial

import pytest

from hef_graph.chat.deadline import AT_WORK, Deadline

LONG = 5.0
"""Seconds that nobody waits: a test that did would be slow, and fail."""

SHORT = 0.1


def count_slowly() -> Iterator[int]:
    """Two numbers at once, the third too late."""
    yield 1
    yield 2
    time.sleep(LONG)
    yield 3


async def acount_slowly() -> AsyncIterator[int]:
    """The same, awaited."""
    yield 1
    yield 2
    await asyncio.sleep(LONG)
    yield 3


def break_off() -> Iterator[int]:
    """A number, then an error."""
    yield 1
    raise KeyError


def drain(items: Iterator[int]) -> list[int | str]:
    """What comes, and the name of the error that ends it."""
    seen: list[int | str] = []
    try:
        for item in items:
            seen.append(item)  # noqa: PERF402  what came before an error counts
    except (TimeoutError, KeyError) as error:
        seen.append(type(error).__name__)
    return seen


async def adrain(items: AsyncIterator[int]) -> list[int | str]:
    """The same, awaited."""
    seen: list[int | str] = []
    try:
        async for item in items:
            seen.append(item)  # noqa: PERF401  what came before an error counts
    except (TimeoutError, KeyError) as error:
        seen.append(type(error).__name__)
    return seen


def test_remaining_time_runs_down_and_stops_at_zero() -> None:
    assert 0 < Deadline.after(LONG).remaining <= LONG
    assert Deadline.after(-1).remaining == 0


def test_a_call_gives_its_result() -> None:
    assert Deadline.after(LONG).call(lambda: "done") == "done"


def test_a_call_raises_its_own_error() -> None:
    with pytest.raises(ZeroDivisionError):
        Deadline.after(LONG).call(lambda: 1 // 0)


def test_a_call_that_takes_too_long_is_left() -> None:
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        Deadline.after(SHORT).call(lambda: time.sleep(LONG))
    assert time.monotonic() - start < LONG / 2


def test_nothing_is_waited_for_once_the_deadline_has_passed() -> None:
    with pytest.raises(TimeoutError):
        Deadline.after(-1).call(lambda: time.sleep(SHORT))


def test_items_come_as_they_are_made_until_the_deadline() -> None:
    assert drain(Deadline.after(5 * SHORT).iterate(count_slowly)) == [1, 2, "TimeoutError"]


def test_items_that_came_before_an_error_are_given_first() -> None:
    assert drain(Deadline.after(LONG).iterate(break_off)) == [1, "KeyError"]


def test_an_iterator_ends_where_its_items_end() -> None:
    assert drain(Deadline.after(LONG).iterate(lambda: iter([1, 2, 3]))) == [1, 2, 3]


def test_the_worker_sees_the_callers_context() -> None:
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name")
    name.set("caller")
    assert Deadline.after(LONG).call(name.get) == "caller"


def test_the_worker_never_keeps_the_process_alive() -> None:
    assert Deadline.after(LONG).call(lambda: threading.current_thread().daemon)


async def test_an_awaited_call_gives_its_result() -> None:
    assert await Deadline.after(LONG).wait(asyncio.sleep(0, "done")) == "done"


async def test_an_awaited_call_is_cancelled_past_the_deadline() -> None:
    call = asyncio.ensure_future(asyncio.sleep(LONG))
    with pytest.raises(TimeoutError):
        await Deadline.after(SHORT).wait(call)
    assert call.cancelled()


async def test_awaited_items_come_until_the_deadline() -> None:
    assert await adrain(Deadline.after(5 * SHORT).aiterate(acount_slowly())) == [1, 2, "TimeoutError"]


async def test_awaited_items_end_where_they_end() -> None:
    async def three() -> AsyncIterator[int]:
        for number in (1, 2, 3):
            yield number

    assert await adrain(Deadline.after(LONG).aiterate(three())) == [1, 2, 3]


async def test_a_blocking_call_gives_an_async_caller_its_result() -> None:
    assert await Deadline.after(LONG).acall(lambda: "done") == "done"


async def test_a_blocking_call_leaves_the_event_loop_free() -> None:
    other = asyncio.ensure_future(asyncio.sleep(SHORT))
    await Deadline.after(LONG).acall(lambda: time.sleep(3 * SHORT))
    assert other.done()


async def test_a_blocking_call_that_takes_too_long_is_left_by_an_async_caller() -> None:
    with pytest.raises(TimeoutError):
        await Deadline.after(SHORT).acall(lambda: time.sleep(LONG))


@pytest.mark.parametrize(
    ("start", "seen"),
    [
        (count_slowly, [1, 2, "TimeoutError"]),
        (break_off, [1, "KeyError"]),
        (lambda: iter([1, 2, 3]), [1, 2, 3]),
    ],
    ids=["too slow", "broken", "whole"],
)
async def test_an_async_caller_gets_a_blocking_iterators_items(
    start: Callable[[], Iterator[int]], seen: list[int | str]
) -> None:
    assert await adrain(Deadline.after(5 * SHORT).aiterate_blocking(start)) == seen


def wait_until_idle(worker: threading.Thread) -> None:
    end = time.monotonic() + LONG
    while worker.name == AT_WORK:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_thread_that_is_done_takes_the_next_call() -> None:
    workers: list[threading.Thread] = []
    for _ in range(3):
        Deadline.after(LONG).call(lambda: workers.append(threading.current_thread()))
        wait_until_idle(workers[-1])
    assert len(set(workers)) == 1


def test_a_thread_whose_call_was_left_takes_none_before_it_is_done() -> None:
    workers: list[threading.Thread] = []

    def work() -> None:
        workers.append(threading.current_thread())
        time.sleep(3 * SHORT)

    with pytest.raises(TimeoutError):
        Deadline.after(SHORT).call(work)
    assert Deadline.after(LONG).call(threading.current_thread) is not workers[0]


def test_a_call_leaves_nothing_of_itself_in_the_thread() -> None:
    class Kept:
        pass

    kept = Kept()
    seen = weakref.ref(kept)

    def work(given: Kept) -> threading.Thread:
        assert given
        return threading.current_thread()

    wait_until_idle(Deadline.after(LONG).call(partial(work, kept)))
    del kept
    gc.collect()
    assert seen() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process")
def test_a_forked_process_starts_threads_of_its_own() -> None:
    Deadline.after(LONG).call(lambda: None)
    child = os.fork()
    if not child:
        os._exit(Deadline.after(LONG).call(lambda: 7))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_a_call_that_outlives_its_event_loop_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    complaints: list[object] = []
    monkeypatch.setattr(threading, "excepthook", complaints.append)
    workers: list[threading.Thread] = []

    def work() -> None:
        workers.append(threading.current_thread())
        time.sleep(3 * SHORT)

    with pytest.raises(TimeoutError):
        asyncio.run(Deadline.after(SHORT).acall(work))
    wait_until_idle(workers[0])
    assert not complaints


@pytest.mark.parametrize(
    "waiting",
    [
        "Deadline.after(0.1).call(lambda: time.sleep(60))",
        "asyncio.run(Deadline.after(0.1).acall(lambda: time.sleep(60)))",
    ],
    ids=["sync", "async"],
)
def test_the_process_can_end_while_a_call_still_hangs(waiting: str) -> None:
    code = f"import asyncio, time\nfrom hef_graph.chat.deadline import Deadline\n{waiting}"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert "TimeoutError" in ended.stderr
