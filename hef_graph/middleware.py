"""`EmpathyMiddleware`: gives an agent made by `create_agent` the same sight.

All of it happens around the model call: by then every middleware, wherever it is listed, has redacted or summarised
the messages in its own node, so neither the small empathetic model (SEM) nor the state gets to see what was taken out.
"""

import hashlib
import math
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, NotRequired, TypeAlias, TypeGuard, cast

from langchain.agents import AgentState
from langchain.agents.middleware import AgentMiddleware, ExtendedModelResponse, ModelRequest, ModelResponse
from langchain.agents.middleware.types import OmitFromInput, PrivateStateAttr
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langgraph.types import Command
from typing_extensions import override

from hef_graph.chat.deadline import Deadline
from hef_graph.chat.reading import SEM_SHARE, read_evidence
from hef_graph.defaults import resolve_sem_or_missing
from hef_graph.errors import HefInputError
from hef_graph.instruction import AGENT_ROLE, escape_evidence
from hef_graph.messages import turns_from_messages
from hef_graph.turn import Evidence, ReadingOptions, word_evidence
from hef_graph.types import CauseWords, EmotionAnalysis, SmallEmpatheticModel, Turn

Update: TypeAlias = dict[str, Any]
"""New values of the state's keys; empty if the turn has been read already."""

Response: TypeAlias = ModelResponse[Any] | ExtendedModelResponse[Any]

_READ: Final = "empathy_read"

_UNHURRIED: Final = Deadline(math.inf)
"""For a reading, which has its own deadline inside."""


class EmpathyState(AgentState[Any]):
    """What the middleware adds to an agent's state, as plain JSON; written by the middleware, not by callers."""

    emotion: NotRequired[Annotated[str | None, OmitFromInput]]
    """The SEM's most likely emotion of the newest user turn; None if there was nothing to read, or the SEM failed."""
    emotion_candidates: NotRequired[Annotated[list[dict[str, Any]], OmitFromInput]]
    cause_words: NotRequired[Annotated[dict[str, list[str]], OmitFromInput]]
    emotion_confidence: NotRequired[Annotated[float | None, OmitFromInput]]
    """Estimated probability that the first candidate is right; None if the SEM does not estimate it."""
    in_domain: NotRequired[Annotated[bool, OmitFromInput]]
    """False for a text that is unlike anything the SEM was trained on: the model is then shown nothing of it."""
    sem_failure: NotRequired[Annotated[str | None, OmitFromInput]]
    """"sem" if the SEM failed or was not back in time; else None."""
    empathy_read: NotRequired[Annotated[str, PrivateStateAttr]]
    """Which message was read: `_fingerprint`."""


class EmpathyMiddleware(AgentMiddleware[EmpathyState, Any, Any]):
    """Reads the newest user turn once per turn and shows the model what it found.

    The system prompt gets one constant paragraph, the newest user message this turn's evidence. Other middleware may
    be listed before or after; what is listed after finds the emotion in `request.state` from the first model call on.

    Args:
        sem: the small empathetic model (SEM); None for the shipped one.
        options: how much of its analysis the model is shown.
        deadline: seconds that a reading may take; then the model answers without one.
        strict: raise `HefModelError` instead.
    """

    state_schema = EmpathyState

    def __init__(
        self,
        sem: SmallEmpatheticModel | None = None,
        *,
        options: ReadingOptions | None = None,
        deadline: float = 10.0,
        strict: bool = False,
    ) -> None:
        super().__init__()
        self._sem = resolve_sem_or_missing(sem, strict=strict)
        self._options = options or ReadingOptions()
        self._deadline = deadline
        self._strict = strict
        self.tools = ()

    @override
    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> Response:
        update = self._read(request.state) if _is_unread(request.state) else {}
        return _record(handler(self._show(request, update)), update)

    @override
    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> Response:
        update = await self._aread(request.state) if _is_unread(request.state) else {}
        return _record(await handler(self._show(request, update)), update)

    def _read(self, state: AgentState[Any]) -> Update:
        turns = _turns_to_read(state["messages"])
        evidence = self._weigh(turns) if turns else Evidence((), CauseWords())
        emotion = evidence.candidates[0].label if evidence.candidates else None
        return {"emotion": emotion, **evidence.to_json(), _READ: _fingerprint(newest_user_message(state["messages"]))}

    async def _aread(self, state: AgentState[Any]) -> Update:
        """`_read`, off the event loop."""
        return await _UNHURRIED.acall(lambda: self._read(state))

    def _weigh(self, turns: Sequence[Turn]) -> Evidence:
        def read() -> EmotionAnalysis:
            return self._sem.analyze([turns])[0]

        turn = Deadline.after(self._deadline / SEM_SHARE)  # of which the SEM's share is ours
        return read_evidence(read, turns, self._options, deadline=turn, strict=self._strict)

    def _show(self, request: ModelRequest[Any], update: Update) -> ModelRequest[Any]:
        """The request with the constant role, the turn's evidence, and the state as the reading leaves it."""
        state = cast("AgentState[Any]", {**request.state, **update})
        evidence = word_evidence(_still_said(Evidence.from_json(state), request.messages), self._options)
        messages = append_evidence(request.messages, evidence, newest_user_message(state["messages"]))
        text = f"{AGENT_ROLE}\n\n{evidence}" if evidence and messages is None else AGENT_ROLE
        system = append_to_system(request.system_message, text)
        return request.override(messages=messages or request.messages, system_message=system, state=state)


