from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore

import hef_graph
from hef_graph.chat.listener import FIXED_REPLY
from hef_graph.errors import HefInputError, HefModelError
from hef_graph.graph import HefContext, HefOptions, create_hef_graph
from tests.fakes import REPLIES, ScriptedModel, SpeakingStubSem, StubSem, reply_json
from tests.runs import MODES, Mode, run_turn, say

SAID = "I lost my cat."

SHIPPED = "hef_graph.defaults._shipped_sem"

every_mode = pytest.mark.parametrize("mode", MODES)


def test_the_nodes_are_the_four_public_ones_in_order() -> None:
    drawn = create_hef_graph(sem=SpeakingStubSem()).get_graph()
    steps = ["__start__", "check_crisis", "analyze_emotion", "build_instruction", "respond", "__end__"]
    assert list(drawn.nodes) == steps
    assert {(edge.source, edge.target) for edge in drawn.edges} == {*pairwise(steps), ("check_crisis", "__end__")}


@every_mode
async def test_without_a_model_the_listener_answers_and_is_not_degraded(mode: Mode) -> None:
    out = (await run_turn(create_hef_graph(sem=SpeakingStubSem()), mode, SAID)).out
    assert out["structured_response"] == {"emotion": "sad", "response": REPLIES[0].text}
    assert out["degraded_reason"] is None


@every_mode
async def test_a_models_valid_answer_is_not_degraded(mode: Mode) -> None:
    model = ScriptedModel(answers=[reply_json("lonely", "Oh no.")])
    out = (await run_turn(create_hef_graph(model, sem=SpeakingStubSem()), mode, SAID)).out
    assert out["structured_response"] == {"emotion": "lonely", "response": "Oh no."}
    assert out["degraded_reason"] is None


@every_mode
async def test_below_a_failing_model_the_listener_answers(mode: Mode) -> None:
    model = ScriptedModel(answers=[TimeoutError()])
    out = (await run_turn(create_hef_graph(model, sem=SpeakingStubSem()), mode, SAID)).out
    assert (out["messages"][-1].text, out["degraded_reason"]) == (REPLIES[0].text, "timeout")


def test_below_a_listener_without_words_there_is_the_fixed_text() -> None:
    model = ScriptedModel(answers=[ConnectionError()])
    out = create_hef_graph(model, sem=SpeakingStubSem(replies=[])).invoke(say(SAID))
    assert (out["messages"][-1].text, out["degraded_reason"]) == (FIXED_REPLY, "connection")


def test_the_labels_of_a_plug_in_sem_reach_the_model() -> None:
    model = ScriptedModel(answers=[reply_json("glee", "Yay!")])
    sem = SpeakingStubSem(["grief", "glee"], {"won": "glee"})
    out = create_hef_graph(model, sem=sem).invoke(say("We won."))
    assert (out["emotion"], out["degraded_reason"]) == ("glee", None)
    assert "[grief, glee]" in str(model.prompts[0][0].text)


def test_a_label_of_ours_is_wrong_where_the_sem_does_not_have_it() -> None:
    model = ScriptedModel(answers=[reply_json("sad", "Oh."), reply_json("sad", "Oh.")])
    out = create_hef_graph(model, sem=SpeakingStubSem(["grief", "glee"], {"lost": "grief"})).invoke(say(SAID))
    assert (out["emotion"], out["degraded_reason"]) == ("grief", "label")


def test_for_a_sem_without_a_decoder_the_shipped_one_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = SpeakingStubSem()
    monkeypatch.setattr(SHIPPED, lambda: shipped)
    out = create_hef_graph(sem=StubSem(["grief", "glee"], {"lost": "grief"})).invoke(say(SAID))
    assert (out["emotion"], out["messages"][-1].text) == ("grief", REPLIES[0].text)
    assert shipped.emotions_asked == ["sad"]


def test_the_shipped_sem_is_loaded_before_the_first_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = iter([SpeakingStubSem()])
    monkeypatch.setattr(SHIPPED, lambda: next(shipped))
    create_hef_graph()
    assert not list(shipped)


