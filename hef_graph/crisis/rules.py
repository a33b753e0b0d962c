"""Plain phrases found in a text: all of it, sentence by sentence."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hef_graph.crisis.frames import is_framed
from hef_graph.crisis.patterns import LANGUAGES, load_patterns, starting_with
from hef_graph.crisis.signals import CATEGORIES, Category

_LONGEST: Final = 400
_OVERLAP: Final = 80
"""Characters behind a sentence that was cut in which a phrase may end."""
_SENTENCE: Final = re.compile(rf"[^.!?\n;。…]{{1,{_LONGEST}}}[.!?\n;。…]*|[.!?\n;。…]+")

FEW_SENTENCES: Final = 200
"""A text of so many is searched without a look at cues."""

MOST_SENTENCES: Final = 1000
"""Sentences with cues that are looked at: the first and the last half of so many. Only a text of hundreds of pages that
is about nothing else has more."""

ENOUGH: Final = 8
"""Phrases without a frame after which a long text is searched no further."""


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
    """The plain phrases in a normalised text, in reading order; of a long one up to `ENOUGH` without a frame."""
    sentences, known = split_sentences(text), patterns or load_phrases()
    if len(sentences) <= FEW_SENTENCES:
        return [hit for index in range(len(sentences)) for hit in _hits_in(text, sentences, index, known)]
    hits: list[Hit] = []
    barren: set[str] = set()
    for index in _with_cues(text, sentences):
        said = text[sentences[index].start : _reach(sentences[index])]
        found = [] if said in barren else list(_hits_in(text, sentences, index, known))
        hits += found
        if sum(not hit.framed for hit in hits) >= ENOUGH:
            break
        if not found:
            barren.add(said)  # the same again is passed over
    return hits


def _with_cues(text: str, sentences: Sequence[Sentence]) -> list[int]:
    cues = load_cues()
    cued = [index for index, each in enumerate(sentences) if cues.search(text, each.start, _reach(each))]
    half = MOST_SENTENCES // 2
    return cued if len(cued) <= MOST_SENTENCES else cued[:half] + cued[-half:]


def _reach(sentence: Sentence) -> int:
    """Where a phrase of the sentence may end: behind it, if it had to be cut."""
    return sentence.end + (_OVERLAP if sentence.end - sentence.start >= _LONGEST else 0)


def _hits_in(
    text: str, sentences: Sequence[Sentence], index: int, patterns: Mapping[Category, Sequence[re.Pattern[str]]]
) -> Iterator[Hit]:
    here = sentences[index]
    sentence = text[here.start : _reach(here)]
    around = sentences[max(0, index - 1) : index + 2]
    nearby = text[around[0].start : here.start] + text[here.end : around[-1].end]
    for category, alternatives in patterns.items():
        spans = [match.span() for pattern in alternatives for match in pattern.finditer(sentence)]
        free = next((span for span in spans if not is_framed(category, sentence, *span, nearby=nearby)), None)
        if spans:
            start, end = free or spans[0]
            yield Hit(category, here.start + start, here.start + end, framed=free is None)


@lru_cache(maxsize=1)
def load_phrases() -> dict[Category, tuple[re.Pattern[str], ...]]:
    """The plain phrases of all languages, by category."""
    languages = [load_patterns(language) for language in LANGUAGES]
    first_a_child = sorted(CATEGORIES, key=lambda category: category != "child_at_risk")
    return {category: tuple(p for each in languages for p in each.get(category, ())) for category in first_a_child}


@lru_cache(maxsize=1)
def load_cues() -> re.Pattern[str]:
    """Beginnings of words without which no phrase can match: most sentences hold none, and are passed over at once."""
    words = starting_with(each.pattern for each in load_patterns("cues")["cues"])
    return re.compile(rf"\b(?:{words})|[\u4e00-\u9fff]")
