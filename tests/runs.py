"""The four ways to run a graph, told alike."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig

from hef_graph.graph import HefContext, HefGraph, HefInput

Mode: TypeAlias = Literal["invoke", "ainvoke", "stream", "astream"]

MODES: Final[tuple[Mode, ...]] = ("invoke", "ainvoke", "stream", "astream")


@dataclass(slots=True)
class Run:
    """One finished turn."""

    out: dict[str, Any] = field(default_factory=dict)
    """The state it left."""
    tokens: list[str] = field(default_factory=list)
    """What was streamed; empty if nothing was."""

    def take(self, event: Any) -> None:
        """Note an event of `stream_mode=["messages", "values"]`."""
        kind, data = event
        if kind == "messages":
            self.tokens.append(str(data[0].text))
        else:
            self.out = data


def say(*texts: str) -> HefInput:
    """A graph's input: what the user says."""
    return {"messages": [HumanMessage(text) for text in texts]}


def thread(name: str) -> RunnableConfig:
    """The settings that name a conversation."""
    return {"configurable": {"thread_id": name}}


async def run_turn(graph: HefGraph, mode: Mode, text: str, context: HefContext | None = None) -> Run:
    """Run one turn in one of the ways; the streamed ones note the tokens too."""
    run = Run()
    match mode:
        case "invoke":
            run.out = graph.invoke(say(text), context=context)
        case "ainvoke":
            run.out = await graph.ainvoke(say(text), context=context)
        case "stream":
            for event in graph.stream(say(text), context=context, stream_mode=["messages", "values"]):
                run.take(event)
        case "astream":
            async for event in graph.astream(say(text), context=context, stream_mode=["messages", "values"]):
                run.take(event)
    return run
