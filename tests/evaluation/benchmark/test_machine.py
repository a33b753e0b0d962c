import time

import pytest
import torch

from hef_graph.evaluation.benchmark.machine import SIZE, measure_machine


def test_products_on_one_core_and_on_all_are_measured_and_the_threads_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    used: set[int] = set()
    before = torch.get_num_threads()
    monkeypatch.setattr(torch, "mm", lambda *_: used.add(torch.get_num_threads()))
    rows = measure_machine("before", rounds=2)
    assert used == {1, before} == {1, torch.get_num_threads()}
    assert [row.unit for row in rows] == ["ms", "GFLOP/s", "times"]
    assert all(row.what.startswith("before: ") for row in rows)


def test_the_rate_is_what_a_product_takes_against_its_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "mm", lambda *_: time.sleep(0.02))
    _, rate, gain = measure_machine("after", rounds=3)
    most = 2 * SIZE**3 / 0.02 / 1e9
    assert 0.5 * most < rate.value.median <= most
    assert 0.5 < gain.value.median < 2
