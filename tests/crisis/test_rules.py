"""Plain phrases are found wherever in a text they stand."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.crisis import CATEGORIES
from hef_graph.crisis.normalisation import normalise
from hef_graph.crisis.patterns import LANGUAGES
from hef_graph.crisis.rules import ENOUGH, MOST_SENTENCES, Hit, find_hits, split_sentences
from hef_graph.crisis.signals import Category
from tests.crisis.sayings import SAYINGS
from tests.timing import computing

PROSE: Final = "We walked along the canal and talked about the weather. She bought bread, and I carried the bags. "
LONG: Final = PROSE * 2050
"""200 KB of nothing."""


def hits(text: str) -> list[Hit]:
    return find_hits(normalise(text).text)


def categories(text: str) -> list[Category]:
    return [hit.category for hit in hits(text) if not hit.framed]


def sayings() -> Iterator[Any]:
    """Language by language, category by category."""
    for language, by_category in SAYINGS.items():
        for category, texts in by_category.items():
            for text in texts:
                yield pytest.param(category, text, id=f"{language}: {text}")


@pytest.mark.parametrize(("category", "text"), list(sayings()))
def test_a_plain_phrase_is_found_in_every_language(category: Category, text: str) -> None:
    assert category in categories(text)


@pytest.mark.parametrize(("category", "text"), list(sayings()))
def test_the_first_hit_is_of_what_it_is_about(category: Category, text: str) -> None:
    assert categories(text)[:1] == [category]


def test_every_category_is_tried_in_every_language() -> None:
    assert set(SAYINGS) == set(LANGUAGES)
    assert all(set(by_category) == set(CATEGORIES) for by_category in SAYINGS.values())


@pytest.mark.parametrize("language", SAYINGS)
@pytest.mark.parametrize("place", [0, len(LONG) // 2, len(LONG)], ids=["start", "middle", "end"])
def test_of_a_long_text_all_is_searched(language: str, place: int) -> None:
    cut = LONG.find(". ", place) + 2 if 0 < place < len(LONG) else place
    said = {category: f"{LONG[:cut]}{texts[0]} {LONG[cut:]}" for category, texts in SAYINGS[language].items()}
    assert {category: categories(text)[:1] for category, text in said.items()} == {each: [each] for each in CATEGORIES}


def test_a_long_text_is_searched_until_enough_is_found() -> None:
    found = hits(LONG + "I would never kill myself. " + "I want to die. " * 300)
    assert [hit.framed for hit in found] == [True, *[False] * ENOUGH]


@pytest.mark.parametrize("text", ["I want to kill myself.", "我不想活了。"])
def test_a_hit_says_where_it_stands(text: str) -> None:
    [hit] = hits(PROSE + text + PROSE)
    assert len(PROSE) <= hit.start < hit.end <= len(PROSE + text)


def test_hits_come_in_reading_order() -> None:
    found = hits("My husband hits me. I cut my arms. I want to die.")
    assert [hit.category for hit in found] == ["abuse", "self_harm", "suicidal_passive"]
    assert [hit.start for hit in found] == sorted(hit.start for hit in found)


@pytest.mark.parametrize(
    "text",
    [
        "I lost my job today.",
        "This heat is killing me.",
        "My grandfather died in May.",
        "I am dying to see that film!",
        "He beat me at chess.",
        "I could kill for a coffee.",
        "The deadline is tonight.",
        "Ich bin todmüde.",
        "Me muero de hambre.",
        "Je suis mort de rire.",
        "Estou morta de cansaço.",
        "今天累死了。",
        "",
    ],
)
def test_ordinary_talk_holds_no_plain_phrase(text: str) -> None:
    assert categories(text) == []


MASKED: Final = [
    "I want to k1ll myself",
    "i wanna kms",
    "I will unalive myself",
    "I want to d i e",
    "I want to ki\u200bll mysélf",
]


@pytest.mark.parametrize("text", MASKED)
def test_a_masked_phrase_is_a_phrase(text: str) -> None:
    assert categories(text)


TEXTS: Final = st.text(st.one_of(st.characters(), st.sampled_from("ab .!?\n;。…kilmyse")), max_size=900)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_the_sentences_are_the_text(text: str) -> None:
    assert "".join(text[each.start : each.end] for each in split_sentences(text)) == text


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_hits_lie_in_the_text_whatever_it_is(text: str) -> None:
    plain = normalise(text).text
    assert all(0 <= hit.start < hit.end <= len(plain) for hit in find_hits(plain))


@pytest.mark.parametrize("mark", [".", "!", "?", "…", "\n\n", ";", "。"])
def test_a_sentence_ends_with_a_mark_or_an_empty_line(mark: str) -> None:
    assert len(split_sentences(f"one{mark} two")) == 2


@pytest.mark.parametrize("size", [400, 401, 5000])
def test_a_sentence_without_an_end_is_cut(size: int) -> None:
    assert max(each.end - each.start for each in split_sentences("a" * size)) == 400


def test_a_phrase_is_found_at_every_place_of_a_text_without_full_stops() -> None:
    places = range(330, 420)
    missed = [place for place in places if not hits("so " * (place // 3) + "I want to kill myself " + "so " * 40)]
    assert missed == []


@pytest.mark.parametrize("gap", ["  ", "\t", "\n", "\r\n", " \n", "\u00a0\u00a0"], ids=repr)
def test_a_phrase_is_found_however_its_words_are_set_apart(gap: str) -> None:
    assert categories(gap.join("I wish I was dead".split()))


def test_of_thousands_of_sentences_with_cues_the_first_and_the_last_are_read() -> None:
    many = "We live here. " * (MOST_SENTENCES + 100)
    assert categories(f"I want to die. {many}") == categories(f"{many} I want to die.") == ["suicidal_passive"]


SOON: Final = 1.0
FLOODS: Final = {"prose": PROSE, "cues": "kill ", "no full stop": "the cat sat on the mat ", "chinese": "我今天很好。"}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_a_hundred_kilobytes_are_searched_in_a_moment(flood: str) -> None:
    text = (flood * 100_000)[:100_000]
    assert computing(lambda: find_hits(text), limit=SOON) < SOON
