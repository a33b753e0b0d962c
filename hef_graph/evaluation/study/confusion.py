"""Which emotion a system takes for which."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hef_graph.evaluation.metrics import worst_confusions

NO_LABEL: Final = ""
"""The prediction of a case without a valid label."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each gold label was answered by each label."""

    gold: tuple[str, ...]
    """The rows."""
    predicted: tuple[str, ...]
    """The columns; `NO_LABEL` last."""
    counts: tuple[tuple[int, ...], ...]
    worst: tuple[tuple[str, str, int], ...]
    """The most frequent mistakes: gold label, predicted label, how often."""


def confuse(predicted: Sequence[str], gold: Sequence[str], labels: Sequence[str]) -> Confusion:
    """Every case in one cell; a label outside `labels` that occurs has a row or a column behind them.

    >>> confuse(["sad", "angry"], ["sad", "sad"], ["angry", "sad"]).counts
    ((0, 0, 0), (1, 1, 0))
    """
    counts = Counter(zip(gold, predicted, strict=True))
    rows = tuple(dict.fromkeys([*labels, *sorted(set(gold))]))
    columns = (*dict.fromkeys([*rows, *sorted(set(predicted) - {NO_LABEL})]), NO_LABEL)
    matrix = tuple(tuple(counts[row, column] for column in columns) for row in rows)
    return Confusion(rows, columns, matrix, tuple(worst_confusions(predicted, gold)))
