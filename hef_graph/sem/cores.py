"""How many cores the tensor operations of a thread use, and for how long."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

import torch
from threadpoolctl import ThreadpoolController

_SETTING: Final = threading.Lock()

_PAUSE_HARD: Final = 2
"""OpenMP 5.0, `omp_pause_resource_t`: let everything go that can be had anew."""


def share_cores(workers: int) -> None:
    """The calling thread's tensor operations use one of `workers` shares of the cores from now on, others' as before.

    Calls that run side by side are faster on one core each.

    torch keeps the number with each thread, and beside it one that threads take when they first compute, or ask for it.
    Setting the first sets the second too, so another thread sets that back at once. (OpenMP can be told for a thread
    alone, but not MKL, which then still takes all cores.)
    """
    with _SETTING:
        all_cores = torch.get_num_threads()
        torch.set_num_threads(max(1, all_cores // workers))
        setting_back = threading.Thread(target=torch.set_num_threads, args=(all_cores,))
        setting_back.start()
        setting_back.join()


@contextmanager
def releasing_thread_pool() -> Iterator[None]:
    """The OpenMP threads that the calling one has for what it computes in here end when it is done.

    GNU's OpenMP, as Linux builds of torch bring it, keeps a pool of them for every thread that has ever computed. Once
    a process has more than cores, those that compute sleep between two operations, however idle the others are: one
    reading on two cores then takes 10 ms in place of 3.6. A pool anew takes 0.2 ms.
    """
    try:
        yield
    finally:
        for pause in _pauses():
            pause(_PAUSE_HARD)


@lru_cache(maxsize=1)
def _pauses() -> tuple[Callable[[int], int], ...]:
    """`omp_pause_resource_all` of each GNU OpenMP that is loaded: it ends the calling thread's pool alone.

    Other makes have no pool to each thread, or would end everybody's.
    """
    found = [each.dynlib for each in ThreadpoolController().select(prefix="libgomp").lib_controllers]
    return tuple(library.omp_pause_resource_all for library in found if hasattr(library, "omp_pause_resource_all"))
