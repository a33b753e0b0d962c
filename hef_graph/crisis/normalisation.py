"""Text as people mask it → plain text to look for phrases in, with the way back to the original.

Full-width and accented letters, zero-width characters, look-alikes of other scripts, leetspeak (`k1ll`), masks
(`s*icide`), spaced-out letters (`d i e`), stretched ones (`dieee`) and chat spellings become plain lower-case words.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hef_graph.crisis.patterns import starting_with

KEYWORDS: Final = frozenset(
    """abuse abused bleed bleeding blade choke choked cut cutting dead death die died drown dying end gun hang hanging
    harm hit hurt hurting jump kill killed killing kills knife molested murder myself overdose overdosed pills poison
    rape raped rapist wish want live alive life razor self shoot shooting stab suicidal suicide unalive""".split()
)
"""Words that are worth unmasking; other tokens with digits or signs stay as they are."""

SPELLINGS: Final = {
    "unalive": "kill",
    "unaliving": "killing",
    "unalived": "killed",
    "sewerslide": "suicide",
    "sewercide": "suicide",
    "kms": "kill myself",
    "ctb": "kill myself",
    "wanna": "want to",
    "gonna": "going to",
    "gunna": "going to",
    "gotta": "have to",
    "im": "i'm",
    "ive": "i've",
    "id": "i'd",
    "dont": "don't",
    "cant": "can't",
    "wont": "won't",
    "didnt": "didn't",
    "doesnt": "doesn't",
    "isnt": "isn't",
    "wasnt": "wasn't",
    "wouldnt": "wouldn't",
    "shouldnt": "shouldn't",
    "couldnt": "couldn't",
    "havent": "haven't",
    "rn": "right now",
    "u": "you",
    "ur": "your",
    "bc": "because",
    "cuz": "because",
    "w/": "with",
    "gona": "going to",
    "kil": "kill",
    "killin": "killing",
    "myslef": "myself",
    "meself": "myself",
    "mysef": "myself",
    "wnat": "want",
    "wan": "want",
    "lfie": "life",
    "tonite": "tonight",
    "2nite": "tonight",
    "2night": "tonight",
    "tmrw": "tomorrow",
    "cuting": "cutting",
    "suiside": "suicide",
    "sucide": "suicide",
    "anymor": "anymore",
    "evry": "every",
    "hitts": "hits",
    "b": "be",
    "n": "and",
}
"""Chat spellings, and words that stand for others where those are filtered."""

_LEET: Final = {
    "0": "o",
    "1": "il",
    "3": "e",
    "4": "a",
    "5": "s",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
    "!": "il",
    "|": "il",
    "+": "t",
}
_MASKS: Final = "*#_•·"

_LOOK_ALIKES: Final = str.maketrans("аеорсухіјѕԁһӏкмтвнαονρτικ", "aeopcyxijsdhlkmtbhaovptik")

_SIGN: Final = r"[a-z0-9@$!|+*#_•·]"
_MASKED = re.compile(rf"(?<![\w@$!|+*#•·])(?=[a-z]{{0,23}}[0-9@$!|+*#_•·])(?={_SIGN}{{0,23}}[a-z]){_SIGN}{{3,24}}")
_SPACED = re.compile(r"(?<!\w)[a-z](?:([ .\-_*])[a-z](?![^\W_])){2,}(?:\1{2,3}[a-z](?:\1[a-z](?![^\W_]))*)*(?![^\W_])")
_RUN = re.compile(r"([^\w*#•·])\1{7,}")
_TRIPLE = re.compile(r"(\w)\1\1")
_STRETCHED = re.compile(r"\b\w*?(\w)\1\1\w*")
_BLANKS = re.compile(r"[^\S\n]*(?<![\n.!?;。…])\n(?!\s)[^\S\n]*|[^\S\n]{2,}|[^\S \n]")
_SPELT = re.compile(rf"(?<![\w'])(?:{starting_with(map(re.escape, SPELLINGS))})(?![\w'])")
_QUOTES: Final = dict.fromkeys("’‘\u00b4`\uff07", "'") | dict.fromkeys("“”„«»", '"')


@dataclass(frozen=True, slots=True)
class PlainText:
    """Plain text, and where each of its characters comes from."""

    text: str
    origins: Sequence[int]
    """Indices into the original, one per character, and one behind the last."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the original that the characters from `start` to `end` come from."""
        return self.origins[start], self.origins[end - 1] + 1 if end > start else self.origins[start]

    def substitute(self, pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str]) -> "PlainText":
        """The same with each match replaced; the new characters come from the match's beginning to its end."""
        pieces: list[str] = []
        origins: list[int] = []
        last = known = 0
        for match in pattern.finditer(self.text):
            new = replace(match)
            if new == match.group():
                continue
            start, end = match.span()
            pieces += [self.text[last:start], new]
            if len(new) != end - start:  # else each new character comes from where the old one came from
                origins += [*self.origins[known:start], *_spread(self.origins[start : end + 1], len(new))]
                known = end
            last = end
        if not last:
            return self
        text = "".join([*pieces, self.text[last:]])
        return PlainText(text, [*origins, *self.origins[known:]] if known else self.origins)


