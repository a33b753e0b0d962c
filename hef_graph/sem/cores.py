"""How many cores the tensor operations of a thread use: calls that run side by side are faster on one core each."""

import threading
from typing import Final

import torch

_SETTING: Final = threading.Lock()


def share_cores(workers: int) -> None:
    """The calling thread's tensor operations use one of `workers` shares of the cores from now on, others' as before.

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
