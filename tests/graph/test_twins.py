from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import get_runtime

from hef_graph.graph.state import HefInput, HefState, TurnState
from hef_graph.graph.twins import Twins
from tests.runs import say


def write(_state: TurnState) -> dict[str, Any]:
    get_runtime().stream_writer("sync")
    return {"emotion": "sync"}


async def awrite(_state: TurnState) -> dict[str, Any]:
    get_runtime().stream_writer("async")
    return {"emotion": "async"}


def graph() -> Any:
    built = StateGraph(TurnState, input_schema=HefInput, output_schema=HefState)
    built.add_node("node", Twins(write, awrite))
    built.add_edge(START, "node")
    built.add_edge("node", END)
    return built.compile()


async def test_each_side_runs_in_its_own_way_of_calling() -> None:
    assert graph().invoke(say("Hi."))["emotion"] == "sync"
    assert (await graph().ainvoke(say("Hi.")))["emotion"] == "async"


async def test_both_sides_know_the_runtime() -> None:
    assert list(graph().stream(say("Hi."), stream_mode="custom")) == ["sync"]
    assert [event async for event in graph().astream(say("Hi."), stream_mode="custom")] == ["async"]
