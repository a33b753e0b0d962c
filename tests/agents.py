"""Agents made by `create_agent`, with what they are made of, shared by the tests of the middleware."""

import threading
from collections.abc import Sequence
from typing import Any, Final

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall
from langchain_core.tools import tool
from typing_extensions import override

from hef_graph.middleware import EmpathyMiddleware
from hef_graph.turn import ReadingOptions
from hef_graph.types import Dialogue, EmotionAnalysis
from tests.fakes import ScriptedModel, StubSem


class ToolModel(ScriptedModel):
    """A scripted model that may be given tools."""

    @override
    def bind_tools(self, tools: Any, **kwargs: Any) -> "ToolModel":
        return self


class BrokenSem(StubSem):
    """A SEM that fails."""

    @override
    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        super().analyze(dialogues)
        raise RuntimeError("out of memory")


class HangingSem(StubSem):
    """A SEM that answers only once `released` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    @override
    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        self.released.wait(20)
        return super().analyze(dialogues)


@tool
def find_ring(place: str) -> str:
    """Look for the ring."""
    return f"nothing in {place}"


def search(call_id: str = "1") -> AIMessage:
    """An answer that calls `find_ring`."""
    return AIMessage(
        "", tool_calls=[ToolCall(name="find_ring", args={"place": "the sink"}, id=call_id, type="tool_call")]
    )


SEARCH: Final = search()


def agent_on(model: ToolModel, *middleware: AgentMiddleware[Any, Any, Any], **settings: Any) -> Any:
    """A jeweller's agent with one tool."""
    return create_agent(model, [find_ring], system_prompt="You work for a jeweller.", middleware=middleware, **settings)


def run(model: ToolModel, sem: StubSem, *texts: str, **options: Any) -> dict[str, Any]:
    """One turn of the jeweller's agent with `EmpathyMiddleware` alone."""
    middleware = EmpathyMiddleware(sem, options=ReadingOptions(**options))
    return invoke(agent_on(model, middleware), *(texts or ("I lost my ring.",)))


def invoke(agent: Any, *said: str | AnyMessage) -> dict[str, Any]:
    """One turn in which the user says these texts, or these messages are what has been said."""
    messages = [HumanMessage(each) if isinstance(each, str) else each for each in said]
    out: dict[str, Any] = agent.invoke({"messages": messages})
    return out
