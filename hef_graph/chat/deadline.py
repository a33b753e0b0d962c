"""One total deadline for a turn's model calls, sync and async, streamed or whole.

A blocking call cannot be stopped from outside: past the deadline it is left to a daemon thread, which never keeps the
process alive.
"""

import asyncio
import contextvars
import queue
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_TIMED_OUT: Final = "the turn's deadline has passed"


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

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - time.monotonic())

    def call(self, function: Callable[[], T]) -> T:
        """The function's result."""
        return next(self.iterate(lambda: iter([function()])))

    def iterate(self, start: Callable[[], Iterator[T]]) -> Iterator[T]:
        """The iterator's items as they come; `start` runs in the worker thread too."""
        items: queue.Queue[_Item[T]] = queue.Queue()
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(_work, start, items), daemon=True, name="hef-model-call").start()
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

    def _take(self, items: "queue.Queue[_Item[T]]") -> "_Item[T]":
        try:
            return items.get(timeout=self.remaining)
        except queue.Empty:
            raise TimeoutError(_TIMED_OUT) from None


def _work(start: Callable[[], Iterator[T]], items: "queue.Queue[_Item[T]]") -> None:
    try:
        for value in start():
            items.put(_Item(value))
    except BaseException as error:  # noqa: BLE001  handed to the caller's thread, which raises it
        items.put(_Item(error=error))
    items.put(_Item(last=True))
