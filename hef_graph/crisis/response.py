"""The one fixed message of a crisis turn: it acknowledges, shows help lines, and asks an open question.

Nothing of the user's text enters it: the words are constants (`wording.json`), the numbers come from the directory.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from hef_graph.crisis.normalisation import normalise
from hef_graph.crisis.resources import EMERGENCY, Resource
from hef_graph.crisis.signals import Category, CrisisSignal

WORDING: Final = Path(__file__).parent / "wording.json"
ENGLISH: Final = "en"

_GROUPS: Final[Mapping[Category, str]] = {"suicidal_active": "suicide", "suicidal_passive": "suicide"}
"""Categories that are acknowledged in the same words; the others have words of their own."""

_OWN_WORDS_FOR_OTHERS: Final = frozenset({"harm_to_others", "medical_emergency", "child_at_risk"})

_MARKS: Final[Mapping[str, frozenset[str]]] = {
    "es": frozenset("que quiero me mi yo estoy muy el la los una con por ya mas pero esta no todo vida".split()),
    "fr": frozenset("je ne pas me mon ma est suis les une des dans plus moi tout avec ai qui vie et j".split()),
    "de": frozenset("ich nicht mich mir mein meine ist das und mehr will bin er hat zu der die ein kein es".split()),
    "pt": frozenset("eu nao me meu minha que quero estou muito uma com por mais mas ele ela tudo vida da do".split()),
    "en": frozenset("i the to my me and is a of it in not he she was am don't i'm want have for do can".split()),
}
"""Common words, without accents."""

_WORD = re.compile(r"[a-z']+")
_HAN = re.compile(r"[\u4e00-\u9fff]")


def compose_response(
    signal: CrisisSignal, resources: Sequence[Resource], neutral: str = "", *, language: str = ENGLISH
) -> str:
    """The message for a signal.

    Args:
        signal: what was found; only its category and whom it is about are used.
        resources: the lines to show, word for word.
        neutral: what is said where they are directories for any country.
        language: a key of `wording.json`; English where it is none.
    """
    words = load_wording().get(language) or load_wording()[ENGLISH]
    lines = [f"- {describe(resource, words)}" for resource in resources]
    told = "" if not neutral else neutral if language == ENGLISH else words["neutral"]
    parts = [_acknowledge(signal, words), words["people"], told, "\n".join(lines), _ask(signal, words)]
    return "\n\n".join(part for part in parts if part)


def careful_reply(newest: str, since: int) -> str | None:
    """What a listener without a large model says in the first turns after a crisis; None later on.

    Args:
        newest: the user's newest text.
        since: turns since the signal, from 1.
    """
    words = load_wording()[guess_language(normalise(newest).text)]
    return words.get(f"care_{since - 1}")


def describe(resource: Resource, words: Mapping[str, str]) -> str:
    """One line: name, how to reach it, when."""
    if EMERGENCY in resource.purposes:
        line = words["emergency"].replace("{number}", resource.call or "")
        return f"{line}. {resource.note}" if resource.note else line
    ways = [
        words[way].replace("{number}", number)
        for way, number in (("call", resource.call), ("text", resource.text))
        if number
    ]
    told = [*ways, *(detail for detail in (resource.hours, resource.url, resource.note) if detail)]
    return f"{resource.name}: {', '.join(told)}" if told else resource.name


def guess_language(plain: str) -> str:
    """The language of a normalised text, among those of `wording.json`; English in doubt.

    >>> guess_language("ich will nicht mehr leben"), guess_language("hello"), guess_language("我不想活了")
    ('de', 'en', 'zh')
    """
    if len(_HAN.findall(plain)) * 3 > len(plain.replace(" ", "")):
        return "zh"
    words = _WORD.findall(plain[:2000])
    counts = {language: sum(word in marks for word in words) for language, marks in _MARKS.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] > counts[ENGLISH] else ENGLISH


@lru_cache(maxsize=1)
def load_wording() -> dict[str, dict[str, str]]:
    """The fixed words by language."""
    wording: dict[str, dict[str, str]] = json.loads(WORDING.read_text("utf-8"))
    return wording


def _acknowledge(signal: CrisisSignal, words: Mapping[str, str]) -> str:
    if signal.who == "other" and signal.category not in _OWN_WORDS_FOR_OTHERS:
        return words["other"]
    return words[_GROUPS.get(signal.category, signal.category)]


def _ask(signal: CrisisSignal, words: Mapping[str, str]) -> str:
    other = signal.who == "other" and signal.category != "harm_to_others"
    return words["question_other" if other else "question"]
