"""NumPy's matrix products keep to one thread while the crisis classifier reads, and only then."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import OpenBLASController, ThreadpoolController

from hef_graph.crisis.classifier import load_classifier
from hef_graph.crisis.encoder import Array, Encoder
from hef_graph.crisis.threads import one_thread


def count_threads() -> list[int]:
    np.ones((2, 2)) @ np.ones((2, 2))  # the library is there once NumPy is
    return [each.get_num_threads() for each in ThreadpoolController().select(internal_api="openblas").lib_controllers]


@pytest.fixture(autouse=True)
def three_threads() -> Iterator[None]:
    before = ThreadpoolController().select(internal_api="openblas").lib_controllers
    counts = [each.get_num_threads() for each in before]
    if not before:
        pytest.skip("this NumPy comes without OpenBLAS")
    for each in before:
        each.set_num_threads(3)
    OpenBLASController.clear_controlling_thread()
    yield
    for each, count in zip(before, counts, strict=True):
        each.set_num_threads(count)


def test_one_thread_works_inside_and_as_many_as_before_outside() -> None:
    with one_thread():
        assert set(count_threads()) == {1}
    assert set(count_threads()) == {3}


def test_an_error_inside_lifts_the_limit() -> None:
    with pytest.raises(ValueError, match="broken"), one_thread():
        raise ValueError("broken")
    assert set(count_threads()) == {3}


def test_the_last_of_many_readers_lifts_the_limit() -> None:
    readers = 8
    together = Barrier(readers)

    def read(_: int) -> set[int]:
        together.wait()
        with one_thread():
            together.wait()
            found = set(count_threads())
            together.wait()
            return found

    with ThreadPoolExecutor(readers) as pool:
        assert list(pool.map(read, range(readers))) == [{1}] * readers
    assert set(count_threads()) == {3}


def test_the_classifier_reads_with_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    reads = Encoder.read

    def watched(self: Encoder, ids: NDArray[np.int64], kinds: NDArray[np.int64]) -> Array:
        seen.extend(count_threads())
        return reads(self, ids, kinds)

    monkeypatch.setattr(Encoder, "read", watched)
    load_classifier().read("I had soup for lunch.")
    assert set(seen) == {1}
