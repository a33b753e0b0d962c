"""How the rules are put together from words."""

import re


def any_word(words: str) -> str:
    """A pattern for any of the words, each a pattern itself; `_` stands for a blank.

    >>> any_word("mum social_worker")
    '(?:mum|social worker)'
    """
    return f"(?:{'|'.join(words.split())})".replace("_", " ")


def any_of(*patterns: str) -> re.Pattern[str]:
    """One rule that holds where any of the patterns, from the beginning of a word, does."""
    return re.compile("|".join(rf"\b(?:{pattern})" for pattern in patterns))
