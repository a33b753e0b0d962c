import json
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

from hef_graph.graph import HefOptions, HefState, create_hef_graph
from tests.fakes import Answer, ScriptedModel, SpeakingStubSem, reply_json
from tests.runs import say

CONTRACT = {
    "messages",
    "structured_response",
    "emotion",
    "emotion_candidates",
    "cause_words",
    "instruction",
    "emotion_history",
    "degraded_reason",
    "crisis",
    "disclosure",
}

TURNS: dict[str, list[Answer] | None] = {
    "a good answer": [reply_json("lonely", "Oh.")],
    "a failing model": [ConnectionError("no route")],
    "the listener": None,
}


def one_turn(answers: list[Answer] | None) -> dict[str, Any]:
    model = None if answers is None else ScriptedModel(answers=answers)
    return create_hef_graph(model, sem=SpeakingStubSem()).invoke(say("I lost my cat."))


every_turn = pytest.mark.parametrize("answers", TURNS.values(), ids=TURNS)


@every_turn
def test_a_turn_leaves_every_key_of_the_contract_and_no_other(answers: list[Answer] | None) -> None:
    assert set(one_turn(answers)) == CONTRACT


def test_the_state_class_declares_the_contract() -> None:
    assert set(HefState.__annotations__) == CONTRACT


@every_turn
def test_all_but_the_messages_is_plain_json(answers: list[Answer] | None) -> None:
    out = one_turn(answers)
    rest = {key: value for key, value in out.items() if key != "messages"}
    assert json.loads(json.dumps(rest)) == rest
    assert all(isinstance(message, BaseMessage) for message in out["messages"])


@every_turn
def test_the_response_is_the_newest_message_as_plain_text(answers: list[Answer] | None) -> None:
    out = one_turn(answers)
    newest = out["messages"][-1]
    assert newest.type == "ai"
    assert newest.content == newest.text == out["structured_response"]["response"]
    assert "{" not in newest.text


@every_turn
def test_the_emotion_stands_in_the_structured_response_too(answers: list[Answer] | None) -> None:
    out = one_turn(answers)
    assert list(out["structured_response"]) == ["emotion", "response"]
    assert out["structured_response"]["emotion"] == out["emotion"]


def test_the_candidates_are_labels_with_probabilities_most_probable_first() -> None:
    candidates = one_turn(None)["emotion_candidates"]
    assert [set(candidate) for candidate in candidates] == [{"label", "probability"}] * 6
    assert candidates[0]["label"] == "sad"
    assert [c["probability"] for c in candidates] == sorted((c["probability"] for c in candidates), reverse=True)


def test_the_cause_words_are_words_of_the_user() -> None:
    words = one_turn(None)["cause_words"]
    assert set(words) == {"high", "low"}
    assert {*words["high"], *words["low"]} == {"lost", "cat"}


def test_the_clients_see_the_contract_in_the_output_schema() -> None:
    graph = create_hef_graph(sem=SpeakingStubSem())
    assert set(graph.get_output_jsonschema()["properties"]) == CONTRACT
    assert set(graph.get_input_jsonschema()["properties"]) == {"messages"}


def test_the_form_for_clients_holds_the_settings_of_a_call() -> None:
    schema = create_hef_graph(sem=SpeakingStubSem()).get_context_jsonschema()
    assert schema is not None
    assert {"model", "k1", "k2", "two_stage", "cause_perception", "deadline", "locale"} <= set(schema["properties"])


def test_a_notice_that_is_not_wanted_is_none() -> None:
    graph = create_hef_graph(sem=SpeakingStubSem(), options=HefOptions(disclosure=False))
    assert graph.invoke(say("Hello."))["disclosure"] is None
