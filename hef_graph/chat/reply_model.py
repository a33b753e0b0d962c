"""Any chat model as one that answers with the response alone, the emotion settled first.

A wrapper chat model, called inside the graph's node: LangGraph then streams the response's words, never its JSON.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Final

from langchain_core.caches import BaseCache
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableConfig
from pydantic import ConfigDict, Field
from typing_extensions import override

from hef_graph.chat.deadline import Deadline
from hef_graph.chat.failures import name_failure
from hef_graph.chat.ladder import Attempt, Case, settle
from hef_graph.chat.listener import EmbeddedListener, fixed_answer
from hef_graph.chat.methods import Method, answer_text, bind_schema, check_finish, choose_method
from hef_graph.chat.outcome import Outcome
from hef_graph.errors import HefReplyError
from hef_graph.reply import partial_emotion, partial_response
from hef_graph.types import Turn

SILENT: Final[RunnableConfig] = {"tags": ["nostream"]}
"""Keeps the inner model's JSON out of LangGraph's message stream."""


class ReplyModel(BaseChatModel):
    """Answers one turn: asks `inner` for the schema, walks down the ladder where it fails, shows only the response."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    inner: BaseChatModel
    labels: tuple[str, ...]
    listener: EmbeddedListener
    """The rung below; its evidence is the turn's."""
    turns: Sequence[Turn]
    """The conversation, for the rung below."""
    likeliest: str
    """The SEM's best candidate."""
    method: Method | None = None
    """None chooses by the model's class."""
    deadline: Deadline
    """When the rung below takes over."""
    strict: bool = False
    """Raise the `HefReplyError` instead of taking the rung below."""
    cache: BaseCache | bool | None = Field(default=False, exclude=True)
    """Never: LangChain's global cache knows a wrapper by its prompt alone; the inner model may use it."""

    @property
    def _llm_type(self) -> str:
        return "hef-reply"

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        settling = settle(self._case(messages))
        prompt = next(settling)
        while True:
            try:
                prompt = settling.send(self._attempt(prompt))
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
        settling = settle(self._case(messages))
        prompt = next(settling)
        while True:
            try:
                prompt = settling.send(await self._aattempt(prompt))
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
        settling, progress = settle(self._case(messages)), _Progress(self.labels)
        try:
            request = list(next(settling))
            for chunk in self.deadline.iterate(lambda: self._bound().stream(request, SILENT)):
                yield from progress.add(chunk)
        except Exception as error:  # noqa: BLE001  whatever a provider raises, the user gets an answer
            progress.failure = name_failure(error)
        try:
            prompt = settling.send(progress.attempt())
            while True:
                prompt = settling.send(self._attempt(prompt))
        except StopIteration as end:
            yield from progress.finish(self._conclude(end.value))

    @override
    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        settling, progress = settle(self._case(messages)), _Progress(self.labels)
        try:
            async for chunk in self._chunks(list(next(settling))):
                for shown in progress.add(chunk):
                    yield shown
        except Exception as error:  # noqa: BLE001  whatever a provider raises, the user gets an answer
            progress.failure = name_failure(error)
        try:
            prompt = settling.send(progress.attempt())
            while True:
                prompt = settling.send(await self._aattempt(prompt))
        except StopIteration as end:
            for shown in progress.finish(await asyncio.to_thread(self._conclude, end.value)):
                yield shown

    def _case(self, messages: Sequence[BaseMessage]) -> Case:
        return Case(messages, self.labels, self.likeliest)

    def _bound(self) -> Any:
        return bind_schema(self.inner, self.labels, self.method or choose_method(self.inner))

    def _attempt(self, prompt: Sequence[BaseMessage]) -> Attempt:
        try:
            return _read(self.deadline.call(lambda: self._bound().invoke(list(prompt), SILENT)))
        except Exception as error:  # noqa: BLE001  whatever a provider raises, the user gets an answer
            return Attempt("", name_failure(error))

    async def _aattempt(self, prompt: Sequence[BaseMessage]) -> Attempt:
        try:
            return _read(await self._answer(list(prompt)))
        except Exception as error:  # noqa: BLE001  whatever a provider raises, the user gets an answer
            return Attempt("", name_failure(error))

    async def _answer(self, prompt: list[BaseMessage]) -> BaseMessage:
        bound = self._bound()
        if _only_blocks(self.inner):
            return await self.deadline.acall(lambda: bound.invoke(prompt, SILENT))
        return await self.deadline.wait(bound.ainvoke(prompt, SILENT))

    def _chunks(self, prompt: list[BaseMessage]) -> AsyncIterator[BaseMessage]:
        bound = self._bound()
        if _only_blocks(self.inner):
            return self.deadline.aiterate_blocking(lambda: bound.stream(prompt, SILENT))
        return self.deadline.aiterate(bound.astream(prompt, SILENT))

    def _conclude(self, settled: Outcome | HefReplyError) -> AIMessage:
        """The answer as a message; an error is made good by the embedded listener, or by the fixed text."""
        if isinstance(settled, Outcome):
            if self.strict and settled.degraded_reason and not settled.degraded_reason.startswith("repaired:"):
                raise HefReplyError(
                    settled.degraded_reason, f"the model's answer is unusable: {settled.degraded_reason}"
                )
            return settled.to_message()
        if self.strict:
            raise settled
        try:
            return self.listener.answer(self.turns, settled.cause).to_message()
        except Exception:  # noqa: BLE001  a SEM of any make stands below; the last rung needs no model
            return fixed_answer(settled.cause, self.likeliest)


