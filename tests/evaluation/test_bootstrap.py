import numpy as np
import pytest

from hef_graph.errors import HefInputError
from hef_graph.evaluation.bootstrap import Estimate, Numbers, resample_sums

VALUES = np.array([[1.0, 1.0], [0.0, 1.0], [1.0, 1.0], [0.0, 1.0]])
"""A hit or not, and a one to count with."""


def width(estimate: Estimate) -> float:
    return estimate.high - estimate.low


def estimate(values: Numbers, groups: list[str], seed: int = 0) -> Estimate:
    return resample_sums(values, groups, seed=seed).mean(0, 1, scale=100)


def test_a_mean_is_that_of_the_cases_and_lies_in_its_interval() -> None:
    found = estimate(VALUES, list("abcd"))
    assert found.value == 50.0
    assert 0 <= found.low < 50 < found.high <= 100


def test_equal_cases_leave_no_doubt() -> None:
    assert estimate(np.ones((4, 2)), list("abcd")) == Estimate(100, 100, 100)


def test_cases_of_one_group_count_as_one_draw() -> None:
    values = np.repeat(VALUES, 50, axis=0)
    apart = [str(number) for number in range(200)]
    together = [str(number // 50) for number in range(200)]
    assert width(estimate(values, apart)) < 20
    assert width(estimate(values, together)) > 60


def test_the_interval_is_that_of_a_binomial() -> None:
    values = np.tile(VALUES, (100, 1))
    found = estimate(values, [str(number) for number in range(400)])
    assert width(found) == pytest.approx(2 * 1.96 * 2.5, rel=0.1)


def test_one_seed_gives_one_interval() -> None:
    groups = [str(number) for number in range(40)]
    values = np.tile(VALUES, (10, 1)) * np.linspace(1, 2, 40)[:, None]
    assert estimate(values, groups, seed=1) == estimate(values, groups, seed=1)
    assert estimate(values, groups, seed=1) != estimate(values, groups, seed=2)


def test_a_ratio_is_paired() -> None:
    values = np.array([[2.0, 1.0], [6.0, 3.0], [40.0, 20.0]])
    assert resample_sums(values, list("abc"), seed=0).ratio(0, 1) == Estimate(2.0, 2.0, 2.0)


def test_a_ratio_to_nothing_is_none() -> None:
    assert resample_sums(np.array([[1.0, 0.0]]), ["a"], seed=0).ratio(0, 1) is None


@pytest.mark.parametrize(("values", "groups"), [(VALUES, ["a"]), (VALUES[:0], [])])
def test_no_cases_or_cases_without_group_are_refused(values: Numbers, groups: list[str]) -> None:
    with pytest.raises(HefInputError, match="give at least one case, each with a group"):
        resample_sums(values, groups, seed=0)