def test_the_shipped_sem_is_not_loaded_where_it_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SHIPPED, lambda: pytest.fail("loaded"))
    model = ScriptedModel(answers=[reply_json("sad", "Oh.")])
    assert create_hef_graph(model, sem=StubSem()).invoke(say(SAID))["degraded_reason"] is None


@pytest.mark.parametrize("sem", ["dir", 3, object(), StubSem])
def test_something_else_than_a_sem_is_refused(sem: Any) -> None:
    with pytest.raises(HefInputError, match="sem is"):
        create_hef_graph(sem=sem)


@pytest.mark.parametrize(
    "model", [3, object(), ScriptedModel, lambda prompt: prompt], ids=["int", "object", "class", "function"]
)
def test_something_else_than_a_model_is_refused(model: Any) -> None:
    with pytest.raises(HefInputError, match="model is"):
        create_hef_graph(model, sem=SpeakingStubSem())


def test_a_model_that_nobody_provides_is_refused_at_once() -> None:
    with pytest.raises(HefModelError, match="nowhere:model"):
        create_hef_graph("nowhere:model", sem=SpeakingStubSem())


def test_a_call_with_a_model_that_nobody_provides_is_refused() -> None:
    graph = create_hef_graph(sem=SpeakingStubSem())
    with pytest.raises(HefModelError, match="nowhere:model"):
        graph.invoke(say(SAID), context=HefContext(model="nowhere:model"))


def test_the_applications_own_words_come_first() -> None:
    model = ScriptedModel(answers=[reply_json("sad", "Oh.")])
    create_hef_graph(model, sem=SpeakingStubSem(), system_prompt="You are {Mia} of the shop.").invoke(say(SAID))
    assert str(model.prompts[0][0].text).startswith("You are {Mia} of the shop.\n\n")


def test_checkpointer_and_store_reach_the_graph() -> None:
    saver, store = InMemorySaver(), InMemoryStore()
    graph = create_hef_graph(sem=SpeakingStubSem(), checkpointer=saver, store=store)
    assert (graph.checkpointer, graph.store) == (saver, store)


def instruction_of(**settings: Any) -> str:
    model = ScriptedModel(answers=[reply_json("sad", "Oh.")])
    return str(create_hef_graph(model, sem=StubSem(), **settings).invoke(say(SAID))["instruction"])


def test_a_profile_is_short_for_the_option(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("k2 = 2\ncause_perception = false\n")
    plain, short = instruction_of(), instruction_of(profile=path)
    assert short == instruction_of(options=HefOptions(profile=str(path))) == instruction_of(profile=str(path))
    assert "guesses, best first: sad, afraid." in short != plain


def test_a_profile_keeps_the_other_options() -> None:
    model = ScriptedModel(answers=[reply_json("sad", "Oh.")])
    graph = create_hef_graph(model, sem=StubSem(), options=HefOptions(disclosure=False), profile="mistral-7b")
    out = graph.invoke(say(SAID))
    assert (out["disclosure"], len(out["emotion_candidates"])) == (None, 3)


def test_two_profiles_that_say_different_things_are_refused() -> None:
    with pytest.raises(HefInputError, match="profile is 'chatgpt', but options say 'mistral-7b'; give one of them"):
        create_hef_graph(sem=SpeakingStubSem(), options=HefOptions(profile="mistral-7b"), profile="chatgpt")


def test_two_profiles_that_say_the_same_are_one() -> None:
    both = instruction_of(options=HefOptions(profile="mistral-7b"), profile="llama2-13b")
    assert both == instruction_of(profile="mistral-7b")


def test_a_profile_that_nobody_knows_is_refused_before_the_sem_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SHIPPED, lambda: pytest.fail("loaded"))
    with pytest.raises(HefInputError, match="the profile 'gpt-9' is not known"):
        create_hef_graph(profile="gpt-9")


def test_the_package_offers_the_graph() -> None:
    assert hef_graph.create_hef_graph is create_hef_graph


def test_no_turn_counts_the_cores_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, counted = create_hef_graph(sem=SpeakingStubSem()), Mock(return_value=2)
    graph.invoke(say(SAID))
    monkeypatch.setattr("os.cpu_count", counted)
    graph.invoke(say(SAID))
    counted.assert_not_called()
