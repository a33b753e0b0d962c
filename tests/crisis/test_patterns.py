"""The detector's expressions, as files that people extend: read as they say, known by name, never slow."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from hef_graph.crisis import CATEGORIES, patterns
from hef_graph.crisis.patterns import FOLDER, LANGUAGES, load_pattern, load_patterns
from hef_graph.crisis.rules import load_cues

FILES: Final = sorted(path.stem for path in FOLDER.glob("*.txt"))

Expression = re.Pattern[str]


def expressions(name: str) -> Iterator[tuple[str, Expression]]:
    """All of a file, each with what to call it in a report."""
    for section, found in load_patterns(name).items():
        yield from ((f"{name} [{section}] {number}", each) for number, each in enumerate(found, 1))


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write a file and read it."""
    monkeypatch.setattr(patterns, "FOLDER", tmp_path)
    load_patterns.cache_clear()

    def read(text: str) -> dict[str, list[str]]:
        (tmp_path / "ours.txt").write_text(text, "utf-8")
        return {section: [each.pattern for each in found] for section, found in load_patterns("ours").items()}

    yield read
    load_patterns.cache_clear()


def test_each_line_of_a_section_is_an_expression(written: Any) -> None:
    assert written("[abuse]\nhits me\nbeats? me\n\n[self_harm]\ncut\n") == {
        "abuse": ["hits me", "beats? me"],
        "self_harm": ["cut"],
    }


def test_comments_and_empty_lines_are_none(written: Any) -> None:
    assert written("# Ours.\n\n[abuse]\n# the plainest\n\nhits me\n") == {"abuse": ["hits me"]}


def test_a_name_stands_for_what_it_was_defined_as(written: Any) -> None:
    read = written("WHO = (?:he|she)\nDOES = <WHO> hits\n[abuse]\n<DOES> me and <WHO> laughs\n")
    assert read == {"abuse": ["(?:he|she) hits me and (?:he|she) laughs"]}


def test_a_name_that_is_not_defined_is_an_error(written: Any) -> None:
    with pytest.raises(KeyError, match="WHO"):
        written("[abuse]\n<WHO> hits me\n")


def test_the_lines_of_a_section_are_alternatives(written: Any) -> None:
    written("[abuse]\na|b\nc\n")
    whole = load_pattern("ours", "abuse")
    assert [bool(whole.fullmatch(text)) for text in ("a", "b", "c", "ac", "")] == [True, True, True, False, False]


@pytest.mark.parametrize("name", FILES)
def test_every_file_holds_expressions_that_compile(name: str) -> None:
    assert all(isinstance(each, re.Pattern) for _, each in expressions(name))
    assert list(expressions(name))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_phrases_of_every_category_and_of_nothing_else(language: str) -> None:
    assert set(load_patterns(language)) == set(CATEGORIES)


def test_every_file_is_a_languages_or_known_by_name() -> None:
    assert set(FILES) == {*LANGUAGES, "answers", "cues", "frames"}


def test_every_section_of_answers_is_known() -> None:
    asked = {section.removeprefix("asked ") for section in load_patterns("answers") if section.startswith("asked ")}
    assert asked <= {*CATEGORIES, "safety"}
    assert set(load_patterns("answers")) - {f"asked {each}" for each in asked} == {"agrees", "refuses", "turns round"}


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_phrase_is_written_as_normalised_text_is(name: str) -> None:
    capitals = [called for called, each in expressions(name) if re.search(r"(?<!\\)[A-ZÀ-ÿ]", each.pattern)]
    assert capitals == []


@pytest.mark.parametrize("name", FILES)
def test_no_expression_matches_nothing(name: str) -> None:
    assert [called for called, each in expressions(name) if each.search("") or each.fullmatch(" ")] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_a_phrase_matches_holds_a_cue(language: str) -> None:
    """Else the sentence is passed over before the phrase is looked for."""
    cues = load_cues()
    checks = list(HealthCheck)
    chosen = settings(
        max_examples=10, phases=[Phase.generate], derandomize=True, database=None, suppress_health_check=checks
    )
    missed = []
    for called, each in expressions(language):
        try:
            text = find(st.from_regex(each, fullmatch=True), lambda text: not cues.search(text), settings=chosen)
            missed.append(f"{called}: {text!r}")
        except NoSuchExample:
            continue
    assert missed == []


SUBJECTS: Final = ("", "he ", "i ", "my dad ", "i want to ", "ich will ", "je veux ", "我")


def slow_texts(expression: Expression) -> Iterator[str]:
    """One of the expression's own words again and again, behind what may begin a phrase."""
    plain = re.sub(r"\\[a-zA-Z]", " ", expression.pattern)
    words = {"a", "1", "-", *re.findall(r"[a-z']{2,}|[\u4e00-\u9fff]+", plain)}
    yield from (f"{subject}{f'{word} ' * 20}x"[:400] for word in sorted(words) for subject in SUBJECTS)


def milliseconds(expression: Expression, text: str) -> float:
    """The least of three measurements of computing."""
    taken = []
    for _ in range(3):
        start = time.process_time()
        expression.search(text)
        taken.append(time.process_time() - start)
        if taken[-1] < 0.005:
            break
    return 1000 * min(taken)


@pytest.mark.parametrize("name", FILES)
def test_no_expression_takes_more_than_five_milliseconds(name: str) -> None:
    timed = [
        (milliseconds(each, text), called, text) for called, each in expressions(name) for text in slow_texts(each)
    ]
    assert max(timed) < (5.0, "", "")
