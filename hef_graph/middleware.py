"""`EmpathyMiddleware`: gives an agent made by `create_agent` the same sight.

All of it happens around the model call: by then every middleware, wherever it is listed, has redacted or summarised
the messages in its own node, so neither the small empathetic model (SEM) nor the state gets to see what was taken out.
"""

import hashlib
import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, NotRequired, TypeAlias, TypeGuard, cast

from langchain.agents import AgentState
from langchain.agents.middleware import AgentMiddleware, ExtendedModelResponse, ModelRequest, ModelResponse
from langchain.agents.middleware.types import OmitFromInput, PrivateStateAttr
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langgraph.types import Command
from typing_extensions import override

from hef_graph.chat.crisis import answer_signal, find_signal, turns_since_crisis
from hef_graph.chat.deadline import Deadline
from hef_graph.chat.honesty import without_claims
from hef_graph.chat.reading import SEM_SHARE, read_evidence
from hef_graph.crisis import DEFAULT_POLICY, CrisisPolicy
from hef_graph.defaults import resolve_sem_or_missing
from hef_graph.delimiters import escape_evidence
from hef_graph.errors import HefInputError
from hef_graph.instruction import AGENT_ROLE, CARE
from hef_graph.messages import map_texts, text_of, turns_from_messages
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
    crisis: NotRequired[Annotated[dict[str, Any] | None, OmitFromInput]]
    """None, or `{"category", "time", "who", "evidence"}`: the newest user message was answered with help lines."""
    since_crisis: NotRequired[Annotated[int | None, PrivateStateAttr]]
    """User turns since the last crisis signal; None if there was none."""
    empathy_read: NotRequired[Annotated[str, PrivateStateAttr]]
    """Which message was read: `_fingerprint`."""


class EmpathyMiddleware(AgentMiddleware[EmpathyState, Any, Any]):
    """Reads the newest user turn once per turn and shows the model what it found.

    A crisis signal in it is answered at once with help lines: neither the SEM nor the model is asked. Else the system
    prompt gets one constant paragraph, the newest user message this turn's evidence. Sentences in which the model
    claims to be a person are left out of its messages; an application that streams tokens has shown them by then. Other
    middleware may be listed before or after; what is listed after finds the emotion in `request.state` from the first
    model call on.

    Args:
        sem: the small empathetic model (SEM); None for the shipped one.
        options: how much of its analysis the model is shown.
        deadline: seconds that a reading may take; then the model answers without one.
        strict: raise `HefModelError` instead.
        crisis_policy: what is a crisis and how it is answered (`SAFETY.md`); None switches the check off, at your own
            responsibility.
        locale: the country whose help lines are shown, where the run's context has no `locale`.
    """

    state_schema = EmpathyState

    def __init__(
        self,
        sem: SmallEmpatheticModel | None = None,
        *,
        options: ReadingOptions | None = None,
        deadline: float = 10.0,
        strict: bool = False,
        crisis_policy: CrisisPolicy | None = DEFAULT_POLICY,
        locale: str | None = None,
    ) -> None:
        super().__init__()
        self._policy, self._locale = crisis_policy, locale
        self._sem = resolve_sem_or_missing(sem, strict=strict)
        self._options = options or ReadingOptions()
        self._deadline = deadline
        self._strict = strict
        self.tools = ()

    @override
    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> Response:
        unread = _is_unread(request.state)
        if unread and (answered := self._answer_crisis(request)):
            return answered
        update = self._read(request.state) if unread else {}
        return _record(_honest(handler(self._show(request, update))), update)

    @override
    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> Response:
        unread = _is_unread(request.state)
        if unread and (answered := await _UNHURRIED.acall(lambda: self._answer_crisis(request))):
            return answered
        update = await self._aread(request.state) if unread else {}
        return _record(_honest(await handler(self._show(request, update))), update)

    def _answer_crisis(self, request: ModelRequest[Any]) -> Response | None:
        """The fixed answer in the model's place; None if the newest turn carries no signal."""
        said = _messages_to_read(request.state["messages"])
        signal = find_signal(self._policy, said) if _holds_text(said) else None
        if self._policy is None or signal is None:
            return None
        context = getattr(request.runtime, "context", None)
        told = context.get("locale") if isinstance(context, Mapping) else getattr(context, "locale", None)
        locale = told or self._locale
        answer = answer_signal(self._policy, signal, locale)
        update = _reading(request.state, Evidence((), CauseWords())) | {"crisis": signal.to_json(), "since_crisis": 0}
        return _record(ModelResponse([answer]), update)

    def _read(self, state: AgentState[Any]) -> Update:
        turns = _turns_to_read(state["messages"])
        return _reading(state, self._weigh(turns) if turns else Evidence((), CauseWords()))

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
        role = AGENT_ROLE if state.get("since_crisis") is None else f"{AGENT_ROLE}\n\n{CARE}"
        text = f"{role}\n\n{evidence}" if evidence and messages is None else role
        system = append_to_system(request.system_message, text)
        return request.override(messages=messages or _escape_all(request.messages), system_message=system, state=state)


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
    safe = _escape_all(messages)
    if evidence:
        safe[index] = _with_text(safe[index], evidence)
    return safe


