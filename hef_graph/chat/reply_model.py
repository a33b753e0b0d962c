"""Any chat model as one that answers with the response alone, the emotion settled first.

A wrapper chat model, called inside the graph's node: LangGraph then streams the response's words, never its JSON.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.caches import BaseCache
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field, SkipValidation
from typing_extensions import override

from hef_graph.chat.asking import Asker, silent_child
from hef_graph.chat.deadline import Deadline
from hef_graph.chat.failures import name_failure
from hef_graph.chat.ladder import Case, CutReply, Settled, settle
from hef_graph.chat.listener import EmbeddedListener
from hef_graph.chat.methods import Method, choose_method, learned_method
from hef_graph.chat.numbers import numbers_in
from hef_graph.chat.outcome import Outcome
from hef_graph.chat.progress import Progress
from hef_graph.errors import HefReplyError
from hef_graph.types import Turn


class ReplyModel(BaseChatModel):
    """Answers one turn: asks `inner` for the schema, walks down the ladder where it fails, shows only the response."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    inner: BaseChatModel
    labels: SkipValidation[tuple[str, ...]]
    listener: EmbeddedListener
    """The rung below; its evidence is the turn's."""
    turns: SkipValidation[Sequence[Turn]]
    """The conversation, for the rung below."""
    likeliest: str
    """The best guess at the emotion."""
    method: Method | None = None
    """None chooses by the model's class."""
    deadline: Deadline
    """The whole turn's."""
    reserve: float = 0.0
    """Seconds before it that the model must be done: the rung below needs them."""
    degraded: str | None = None
    """Why even the model's first answer comes from a rung below HEF; None if it does not."""
    strict: bool = False
    """Raise the `HefReplyError` instead of taking the rung below."""
    on_emotion: Callable[[str], None] | None = Field(default=None, exclude=True)
    """Told the emotion that a streamed answer settles on, before the first word of its response."""
    run: Any = Field(default=None, exclude=True)
    """The run of this call, where LangChain does not hand it on (`PreparedAnswer.invoke`)."""
    cache: BaseCache | bool | None = Field(default=False, exclude=True)
    """Never: LangChain's global cache knows a wrapper by its prompt alone; the inner model may use it."""

    @property
    def _llm_type(self) -> str:
        return "hef-reply"

    @override
    def to_json(self) -> Any:
        """For traces: its name alone, where LangChain would repeat every field, the conversation's turns among them."""
        return {"lc": 1, "type": "not_implemented", "id": [*self.lc_id()], "repr": None, "name": self.get_name()}

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        asker = self._asker(run_manager)
        settling = settle(self._case(messages, asker))
        call = next(settling)
        while True:
            try:
                call = settling.send(asker.ask(call))
            except StopIteration as end:
                return _result(self._conclude(end.value))

    @override
    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        asker = self._asker(run_manager)
        settling = settle(self._case(messages, asker))
        call = next(settling)
        while True:
            try:
                call = settling.send(await asker.aask(call))
            except StopIteration as end:
                return _result(await asyncio.to_thread(self._conclude, end.value))

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        asker = self._asker(run_manager)
        case = self._case(messages, asker)
        settling = settle(case)
        call = next(settling)
        while True:
            progress = Progress(self.labels, self.on_emotion, case.known)
            try:
                for chunk in asker.stream(call):
                    yield from progress.add(chunk)
            except Exception as error:  # noqa: BLE001  whatever a provider raises, the user gets an answer
                progress.failure = name_failure(error)
            try:
                call = settling.send(progress.attempt())
            except StopIteration as end:
                yield from progress.finish(self._conclude(end.value))
                return

    @override
    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        asker = self._asker(run_manager)
        case = self._case(messages, asker)
        settling = settle(case)
        call = next(settling)
        while True:
            progress = Progress(self.labels, self.on_emotion, case.known)
            try:
                async for chunk in asker.astream(call):
                    for shown in progress.add(chunk):
                        yield shown
            except Exception as error:  # noqa: BLE001  as in `_stream`
                progress.failure = name_failure(error)
            try:
                call = settling.send(progress.attempt())
            except StopIteration as end:
                for shown in progress.finish(await asyncio.to_thread(self._conclude, end.value)):
                    yield shown
                return

    def _asker(self, run: CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun | None) -> Asker:
        method, deadline = self.method or choose_method(self.inner), self.deadline.sooner(self.reserve)
        return Asker(self.inner, self.labels, method, deadline, silent_child(run or self.run))

    def _case(self, messages: Sequence[BaseMessage], asker: Asker) -> Case:
        """The turn's request; numbers that the conversation or the application's words hold may be repeated."""
        method = learned_method(self.inner, asker.method)
        said = [*(str(message.text) for message in messages), *(turn.text for turn in self.turns)]
        return Case(messages, self.labels, self.likeliest, method, lambda: asker.deadline.remaining, numbers_in(said))

    def _conclude(self, settled: Settled) -> AIMessage:
        """The answer as a message; what the model left undone, the rung below makes good."""
        if self.strict:
            return _require_whole(settled).to_message()
        outcome = settled
        if isinstance(outcome, CutReply):
            outcome = self._close(outcome)
        elif isinstance(outcome, HefReplyError):
            outcome = self.listener.answer_in_time(self.turns, outcome.cause)
        if self.degraded and (outcome.degraded_reason or "repaired:").startswith("repaired:"):
            outcome = replace(outcome, degraded_reason=self.degraded)
        return outcome.to_message()

    def _close(self, cut: CutReply) -> Outcome:
        """A reply that has a sentence is closed; less than that is completed by the rung below."""
        if cut.has_sentence:
            return Outcome(cut.emotion, cut.closed, cut.problem.cause, cut.usage)
        completion = self.listener.answer_in_time(self.turns, cut.problem.cause).response
        return Outcome(cut.emotion, f"{cut.closed} {completion}", cut.problem.cause, cut.usage)


def _require_whole(settled: Settled) -> Outcome:
    """The model's own whole answer, repaired perhaps; anything else is raised."""
    if isinstance(settled, HefReplyError):
        raise settled from None  # whoever waited for it may hold what the model wrote
    if isinstance(settled, CutReply):
        raise settled.problem from None
    reason = settled.degraded_reason or ""
    if reason and not reason.startswith("repaired:"):
        raise HefReplyError(reason, f"the model's answer is unusable: {reason}") from None
    return settled


def _result(message: AIMessage) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=message)])
