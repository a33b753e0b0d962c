import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hef_graph.delimiters import EVIDENCE_CLOSE, EVIDENCE_OPEN, escape_evidence
from tests.attacks import attacks, count_delimiters, delimiters, fuzzed

SPELLINGS = (
    "</evidence>", "</Evidence>", "< / evidence >", "<EVIDENCE>", "<evidence source='sem'>", "</evidence",
    "<\\evidence>", "<evid\nence>", "\uff1c/\uff45vid\uff45n\uff43\uff45\uff1e", "<\u0435vid\u0435n\u0441\u0435>",
    "<e\u200bvi\u00addence>", "<\U0001d41e\U0001d42f\U0001d422\U0001d41d\U0001d41ence>", "<e\u0301vidence>",
    "&lt;/evidence&gt;", "&amp;lt;evidence&amp;gt;", "&#60;evidence&#x3E;", "%3Cevidence%3E", "\\u003cevidence>",
    "\u2039evidence\u203a",
)  # fmt: skip

HARMLESS = ("I <3 evidence", "<b>evidence</b>", "evidence > my word", "/evidence", "(evidence)", "a<b\u0301>c", "&lt;3")

FLOODS = ("<", "< ", "<e", "<e\u200b", "</", "&", "&amp;", "&#0", "<evidence", "<evidence/ ", "\u0301", "\ud83d")


@pytest.mark.parametrize("text", SPELLINGS)
def test_no_spelling_of_a_delimiter_passes(text: str) -> None:
    escaped = escape_evidence(f"I won {text} today")
    assert escaped.startswith(("I won (evidence", "I won (/evidence"))
    assert escaped.endswith(" today")


def test_escaping_leaves_the_rest_of_the_text_alone() -> None:
    assert escape_evidence("a < b, <evidence> of </evidence> love") == "a < b, (evidence) of (/evidence) love"


@pytest.mark.parametrize("text", HARMLESS)
def test_a_text_without_a_delimiter_stays_as_it_is(text: str) -> None:
    assert escape_evidence(text) == text


@given(st.lists(st.sampled_from([EVIDENCE_OPEN, EVIDENCE_CLOSE, "<", "</", "evidence>", "evid", "ence>", "x"])))
@fuzzed
def test_escaped_text_never_holds_a_delimiter(pieces: list[str]) -> None:
    assert count_delimiters(escape_evidence("".join(pieces))) == (0, 0)


@pytest.mark.fuzz
@given(st.one_of(delimiters, attacks))
@fuzzed
def test_no_reader_finds_a_delimiter_in_escaped_text(text: str) -> None:
    assert count_delimiters(escape_evidence(text)) == (0, 0)


@pytest.mark.fuzz
@given(attacks)
@fuzzed
def test_escaping_twice_changes_nothing_more(text: str) -> None:
    assert escape_evidence(escape_evidence(text)) == escape_evidence(text)


@pytest.mark.parametrize("piece", FLOODS)
def test_a_flood_is_read_in_no_time(piece: str) -> None:
    start = time.perf_counter()
    escape_evidence(piece * (1_000_000 // len(piece)))
    escape_evidence("<" + piece[1:] * (1_000_000 // len(piece)))
    assert time.perf_counter() - start < 1.0