def append_to_system(message: SystemMessage | None, text: str) -> SystemMessage:
    """The application's own system message, unchanged, with the text behind it."""
    return SystemMessage(text) if message is None or not message.content else _with_text(message, text)


def _honest(response: ModelResponse[Any]) -> ModelResponse[Any]:
    """The response without sentences that claim to be a person."""
    return replace(response, result=[without_claims(message) for message in response.result])


def _record(response: ModelResponse[Any], update: Update) -> Response:
    """The model's response, with what was read on its way into the state."""
    return ExtendedModelResponse(response, Command(update=update)) if update else response


def _reading(state: AgentState[Any], evidence: Evidence) -> Update:
    """What the state is told of a reading of its newest user message."""
    kept = cast("Update", state).get("since_crisis")
    since = turns_since_crisis(state["messages"]) if kept is None else kept + 1
    return {
        "emotion": evidence.candidates[0].label if evidence.candidates else None,
        **evidence.to_json(),
        "crisis": None,
        "since_crisis": since,
        _READ: _fingerprint(newest_user_message(state["messages"])),
    }


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
    return hashlib.sha256(f"{message.id}\n{text_of(message)}".encode(errors="replace")).hexdigest()[:16]


def _turns_to_read(messages: Sequence[AnyMessage]) -> list[Turn]:
    """The dialogue up to the user's newest message; empty if that holds no text."""
    try:
        return turns_from_messages(_messages_to_read(messages))
    except HefInputError:  # nobody has said anything, or only sent an image: the agent may still have work
        return []


def _messages_to_read(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """All up to the user's newest message, without what models wrote in a human's name."""
    until = max((index + 1 for index, message in enumerate(messages) if _is_users(message)), default=0)
    return [message for message in messages[:until] if not _is_summary(message)]


def _holds_text(messages: Sequence[AnyMessage]) -> bool:
    return bool(_turns_to_read(messages))


def _still_said(evidence: Evidence, messages: Sequence[AnyMessage]) -> Evidence:
    """The evidence without cause words that the user's texts, as the model is to see them, do not hold."""
    texts = "\n".join(text_of(message) for message in messages if _is_users(message))

    def kept(words: Sequence[str]) -> tuple[str, ...]:
        return tuple(word for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", texts))

    return replace(evidence, causes=CauseWords(kept(evidence.causes.high), kept(evidence.causes.low)))


def _is_users(message: Any) -> TypeGuard[HumanMessage]:
    return isinstance(message, HumanMessage) and not _is_summary(message)


def _is_summary(message: Any) -> bool:
    """Whether `SummarizationMiddleware` wrote it: in a human's name, but a model's words."""
    return isinstance(message, HumanMessage) and message.additional_kwargs.get("lc_source") == "summarization"


def _escape_all(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    return [_escape(message) for message in messages]


def _escape(message: AnyMessage) -> AnyMessage:
    """The message with our delimiters in its texts made harmless, whoever wrote it: models and tools repeat users."""
    safe = message.content if isinstance(message, SystemMessage) else map_texts(message.content, escape_evidence)
    return message if safe == message.content else message.model_copy(update={"content": safe})


def _with_text(message: Any, text: str) -> Any:
    """The message with a paragraph, or a text block, behind its content."""
    content = message.content
    longer = f"{content}\n\n{text}" if isinstance(content, str) else [*content, {"type": "text", "text": text}]
    return message.model_copy(update={"content": longer})
