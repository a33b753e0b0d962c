import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hef_graph.evaluation.study.confusion import NO_LABEL, Confusion, confuse

LABELS = ("afraid", "angry", "sad")


def cells(confusion: Confusion) -> dict[tuple[str, str], int]:
    """The cells that are not empty, by gold and predicted label."""
    names = itertools.product(confusion.gold, confusion.predicted)
    counted = zip(names, itertools.chain(*confusion.counts), strict=True)
    return {cell: count for cell, count in counted if count}


def test_every_case_is_in_the_cell_of_its_labels() -> None:
    found = confuse(["angry", "angry", "sad", NO_LABEL], ["sad", "sad", "sad", "angry"], LABELS)
    assert cells(found) == {("sad", "angry"): 2, ("sad", "sad"): 1, ("angry", NO_LABEL): 1}
    assert found.worst == (("sad", "angry", 2), ("angry", NO_LABEL, 1))


@pytest.mark.parametrize(
    ("predicted", "gold", "rows", "columns"),
    [
        ("sad", "sad", LABELS, (*LABELS, NO_LABEL)),
        ("sad", "jealous", (*LABELS, "jealous"), (*LABELS, "jealous", NO_LABEL)),
        ("bored", "sad", LABELS, (*LABELS, "bored", NO_LABEL)),
    ],
)
def test_a_label_outside_the_set_has_a_place_behind_it(
    predicted: str, gold: str, rows: tuple[str, ...], columns: tuple[str, ...]
) -> None:
    found = confuse([predicted], [gold], LABELS)
    assert (found.gold, found.predicted) == (rows, columns)
    assert cells(found) == {(gold, predicted): 1}


@given(st.lists(st.tuples(st.sampled_from([*LABELS, "proud"]), st.sampled_from([*LABELS, "bored", NO_LABEL]))))
def test_rows_sum_to_the_cases_of_a_label_and_columns_to_its_predictions(pairs: list[tuple[str, str]]) -> None:
    gold, predicted = [first for first, _ in pairs], [second for _, second in pairs]
    found = confuse(predicted, gold, LABELS)
    assert [sum(row) for row in found.counts] == [gold.count(label) for label in found.gold]
    assert [sum(each) for each in zip(*found.counts, strict=True)] == [predicted.count(n) for n in found.predicted]
