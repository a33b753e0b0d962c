"""`EmpathyMiddleware`: gives an agent made by `create_agent` the same sight."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NotRequired

from langchain.agents import AgentState
from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.runtime import Runtime
from typing_extensions import override

from hef_graph.defaults import resolve_sem
from hef_graph.errors import HefInputError
from hef_graph.instruction import escape_evidence
from hef_graph.messages import turns_from_messages
from hef_graph.turn import Evidence, ReadingOptions, weigh_evidence, word_evidence
from hef_graph.types import CauseWords, SmallEmpatheticModel


class EmpathyState(AgentState[Any]):
    """What the middleware adds to an agent's state, as plain JSON."""

    emotion: NotRequired[str | None]
    """The SEM's most likely emotion of the newest user turn."""
    emotion_candidates: NotRequired[list[dict[str, Any]]]
    cause_words: NotRequired[dict[str, list[str]]]
    emotion_confidence: NotRequired[float | None]
    """Estimated probability that the first candidate is right; None if the SEM does not estimate it."""
    in_domain: NotRequired[bool]
    """False for a text that is unlike anything the SEM was trained on: the model is then shown nothing of it."""


class EmpathyMiddleware(AgentMiddleware[EmpathyState, Any, Any]):
    """Reads the newest user turn once per turn and shows the model what it found.

    Args:
        sem: the small empathetic model (SEM); None for the shipped one.
        options: how much of its analysis the model is shown.
    """

    state_schema = EmpathyState

    def __init__(self, sem: SmallEmpatheticModel | None = None, *, options: ReadingOptions | None = None) -> None:
        super().__init__()
        self._sem = resolve_sem(sem)
        self._options = options or ReadingOptions()
        self.tools = ()

    @override
    def before_agent(self, state: EmpathyState, runtime: Runtime[Any]) -> dict[str, Any]:
        try:
            turns = turns_from_messages(state["messages"])
        except HefInputError:  # nothing of the user's to read: the agent may still have work
            return {"emotion": None, **Evidence((), CauseWords()).to_json()}
        evidence = weigh_evidence(self._sem.analyze([turns])[0], turns, self._options)
        return {"emotion": evidence.candidates[0].label, **evidence.to_json()}

    @override
    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        return handler(self._show(request))

    @override
    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        return await handler(self._show(request))

    def _show(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        shown = word_evidence(Evidence.from_json(request.state), self._options)
        return request.override(messages=append_evidence(request.messages, shown)) if shown else request


def append_evidence(messages: Sequence[AnyMessage], evidence: str) -> list[AnyMessage]:
    """The messages with the evidence behind the newest user text; what came before stays as it was."""
    last = max((i for i, message in enumerate(messages) if isinstance(message, HumanMessage)), default=None)
    if last is None:
        return list(messages)
    newest = messages[last]
    content: Any = newest.content
    if isinstance(content, str):
        content = f"{escape_evidence(content)}\n\n{evidence}"
    else:
        content = [*content, {"type": "text", "text": evidence}]
    return [*messages[:last], newest.model_copy(update={"content": content}), *messages[last + 1 :]]
