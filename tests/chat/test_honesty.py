from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from hef_graph.chat.honesty import without_claims
from hef_graph.chat.listener import FIXED_REPLY

CALL: Any = {"name": "search", "args": {}, "id": "1", "type": "tool_call"}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Oh no. As a mother, I know. Where was it last?", "Oh no. Where was it last?"),
        ("I'm only human.", FIXED_REPLY),
        ([text("I am a real person."), text("Tell me more.")], [text(""), text("Tell me more.")]),
        (["I am a real person.", {"type": "image", "url": "x"}], FIXED_REPLY),
    ],
)
def test_sentences_that_claim_to_be_a_person_are_left_out(said: Any, kept: Any) -> None:
    assert without_claims(AIMessage(said)).content == kept


def test_a_call_of_a_tool_needs_no_words() -> None:
    message = without_claims(AIMessage("I'm only human.", tool_calls=[CALL]))
    assert isinstance(message, AIMessage)
    assert (message.content, message.tool_calls) == ("", [CALL])


@pytest.mark.parametrize(
    "message",
    [
        AIMessage("I could not find it. I looked yesterday."),
        AIMessage("I'm so sorry.\n\nCall the shop: 030 1234567. \n"),
        AIMessage([text("Oh no. "), {"type": "reasoning", "reasoning": "I'm only human."}]),
        AIMessage(""),
        HumanMessage("I'm only human."),
        ToolMessage("I'm only human.", tool_call_id="1"),
    ],
)
def test_everything_else_stays_as_it_is(message: BaseMessage) -> None:
    assert without_claims(message) is message
