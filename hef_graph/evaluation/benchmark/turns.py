"""What a turn of the graph costs beside the bare model and beside a plain agent, with parts that cost nothing."""

import time
from collections.abc import Callable
from typing import Any, Final

from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import HumanMessage

from hef_graph.emotions import EMOTIONS
from hef_graph.evaluation.benchmark.report import Bar, Row
from hef_graph.evaluation.benchmark.stand_ins import ConstantSem, InstantModel
from hef_graph.evaluation.benchmark.timing import Spread, difference, ratio, scaled, side_by_side
from hef_graph.graph import HefGraph, HefOptions, create_hef_graph
from hef_graph.reply import reply_schema

PART: Final = "graph"
SAID: Final = "My cat has not come home for three days and I keep listening for it at the door."
PACE: Final = 0.02
"""Seconds a token."""


def measure_overhead(rounds: int) -> list[Row]:
    """A turn of the graph, `with_structured_output` and `create_agent(response_format=…)`, by an instant model."""
    schema, model = reply_schema(EMOTIONS), InstantModel()
    bare, graph = model.with_structured_output(schema), plain_graph(model)
    agent: Any = create_agent(model, [], response_format=ToolStrategy(schema))
    taken = side_by_side(
        {
            "bare": lambda: bare.invoke([HumanMessage(SAID)]),
            "agent": lambda: agent.invoke({"messages": [HumanMessage(SAID)]}),
            "graph": lambda: graph.invoke({"messages": [HumanMessage(SAID)]}),
        },
        rounds=rounds,
        warm=10,
    )
    added = difference(taken["graph"], taken["bare"])
    return [
        Row(PART, "with_structured_output alone", scaled(taken["bare"], 1000), "ms"),
        Row(PART, "create_agent(response_format)", scaled(taken["agent"], 1000), "ms"),
        Row(PART, "one turn of the graph", scaled(taken["graph"], 1000), "ms"),
        Row(PART, "graph, beyond with_structured_output", scaled(added, 1000), "ms", Bar("≤", 5)),
        Row(PART, "graph / create_agent", ratio(taken["graph"], taken["agent"]), "times", Bar("≤", 2.5)),
    ]


def measure_first_word(rounds: int) -> list[Row]:
    """Seconds until a user sees the first word of a model that takes its time over each token."""
    model = InstantModel(pace=PACE)
    graph = plain_graph(model)
    agent: Any = create_agent(model, [], response_format=ToolStrategy(reply_schema(EMOTIONS)))
    pairs = [(_until(graph, _streamed_text), _until(agent, _structured)) for _ in range(rounds)]
    ours, theirs = zip(*pairs, strict=True)
    note = f"a model of {PACE * 1000:.0f} ms a token"
    return [
        Row(PART, "first visible words, graph", Spread.of(ours), "s", note=note),
        Row(PART, "first visible words, create_agent", Spread.of(theirs), "s", note=note),
        Row(PART, "create_agent / graph, first words", ratio(theirs, ours), "times", Bar("≥", 3), note),
    ]


def plain_graph(model: InstantModel, **options: Any) -> HefGraph:
    """Without crisis check, on the constant small model."""
    return create_hef_graph(model, sem=ConstantSem(), options=HefOptions(crisis_policy=None, **options))


def _until(graph: Any, seen: Callable[[str, Any], bool]) -> float:
    begun = time.perf_counter()
    given = {"messages": [HumanMessage(SAID)]}
    for kind, data in graph.stream(given, stream_mode=["messages", "values"]):
        if seen(kind, data):
            return time.perf_counter() - begun
    raise AssertionError("the stream ended without a word for the user")


def _streamed_text(kind: str, data: Any) -> bool:
    """A piece of the reply's text."""
    return kind == "messages" and bool(data[0].text)


def _structured(kind: str, data: Any) -> bool:
    """The agent's reply, which is in its structured answer: what it streams before is JSON inside a tool call."""
    return kind == "values" and bool(data.get("structured_response"))
