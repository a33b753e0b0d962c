"""Waiting for a human after the fixed message: opt-in, after it, and never in the user's way."""

from typing import Any, Final

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from hef_graph.graph import HefGraph, HefOptions, create_hef_graph
from hef_graph.instruction import CARE
from tests.fakes import ScriptedModel, SpeakingStubSem, reply_json
from tests.policies import CRISIS, SIGNAL, MarkedPolicy
from tests.runs import say, thread

ONE: Final = thread("one")
SAID: Final = MarkedPolicy().respond(SIGNAL)


class App:
    """An application whose crises a human takes over."""

    def __init__(self, *, hand_over: bool = True) -> None:
        self.policy = MarkedPolicy(hand_over=hand_over)
        self.model = ScriptedModel(answers=[reply_json("sad", "I am here.")] * 3)
        self.saver = InMemorySaver()

    @property
    def graph(self) -> HefGraph:
        """A new one each time, as after a restart."""
        options = HefOptions(crisis_policy=self.policy)
        return create_hef_graph(self.model, sem=SpeakingStubSem(), checkpointer=self.saver, options=options)

    def run(self, given: Any) -> dict[str, Any]:
        left: dict[str, Any] = self.graph.invoke(say(given) if isinstance(given, str) else given, ONE)
        return left

    def texts(self) -> list[str]:
        return [message.text for message in self.graph.get_state(ONE).values["messages"]]


@pytest.fixture
def app() -> App:
    return App()


def test_the_message_is_in_the_state_before_the_wait_begins(app: App) -> None:
    out = app.run(CRISIS)
    [waiting] = out["__interrupt__"]
    assert out["messages"][-1].text == SAID
    assert waiting.value == {"crisis": SIGNAL.to_json()}
    assert app.texts() == [CRISIS, SAID]


def test_a_stream_gives_the_message_and_then_the_wait(app: App) -> None:
    told = list(app.graph.stream(say(CRISIS), ONE, stream_mode=["messages", "updates"]))
    kinds = [kind if kind == "messages" else next(iter(data)) for kind, data in told]
    assert kinds == ["messages", "check_crisis", "__interrupt__"]


def test_what_the_human_says_is_one_more_message(app: App) -> None:
    app.run(CRISIS)
    out = app.run(Command(resume="This is Ada. May I call you?"))
    assert [type(message) for message in out["messages"][1:]] == [AIMessage, AIMessage]
    assert app.texts() == [CRISIS, SAID, "This is Ada. May I call you?"]
    assert out["crisis"] == SIGNAL.to_json()


@pytest.mark.parametrize("nothing", ["", "  ", {"later": True}, False])
def test_a_human_may_say_nothing(app: App, nothing: Any) -> None:
    app.run(CRISIS)
    app.run(Command(resume=nothing))
    assert app.texts() == [CRISIS, SAID]
    assert app.graph.get_state(ONE).next == ()


def test_the_event_is_told_once_however_often_the_thread_goes_on(app: App) -> None:
    app.run(CRISIS)
    app.run(Command(resume="I am Ada."))
    app.run("Thank you.")
    assert len(app.policy.told) == 1


def test_a_new_message_of_the_user_does_not_wait_for_the_human(app: App) -> None:
    app.run(CRISIS)
    out = app.run("Are you there?")
    assert "__interrupt__" not in out
    assert app.texts() == [CRISIS, SAID, "Are you there?", "I am here."]
    assert CARE in str(app.model.prompts[0][0].text)


def test_a_new_crisis_on_a_waiting_thread_is_answered_again(app: App) -> None:
    app.run(CRISIS)
    app.run(CRISIS)
    app.run(Command(resume="I am Ada."))
    assert app.texts() == [CRISIS, SAID, CRISIS, SAID, "I am Ada."]
    assert len(app.policy.told) == 2


def test_after_the_human_the_conversation_goes_on_with_care(app: App) -> None:
    app.run(CRISIS)
    app.run(Command(resume="I am Ada."))
    out = app.run("Thank you.")
    assert (out["crisis"], out["messages"][-1].text) == (None, "I am here.")
    assert CARE in out["instruction"]


def test_an_ordinary_turn_does_not_wait(app: App) -> None:
    assert "__interrupt__" not in app.run("I lost my cat.")


async def test_awaited_it_waits_and_goes_on_too(app: App) -> None:
    out = await app.graph.ainvoke(say(CRISIS), ONE)
    assert out["__interrupt__"]
    await app.graph.ainvoke(Command(resume="I am Ada."), ONE)
    assert app.texts() == [CRISIS, SAID, "I am Ada."]


def test_nobody_waits_unless_asked_to() -> None:
    app = App(hand_over=False)
    assert "__interrupt__" not in app.run(CRISIS)
    assert "hand_over" not in app.graph.nodes


def test_without_a_checkpointer_the_user_still_gets_the_message() -> None:
    options = HefOptions(crisis_policy=MarkedPolicy(hand_over=True))
    graph = create_hef_graph(ScriptedModel(answers=[]), sem=SpeakingStubSem(), options=options)
    out = graph.invoke(say(CRISIS))
    assert [message.text for message in out["messages"]] == [CRISIS, SAID]
