"""Where a turn's input comes in: any form that LangChain takes, and an error of ours for anything else."""

from typing import Any, Final

from langchain_core.messages import BaseMessage
from langgraph.channels import EphemeralValue
from langgraph.graph import START
from langgraph.graph.state import CompiledStateGraph
from typing_extensions import override

from hef_graph.errors import HefInputError
from hef_graph.messages import read_messages

_BARE: Final = str | bytes | int | float | list | tuple | BaseMessage
"""What callers give in place of `{"messages": …}`; objects with fields, as of an embedding graph, are LangGraph's."""


class TurnInput(EphemeralValue[Any]):
    """The channel that a graph's input goes through, ahead of the first checkpoint.

    LangGraph's own would keep messages that no checkpointer can write, and refuse a bare text by repeating it.
    """

    __slots__ = ()

    @override
    def update(self, values: Any) -> bool:
        return super().update([_read_input(value) for value in values])


def guard_input(graph: CompiledStateGraph[Any, Any, Any, Any]) -> None:
    """Put `TurnInput` where the graph takes its input."""
    graph.channels[START] = TurnInput(graph.builder.input_schema)


def _read_input(given: Any) -> Any:
    if isinstance(given, _BARE):
        raise HefInputError(f'the input is a {type(given).__name__}; give {{"messages": [("user", text)]}}')
    if isinstance(given, dict) and "messages" in given:
        return {**given, "messages": read_messages(given["messages"])}
    return given
