import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolCall, ToolMessage

from hef_graph.errors import HefInputError
from hef_graph.messages import (
    DEEPEST,
    clean_text,
    read_messages,
    text_of,
    turns_from_messages,
    words_of_the_application,
)
from hef_graph.types import Turn

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}

any_text = st.text(st.characters(codec=None, exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("one\r\ntwo\rthree\nfour", "one\ntwo\nthree\nfour"),
        ("  so sad \n", "so sad"),
        ("a\x00b", "a\ufffdb"),
        ("bell\x07 \x9b31m", "bell\ufffd \ufffd31m"),
        ("half \ud83d emoji", "half \ufffd emoji"),
        ("whole \U0001f622 emoji", "whole \U0001f622 emoji"),
        ("txt.\u202eexe", "txt.\ufffdexe"),
        ("\u2067isolated\u2069", "\ufffdisolated\ufffd"),
        ("tab\tstays, and so does e\u0301", "tab\tstays, and so does e\u0301"),
    ],
)
def test_text_is_cleaned(text: str, cleaned: str) -> None:
    assert clean_text(text) == cleaned


@given(any_text)
@settings(deadline=None)
def test_clean_text_holds_no_surrogates_and_no_controls_but_line_breaks_and_tabs(text: str) -> None:
    kinds = {unicodedata.category(letter) for letter in clean_text(text) if letter not in "\n\t"}
    assert not kinds & {"Cs", "Cc"}


@given(any_text)
@settings(deadline=None)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)


@given(any_text)
@settings(deadline=None)
def test_clean_text_can_be_encoded(text: str) -> None:
    assert clean_text(text).encode().decode() == clean_text(text)


def test_people_are_the_speaker_and_models_the_listener() -> None:
    messages = [HumanMessage("My tent blew away."), AIMessage("Oh no!"), HumanMessage("Into the lake.")]
    assert turns_from_messages(messages) == [
        Turn("speaker", "My tent blew away."),
        Turn("listener", "Oh no!"),
        Turn("speaker", "Into the lake."),
    ]


def test_system_and_tool_messages_are_not_speech() -> None:
    call = ToolCall(name="weather", args={}, id="1", type="tool_call")
    silent = [SystemMessage("Be kind."), AIMessage("", tool_calls=[call]), ToolMessage("rain", tool_call_id="1")]
    assert turns_from_messages([HumanMessage("Will it rain?"), *silent]) == [Turn("speaker", "Will it rain?")]


def test_neighbouring_messages_of_one_side_are_one_turn() -> None:
    messages = [AIMessage("Hello."), AIMessage("How are you?"), HumanMessage("Tired."), HumanMessage("Very.")]
    assert turns_from_messages(messages) == [Turn("listener", "Hello.\nHow are you?"), Turn("speaker", "Tired.\nVery.")]


def test_a_silent_message_between_does_not_part_a_turn() -> None:
    messages = [HumanMessage("I failed."), SystemMessage("Be kind."), HumanMessage("Again.")]
    assert turns_from_messages(messages) == [Turn("speaker", "I failed.\nAgain.")]


def test_the_text_beside_an_image_is_kept() -> None:
    message = HumanMessage([{"type": "text", "text": "This was my car."}, IMAGE])
    assert turns_from_messages([message]) == [Turn("speaker", "This was my car.")]


def test_turns_hold_clean_text() -> None:
    assert turns_from_messages([HumanMessage(" gone\x00\r\n ")]) == [Turn("speaker", "gone\ufffd")]


@pytest.mark.parametrize("messages", [[], [SystemMessage("Be kind.")], [HumanMessage("  \n")], [HumanMessage([IMAGE])]])
def test_messages_without_text_are_refused(messages: list[BaseMessage]) -> None:
    with pytest.raises(HefInputError, match=f"no text to answer in {len(messages)} messages"):
        turns_from_messages(messages)


