"""The fixed message: kind words without a number, help lines word for word, an open question."""

import json
import re
from itertools import product
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.crisis import CATEGORIES, CrisisSignal, Resource
from hef_graph.crisis.normalisation import normalise
from hef_graph.crisis.resources import EMERGENCY, SHIPPED, load_resources
from hef_graph.crisis.response import compose_response, describe, guess_language, load_wording
from hef_graph.crisis.signals import WHO, Category, Who

LANGUAGES: Final = ("en", "es", "fr", "de", "pt", "zh")
COUNTRIES: Final = sorted(load_resources().countries)
CONFIGURED: Final = SHIPPED.read_text("utf-8")

REFUSALS: Final = re.compile(
    r"can(?:'|no)t help|unable to|not able to|can(?:'|no)t (?:talk|discuss|assist)|against|policy|sorry|no puedo ayudar"
    r"|ne peux pas t'aider|kann (?:dir )?nicht helfen|não posso ajudar|无法帮助你|抱歉",
    re.IGNORECASE,
)


def message(category: Category, country: str | None, language: str, who: Who = "self") -> str:
    """What is said, composed as the shipped policy composes it."""
    directory = load_resources()
    lines = directory.find(country, category)
    neutral = "" if country else directory.neutral_text
    return compose_response(CrisisSignal(category, who=who), lines, neutral, language=language)


EVERY: Final = [pytest.param(*each, id=" ".join(each)) for each in product(LANGUAGES, CATEGORIES, WHO)]

every_message = pytest.mark.parametrize(("language", "category", "who"), EVERY)


class TestTheWording:
    def test_is_there_in_six_languages_with_the_same_keys(self) -> None:
        wording = load_wording()
        assert set(wording) == set(LANGUAGES)
        assert {frozenset(words) for words in wording.values()} == {frozenset(wording["en"])}

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_holds_no_digit(self, language: str) -> None:
        assert [text for text in load_wording()[language].values() if re.search(r"\d", text)] == []

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_has_a_place_for_the_number_where_one_is_said(self, language: str) -> None:
        placed = {key for key, text in load_wording()[language].items() if "{number}" in text}
        assert placed == {"emergency", "call", "text"}

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_asks_openly(self, language: str) -> None:
        words = load_wording()[language]
        assert all(words[key].endswith(("?", "？")) for key in ("question", "question_other"))

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_says_that_an_ai_speaks(self, language: str) -> None:
        assert re.search(r"\b(?:AI|IA|KI)\b|人工智能", load_wording()[language]["people"])


class TestTheMessage:
    @every_message
    def test_never_refuses_and_ends_with_an_open_question(self, language: str, category: Category, who: Who) -> None:
        said = message(category, "US", language, who)
        assert said.endswith(("?", "？"))
        assert not REFUSALS.search(said)

    @every_message
    def test_has_no_number_that_is_not_configured(self, language: str, category: Category, who: Who) -> None:
        for country in (*COUNTRIES, None):
            runs = re.findall(r"\d(?:[\d ()-]*\d)?", message(category, country, language, who))
            assert [run for run in runs if run not in CONFIGURED] == []

    @pytest.mark.parametrize("country", COUNTRIES)
    def test_gives_each_help_line_word_for_word(self, country: str) -> None:
        for category, language in product(CATEGORIES, LANGUAGES):
            said = message(category, country, language)
            for line in load_resources().find(country, category):
                details = (line.call, line.text, line.url, line.hours, line.note)
                named = () if EMERGENCY in line.purposes else (line.name,)
                assert [each for each in (*named, *details) if each and each not in said] == []

    @every_message
    def test_without_a_country_gives_no_number_at_all(self, language: str, category: Category, who: Who) -> None:
        assert not re.search(r"\d", message(category, None, language, who))

    def test_without_a_country_tells_of_the_local_emergency_number(self) -> None:
        assert "call your local emergency number" in message("suicidal_active", None, "en")

    @pytest.mark.parametrize("language", LANGUAGES[1:])
    def test_without_a_country_does_so_in_every_language(self, language: str) -> None:
        known = message("suicidal_active", "GB", language).split("\n\n")
        assert len(message("suicidal_active", None, language).split("\n\n")) == len(known) + 1

    def test_acknowledges_first_what_was_said(self) -> None:
        words = load_wording()["en"]
        firsts = {category: message(category, "US", "en").split("\n\n")[0] for category in CATEGORIES}
        assert firsts["suicidal_active"] == firsts["suicidal_passive"] == words["suicide"]
        assert len(set(firsts.values())) == len(CATEGORIES) - 1

    @pytest.mark.parametrize("category", ["suicidal_active", "suicidal_passive", "self_harm", "abuse"])
    def test_about_somebody_else_is_worded_for_who_looks_out_for_them(self, category: Category) -> None:
        words, said = load_wording()["en"], message(category, "US", "en", "other")
        assert said.startswith(words["other"])
        assert said.endswith(words["question_other"])

    def test_to_who_may_harm_others_asks_about_themselves(self) -> None:
        assert message("harm_to_others", "US", "en", "other").endswith(load_wording()["en"]["question"])

    @pytest.mark.parametrize("language", ["xx", "", "EN", "it"])
    def test_in_a_language_without_words_is_english(self, language: str) -> None:
        assert message("abuse", "US", language) == message("abuse", "US", "en")

    @settings(max_examples=50, deadline=None)
    @given(st.text(min_size=1, max_size=300))
    def test_holds_nothing_of_what_the_user_said(self, evidence: str) -> None:
        lines = load_resources().find("US", "abuse")
        assert compose_response(CrisisSignal("abuse", evidence=evidence), lines) == message("abuse", "US", "en")

    def test_is_short_enough_to_be_read_in_distress(self) -> None:
        assert max(len(message(each, country, "en")) for each, country in product(CATEGORIES, COUNTRIES)) < 900


class TestALine:
    LINE: Final = Resource("Night line", ("any",), call="555", text="HI to 556", url="https://n.example", hours="24/7")

    def test_names_every_way_and_the_hours(self) -> None:
        told = describe(self.LINE, load_wording()["en"])
        assert told == "Night line: call 555, text HI to 556, 24/7, https://n.example"

    def test_without_a_way_is_a_name(self) -> None:
        assert describe(Resource("Night line"), load_wording()["en"]) == "Night line"

    def test_of_an_emergency_number_keeps_its_note(self) -> None:
        line = Resource(EMERGENCY, (EMERGENCY,), call="101", note="Police 100.")
        assert describe(line, load_wording()["en"]) == "In immediate danger: call 101. Police 100."

    @pytest.mark.parametrize("number", ["{number}", "{0}", r"\1", "%s", "{call.__class__}"])
    def test_takes_a_configured_text_as_it_is(self, number: str) -> None:
        assert describe(Resource("Line", call=number), load_wording()["en"]) == f"Line: call {number}"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I don't want to live", "en"),
        ("Quiero morirme, ya no puedo más", "es"),
        ("Je ne veux plus vivre", "fr"),
        ("Ich will mich umbringen", "de"),
        ("Eu quero morrer, não aguento mais", "pt"),
        ("我不想活了", "zh"),
        ("我想 die", "zh"),
        ("hello", "en"),
        ("", "en"),
        ("死", "zh"),
        ("суицид", "en"),
    ],
)
def test_the_language_is_guessed_from_common_words(text: str, language: str) -> None:
    assert guess_language(normalise(text).text) == language


def test_the_file_of_words_is_plain_json() -> None:
    assert json.loads(json.dumps(load_wording())) == load_wording()