def normalise(text: str) -> PlainText:
    """Plain lower-case text of what was written.

    >>> normalise("I want to K1LL my\u200bself, s*icide, d i e...").text
    'i want to kill myself, suicide, die...'
    """
    plain = _plain_characters(text)
    if not plain.text.isascii():
        plain = plain.substitute(_MIXED_SCRIPTS, lambda match: match.group().translate(_LOOK_ALIKES))
    plain = plain.substitute(_RUN, lambda match: match[1] * 3)
    plain = plain.substitute(_SPACED, lambda match: _join_letters(match.group()))
    plain = plain.substitute(_MASKED, lambda match: unmask(match.group()))
    if _TRIPLE.search(plain.text):
        plain = plain.substitute(_STRETCHED, lambda match: _shorten(match.group()))
    plain = plain.substitute(_BLANKS, lambda _: " ")
    return plain.substitute(_SPELT, lambda match: SPELLINGS[match.group()])


_MIXED_SCRIPTS = re.compile(r"\b\w*?(?:[a-z][\u0370-\u04ff]|[\u0370-\u04ff][a-z])\w*")


@lru_cache(maxsize=4096)
def unmask(token: str) -> str:
    """The keyword that a token with digits and signs stands for; the token itself if there is none.

    >>> unmask("su*c1de"), unmask("h8"), unmask("$uicidal")
    ('suicide', 'h8', 'suicidal')
    """
    bare = token.strip(_MASKS + "!|+")
    if bare in KEYWORDS:
        return token
    for form in (bare, token):
        found = _masked_keyword(len(form)).fullmatch(form)
        if found and found.lastgroup and sum(letter in _MASKS for letter in form) <= len(form) // 2:
            return token.replace(form, found.lastgroup)
    return token


def _signs_for(letter: str) -> str:
    """A class of all that may stand for a letter."""
    return f"[{re.escape(letter + _MASKS + ''.join(sign for sign, letters in _LEET.items() if letter in letters))}]"


@lru_cache(maxsize=32)
def _masked_keyword(length: int) -> re.Pattern[str]:
    """A keyword of so many letters however it is masked; slow to compile, and few messages hold a masked word."""
    words = sorted(word for word in KEYWORDS if len(word) == length)
    return re.compile("|".join(f"(?P<{word}>{''.join(map(_signs_for, word))})" for word in words) or "(?!)")


def _join_letters(spaced: str) -> str:
    """`k i l l  m e` → `kill me`: a wider gap stands between words."""
    gap = spaced[1]
    words = [word for word in re.split(rf"{re.escape(gap)}{{2,}}", spaced) if word]
    return " ".join(word.replace(gap, "") for word in words)


def _shorten(word: str) -> str:
    twice, once = re.sub(r"(\w)\1{2,}", r"\1\1", word), re.sub(r"(\w)\1{2,}", r"\1", word)
    return once if once in KEYWORDS else twice


def _plain_characters(text: str) -> PlainText:
    if text.isascii():
        return PlainText(text.lower(), range(len(text) + 1))
    plain = {letter: _plain_character(letter) for letter in set(text)}
    sizes = {letter: len(pieces) for letter, pieces in plain.items()}
    origins = [index for index, size in enumerate(map(sizes.__getitem__, text)) for _ in range(size)]
    return PlainText("".join(map(plain.__getitem__, text)), [*origins, len(text)])


def _plain_character(letter: str) -> str:
    """One character without case, accent and width; nothing for the invisible ones."""
    if letter in _QUOTES:
        return _QUOTES[letter]
    decomposed = unicodedata.normalize("NFKD", letter).casefold()
    return "".join([part for part in decomposed if unicodedata.category(part) not in {"Cf", "Mn", "Me"}])[:4]


def _spread(origins: Sequence[int], count: int) -> list[int]:
    """`count` origins over a replaced stretch: in step as far as it goes, the last ones at its end."""
    last = len(origins) - 2
    return [origins[min(index, last)] if index < count - 1 else origins[last] for index in range(count)]
