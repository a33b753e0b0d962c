from typing import Any

import pytest
from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from pydantic import BaseModel

from hef_graph.graph import HefGraph, create_hef_graph
from tests.fakes import ScriptedModel, SpeakingStubSem, reply_json
from tests.runs import thread


def graph(saver: InMemorySaver | None = None) -> HefGraph:
    model = ScriptedModel(answers=[reply_json("joyful", "Yay!")])
    return create_hef_graph(model, sem=SpeakingStubSem(), checkpointer=saver)


@pytest.mark.parametrize("form", [("user", "I won!"), {"role": "user", "content": "I won!"}, "I won!"])
def test_messages_come_in_every_form_that_langchain_takes(form: Any) -> None:
    given: Any = {"messages": [form]}
    assert [message.text for message in graph().invoke(given)["messages"]] == ["I won!", "Yay!"]


def test_the_callers_own_message_stays_as_it_was() -> None:
    given = HumanMessage("I won \ud83d!")
    out = graph().invoke({"messages": [given]})
    assert (given.content, out["messages"][0].content) == ("I won \ud83d!", "I won \ufffd!")


def test_what_cannot_be_kept_is_not_in_the_first_checkpoint_either() -> None:
    saver = InMemorySaver()
    graph(saver).invoke({"messages": [HumanMessage("I won \ud83d!")]}, thread("1"), durability="async")
    first = list(saver.list(thread("1")))[-1]
    assert first.checkpoint["channel_values"]["__start__"]["messages"][0].content == "I won \ufffd!"


class ParentState(BaseModel):
    """As an application may declare it."""

    messages: list[AnyMessage]


def test_a_graph_inside_one_whose_state_is_an_object_takes_it_as_it_comes() -> None:
    parent = StateGraph(ParentState)
    parent.add_node("hef", graph())
    parent.add_edge(START, "hef")
    out = parent.compile().invoke(ParentState(messages=[HumanMessage("I won!")]))
    assert out["messages"][-1].text == "Yay!"
