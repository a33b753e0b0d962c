"""The frames that take a plain phrase out of the present: denied, idiom, quoted, fiction, work, recovered, accident.

A phrase inside a frame is not dismissed: it is left to the classifier, which reads the whole message.
"""

from typing import Final

from hef_graph.crisis.patterns import load_pattern
from hef_graph.crisis.signals import Category

_DENIED: Final = load_pattern("frames", "denied before")
"""In front of the phrase, with nothing but function words between."""
_DENIED_AFTER: Final = load_pattern("frames", "denied after")
_IDIOM: Final = load_pattern("frames", "idiom")
"""In the same sentence."""
_ANYWHERE: Final = tuple(load_pattern("frames", name) for name in ("quoted", "fiction", "work"))
"""In the same sentence, in the one before, or in the one behind."""
_RECOVERED: Final = load_pattern("frames", "recovered")
_STILL: Final = load_pattern("frames", "still")
"""What is over but still hurts, was never told, or has happened again."""
_ACCIDENT: Final = load_pattern("frames", "accident")
_ATTRIBUTED: Final = load_pattern("frames", "attributed")
"""In front of quotation marks that hold somebody else's words."""

_REACH: Final = 80
"""Characters before a phrase in which a denial may stand."""


def is_framed(category: Category, sentence: str, start: int, end: int, *, nearby: str = "") -> bool:
    """Whether the phrase `sentence[start:end]` stands in a frame; `nearby` are the sentences before and behind it."""
    around = f"{nearby} {sentence}"
    return bool(
        _DENIED.search(sentence[max(0, start - _REACH) : start])
        or _DENIED_AFTER.match(sentence[end:])
        or _IDIOM.search(sentence)
        or _is_quoted(sentence, start, end)
        or any(frame.search(around) for frame in _ANYWHERE)
        or (_RECOVERED.search(around) and not _STILL.search(around))
        or (category == "self_harm" and _ACCIDENT.search(around))
    )


def _is_quoted(sentence: str, start: int, end: int) -> bool:
    """Whether the phrase stands between quotation marks that are said to be somebody's, a song's, a headline's."""
    inside = sentence.count('"', 0, start) % 2 == 1 and '"' in sentence[end:]
    return inside and bool(_ATTRIBUTED.search(sentence[: sentence.rfind('"', 0, start)]))
