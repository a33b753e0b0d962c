"""Emotion probabilities → the prioritised emotions of stage one (HEF, Section 3.4)."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Literal, TypeAlias

from hef_graph.errors import HefInputError
from hef_graph.types import EmotionScore

K2: TypeAlias = int | Literal["adaptive"]
"""How many emotions to put first: a fixed number, or as many as reach the wished coverage."""


def check_k2(k2: K2) -> None:
    """Raise `HefInputError` unless `k2` is a positive int or "adaptive"."""
    fixed = isinstance(k2, int) and not isinstance(k2, bool) and k2 >= 1
    if not fixed and k2 != "adaptive":
        raise HefInputError(f"k2 is {k2!r}; allowed are a whole number from 1 on, or 'adaptive'")


def prioritise(emotions: Sequence[EmotionScore], k2: K2, *, coverage: float = 0.95) -> tuple[EmotionScore, ...]:
    """The `k2` most probable emotions, most probable first (all of them where there are fewer).

    With "adaptive", the fewest emotions whose probabilities add up to `coverage`.
    """
    check_k2(k2)
    ranked = sorted(emotions, key=lambda score: -score.probability)
    if k2 != "adaptive":
        return tuple(ranked[:k2])
    reached = accumulate(score.probability for score in ranked)
    size = next((count for count, total in enumerate(reached, start=1) if total >= coverage), len(ranked))
    return tuple(ranked[:size])
