"""The frames that take a plain phrase out of the present: denied, idiom, quoted, fiction, work, recovered.

A phrase inside a frame is not dismissed: it is left to the classifier, which reads the whole message.
"""

from typing import Final

from hef_graph.crisis.patterns import load_pattern

_DENIED: Final = load_pattern("frames", "denied before")
"""In front of the phrase, with nothing but function words between."""
_IDIOM: Final = load_pattern("frames", "idiom")
"""In the same sentence."""
_ANYWHERE: Final = tuple(load_pattern("frames", name) for name in ("quoted", "fiction", "work", "recovered"))
"""In the same sentence or in the one before."""

_REACH: Final = 80
"""Characters before a phrase in which a denial may stand."""


def is_framed(before: str, sentence: str, start: int, end: int) -> bool:
    """Whether the phrase `sentence[start:end]` stands in a frame; `before` is the sentence before it."""
    nearby = f"{before} {sentence}"
    return bool(
        _DENIED.search(sentence[max(0, start - _REACH) : start])
        or _IDIOM.search(sentence)
        or _is_in_quotes(sentence, start, end)
        or any(frame.search(nearby) for frame in _ANYWHERE)
    )


def _is_in_quotes(sentence: str, start: int, end: int) -> bool:
    """Whether an odd number of quotation marks stands before the phrase, and another behind it."""
    return sentence.count('"', 0, start) % 2 == 1 and '"' in sentence[end:]