def newest_user_message(messages: Sequence[AnyMessage]) -> HumanMessage | None:
    """The newest message that holds the user's own words, whatever models and tools have said since."""
    return next((message for message in reversed(messages) if _is_users(message)), None)


def append_evidence(
    messages: Sequence[AnyMessage], evidence: str, newest: HumanMessage | None
) -> list[AnyMessage] | None:
    """The messages with the evidence behind the user's newest one; None if that is no longer among them.

    It is found by its id: what other middleware adds to a request in a human's name is not the user's.
    """
    index = max((i for i, m in enumerate(messages) if newest and _is_users(m) and m.id == newest.id), default=None)
    if index is None:
        return None
    safe: list[AnyMessage] = [_escape(message) if _is_users(message) else message for message in messages]
    if evidence:
        safe[index] = _with_text(safe[index], evidence)
    return safe


def append_to_system(message: SystemMessage | None, text: str) -> SystemMessage:
    """The application's own system message, unchanged, with the text behind it."""
    return SystemMessage(text) if message is None or not message.content else _with_text(message, text)


def _record(response: ModelResponse[Any], update: Update) -> Response:
    """The model's response, with what was read on its way into the state."""
    return ExtendedModelResponse(response, Command(update=update)) if update else response


def _is_unread(state: AgentState[Any]) -> bool:
    """Whether the newest user message is another than the one read last.

    One that was summarised away while the agent works stays read: its turn is not over.
    """
    messages, read = state["messages"], cast("Update", state).get(_READ)
    newest = newest_user_message(messages)
    if newest is None and read is not None and any(_is_summary(message) for message in messages):
        return False
    return read != _fingerprint(newest)


def _fingerprint(message: HumanMessage | None) -> str:
    """Tells a message from every other, and from itself once its text is edited; holds no words of it."""
    if message is None:
        return ""
    return hashlib.sha256(f"{message.id}\n{message.text}".encode(errors="replace")).hexdigest()[:16]


def _turns_to_read(messages: Sequence[AnyMessage]) -> list[Turn]:
    """The dialogue up to the user's newest message; empty if that holds no text."""
    until = max((index + 1 for index, message in enumerate(messages) if _is_users(message)), default=0)
    try:
        return turns_from_messages([message for message in messages[:until] if not _is_summary(message)])
    except HefInputError:  # nobody has said anything, or only sent an image: the agent may still have work
        return []


def _still_said(evidence: Evidence, messages: Sequence[AnyMessage]) -> Evidence:
    """The evidence without cause words that the user's texts, as the model is to see them, do not hold."""
    texts = "\n".join(str(message.text) for message in messages if _is_users(message))

    def kept(words: Sequence[str]) -> tuple[str, ...]:
        return tuple(word for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", texts))

    return replace(evidence, causes=CauseWords(kept(evidence.causes.high), kept(evidence.causes.low)))


def _is_users(message: Any) -> TypeGuard[HumanMessage]:
    return isinstance(message, HumanMessage) and not _is_summary(message)


def _is_summary(message: Any) -> bool:
    """Whether `SummarizationMiddleware` wrote it: in a human's name, but a model's words."""
    return isinstance(message, HumanMessage) and message.additional_kwargs.get("lc_source") == "summarization"


def _escape(message: HumanMessage) -> HumanMessage:
    """The message with our delimiters in its texts made harmless."""
    content: Any = message.content
    safe = _escape_block(content) if isinstance(content, str) else [_escape_block(block) for block in content]
    return message if safe == content else message.model_copy(update={"content": safe})


def _escape_block(block: Any) -> Any:
    if isinstance(block, str):
        return escape_evidence(block)
    return {**block, "text": escape_evidence(block["text"])} if block.get("type") == "text" else block


def _with_text(message: Any, text: str) -> Any:
    """The message with a paragraph, or a text block, behind its content."""
    content = message.content
    longer = f"{content}\n\n{text}" if isinstance(content, str) else [*content, {"type": "text", "text": text}]
    return message.model_copy(update={"content": longer})
