import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Final

import pytest
import torch

from hef_graph.sem.cores import releasing_thread_pool, share_cores

gnu_openmp: Final = pytest.mark.skipif(sys.platform != "linux", reason="only GNU's OpenMP has a pool to each thread")

HELPERS: Final = """
import json, os, threading, time, torch
from hef_graph.sem import load_sem
from hef_graph.sem.cores import releasing_thread_pool

def multiply():
    torch.ones(600, 600) @ torch.ones(600, 600)

def at_home():
    with releasing_thread_pool():
        multiply()

def threads():
    return len(os.listdir("/proc/self/task"))

def await_threads(count):
    \"\"\"How many more there are, once those that are ending have had their time.\"\"\"
    until = time.monotonic() + 2
    while threads() > count and time.monotonic() < until:
        time.sleep(0.01)
    return threads() - count

def helpers(work):
    \"\"\"Threads that are left after the work, while the one that did it lives.\"\"\"
    done, seen = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: (work(), done.set(), seen.wait()))
    before = threads()
    thread.start()
    done.wait()
    left = await_threads(before + 1)
    seen.set()
    thread.join()
    await_threads(before)
    return left

sem = load_sem()
reading = lambda: sem.analyze([["I lost my job at the plant today, and my cat is ill."]])
saying = lambda: sem.propose_replies(["I lost my job."], "sad", count=2)
print(json.dumps([helpers(work) for work in (multiply, at_home, reading, saying)]))
"""


@pytest.fixture
def _six_cores() -> Iterator[None]:
    """torch takes six cores for all."""
    before = torch.get_num_threads()
    torch.set_num_threads(6)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_six_cores")
def test_only_the_calling_thread_gives_cores_up() -> None:
    seen = [run(lambda: share_cores(3)), torch.get_num_threads(), run(lambda: None)]
    assert seen == [2, 6, 6]


@pytest.mark.usefixtures("_six_cores")
def test_threads_that_share_at_the_same_time_do_not_take_each_others_number_for_all_cores() -> None:
    seen = set()
    for _ in range(20):
        threads = [threading.Thread(target=share_cores, args=(3,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seen.add(run(lambda: None))
    assert seen == {6}


def test_nobody_has_less_than_one() -> None:
    assert run(lambda: share_cores(1000)) == 1


@gnu_openmp
def test_a_thread_that_has_read_or_spoken_keeps_no_pool() -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    told = subprocess.run([sys.executable, "-c", HELPERS], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(told.stdout) == [1, 0, 0, 0]


@pytest.mark.usefixtures("_six_cores")
def test_a_threads_share_of_the_cores_outlives_its_pool() -> None:
    def share() -> None:
        share_cores(3)
        with releasing_thread_pool():
            torch.ones(600, 600) @ torch.ones(600, 600)

    assert run(share) == 2


def test_what_is_raised_before_the_pool_is_released_is_raised() -> None:
    with pytest.raises(ZeroDivisionError), releasing_thread_pool():
        raise ZeroDivisionError


def run(work: Callable[[], None]) -> int:
    """torch's number of threads in a new thread that has done the work."""
    seen: list[int] = []

    def do() -> None:
        work()
        seen.append(torch.get_num_threads())

    thread = threading.Thread(target=do)
    thread.start()
    thread.join()
    return seen[0]
