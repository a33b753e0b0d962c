"""A crisis turn as graph, middleware and chat model share it: the policy is asked first; its failure is no silence."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any, Final

from langchain_core.caches import BaseCache
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field
from typing_extensions import override

from hef_graph.crisis import DEFAULT_POLICY, CrisisEvent, CrisisPolicy, CrisisSignal
from hef_graph.errors import HefInputError

_log = logging.getLogger(__name__)

_MARK: Final = "hef"


def find_signal(policy: CrisisPolicy | None, messages: Sequence[BaseMessage]) -> CrisisSignal | None:
    """What the policy finds; a policy of the application's own that fails leaves the shipped one to look."""
    if policy is None:
        return None
    try:
        return policy.detect(messages)
    except Exception as error:  # noqa: BLE001  a policy of any make; its text may repeat the user's, so only its kind is told
        _log.warning("the crisis policy failed with %s; the shipped one looks instead", type(error).__name__)
        return DEFAULT_POLICY.detect(messages)


def answer_signal(policy: CrisisPolicy, signal: CrisisSignal, locale: str | None) -> AIMessage:
    """The fixed message, as a model's message that `turns_since_crisis` knows again; the event is told."""
    try:
        text = policy.respond(signal, locale)
        if not isinstance(text, str) or not text.strip():
            raise HefInputError(f"respond gave {type(text).__name__} without words")  # noqa: TRY301  told as any failure
    except Exception as error:  # noqa: BLE001  as above
        _log.warning("the crisis policy failed with %s; the shipped one answers instead", type(error).__name__)
        text = DEFAULT_POLICY.respond(signal, locale)
    _tell(policy, CrisisEvent(signal.category, signal.time, signal.who, locale))
    return AIMessage(text, response_metadata={_MARK: crisis_metadata(signal)})


def crisis_metadata(signal: CrisisSignal) -> dict[str, Any]:
    """What the message carries beside its text."""
    return {"emotion": None, "degraded_reason": None, "crisis": signal.to_json()}


def turns_since_crisis(messages: Sequence[BaseMessage]) -> int | None:
    """User messages since the last fixed answer to a signal; None if none of the messages is one."""
    answers = [index for index, message in enumerate(messages) if _is_crisis_answer(message)]
    return sum(isinstance(message, HumanMessage) for message in messages[answers[-1] :]) if answers else None


def _is_crisis_answer(message: BaseMessage) -> bool:
    told = message.response_metadata.get(_MARK)
    return isinstance(told, dict) and bool(told.get("crisis"))


class FixedAnswer(BaseChatModel):
    """A chat model that says one thing, whatever it is asked: a crisis answer where a chain expects a model."""

    message: AIMessage
    cache: BaseCache | bool | None = Field(default=False, exclude=True)
    """Never, as for the other models of a turn."""

    @property
    def _llm_type(self) -> str:
        return "hef-fixed"

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.message)])

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        metadata = self.message.response_metadata
        chunk = AIMessageChunk(content=str(self.message.text), response_metadata=metadata, chunk_position="last")
        yield ChatGenerationChunk(message=chunk)


def _tell(policy: CrisisPolicy, event: CrisisEvent) -> None:
    try:
        policy.on_event(event)
    except Exception as error:  # noqa: BLE001  a counter that is down must not take the answer with it
        _log.warning("the crisis policy's on_event failed with %s", type(error).__name__)