@pytest.mark.parametrize(
    "newest",
    [AIMessage("And then?"), HumanMessage([IMAGE]), HumanMessage("")],
    ids=["a model's text", "an image alone", "an empty text"],
)
def test_the_newest_turn_must_be_the_users_text(newest: BaseMessage) -> None:
    with pytest.raises(HefInputError, match="the newest turn must be the user's"):
        turns_from_messages([HumanMessage("I sold the boat."), newest])


def test_a_listener_may_open_the_conversation() -> None:
    assert turns_from_messages([AIMessage("Hello!"), HumanMessage("Hi.")])[0] == Turn("listener", "Hello!")


def test_the_applications_words_come_in_order_with_its_prompt_first() -> None:
    messages = [SystemMessage("Be brief."), HumanMessage("Hi."), SystemMessage("Be kind.")]
    assert words_of_the_application(messages, "You sell rings.") == "You sell rings.\n\nBe brief.\n\nBe kind."


def test_an_application_without_words_has_none() -> None:
    assert words_of_the_application([HumanMessage("Hi.")], None) is None


def test_messages_that_can_be_kept_are_the_ones_that_were_given() -> None:
    given = [HumanMessage("I won!"), HumanMessage([IMAGE, {"type": "text", "text": "Look."}]), AIMessage("Yay.")]
    assert all(read is message for read, message in zip(read_messages(given), given, strict=True))


def test_one_message_alone_is_a_conversation() -> None:
    assert read_messages("I won!") == read_messages([("user", "I won!")]) == [HumanMessage("I won!")]


def test_what_databases_refuse_is_replaced_all_over_a_users_message() -> None:
    deep = {"type": "zorp", "a\x00": ["\ud800", {"b": "\udfff"}]}
    [read] = read_messages(
        [HumanMessage([deep, "so\x00"], name="\ud800", id="\x00", additional_kwargs={"x": "\ud800"})]
    )
    bad = "\ufffd"
    assert read.content == [{"type": "zorp", f"a{bad}": [bad, {"b": bad}]}, f"so{bad}"]
    assert (read.name, read.id, read.additional_kwargs) == (bad, bad, {"x": bad})


def test_the_rest_of_a_users_text_stays_as_it_was_written() -> None:
    text = "\u202ebidi\x07\r\n 😢 "
    assert read_messages([("user", text)])[0].content == text


def test_blocks_that_a_provider_made_are_not_looked_into() -> None:
    made: Any = [{"type": "reasoning", "signature": b"\xff"}]
    assert read_messages([AIMessage(made)])[0].content == made


@pytest.mark.parametrize(("depth", "kept"), [(DEEPEST - 2, True), (DEEPEST + 1, False)])
def test_blocks_may_be_nested_as_deep_as_serializers_go(depth: int, kept: bool) -> None:
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    message = HumanMessage([{"type": "zorp", "deep": value}])
    if kept:
        assert read_messages([message]) == [message]
    else:
        with pytest.raises(HefInputError, match="message 0 is nested deeper than 50 levels"):
            read_messages([message])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, r"there are no messages \(None\)"),
        ([("user", "Hi."), 5], r"message 1 \(int\) cannot be read"),
        ([{"role": "user", "content": [5]}], r"message 0 \(dict\) cannot be read"),
        ([HumanMessage([{"type": "image", "data": b"x"}])], "message 0 holds a bytes, which is no JSON"),
        ([HumanMessage([{"type": "zorp", "n": 2**63}])], "message 0 holds a number that"),
        ([HumanMessage.model_construct(content=None)], "message 0 has content that is neither"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_place_and_kind(given: Any, told: str) -> None:
    with pytest.raises(HefInputError, match=told):
        read_messages(given)


@pytest.mark.parametrize("content", [None, 5, [5], {"text": "x"}, ""])
def test_a_message_without_text_has_an_empty_one(content: Any) -> None:
    assert text_of(HumanMessage.model_construct(content=content)) == ""
