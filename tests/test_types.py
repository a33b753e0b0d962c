from typing import Any

import pytest

from hef_graph.errors import HefInputError
from hef_graph.types import (
    ReplyGenerator,
    SmallEmpatheticModel,
    Turn,
    is_word,
    turns_from_dialogue,
    turns_from_dialogues,
)
from tests.fakes import SpeakingStubSem, StubSem


@pytest.mark.parametrize(
    ("count", "roles"),
    [
        (1, ["speaker"]),
        (2, ["listener", "speaker"]),
        (3, ["speaker", "listener", "speaker"]),
        (4, ["listener", "speaker", "listener", "speaker"]),
    ],
)
def test_texts_alternate_and_end_with_the_speaker(count: int, roles: list[str]) -> None:
    assert [turn.role for turn in turns_from_dialogue(["My bus left."] * count)] == roles


def test_texts_are_kept_as_given_and_in_order() -> None:
    texts = [" Hi, ", "", "I burnt the soup\n"]
    assert [turn.text for turn in turns_from_dialogue(texts)] == texts


def test_turns_keep_their_roles() -> None:
    turns = [Turn("speaker", "I moved house."), Turn("speaker", "It is quiet here."), Turn("listener", "Oh?")]
    assert turns_from_dialogue(turns) == turns


def test_a_bare_text_is_refused_with_its_fix_and_without_its_words() -> None:
    with pytest.raises(HefInputError, match=r"got one text of 14 characters; write \[text\]"):
        turns_from_dialogue("I lost my keys")


@pytest.mark.parametrize("text", ["died", "don’t", "re-do", "nai\u0308ve", "5", "Größe", "我", "a" * 99])
def test_letters_accents_digits_apostrophes_and_hyphens_make_a_word(text: str) -> None:
    assert is_word(text)


@pytest.mark.parametrize("text", ["", "two words", "end.", "<b>", "a_b", "{x}", '"', "a\nb", "\u200b", "\ud800", "😢"])
def test_anything_else_in_it_makes_it_none(text: str) -> None:
    assert not is_word(text)


def test_an_empty_dialogue_is_refused() -> None:
    with pytest.raises(HefInputError, match="the dialogue is empty"):
        turns_from_dialogue([])


def test_an_entry_of_another_type_is_refused_by_its_place_and_type() -> None:
    with pytest.raises(HefInputError, match="turn 1 is dict"):
        turns_from_dialogue(["Hello", {"text": "Hi"}])  # type: ignore[arg-type]


def test_a_sem_without_a_decoder_is_no_reply_generator() -> None:
    assert isinstance(StubSem(), SmallEmpatheticModel)
    assert not isinstance(StubSem(), ReplyGenerator)


def test_a_sem_with_a_decoder_satisfies_both_protocols() -> None:
    assert isinstance(SpeakingStubSem(), SmallEmpatheticModel)
    assert isinstance(SpeakingStubSem(), ReplyGenerator)


def test_an_analysis_that_says_nothing_of_its_doubt_is_in_domain_and_not_calibrated() -> None:
    [analysis] = StubSem().analyze([["I lost my keys."]])
    assert (analysis.confidence, analysis.in_domain, analysis.thresholds) == (None, True, ())


@pytest.mark.parametrize("dialogue", [5, None])
def test_what_cannot_be_gone_through_is_refused_by_its_type(dialogue: Any) -> None:
    with pytest.raises(HefInputError, match=f"got {type(dialogue).__name__}"):
        turns_from_dialogue(dialogue)


@pytest.mark.parametrize("given", ["I lost my keys", None, 3, {"so": "sad"}])
def test_dialogues_are_a_list(given: Any) -> None:
    with pytest.raises(HefInputError, match=r"a list of dialogues, each a list of texts; write \[\[text\]\]"):
        turns_from_dialogues(given)


def test_each_dialogue_is_read_in_order() -> None:
    assert turns_from_dialogues([["Hi"], ["Oh", "So"]]) == [
        turns_from_dialogue(["Hi"]),
        turns_from_dialogue(["Oh", "So"]),
    ]
