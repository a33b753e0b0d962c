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


def test_whoever_computes_for_the_first_time_meanwhile_has_all_cores() -> None:
    before, seen = torch.get_num_threads(), []
    torch.set_num_threads(6)
    try:
        for _ in range(30):
            sharing = [threading.Thread(target=share_cores, args=(3,)) for _ in range(4)]
            others = [threading.Thread(target=lambda: seen.append(torch.get_num_threads())) for _ in range(8)]
            threads = [*sharing[:2], *others[:4], *sharing[2:], *others[4:]]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
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
