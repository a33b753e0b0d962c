"""A node with a sync and an async side, at no cost of its own: LangGraph already traces the node around it."""

from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig
from typing_extensions import override

from hef_graph.graph.state import TurnState


class Twins(Runnable[TurnState, dict[str, Any]]):
    """Runs one function for `invoke` and `stream`, the other for their async twins."""

    def __init__(
        self, run: Callable[[TurnState], dict[str, Any]], arun: Callable[[TurnState], Awaitable[dict[str, Any]]]
    ) -> None:
        self._run, self._arun = run, arun

    @override
    def invoke(self, input: TurnState, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:
        return self._run(input)

    @override
    async def ainvoke(self, input: TurnState, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:
        return await self._arun(input)
