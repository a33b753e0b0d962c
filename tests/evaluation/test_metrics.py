import pytest

from hef_graph.evaluation.metrics import (
    accuracy_at,
    calibration_error,
    confidence_bin,
    distinct,
    macro_f1,
    tokenize_words,
    worst_confusions,
)

RANKED = [["sad", "lonely", "angry"], ["angry", "sad", "lonely"], ["lonely", "angry", "sad"]]
GOLD = ["sad", "sad", "sad"]


@pytest.mark.parametrize(("k", "percent"), [(1, 100 / 3), (2, 200 / 3), (3, 100.0)])
def test_accuracy_at_k_counts_labels_among_the_first_k(k: int, percent: float) -> None:
    assert accuracy_at(k, RANKED, GOLD) == pytest.approx(percent)


def test_macro_f1_weighs_every_label_alike() -> None:
    predicted, gold = ["sad", "sad", "sad", "joy"], ["sad", "sad", "sad", "angry"]
    assert macro_f1(predicted, gold) == pytest.approx(50.0)


def test_macro_f1_of_a_label_balances_precision_and_recall() -> None:
    assert macro_f1(["sad", "sad"], ["sad", "joy"]) == pytest.approx(100 * (2 / 3 + 0) / 2)


def test_confidence_that_matches_accuracy_has_no_calibration_error() -> None:
    assert calibration_error([0.75] * 4, [True, True, True, False]) == pytest.approx(0.0)


def test_confidence_above_accuracy_is_an_error_of_the_gap() -> None:
    assert calibration_error([0.9, 0.9], [True, False]) == pytest.approx(0.4)


def test_bins_are_weighed_by_their_size() -> None:
    assert calibration_error([0.9, 0.9, 0.9, 0.1], [True, True, True, True]) == pytest.approx((0.3 + 0.9) / 4)


@pytest.mark.parametrize(
    ("confidence", "bins", "index"),
    [(0.0, 15, 0), (1 / 15, 15, 0), (0.2, 15, 2), (0.2 + 1e-12, 15, 3), (0.6, 15, 8), (1.0, 15, 14), (0.3, 10, 2)],
)
def test_a_confidence_on_an_edge_belongs_to_the_bin_below(confidence: float, bins: int, index: int) -> None:
    assert confidence_bin(confidence, bins=bins) == index


@pytest.mark.parametrize(("confidence", "hit"), [(0.0, True), (1.0 + 2**-52, False)])
def test_certainty_that_is_wrong_is_an_error_of_one(confidence: float, hit: bool) -> None:
    assert calibration_error([confidence], [hit]) == pytest.approx(1.0)


def test_no_cases_have_no_calibration_error() -> None:
    assert calibration_error([], []) == 0.0


def test_distinct_counts_unique_n_grams_of_the_whole_corpus() -> None:
    assert distinct(1, ["oh no", "oh dear"]) == pytest.approx(75.0)


def test_bigrams_do_not_cross_responses() -> None:
    assert distinct(2, ["a b", "a b"]) == pytest.approx(50.0)


def test_words_are_lower_case_tokens_with_punctuation_apart() -> None:
    assert tokenize_words("Oh no. Don't!") == ["oh", "no", ".", "do", "n't", "!"]


def test_confusions_come_with_the_most_frequent_first() -> None:
    predicted, gold = ["sad", "sad", "joy", "joy"], ["angry", "angry", "proud", "joy"]
    assert worst_confusions(predicted, gold) == [("angry", "sad", 2), ("proud", "joy", 1)]
