# ruff: noqa: RUF001, RUF002  letters that look like others are the point
r"""The delimiters around what the SEM saw, and how they are kept out of everything that others wrote.

A model reads `</evidence>` in many spellings: in other cases and alphabets, with blanks or invisible characters in it,
escaped as in HTML. All of them are written as "(/evidence)" before a text is sent.

>>> escape_evidence("a < b, </Evidence > ＜ｅvidеnce＞ &lt;evi\u200bdence")
'a < b, (/evidence) (evidence) (evidence'
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import Final

EVIDENCE_OPEN: Final = "<evidence>"
EVIDENCE_CLOSE: Final = "</evidence>"

_NAME: Final = "evidence"

_OPENERS: Final = "<＜﹤‹〈〈⟨❮❬˂ᐸ≺《⟪«"
_CLOSERS: Final = ">＞﹥›〉〉⟩❯❭˃ᐳ≻》⟫»"
_SLASHES: Final = "/／∕⁄⧸╱"

_ALIKE: Final = {"e": "еєҽһɛəǝ℮ꬲεϵ3€", "v": "ѵνυᴠ∨ᐯ", "i": "іӏıιɩӀ1l|!", "d": "ԁժɗᴅđ", "n": "ոռηпɴᴨɲ", "c": "сϲᴄƈ¢"}
"""Letters of other alphabets, and digits, that look like one of the name's and are not folded into it by Unicode."""

_ALPHABETS: Final = (
    (0x20, 0x250),  # Latin
    (0x1D00, 0x1F00),  # phonetic, small and accented Latin
    (0x2070, 0x2190),  # raised and lowered, letter-like, Roman numbers
    (0x2460, 0x2500),  # in circles and brackets
    (0x2C60, 0x2C80),  # more Latin
    (0xFF00, 0xFFF0),  # of full width
    (0x1D400, 0x1D800),  # mathematical
    (0x1F100, 0x1F200),  # in squares
)
"""Where Unicode keeps other forms of Latin letters."""

_INVISIBLE: Final = (
    (0x00, 0x21),  # controls, blank
    (0x7F, 0xA1),
    (0xAD, 0xAE),  # soft hyphen
    (0x300, 0x370),  # accents that join the letter before
    (0x61C, 0x61D),
    (0x115F, 0x1161),  # Hangul fillers
    (0x17B4, 0x17B6),
    (0x180B, 0x1810),
    (0x2000, 0x2010),  # blanks of all widths, joiners, marks of direction
    (0x2028, 0x2030),
    (0x205F, 0x2070),
    (0x20D0, 0x2100),  # accents for symbols
    (0x3000, 0x3001),
    (0x3164, 0x3165),
    (0xD800, 0xE000),  # lone surrogates
    (0xFE00, 0xFE10),
    (0xFE20, 0xFE30),
    (0xFEFF, 0xFF00),
    (0xFFA0, 0xFFA1),
    (0xFFF0, 0xFFFE),  # and what stands for a character that was taken out
    (0xE0000, 0xE1000),  # tags
)


def escape_evidence(text: str) -> str:
    """The text with our delimiters made harmless, however they are spelt; all else stays as it is."""
    return _delimiter().sub(_harmless, text)


def _harmless(found: re.Match[str]) -> str:
    slash = "/" if found["slash"] else ""
    return f"({slash}{_NAME}{')' if found['close'] else ''}"


@lru_cache(maxsize=1)
def _delimiter() -> re.Pattern[str]:
    """An opening bracket or its code, perhaps a slash, and the name; and the closing bracket, if there is one.

    No two neighbouring parts can match the same character: however long a text, it is read once.
    """
    gap, forms = f"[{_ranges(_INVISIBLE)}]*+", _forms()
    slash, end = (f"(?:(?:{_one_of(slashes)}|{_coded('sol', '/')}){gap})*+" for slashes in (_SLASHES + "\\", _SLASHES))
    name = gap.join(_one_of(forms[letter]) for letter in _NAME)
    opening = f"(?:{_one_of(_OPENERS)}|{_coded('lt', '<')})"
    closing = f"(?:{_one_of(_CLOSERS)}|{_coded('gt', '>')})"
    return re.compile(f"{opening}{gap}(?P<slash>{slash}){name}(?:{gap}{end}(?P<close>{closing}))?")


def _coded(name: str, sign: str) -> str:
    """A sign as HTML, addresses and programs write it."""
    number = ord(sign)
    return rf"(?i:&(?:amp;)*+(?:{name}|#0*+{number}|#x0*+{number:x});?|%{number:x}|\\u00{number:x}|\\x{number:x})"


def _forms() -> dict[str, str]:
    """For each letter of the name, what folds into it or only looks like it."""
    forms = {letter: alike + alike.upper() for letter, alike in _ALIKE.items()}
    for form in map(chr, chain.from_iterable(range(*alphabet) for alphabet in _ALPHABETS)):
        folded = unicodedata.normalize("NFKD", form).casefold()
        plain = "".join(part for part in folded if not unicodedata.combining(part))
        if plain in forms:
            forms[plain] += form
    return forms


def _one_of(letters: Iterable[str]) -> str:
    return f"[{''.join(map(re.escape, dict.fromkeys(letters)))}]"


def _ranges(spans: Iterable[tuple[int, int]]) -> str:
    return "".join(f"\\U{start:08x}-\\U{end - 1:08x}" for start, end in spans)
