"""One total deadline for a turn's model calls, sync and async, streamed or whole.

A blocking call cannot be stopped from outside: past the deadline it is left to a daemon thread, which never keeps the
process alive. Threads that are done wait for the next call: waking one takes a fifth of the time of starting one.
"""

import asyncio
import contextlib
import contextvars
import os
import queue
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, TypeAlias, TypeVar

T = TypeVar("T")

_TIMED_OUT: Final = "the turn's deadline has passed"


_Jobs: TypeAlias = queue.SimpleQueue[Callable[[], None]]

AT_WORK: Final = "hef-model-call"
WAITING: Final = "hef-idle"
"""A thread's name, for those who look at a process that hangs."""

MOST_IDLE: Final = 64
"""Threads that wait for the next call."""

_idle: list[_Jobs] = []
"""What the waiting threads take their next call from."""

if sys.platform != "win32":
    os.register_at_fork(after_in_child=_idle.clear)  # a forked process has none of these threads


@dataclass(frozen=True, slots=True)
class _Item(Generic[T]):
    """One thing that a worker thread hands over."""

    value: T | None = None
    error: BaseException | None = None
    last: bool = False


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point of `time.monotonic()`; every method raises `TimeoutError` once it has passed."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """So many seconds from now."""
        return cls(time.monotonic() + seconds)

    def sooner(self, seconds: float) -> "Deadline":
        """So many seconds earlier."""
        return Deadline(self.at - seconds)

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - time.monotonic())

    def call(self, function: Callable[[], T]) -> T:
        """The function's result."""
        return next(self.iterate(lambda: iter([function()])))

    def iterate(self, start: Callable[[], Iterator[T]]) -> Iterator[T]:
        """The iterator's items as they come; `start` runs in the worker thread too."""
        items: queue.SimpleQueue[_Item[T]] = queue.SimpleQueue()
        _start_worker(start, items.put)
        while not (item := self._take(items)).last:
            if item.error is not None:
                raise item.error
            yield item.value  # type: ignore[misc]  # an item without error carries a value

    async def wait(self, awaitable: Awaitable[T]) -> T:
        """The awaited result; the call is cancelled past the deadline."""
        async with asyncio.timeout(self.remaining):
            return await awaitable

    async def aiterate(self, items: AsyncIterator[T]) -> AsyncIterator[T]:
        """The async iterator's items as they come."""
        while True:
            try:
                item = await self.wait(anext(items))
            except StopAsyncIteration:
                return
            yield item

    async def acall(self, function: Callable[[], T]) -> T:
        """A blocking function's result: a thread of the event loop's own pool would keep the process alive."""
        return await anext(self.aiterate_blocking(lambda: iter([function()])))

    async def aiterate_blocking(self, start: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
        """`iterate` for async callers."""
        loop = asyncio.get_running_loop()
        items: asyncio.Queue[_Item[T]] = asyncio.Queue()

        def hand_over(item: _Item[T]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(items.put_nowait, item)

        _start_worker(start, hand_over)
        while not (item := await self.wait(items.get())).last:
            if item.error is not None:
                raise item.error
            yield item.value  # type: ignore[misc]  # an item without error carries a value

    def _take(self, items: "queue.SimpleQueue[_Item[T]]") -> "_Item[T]":
        try:
            return items.get(timeout=self.remaining)
        except queue.Empty:
            raise TimeoutError(_TIMED_OUT) from None


def _start_worker(start: Callable[[], Iterator[T]], put: Callable[[_Item[T]], None]) -> None:
    job = partial(contextvars.copy_context().run, _work, start, put)
    try:
        jobs = _idle.pop()
    except IndexError:
        jobs = queue.SimpleQueue()
        threading.Thread(target=_serve, args=(jobs,), daemon=True, name=AT_WORK).start()
    jobs.put(job)


def _serve(jobs: _Jobs) -> None:
    """Work off what comes; a thread that is one too many ends."""
    thread = threading.current_thread()
    while True:
        job = jobs.get()
        thread.name = AT_WORK
        job()
        del job
        thread.name = WAITING
        if len(_idle) >= MOST_IDLE:
            return
        _idle.append(jobs)


def _work(start: Callable[[], Iterator[T]], put: Callable[[_Item[T]], None]) -> None:
    try:
        for value in start():
            put(_Item(value))
    except BaseException as error:  # noqa: BLE001  handed to the caller's thread, which raises it
        put(_Item(error=error))
    put(_Item(last=True))
