"""How the rules are put together from words."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

_FIRST_LETTER: Final = re.compile(r"[a-z](?![?*+{])")
_SIGN: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
"""A sign of a pattern, or all of a character class."""


def any_word(words: str) -> str:
    """A pattern for any of the words, each a pattern itself; `_` stands for a blank.

    >>> any_word("mum social_worker")
    '(?:mum|social worker)'
    """
    return f"(?:{'|'.join(words.split())})".replace("_", " ")


def rules(*patterns: str) -> tuple[str, ...]:
    """Patterns for `any_of`; as arguments of a call, one may be written over several lines."""
    return patterns


def any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """One rule that holds where any of the patterns, from the beginning of a word, does.

    What begins with the same letter stands together, so that most words of a text are passed over by their first; and
    no word's end is looked at.
    """
    groups = _by_first_letter(each for pattern in patterns for each in _alternatives(pattern))
    grouped = (f"{first}(?:{'|'.join(rest)})" for first, rest in groups.items())
    return re.compile(rf"\b(?=\w)(?:{'|'.join(grouped)})")


def _by_first_letter(alternatives: Iterable[str]) -> dict[str, list[str]]:
    """What follows each first letter; under "" what may begin with other signs.

    >>> _by_first_letter(["me too", "(?:mine|yours) is", "[ab]c"])
    {'m': ['e too', '(?:ine) is'], 'y': ['(?:ours) is'], '': ['[ab]c']}
    """
    groups: dict[str, list[str]] = {}
    for alternative in alternatives:
        if group := _first_group(alternative):
            inner = _by_first_letter(_alternatives(group.removeprefix("(?:").removesuffix(")")))
            spread = {first: f"(?:{'|'.join(rest)}){alternative[len(group) :]}" for first, rest in inner.items()}
        else:
            first = alternative[0] if _FIRST_LETTER.match(alternative) else ""
            spread = {first: alternative.removeprefix(first)}
        for first, rest in spread.items():
            groups.setdefault(first, []).append(rest)
    return groups


def _first_group(pattern: str) -> str:
    """The group that the pattern begins with, if it is an alternative that must be there; else nothing.

    >>> _first_group("(?:my|(?:y|h)our) dog"), _first_group("(?:my )?dog")
    ('(?:my|(?:y|h)our)', '')
    """
    depth, end = 0, 0
    for sign in _SIGN.finditer(pattern) if pattern.startswith("(?:") else ():
        depth += (sign.group() == "(") - (sign.group() == ")")
        if not depth:
            end = sign.end()
            break
    return "" if pattern[end : end + 1] in tuple("?*+{") else pattern[:end]


def _alternatives(pattern: str) -> Iterator[str]:
    """What stands between the bars that are in no group.

    >>> list(_alternatives("my (?:cat|dog)|[|(]+"))
    ['my (?:cat|dog)', '[|(]+']
    """
    depth, read = 0, ""
    for sign in _SIGN.findall(pattern):
        depth += (sign == "(") - (sign == ")")
        if sign == "|" and not depth:
            yield read
            read = ""
        else:
            read += sign
    yield read
