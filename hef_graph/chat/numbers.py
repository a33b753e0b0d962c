"""Phone numbers and short codes in a reply: a model must not make them up, so only known ones may stand."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_SPELT: Final = {
    name: str(digit) for digit, name in enumerate("zero one two three four five six seven eight nine".split())
}
_SPELT_DIGITS: Final = 3
_SPELT_NUMBER: Final = re.compile(
    rf"\b(?:{'|'.join(_SPELT)})(?:[- ](?:{'|'.join(_SPELT)})){{{_SPELT_DIGITS - 1},}}\b", re.IGNORECASE
)
"""Digit by digit: "nine-one-one"."""

_KEYS: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
_LETTERED: Final = re.compile(r"\b((?:1[-.])?\(?\d{3}\)?[-.](?:\d{3}[-.])?)([A-Z]{3,}(?:-[A-Z]+)*)\b")
"""Letters for a phone's keys: "1-800-273-TALK"."""

_NO_PHONE: Final = re.compile(
    r"\b24\s?/\s?7\b|\b\d{1,2}:\d\d\b"
    r"|(?<![\d./-])(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d\d))(?![./-]?\d)"
    r"|(?<!\d)(?:19|20)\d\d\s?[-\u2013/]\s?(?:19|20)?\d\d(?![\d-])|(?<![\d,])\d{1,3}(?:,\d{3})+(?![\d,])"
    r"|[$€£]\s?\d[\d.,]*|\d[\d.,]*\s?[%€£$]"
)
"""Round the clock, times, dates, years from-to, thousands, money, shares."""

_RUN: Final = re.compile(r"\d+(?:[\s().\u2010-\u2015/-]{1,3}\d+)*")
_GROUP: Final = re.compile(r"\d+")
_DIGIT: Final = re.compile(r"\d")

_PHONE_DIGITS: Final = 7
"""So many digits are a phone number, whatever is said around them."""
_SHORT_DIGITS: Final = range(3, _PHONE_DIGITS)
"""So many are a short code where the words around them say so."""
_LONGEST: Final = 8
"""Groups of digits that one number has at most."""

_CALL: Final = re.compile(
    r"\b(?:call\w*|text(?:ing)?|dial\w*|ring|phone\w*|hotline\w*|helpline\w*|lifeline\w*|line|number|contact\w*|reach"
    r"|sms|whatsapp"
    r"|llam\w+|marc(?:a|ar|ando|que)|tel[eé]fon\w*|n[uú]mero|l[ií]nea|env[ií]\w+"
    r"|appel\w+|compos\w+|num[eé]ro|ligne|t[eé]l[eé]phon\w*|joindre"
    r"|(?:an)?ruf\w*|w[aä]hl\w*|nummer|notruf\w*|telefon\w*|erreich\w*"
    r"|ligu\w+|ligar?|disque|discar|linha)\b[^.!?]{0,40}$",
    re.IGNORECASE,
)
_SERVICE: Final = re.compile(
    r"^[^.!?]{0,30}\b(?:suicide|crisis|helpline|hotline|lifeline|emergency|samaritans|suicidio|suicide|krise|crise|notruf)",
    re.IGNORECASE,
)
_COUNTED: Final = re.compile(
    r"^\W{0,2}(?:days|weeks|months|years|hours?|minutes|seconds|times|people|persons|miles|km|kilomet|met(?:er|re)s|feet"
    r"|pounds|kilos?|kg|calories|steps|pages|words|messages|texts|calls|students|kids|guests|photos|songs|things|dollars"
    r"|euros?|bucks|percent|degrees|points|[ap]\.?m\b|o'clock|d[ií]as|a[nñ]os|horas|minutos|veces|personas|jours|ans\b"
    r"|heures|minutes|fois|personnes|tage|jahre|stunden|minuten|mal\b|leute|menschen|anos|vezes|pessoas)",
    re.IGNORECASE,
)
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_ALONE: Final = re.compile(r"\W*[\d\s().\u2010-\u2015/-]+\W*")


@dataclass(frozen=True, slots=True)
class _Number:
    """A run of digits in a sentence."""

    groups: tuple[str, ...]
    before: str
    after: str

    @property
    def digits(self) -> str:
        return "".join(self.groups)


def numbers_in(texts: Iterable[str]) -> frozenset[str]:
    """The digits of all numbers in the texts, whole and in part, however they are written."""
    return frozenset(part for text in texts for number in _numbers(text) for part in _parts(number.groups))


def gives_other_number(sentence: str, known: frozenset[str], *, lead: str = "") -> bool:
    """Whether a sentence gives a phone number, or a short code to call or text, that is not among the known.

    Args:
        sentence: of a reply.
        known: what `numbers_in` gave for all that may be repeated.
        lead: the line that announced it, where it is an item of a list.

    >>> known = numbers_in(["Our line: 988"])
    >>> [gives_other_number(said, known) for said in ("Call 988.", "Call 989.", "Call me after 989 days!")]
    [False, True, False]
    """
    return any(
        _is_phone(number, sentence, lead) and not _is_known(number.groups, known) for number in _numbers(sentence)
    )


def _numbers(text: str) -> Iterator[_Number]:
    if not _DIGIT.search(text) and not _may_spell(text.casefold()):
        return  # as most sentences
    plain = _NO_PHONE.sub(" ", _LETTERED.sub(_on_keys, _SPELT_NUMBER.sub(_as_digits, text)))
    for run in _RUN.finditer(plain):
        groups = ["".join(str(int(digit)) for digit in group) for group in _GROUP.findall(run.group())]
        before, after = plain[max(0, run.start() - 80) : run.start()], plain[run.end() : run.end() + 60]
        if len(groups) > 1 and _COUNTED.search(after):  # "988 24 hours a day"
            *groups, last = groups
            after = last + after
        yield _Number(tuple(groups), before, after)


def _may_spell(text: str) -> bool:
    """Whether there are as many names of digits as make a number, at a glance."""
    return sum(map(text.count, _SPELT)) >= _SPELT_DIGITS


def _as_digits(spelt: re.Match[str]) -> str:
    return "".join(_SPELT[word.lower()] for word in re.split(r"[- ]", spelt.group()))


def _on_keys(lettered: re.Match[str]) -> str:
    return lettered.group(1) + lettered.group(2).translate(_KEYS)


def _is_phone(number: _Number, sentence: str, lead: str) -> bool:
    if len(number.digits) >= _PHONE_DIGITS:
        return True
    if len(number.digits) not in _SHORT_DIGITS or _YEAR.fullmatch(number.digits) or _COUNTED.search(number.after):
        return False
    announced = _CALL.search(number.before) or _SERVICE.search(number.after) or _CALL.search(lead.rstrip(" :\n"))
    return bool(announced or _ALONE.fullmatch(sentence))


def _is_known(groups: tuple[str, ...], known: frozenset[str]) -> bool:
    """Whether it is a known number, with or without the country's code; a digit or two of something else may follow."""
    whole = "".join(groups)
    if whole in known or any(_same_line(whole, other) for other in known):
        return True
    return any(
        "".join(groups[:end]) in known and len("".join(groups[end:])) < _SHORT_DIGITS.start
        for end in range(1, len(groups))
    )


def _same_line(one: str, other: str) -> bool:
    shorter = min(len(one), len(other))
    return shorter >= _PHONE_DIGITS and one[-shorter:] == other[-shorter:]


def _parts(groups: tuple[str, ...]) -> Iterator[str]:
    """All that neighbouring groups come to."""
    for start in range(len(groups)):
        for end in range(start + 1, min(start + _LONGEST, len(groups)) + 1):
            yield "".join(groups[start:end])
