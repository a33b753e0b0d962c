"""How many cores the tensor operations of a thread use: calls that run side by side are faster on one core each."""

from functools import lru_cache

import torch
from threadpoolctl import LibController, ThreadpoolController


def share_cores(workers: int) -> None:
    """The calling thread's tensor operations use one of `workers` shares of the cores from now on, others' as before.

    `torch.set_num_threads` would do so too, but it also sets what all threads take that have not computed yet. OpenMP,
    which torch computes with, keeps the number with each thread. Without OpenMP nothing changes.
    """
    share = max(1, torch.get_num_threads() // workers)  # once asked, torch no longer sets this thread's own number
    for library in _openmp():
        library.set_num_threads(share)


@lru_cache(maxsize=1)
def _openmp() -> tuple[LibController, ...]:
    """Found once."""
    return tuple(ThreadpoolController().select(user_api="openmp").lib_controllers)
