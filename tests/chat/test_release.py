from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.chat.listener import FIXED_REPLY, OPENING
from hef_graph.chat.release import LIVED, NUMBER, Released, SentenceGate, release
from hef_graph.chat.sentences import cut_sentences

TABLE = Path(__file__).parents[1] / "claim_sentences"
CLAIMS = (TABLE / "seen_claims.txt").read_text("utf-8").splitlines()
HARMLESS = (TABLE / "seen_harmless.txt").read_text("utf-8").splitlines()


def test_a_reply_that_claims_nothing_passes_as_it_is() -> None:
    reply = "Oh no! I'm so sorry.\n\nWhat happened?"
    assert release(reply) == Released(reply, None)


@pytest.mark.parametrize(
    ("reply", "left"),
    [
        ("Oh no. I lost my cat too. What happened?", "Oh no. What happened?"),
        ("I've been there. Oh no.", "Oh no."),
        ("Oh no. Me too!", "Oh no."),
        ("Oh no.\n\nAs a mother, I know.\n\nWhy?", "Oh no.\n\nWhy?"),
        ("Me too! Same here.", ""),
        ("I lost mine as well", ""),
    ],
)
def test_a_sentence_that_claims_is_left_out_with_its_blank(reply: str, left: str) -> None:
    assert release(reply) == Released(left, LIVED)


def test_a_sentence_with_a_number_of_the_models_own_is_left_out() -> None:
    assert release("Oh no. Call 988. Why?") == Released("Oh no. Why?", NUMBER)
    assert release("Oh no. Call 988. Why?", frozenset({"988"})) == Released("Oh no. Call 988. Why?", None)


def test_numbers_in_a_list_are_held_to_the_line_above_it() -> None:
    assert release("You can call:\n- US: 988\n- UK: 116 123\n\nShall we?").text == "You can call:\nShall we?"


def test_the_first_reason_is_told() -> None:
    assert release("Call 988. I did too. Why?").problem == NUMBER


def test_a_growing_reply_is_let_through_sentence_by_sentence() -> None:
    gate = SentenceGate()
    grown = ["Oh no", "Oh no.", "Oh no. M", "Oh no. Me too! ", "Oh no. Me too! What"]
    assert [gate.let_through(reply) for reply in grown] == ["", "", "Oh no.", "Oh no.", "Oh no."]
    assert gate.let_through("Oh no. Me too! What now?", ended=True) == "Oh no. What now?"


def test_a_reply_that_turns_into_another_shows_no_more() -> None:
    gate = SentenceGate()
    assert gate.let_through("Oh no. W") == "Oh no."
    assert gate.let_through("Another one. And", ended=True) == "Oh no."


@pytest.mark.parametrize("reply", [FIXED_REPLY, OPENING])
def test_the_listeners_fixed_texts_pass(reply: str) -> None:
    assert release(reply) == Released(reply, None)


REPLIES = st.lists(st.sampled_from(CLAIMS) | st.sampled_from(HARMLESS), min_size=1, max_size=6)


@settings(deadline=None)
@given(REPLIES, st.sampled_from([" ", "\n", "  "]), st.lists(st.integers(min_value=0)))
def test_however_a_reply_grows_it_shows_what_is_left_of_the_whole_and_no_claim(
    sentences: list[str], blank: str, places: list[int]
) -> None:
    reply, gate, shown = blank.join(sentences), SentenceGate(), ""
    for place in sorted({place % (len(reply) + 1) for place in places}):
        more = gate.let_through(reply[:place])
        assert more.startswith(shown)
        shown = more
    assert gate.let_through(reply, ended=True) == release(reply).text
    assert gate.let_through(reply, ended=True).startswith(shown)
    shown = gate.let_through(reply, ended=True)
    assert not set(CLAIMS) & {sentence.strip() for sentence in cut_sentences(shown, ended=True)}


@settings(deadline=None)
@given(st.text(max_size=80), st.lists(st.integers(min_value=0)))
def test_any_text_shows_the_same_however_it_grows(text: str, places: list[int]) -> None:
    gate = SentenceGate()
    steps = sorted({0, *(place % (len(text) + 1) for place in places), len(text)})
    shown = [gate.let_through(text[:step]) for step in steps] + [gate.let_through(text, ended=True)]
    assert all(later.startswith(earlier) for earlier, later in pairwise(shown))
    assert shown[-1] == release(text).text
