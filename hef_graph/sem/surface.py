"""The decoder's lower-case pieces → text as people write it."""

import re
from collections.abc import Sequence
from typing import Final

from hef_graph.sem.tokenization import find_words

_CONTRACTION = re.compile(r"(?<=\w) ?(['’]) ?(s|t|m|re|ve|ll|d)\b")
_BEFORE_PUNCTUATION = re.compile(r"\s+(?![:;](?:[)(]|[dp]\b))([.,!?;:%)\]}…])")
_AFTER_OPENING = re.compile(r"(?<![:;])([(\[{$£€#])\s+")
_INNER = re.compile(r"(?<=\w) ([-/]) (?=\w)|(?<=\d) ([.:,]) (?=\d)")
_SMILEY = re.compile(r"([:;]) (?=[)(dp]\b|[)(])")
_SENTENCE_START = re.compile(r"(^|[.!?…]\s+)([\"'(]*)([a-z])")
_FIRST_PERSON = re.compile(r"\bi(?=$|[^\w]|')")
_BARE_CONTRACTIONS: Final = {
    "im": "I'm",
    "ive": "I've",
    "dont": "don't",
    "didnt": "didn't",
    "doesnt": "doesn't",
    "cant": "can't",
    "couldnt": "couldn't",
    "wouldnt": "wouldn't",
    "shouldnt": "shouldn't",
    "isnt": "isn't",
    "wasnt": "wasn't",
    "wont": "won't",
    "thats": "that's",
    "youre": "you're",
    "youve": "you've",
    "theyre": "they're",
    "hes": "he's",
    "shes": "she's",
    "whats": "what's",
    "havent": "haven't",
    "hasnt": "hasn't",
    "u": "you",
    "ur": "your",
    "alot": "a lot",
}
"""Spellings common in the training chats that a reader would take for mistakes."""

_NAMES: Final = frozenset(
    """monday tuesday wednesday thursday friday saturday sunday january february april june july august september
    october november december christmas thanksgiving halloween easter america american english god""".split()
)


_NEAR: Final = 2000
"""Names are looked for in so many of a turn's last characters: a reply takes up what was said last."""


def restore_surface(text: str, spoken: Sequence[str] = ()) -> str:
    """Spacing, contractions and capitals; words that the dialogue writes with a capital inside a sentence keep it.

    >>> restore_surface("oh no ! i ' m sorry , paris isnt far . did you call ?", ["We went to Paris."])
    "Oh no! I'm sorry, Paris isn't far. Did you call?"
    """
    joined = _CONTRACTION.sub(r"\1\2", " ".join(text.split()))
    joined = _SMILEY.sub(r"\1", _INNER.sub(lambda m: m.group(1) or m.group(2), joined))
    joined = _AFTER_OPENING.sub(r"\1", _BEFORE_PUNCTUATION.sub(r"\1", joined))
    worded = _rewrite_words(joined, _capitalised_words(spoken))
    cased = _FIRST_PERSON.sub("I", worded)
    return _SENTENCE_START.sub(lambda m: m.group(1) + m.group(2) + m.group(3).upper(), cased)


def close_sentence(text: str) -> str:
    """The text with a full stop, if it ends in a word."""
    return f"{text}." if text[-1:].isalnum() else text


def _rewrite_words(text: str, names: dict[str, str]) -> str:
    parts: list[str] = []
    last = 0
    for start, end in find_words(text):
        word = text[start:end]
        parts += [text[last:start], _BARE_CONTRACTIONS.get(word) or names.get(word) or _with_capital(word)]
        last = end
    return "".join([*parts, text[last:]])


def _with_capital(word: str) -> str:
    return word.capitalize() if word in _NAMES else word


def _capitalised_words(texts: Sequence[str]) -> dict[str, str]:
    """Lower case → as written, for words with a capital that no sentence start explains."""
    found: dict[str, str] = {}
    for text in (whole[-_NEAR:] for whole in texts):
        for start, end in find_words(text):
            word, before = text[start:end], text[max(0, start - 8) : start].rstrip(" \"'(")
            if before and before[-1] not in ".!?…\n:" and word[0].isupper() and not word.isupper():
                found[word.lower()] = word
    return found