class _Progress:
    """A streamed answer so far: the JSON text received, and the response text shown.

    Nothing is shown before one of the labels is settled: while nothing is, a wrong label can still be asked for again.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self.failure: HefReplyError | None = None
        self._labels = labels
        self._received: BaseMessage | None = None
        self._text = ""
        self._shown = ""

    def add(self, chunk: Any) -> list[ChatGenerationChunk]:
        """Take in a chunk; give what it makes visible."""
        self._received = chunk if self._received is None else self._received + chunk
        self._text += answer_text(chunk)
        settled = self._shown or partial_emotion(self._text, self._labels)
        visible = partial_response(self._text).rstrip() if settled else ""
        new = visible[len(self._shown) :] if visible.startswith(self._shown) else ""
        self._shown += new
        return [_chunk(new)] if new else []

    def attempt(self) -> Attempt:
        """The first attempt, for the ladder."""
        if self._received is None:
            return Attempt("", self.failure)
        read = _read(self._received)
        return Attempt(self._text, self.failure or read.failure, self._shown, read.usage)

    def finish(self, message: AIMessage) -> list[ChatGenerationChunk]:
        """What is still to be shown, and the metadata, in the last chunk."""
        text = str(message.text)
        rest = text[len(self._shown) :] if text.startswith(self._shown) else ""
        return [_chunk(rest, message)]


def _only_blocks(model: BaseChatModel) -> bool:
    """Whether a model has no async side of its own: LangChain would run it in threads that nobody can leave."""
    kind = type(model)
    return kind._agenerate is BaseChatModel._agenerate and kind._astream is BaseChatModel._astream  # noqa: SLF001


def _read(message: BaseMessage) -> Attempt:
    failure: HefReplyError | None = None
    try:
        check_finish(message)
    except HefReplyError as error:
        failure = error
    usage = getattr(message, "usage_metadata", None)
    whole = usage and "total_tokens" in usage  # an answer from LangChain's cache may hold costs alone
    return Attempt(answer_text(message), failure, usage=usage if whole else None)


def _result(message: AIMessage) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=message)])


def _chunk(text: str, last: AIMessage | None = None) -> ChatGenerationChunk:
    if last is None:
        return ChatGenerationChunk(message=AIMessageChunk(content=text))
    metadata, usage = last.response_metadata, last.usage_metadata
    return ChatGenerationChunk(
        message=AIMessageChunk(content=text, response_metadata=metadata, usage_metadata=usage, chunk_position="last")
    )
