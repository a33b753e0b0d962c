from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from hef_graph.evaluation.study.models import (
    RememberedSem,
    model_identity,
    priced_name,
    sem_identity,
    stable_hash,
    written_emotion,
)
from hef_graph.sem import TransformerSem, load_sem
from hef_graph.types import Turn
from tests.fakes import ScriptedModel, StubSem


def pine(key: str = "k", **settings: Any) -> ChatOpenAI:
    return ChatOpenAI(model="pine-1", base_url="http://127.0.0.1:1/v1", api_key=SecretStr(key), **settings)


def test_the_hash_of_plain_values_does_not_depend_on_their_order() -> None:
    assert stable_hash({"a": 1, "b": [2]}) == stable_hash({"b": [2], "a": 1})
    assert stable_hash({"a": 1}) != stable_hash({"a": 2})


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 0.3},
        {"max_tokens": 50},
        {"stop": ["\n"]},
        {"logit_bias": {7: 1}},
        {"extra_body": {"chat": {"think": False}, "ids": [1]}},
    ],
)
def test_settings_that_change_answers_are_part_of_a_models_identity(settings: dict[str, Any]) -> None:
    assert model_identity(pine(**settings)) != model_identity(pine())


@pytest.mark.parametrize("settings", [{"max_retries": 9}, {"timeout": 3.0}, {"streaming": True}, {"tags": ["x"]}])
def test_how_an_answer_travels_is_not(settings: dict[str, Any]) -> None:
    assert model_identity(pine(**settings)) == model_identity(pine())


def test_a_secret_is_neither_in_a_models_identity_nor_changes_it() -> None:
    assert model_identity(pine("hush")) == model_identity(pine())
    assert "hush" not in str(model_identity(pine("hush")))


def test_a_models_identity_stays_while_it_is_asked() -> None:
    model = ScriptedModel(answers=["One.", AIMessage("Two.")])
    before = model_identity(model)
    model.invoke("Hello")
    assert model_identity(model) == before


def test_a_model_is_billed_under_the_name_that_its_provider_knows() -> None:
    assert priced_name(pine()) == "pine-1"
    assert priced_name(ScriptedModel(answers=[])) == "ScriptedModel"


def test_a_remembering_sem_reads_only_what_is_new() -> None:
    sem = StubSem()
    shared = RememberedSem(sem)
    first = shared.analyze([("My dog died.",), ("We won!",)])
    assert shared.analyze([("We won!",), ("My dog died.",), ("It is dark.",)])[:2] == first[::-1]
    assert [len(sem.dialogues_read), sem.analyze_calls] == [3, 2]
    assert (shared.name, shared.labels) == (sem.name, sem.labels)


def test_a_remembering_sem_knows_how_long_a_reading_took() -> None:
    shared = RememberedSem(StubSem())
    shared.analyze([("We won!",)])
    assert shared.seconds([Turn("speaker", "We won!")]) > 0
    assert shared.seconds([Turn("speaker", "Not read.")]) == 0


def test_a_sem_is_known_by_its_weights_and_not_by_where_it_runs() -> None:
    sem = load_sem()
    renamed = TransformerSem("elsewhere", sem._model, sem._tokenizer, sem._device)
    identity = sem_identity(sem)
    assert len(identity["weights_sha256"]) == 64
    assert sem_identity(renamed) == identity == sem_identity(RememberedSem(sem))


def test_a_sem_without_weights_is_known_by_its_name_and_labels() -> None:
    assert sem_identity(StubSem()) == sem_identity(StubSem())
    assert sem_identity(StubSem(labels=("sad", "joyful"))) != sem_identity(StubSem())


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ('{"emotion": "sad", "response": "Oh."}', "sad"),
        ('Of course:\n```json\n{"emotion": " Very sad ", "resp', "Very sad"),
        ('{"emotion": null, "response": "Oh."}', ""),
        ("I am so sorry.", ""),
        ("{" * 5000, ""),
        ("", ""),
    ],
)
def test_what_stands_in_the_emotions_place_is_found_as_written(text: str, emotion: str) -> None:
    assert written_emotion(text) == emotion
