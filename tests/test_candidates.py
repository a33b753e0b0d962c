from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.candidates import check_k2, least_probability, prioritise
from hef_graph.errors import HefInputError
from hef_graph.types import EmotionScore

SCORES = [
    EmotionScore("sad", 0.5),
    EmotionScore("lonely", 0.3),
    EmotionScore("afraid", 0.15),
    EmotionScore("angry", 0.05),
]

probabilities = st.lists(st.floats(0.001, 1), min_size=1, max_size=40)


def labels_of(scores: tuple[EmotionScore, ...]) -> list[str]:
    return [score.label for score in scores]


@pytest.mark.parametrize(("k2", "expected"), [(1, ["sad"]), (2, ["sad", "lonely"])])
def test_a_number_takes_so_many_of_the_most_probable(k2: int, expected: list[str]) -> None:
    assert labels_of(prioritise(SCORES, k2)) == expected


def test_a_number_beyond_the_labels_takes_all() -> None:
    assert labels_of(prioritise(SCORES, 99)) == ["sad", "lonely", "afraid", "angry"]


def test_scores_in_any_order_come_out_most_probable_first() -> None:
    assert labels_of(prioritise(SCORES[::-1], 3)) == ["sad", "lonely", "afraid"]


def test_equal_probabilities_keep_the_order_given() -> None:
    even = [EmotionScore(label, 0.25) for label in ("proud", "angry", "sad", "content")]
    assert labels_of(prioritise(even, 3)) == ["proud", "angry", "sad"]


@pytest.mark.parametrize(("coverage", "size"), [(0.1, 1), (0.5, 1), (0.51, 2), (0.8, 2), (0.9, 3), (1.0, 4)])
def test_adaptive_takes_the_fewest_that_reach_the_coverage(coverage: float, size: int) -> None:
    assert len(prioritise(SCORES, "adaptive", coverage=coverage)) == size


def test_the_coverage_is_95_percent_by_default() -> None:
    scores = [EmotionScore("sad", 0.94), EmotionScore("angry", 0.02), EmotionScore("proud", 0.04)]
    assert labels_of(prioritise(scores, "adaptive")) == ["sad", "proud"]


def test_adaptive_takes_all_where_rounding_keeps_the_sum_below_the_coverage() -> None:
    scores = [EmotionScore("sad", 0.6), EmotionScore("angry", 0.3999999)]
    assert len(prioritise(scores, "adaptive", coverage=1.0)) == 2


@given(probabilities, st.floats(0.01, 1))
@settings(deadline=None)
def test_adaptive_without_its_last_emotion_would_miss_the_coverage(raw: list[float], coverage: float) -> None:
    scores = [EmotionScore(str(index), value / sum(raw)) for index, value in enumerate(raw)]
    chosen = prioritise(scores, "adaptive", coverage=coverage)
    assert chosen
    assert sum(score.probability for score in chosen[:-1]) < coverage


@given(probabilities, st.floats(0.01, 0.999))
@settings(deadline=None)
def test_adaptive_reaches_the_coverage(raw: list[float], coverage: float) -> None:
    scores = [EmotionScore(str(index), value / sum(raw)) for index, value in enumerate(raw)]
    assert sum(score.probability for score in prioritise(scores, "adaptive", coverage=coverage)) >= coverage - 1e-9


@pytest.mark.parametrize("k2", [0, -3, True, 2.0, "all", "10", None])
def test_another_k2_is_refused_with_its_value(k2: Any) -> None:
    with pytest.raises(HefInputError, match=rf"k2 is {k2!r}; allowed"):
        check_k2(k2)


def test_prioritise_checks_its_k2() -> None:
    with pytest.raises(HefInputError, match="k2 is 0"):
        prioritise(SCORES, 0)


THRESHOLDS = ((0.5, 0.4), (0.9, 0.1), (0.99, 0.02))


@pytest.mark.parametrize(
    ("coverage", "least"), [(0.5, 0.4), (0.9, 0.1), (0.99, 0.02), (0.7, 0.25), (0.945, 0.06), (0.3, 0.4), (0.995, 0.0)]
)
def test_a_threshold_lies_between_its_neighbours(coverage: float, least: float) -> None:
    assert least_probability(THRESHOLDS, coverage) == pytest.approx(least)


def test_with_thresholds_adaptive_takes_all_that_reach_the_one_of_the_coverage() -> None:
    assert labels_of(prioritise(SCORES, "adaptive", coverage=0.9, thresholds=THRESHOLDS)) == ["sad", "lonely", "afraid"]


def test_an_adaptive_set_is_never_empty() -> None:
    assert labels_of(prioritise(SCORES, "adaptive", coverage=0.5, thresholds=((0.5, 0.9),))) == ["sad"]


def test_a_number_is_not_bounded_by_thresholds() -> None:
    assert len(prioritise(SCORES, 4, thresholds=THRESHOLDS)) == 4
