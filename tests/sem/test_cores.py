import threading

import torch

from hef_graph.sem.cores import share_cores


def test_only_the_calling_thread_gives_cores_up() -> None:
    before, seen = torch.get_num_threads(), []
    torch.set_num_threads(6)
    try:

        def share() -> None:
            share_cores(3)
            seen.append(torch.get_num_threads())

        run(share)
        seen.append(torch.get_num_threads())
        run(lambda: seen.append(torch.get_num_threads()))
        assert seen == [2, 6, 6]
    finally:
        torch.set_num_threads(before)


def test_threads_that_share_at_the_same_time_do_not_take_each_others_number_for_all_cores() -> None:
    before, seen = torch.get_num_threads(), []
    torch.set_num_threads(6)
    try:
        for _ in range(20):
            threads = [threading.Thread(target=share_cores, args=(3,)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            run(lambda: seen.append(torch.get_num_threads()))
        assert set(seen) == {6}
    finally:
        torch.set_num_threads(before)


def test_nobody_has_less_than_one() -> None:
    seen: list[int] = []

    def share() -> None:
        share_cores(1000)
        seen.append(torch.get_num_threads())

    run(share)
    assert seen == [1]


def run(work: object) -> None:
    assert callable(work)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
