"""Every way into the package takes every input: a result, or a `HefInputError` that says what to send instead."""

import json
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import pytest
from langchain_core.messages import HumanMessage

from hef_graph.chat_model import EmpatheticChatModel
from hef_graph.errors import HefInputError
from hef_graph.graph import HefOptions, create_hef_graph
from hef_graph.middleware import EmpathyMiddleware
from hef_graph.tool import create_emotion_tool
from tests.agents import ToolModel, agent_on
from tests.fakes import ScriptedModel, SpeakingStubSem, StubSem, reply_json
from tests.inputs import NOTHING, READABLE, TEXTS, UNREADABLE, WITHOUT_TEXT, built, each
from tests.runs import thread
from tests.stores import KINDS, Place, open_saver, place_for

pytest_plugins = ["tests.postgres"]

UNCHECKED: Final = HefOptions(crisis_policy=None)
"""What the crisis check makes of a text is not the question here."""

Ask: TypeAlias = Callable[[list[Any]], str]
"""From messages to the reply; what is left behind is plain JSON."""


def ask_graph(messages: list[Any]) -> str:
    model = ScriptedModel(answers=[reply_json("joyful", "Yay!")])
    out = create_hef_graph(model, sem=SpeakingStubSem(), options=UNCHECKED).invoke({"messages": messages})
    require_json(out)
    return str(out["messages"][-1].text)


def ask_chat_model(messages: list[Any]) -> str:
    model = ScriptedModel(answers=[reply_json("joyful", "Yay!")])
    return str(EmpatheticChatModel(model=model, sem=SpeakingStubSem(), crisis_policy=None).invoke(messages).text)


def ask_agent(messages: list[Any]) -> str:
    agent = agent_on(ToolModel(answers=["Yay!"]), EmpathyMiddleware(StubSem(), crisis_policy=None))
    return str(agent.invoke({"messages": messages})["messages"][-1].text)


def require_json(out: dict[str, Any]) -> None:
    messages = [message.model_dump() for message in out["messages"]]
    json.dumps({**out, "messages": messages}, ensure_ascii=False, allow_nan=False).encode()


everywhere = pytest.mark.parametrize("ask", [ask_graph, ask_chat_model, ask_agent])
where_input_is_ours = pytest.mark.parametrize("ask", [ask_graph, ask_chat_model])
"""An agent's messages are checked by LangChain, before any middleware."""


@everywhere
@each(TEXTS)
def test_any_text_is_answered(ask: Ask, given: str) -> None:
    assert ask([HumanMessage(given)]) == "Yay!"


@each(TEXTS)
def test_any_text_passes_the_crisis_check_or_is_answered_by_it(given: str) -> None:
    model = ScriptedModel(answers=[reply_json("joyful", "Yay!")])
    out = create_hef_graph(model, sem=SpeakingStubSem()).invoke({"messages": [HumanMessage(given)]})
    require_json(out)
    assert (out["crisis"] is None) is (out["messages"][-1].text == "Yay!")


@where_input_is_ours
@each(READABLE)
def test_a_message_of_any_form_is_answered(ask: Ask, given: Any) -> None:
    assert ask([given]) == "Yay!"


@where_input_is_ours
@each(WITHOUT_TEXT)
def test_nothing_to_answer_is_said_so(ask: Ask, given: list[Any]) -> None:
    with pytest.raises(HefInputError, match=r"no text to answer|the newest turn must be the user's"):
        ask(given)


@where_input_is_ours
@each(UNREADABLE)
def test_what_is_no_message_is_refused_by_its_place_and_kind(ask: Ask, given: Any) -> None:
    with pytest.raises(HefInputError, match=r"^message 1 |no text to answer") as caught:
        ask([HumanMessage("Hi."), given])
    assert "won" not in str(caught.value)


@each(
    {name: [given] for name, given in READABLE.items()} | WITHOUT_TEXT | {"no text at all": [built(None), built([5])]}
)
def test_an_agent_goes_on_with_what_the_middleware_cannot_read(given: list[Any]) -> None:
    assert ask_agent(given) == "Yay!"


@pytest.mark.parametrize(
    "given", ["I won!", b"I won!", 5, [("user", "I won!")], ("user", "I won!"), HumanMessage("I won!")]
)
def test_a_graph_is_given_messages_under_their_name(given: Any) -> None:
    graph = create_hef_graph(ScriptedModel(answers=[]), sem=SpeakingStubSem())
    with pytest.raises(HefInputError, match=r'the input is a \w+; give \{"messages"') as caught:
        graph.invoke(given)
    assert "won" not in str(caught.value)


@pytest.mark.parametrize("given", [{}, {"text": "I won!"}, {"messages": None}, {"messages": []}])
def test_a_graph_without_messages_says_so(given: Any) -> None:
    graph = create_hef_graph(ScriptedModel(answers=[]), sem=SpeakingStubSem())
    with pytest.raises(HefInputError, match=r"no text to answer|there are no messages"):
        graph.invoke(given)


@pytest.mark.parametrize("given", [None, 5, {"role": "user"}, b"I won!", object()])
def test_a_chat_model_is_given_a_text_or_messages(given: Any) -> None:
    with pytest.raises(HefInputError):
        EmpatheticChatModel(model=ScriptedModel(answers=[]), sem=SpeakingStubSem()).invoke(given)


@pytest.mark.parametrize("kind", KINDS)
async def test_every_checkpointer_keeps_any_message(kind: str, request: pytest.FixtureRequest) -> None:
    place: Place = place_for(kind, request)
    given = [*map(HumanMessage, TEXTS.values()), *READABLE.values()]
    model = ScriptedModel(answers=[reply_json("joyful", "Yay!")] * len(given))
    async with open_saver(place) as saver:
        graph = create_hef_graph(model, sem=SpeakingStubSem(), checkpointer=saver, options=UNCHECKED)
        for message in given:
            turn: Any = {"messages": [message]}
            left = await graph.ainvoke(turn, thread("1")) if place.awaited else graph.invoke(turn, thread("1"))
            kept = await graph.aget_state(thread("1")) if place.awaited else graph.get_state(thread("1"))
            assert {key: kept.values[key] for key in left} == left


ARGUMENTS: Final[tuple[Any, ...]] = (None, "I won!", ["I won!"], {}, {"text": "I won!"})
DIALOGUES: Final[tuple[Any, ...]] = (None, "I won!", [], [5], [None], [["I won!"]], {"text": "I won!"}, [b"\xff"])


@pytest.mark.parametrize("given", [*ARGUMENTS, *({"dialogue": dialogue} for dialogue in DIALOGUES)])
def test_a_tool_says_what_it_needs(given: Any) -> None:
    answer = create_emotion_tool(StubSem()).invoke(given)
    assert answer.startswith('analyze_emotion needs {"dialogue": [text, …]}')
    assert "won" not in answer


@each(TEXTS | NOTHING)
def test_a_tool_reads_any_text(given: str) -> None:
    answer = create_emotion_tool(StubSem()).invoke({"dialogue": [given]})
    assert json.loads(answer)["emotions"]
    assert answer.encode()
