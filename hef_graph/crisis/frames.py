"""The frames that take a plain phrase out of the present: denied, idiom, quoted, fiction, work, recovered, accident.

A phrase inside a frame is not dismissed: it is left to the classifier, which reads the whole message.
"""

import re
from typing import Final

from hef_graph.crisis.patterns import load_pattern
from hef_graph.crisis.signals import Category

_ANYWHERE: Final = ("quoted", "fiction", "work")
"""In the same sentence, in the one before, or in the one behind."""

_REACH: Final = 80
"""Characters before a phrase in which a denial may stand."""


def is_framed(category: Category, sentence: str, start: int, end: int, *, nearby: str = "") -> bool:
    """Whether the phrase `sentence[start:end]` stands in a frame; `nearby` are the sentences before and behind it."""
    around = f"{nearby} {sentence}"
    return bool(
        _frame("denied before").search(sentence[max(0, start - _REACH) : start])
        or _frame("denied after").match(sentence[end:])
        or _frame("idiom").search(sentence)
        or _is_quoted(sentence, start, end)
        or any(_frame(name).search(around) for name in _ANYWHERE)
        or (_frame("recovered").search(around) and not _frame("still").search(around))
        or (category == "self_harm" and _frame("accident").search(around))
    )


def _is_quoted(sentence: str, start: int, end: int) -> bool:
    """Whether the phrase stands between quotation marks that are said to be somebody's, a song's, a headline's."""
    inside = sentence.count('"', 0, start) % 2 == 1 and '"' in sentence[end:]
    return inside and bool(_frame("attributed").search(sentence[: sentence.rfind('"', 0, start)]))


def _frame(name: str) -> re.Pattern[str]:
    """What makes a frame, by name.

    - denied before: in front of the phrase, with nothing but function words between; denied after: behind it
    - idiom: in the same sentence
    - still: what is recovered from but still hurts, was never told, or has happened again
    - attributed: in front of quotation marks that hold somebody else's words
    """
    return load_pattern("frames", name)
