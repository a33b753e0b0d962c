"""Where the sentences of a reply end, also of one that is still being written."""

import re
from typing import Final

_MARK: Final = re.compile(r"[.!?…]+[^\w\s]*(?=\s)|[。！？]+[\"'”’»)\]」』]*|\n")
"""Ends a sentence, with the closing quotation marks, brackets and emoji behind it; so does a line break."""

_NEXT: Final = re.compile(r"\s*(\S)")

_TITLE: Final = frozenset(
    """mr mrs ms dr prof st rev hon jr sr sra srta dra mme mlle m z bzw ca nr vs v cf p pp bspw inkl approx incl
    fig""".split()
)
"""Shortened words that a name, a number or another word follows: no sentence ends with them."""

_PERHAPS_LAST: Final = frozenset("e.g i.e etc a.m p.m u.s ph.d d.h u.a usw p.ex ex z.b".split())
"""Shortened words that may end a sentence: they do if a capital follows."""

_LAST_WORD: Final = re.compile(r"([\w.]*\w)\.$")


def cut_sentences(text: str, *, ended: bool) -> list[str]:
    """The sentences, each with the blanks behind it; joined they are the text as far as its sentences are over.

    An end is sure only when the next word begins: "3." may become "3.5". So whatever is added to the text, the
    sentences so far stay as they are.

    Args:
        text: a reply, or a reply's part from a sentence's beginning on.
        ended: whether nothing more will come; then the rest is a sentence too.

    >>> cut_sentences("Oh no! Dr. Lee said 3.5 weeks. And", ended=False)
    ['Oh no! ', 'Dr. Lee said 3.5 weeks. ']
    """
    sentences, start = [], 0
    for mark in _MARK.finditer(text):
        after = _NEXT.match(text, mark.end())
        if after is None:
            break
        if mark.end() > start and _ends_sentence(text[start : mark.end()], mark.group(), after.group(1)):
            sentences.append(text[start : after.start(1)])
            start = after.start(1)
    return [*sentences, text[start:]] if ended and text[start:] else sentences


def _ends_sentence(sentence: str, mark: str, following: str) -> bool:
    """Whether a sentence is over with its mark, given the character that the next word begins with."""
    if mark == "\n":
        return True
    if mark.startswith(("..", "…")):
        return not following.islower()
    return mark != "." or not _is_shortened(sentence, following)


def _is_shortened(sentence: str, following: str) -> bool:
    """Whether the full stop belongs to a shortened word, a list's number or a phone number."""
    found = _LAST_WORD.search(sentence)
    word = found.group(1).lower() if found else ""
    if word.isdigit():
        return following.isdigit() or word == sentence[:-1]
    if word in _PERHAPS_LAST:
        return following.islower() or following.isdigit()
    return word in _TITLE or (len(word) == 1 and word.isalpha() and word != "i")
