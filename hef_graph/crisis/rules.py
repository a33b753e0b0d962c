"""Plain phrases found in a text: all of it, sentence by sentence."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hef_graph.crisis.frames import is_framed
from hef_graph.crisis.phrases import ENGLISH
from hef_graph.crisis.phrases_abroad import ABROAD
from hef_graph.crisis.signals import Category

_CUES: Final = re.compile(
    r"\b(?:kill|die|dying|dead|death|suicid|live|living|alive|life|wak|born|exist|hang|shoot|shot|drown|jump|throw|end|pill|tablet|med|insulin|"
    r"overdos|slit|gun|bullet|brains|cut|burn|hurt|harm|self|razor|blade|knife|carv|slic|hit|beat|punch|kick|slap|chok|strangl|"
    r"rap|molest|abus|assault|traffick|threat|afraid|scared|terrified|lock|hand|murder|stab|poison|voices|thoughts|urge|breath|bleach|stroke|"
    r"seizure|heart|bleed|blood|face|mouth|chest|touch|shak|starv|nude|naked|better off|reason|point|nothing|tired|not be|goodbye|farewell|"
    r"suicid|mat|ahorc|colg|vida|viv|muer|mor|despert|nac|desapar|cort|quem|autoles|dano|lastim|peg|golpe|maltrat|amenaz|viol|pastill|"
    r"respir|infart|tuer|pendre|foutre|fin|crev|reveill|disparai|mourir|mort|mieux|marre|coup|scarif|taillad|mutil|frapp|bat|cogn|tap|gifl|etrangl|medic|cachets|"
    r"avc|umbring|umzubring|bring|tot|erhang|leben|selbst|suizid|sterb|geboren|besser|lebensm|ritz|schneid|verletz|schlag|verprugel|bedroht|wurg|vergewalt|missbrauch|misshand|"
    r"atmet|luft|bewusst|herzinf|schlagan|suicid|enforc|sumir|machuc|espanc|agred|estupr|bate|bateu|remed|comprim|overdose)"
    r"|[\u4e00-\u9fff]"
)
"""Beginnings of words without which no pattern can match: most sentences hold none, and are passed over at once."""

_SENTENCE: Final = re.compile(r"[^.!?\n;。…]{1,400}[.!?\n;。…]*|[.!?\n;。…]+")

MOST_SENTENCES: Final = 4000
"""Sentences with cues that are looked at: the first and the last half of so many. Only a text of hundreds of pages that is
about nothing else has more."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A plain phrase."""

    category: Category
    start: int
    end: int
    """Place in the text."""
    framed: bool
    """Whether it stands in a frame (`frames.py`)."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of text up to a full stop, a line break, or 400 characters."""

    start: int
    end: int


def split_sentences(text: str) -> list[Sentence]:
    """The sentences of a text, in order; together they are the whole text."""
    return [Sentence(*match.span()) for match in _SENTENCE.finditer(text)]


def find_hits(text: str, patterns: Mapping[Category, Sequence[re.Pattern[str]]] | None = None) -> list[Hit]:
    """All plain phrases in a normalised text, in reading order."""
    sentences = split_sentences(text)
    cued = [index for index, each in enumerate(sentences) if _CUES.search(text, each.start, each.end)]
    half = MOST_SENTENCES // 2
    chosen = cued if len(cued) <= MOST_SENTENCES else cued[:half] + cued[-half:]
    return [hit for index in chosen for hit in _hits_in(text, sentences, index, patterns or load_patterns())]


def _hits_in(
    text: str, sentences: Sequence[Sentence], index: int, patterns: Mapping[Category, Sequence[re.Pattern[str]]]
) -> Iterator[Hit]:
    here = sentences[index]
    sentence = text[here.start : here.end]
    before = text[sentences[index - 1].start : here.start] if index else ""
    for category, found in _search(sentence, patterns):
        framed = is_framed(before, sentence, *found.span())
        yield Hit(category, here.start + found.start(), here.start + found.end(), framed)


def _search(
    sentence: str, patterns: Mapping[Category, Sequence[re.Pattern[str]]]
) -> Iterator[tuple[Category, re.Match[str]]]:
    for category, alternatives in patterns.items():
        for pattern in alternatives:
            if found := pattern.search(sentence):
                yield category, found
                break


@lru_cache(maxsize=1)
def load_patterns() -> dict[Category, tuple[re.Pattern[str], ...]]:
    """The patterns of all languages, compiled."""
    languages = (ENGLISH, *ABROAD)
    return {
        category: tuple(re.compile(pattern) for language in languages for pattern in language.get(category, ()))
        for category in ENGLISH
    }
