"""The graph as a node of somebody else's graph."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph

from hef_graph.graph import HefContext, HefState, create_hef_graph
from tests.fakes import REPLIES, ScriptedModel, SpeakingStubSem, reply_json
from tests.runs import say, thread

SAID = "I lost my cat."


class WatchingState(MessagesState):
    """A parent that also wants to know the emotion."""

    emotion: str | None


def embed(
    state: Any = MessagesState, *, model: ScriptedModel | None = None, saver: Any = None, context: Any = None
) -> Any:
    """A parent whose one node is our graph."""
    builder = StateGraph(state, context_schema=context)
    builder.add_node("hef", create_hef_graph(model, sem=SpeakingStubSem()))
    builder.add_edge(START, "hef")
    builder.add_edge("hef", END)
    return builder.compile(checkpointer=saver)


def test_a_parent_gets_exactly_the_answer() -> None:
    out = embed().invoke(say(SAID))
    assert [(message.type, message.text) for message in out["messages"]] == [("human", SAID), ("ai", REPLIES[0].text)]


async def test_an_async_parent_gets_exactly_the_answer() -> None:
    out = await embed().ainvoke(say(SAID))
    assert [message.text for message in out["messages"]] == [SAID, REPLIES[0].text]


def test_a_parent_gets_the_keys_that_it_declares() -> None:
    assert embed(WatchingState).invoke(say(SAID))["emotion"] == "sad"


def test_a_parent_that_takes_our_state_gets_all_of_it() -> None:
    out = embed(HefState).invoke(say(SAID))
    assert set(out) == set(HefState.__annotations__)


def test_a_parents_checkpointer_remembers_the_conversation() -> None:
    model = ScriptedModel(answers=[reply_json("sad", "First."), reply_json("sad", "Second.")])
    parent = embed(model=model, saver=InMemorySaver())
    parent.invoke(say(SAID), thread("1"))
    out = parent.invoke(say("And now?"), thread("1"))
    assert [message.text for message in out["messages"]] == [SAID, "First.", "And now?", "Second."]


def test_a_parents_context_reaches_the_turn() -> None:
    parent = embed(HefState, context=HefContext)
    assert len(parent.invoke(say(SAID), context=HefContext(k2=2))["emotion_candidates"]) == 2


def test_nodes_around_ours_see_the_answer() -> None:
    def sign(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(f"{state['messages'][-1].text}, says Mia")]}

    builder = StateGraph(MessagesState)
    builder.add_node("hef", create_hef_graph(sem=SpeakingStubSem()))
    builder.add_node("sign", sign)
    builder.add_edge(START, "hef")
    builder.add_edge("hef", "sign")
    assert builder.compile().invoke(say(SAID))["messages"][-1].text == f"{REPLIES[0].text}, says Mia"


def test_the_graph_is_a_link_of_a_chain() -> None:
    def shout(out: dict[str, Any]) -> str:
        return str(out["messages"][-1].text).upper()

    chain = create_hef_graph(sem=SpeakingStubSem()) | RunnableLambda(shout)
    assert chain.invoke({"messages": [HumanMessage(SAID)]}) == REPLIES[0].text.upper()


@pytest.mark.parametrize("count", [1, 3])
def test_a_loop_in_the_parent_needs_a_user_between_two_answers(count: int) -> None:
    parent = embed()
    messages: list[Any] = []
    for _ in range(count):
        messages = parent.invoke({"messages": [*messages, HumanMessage(SAID)]})["messages"]
    assert [message.type for message in messages] == ["human", "ai"] * count
