from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from hef_graph.chat_model import EmpatheticChatModel
from hef_graph.errors import HefInputError, HefReplyError
from hef_graph.turn import ReadingOptions
from tests.fakes import ScriptedModel, SpeakingStubSem, reply_json

GOOD = reply_json("sad", 'Oh no, your "ring" 💍! Where did you see it last?')
SHOWN = 'Oh no, your "ring" 💍! Where did you see it last?'


def empathetic(*answers: Any, **options: Any) -> EmpatheticChatModel:
    return EmpatheticChatModel(model=ScriptedModel(answers=list(answers)), sem=SpeakingStubSem(), **options)


def test_the_answer_is_the_response_alone_with_the_emotion_beside_it() -> None:
    message = empathetic(GOOD).invoke("I lost my ring.")
    assert message.text == SHOWN
    assert message.response_metadata["hef"] == {"emotion": "sad", "degraded_reason": None}


async def test_awaited_it_answers_the_same() -> None:
    assert (await empathetic(GOOD).ainvoke("I lost my ring.")).text == SHOWN


def test_streamed_it_shows_words_in_pieces_and_never_json() -> None:
    pieces = [chunk.text for chunk in empathetic(GOOD).stream("I lost my ring.")]
    assert "".join(pieces) == SHOWN
    assert len([piece for piece in pieces if piece]) > 5


async def test_streamed_async_it_shows_the_same_words() -> None:
    assert "".join([chunk.text async for chunk in empathetic(GOOD).astream("I lost my ring.")]) == SHOWN


def test_without_a_model_the_embedded_listener_answers_and_streams() -> None:
    model = EmpatheticChatModel(sem=SpeakingStubSem())
    streamed = "".join(chunk.text for chunk in model.stream("I lost my ring."))
    assert streamed == model.invoke("I lost my ring.").text == "That sounds hard. What happened then?"


def test_it_takes_part_in_a_chain() -> None:
    prompt = ChatPromptTemplate.from_messages([("system", "You work for {shop}."), ("human", "{said}")])
    chain = prompt | empathetic(GOOD) | StrOutputParser()
    assert chain.invoke({"shop": "a jeweller", "said": "I {lost} my ring."}) == SHOWN


def test_system_messages_of_the_caller_reach_the_model_before_ours() -> None:
    model = empathetic(GOOD, system_prompt="Be brief.")
    model.invoke([SystemMessage("You work for a jeweller."), HumanMessage("I lost my ring.")])
    first = model.model.prompts[0][0]
    assert first.type == "system"
    assert first.text.startswith("Be brief.\n\nYou work for a jeweller.\n\nYou are an empathetic listener.")


def test_the_reading_options_decide_what_the_model_is_shown() -> None:
    model = empathetic(GOOD, reading=ReadingOptions(k2=1, cause_perception=False))
    model.invoke("I lost my ring.")
    evidence = model.model.prompts[0][-1].text
    assert "most likely first: sad." in evidence
    assert "Words that" not in evidence


def test_earlier_turns_reach_the_model() -> None:
    model = empathetic(GOOD)
    model.invoke([HumanMessage("I lost my ring."), AIMessage("Oh no!"), HumanMessage("It was gold.")])
    assert [message.type for message in model.model.prompts[0]] == ["system", "human", "ai", "human"]


def test_a_failing_model_is_stood_in_for() -> None:
    message = empathetic(TimeoutError()).invoke("I lost my ring.")
    assert message.response_metadata["hef"]["degraded_reason"] == "timeout"


def test_strict_raises_a_failing_models_error() -> None:
    with pytest.raises(HefReplyError, match="TimeoutError"):
        empathetic(TimeoutError(), strict=True).invoke("I lost my ring.")


def test_nothing_to_answer_is_refused() -> None:
    with pytest.raises(HefInputError, match="no text to answer"):
        empathetic(GOOD).invoke("  ")


def test_a_copy_with_another_model_asks_that_one() -> None:
    first = empathetic(GOOD)
    first.invoke("I lost my ring.")
    other = first.model_copy(update={"model": ScriptedModel(answers=[reply_json("sad", "Where was it?")])})
    assert other.invoke("I lost my ring.").text == "Where was it?"
