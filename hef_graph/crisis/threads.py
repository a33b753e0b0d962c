"""One thread for NumPy's matrix products while a text is read.

The products are small: a second thread saves little, and on a busy machine the first waits for it, longer than the
reading takes.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

from threadpoolctl import OpenBLASController, ThreadpoolController


class _Limit:
    """Counts who reads: the first sets the limit, the last lifts it, however many read side by side."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers = 0
        self._before: list[int] = []

    def enter(self) -> None:
        """Limit the threads, if nobody has yet."""
        with self._lock:
            self._readers += 1
            if self._readers == 1:
                self._before = [each.get_num_threads() for each in _libraries()]
                _set_threads([1] * len(self._before))

    def leave(self) -> None:
        """Lift the limit, if nobody else reads."""
        with self._lock:
            self._readers -= 1
            if self._readers == 0:
                _set_threads(self._before)


_limit: Final = _Limit()


@contextmanager
def one_thread() -> Iterator[None]:
    """NumPy's BLAS works with one thread in here; other libraries' are left alone."""
    _limit.enter()
    try:
        yield
    finally:
        _limit.leave()


def _set_threads(counts: list[int]) -> None:
    """Set each library's count. It holds for the process, and threadpoolctl lets one thread alone set it until told."""
    for library, count in zip(_libraries(), counts, strict=True):
        library.clear_controlling_thread(force=True)
        library.set_num_threads(count)
        library.clear_controlling_thread(force=True)


@lru_cache(maxsize=1)
def _libraries() -> tuple[OpenBLASController, ...]:
    """OpenBLAS, as NumPy brings it, found once. Other builds of NumPy keep their own setting."""
    return tuple(ThreadpoolController().select(internal_api="openblas").lib_controllers)
