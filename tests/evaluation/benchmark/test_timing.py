import time

import pytest

from hef_graph.evaluation.benchmark.timing import Spread, difference, ratio, scaled, seconds, side_by_side


def test_a_spread_is_the_median_and_its_quartiles() -> None:
    assert Spread.of([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(3.0, 2.0, 4.0)


def test_seconds_are_those_of_the_work() -> None:
    assert 0.02 <= seconds(lambda: time.sleep(0.02)) < 0.5


def test_candidates_take_turns() -> None:
    called: list[str] = []
    taken = side_by_side({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, rounds=3, warm=1)
    assert called == ["a", "b"] * 4
    assert {name: len(each) for name, each in taken.items()} == {"a": 3, "b": 3}


def test_a_ratio_is_taken_round_by_round() -> None:
    assert ratio([2.0, 9.0, 4.0], [1.0, 3.0, 2.0]).median == 2.0


def test_a_difference_is_taken_round_by_round() -> None:
    assert difference([2.0, 9.0, 4.0], [1.0, 3.0, 2.0]) == [1.0, 6.0, 2.0]


def test_a_unit_can_be_changed() -> None:
    assert scaled([0.001, 0.002, 0.003], 1000).median == pytest.approx(2.0)
