"""`EmpatheticChatModel`: the whole flow as a chat model, for any chain."""

import math
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Final

from langchain_core.caches import BaseCache
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams, LanguageModelInput
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.prompt_values import ChatPromptValue, PromptValue
from langchain_core.runnables import RunnableConfig
from pydantic import ConfigDict, Field
from typing_extensions import override

from hef_graph.chat.answering import AnswerOptions, PreparedAnswer, Question, prepare_answer
from hef_graph.chat.crisis import FixedAnswer, answer_signal, find_signal, turns_since_crisis
from hef_graph.chat.deadline import Deadline
from hef_graph.chat.methods import Method
from hef_graph.chat.models import ModelLike, shared_model
from hef_graph.chat.reading import read_evidence
from hef_graph.chat.stopping import StopSequences
from hef_graph.chat.tracing import foresee_run, name_run
from hef_graph.crisis import DEFAULT_POLICY, CrisisPolicy
from hef_graph.defaults import build_listener, resolve_model, resolve_sem_or_missing
from hef_graph.messages import read_messages, turns_from_messages, words_of_the_application
from hef_graph.turn import ReadingOptions, instruct
from hef_graph.types import EmotionAnalysis

_UNHURRIED: Final = Deadline(math.inf)
"""For what has a deadline of its own inside."""

_RUN: Final = "run_manager"
"""`_stream` takes it; `BaseChatModel.stream` only hands on what it does not know."""


class EmpatheticChatModel(BaseChatModel):
    """Reads the emotion, instructs a large language model (LLM), and answers with the response as plain text.

    The emotion is in the message's `response_metadata["hef"]`, with `degraded_reason` beside it. A call may name
    another model (`invoke(…, model="provider:name")`); the LLM's own settings belong to the LLM. A crisis signal in the
    newest message is answered with help lines instead, and told in `response_metadata["hef"]["crisis"]`.

    ```python
    chain = prompt | EmpatheticChatModel(model="openai:gpt-4.1-mini") | StrOutputParser()
    ```
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    model: Any = None
    """A chat model, a "provider:name" string, or None for the embedded listener."""
    sem: Any = None
    """The small empathetic model (SEM); None for the shipped one."""
    system_prompt: str | None = None
    """The application's own words to the model."""
    reading: ReadingOptions = ReadingOptions()
    """How much of the SEM's analysis reaches the instruction."""
    deadline: float = 30.0
    """Seconds for one answer; then the rung below the LLM takes over."""
    method: Method | None = None
    """How the model is asked for the reply's schema at first; None chooses by what the model can do."""
    strict: bool = False
    """Raise a failing model's `HefReplyError`, or a failing SEM's `HefModelError`, instead."""
    crisis_policy: CrisisPolicy | None = Field(default=DEFAULT_POLICY, exclude=True)
    """What is a crisis and how it is answered (`SAFETY.md`); None switches the check off, at your own risk."""
    locale: str | None = None
    """The country whose help lines are shown."""
    cache: BaseCache | bool | None = Field(default=False, exclude=True)
    """Never: LangChain's global cache does not tell two of these models apart; the inner model may use it."""

    @property
    def _llm_type(self) -> str:
        return "hef"

    @override
    def stream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        named = name_run(config)
        run = foresee_run(CallbackManagerForLLMRun, named)
        yield from super().stream(input, named, stop=stop, **self._handing_on(run, kwargs))

    @override
    async def astream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        named = name_run(config)
        run = foresee_run(AsyncCallbackManagerForLLMRun, named)
        async for chunk in super().astream(input, named, stop=stop, **self._handing_on(run, kwargs)):
            yield chunk

    def _handing_on(self, run: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        """The call's arguments with its run, unless it will not be streamed: `_generate` is told of it anyway."""
        streams = self._should_stream(async_api=True, **{**kwargs, "stream": True})
        return {_RUN: run, **kwargs} if streams else kwargs

    @override
    def _convert_input(self, model_input: Any) -> PromptValue:
        if isinstance(model_input, PromptValue | str):
            return super()._convert_input(model_input)
        return ChatPromptValue(messages=read_messages(model_input))

    @override
    def _get_invocation_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        """What traces show of the call; the run that is handed on is no parameter of it."""
        shown = {key: value for key, value in kwargs.items() if key != _RUN}
        return super()._get_invocation_params(stop=stop, **shown)

    @override
    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        """What traces call this run: the model behind it, by the name that the model goes by itself."""
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = "hef"
        params.setdefault("ls_model_name", _name_of(self.model))
        return params

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        prepared = self._prepare(messages, kwargs.get("model"))
        result = prepared.model._generate(prepared.prompt, run_manager=run_manager)  # noqa: SLF001  the same call, not a second run in the traces
        return _stopped(result, _stops(prepared, stop))

    @override
    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        prepared = await self._aprepare(messages, kwargs.get("model"))
        result = await prepared.model._agenerate(prepared.prompt, run_manager=run_manager)  # noqa: SLF001  as above
        return _stopped(result, _stops(prepared, stop))

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        prepared = self._prepare(messages, kwargs.get("model"))
        stopping = StopSequences(_stops(prepared, stop))
        for chunk in prepared.model._stream(prepared.prompt, run_manager=run_manager):  # noqa: SLF001  as above
            yield stopping.pass_on(chunk)

    @override
    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        prepared = await self._aprepare(messages, kwargs.get("model"))
        stopping = StopSequences(_stops(prepared, stop))
        async for chunk in prepared.model._astream(prepared.prompt, run_manager=run_manager):  # noqa: SLF001  as above
            yield stopping.pass_on(chunk)

    def _prepare(self, messages: list[BaseMessage], model: ModelLike = None) -> PreparedAnswer:
        """Answer a crisis signal, or read the dialogue and put the question; `model` is this call's own."""
        deadline, turns = Deadline.after(self.deadline), turns_from_messages(messages)
        if self.crisis_policy and (signal := find_signal(self.crisis_policy, messages)):
            return PreparedAnswer(FixedAnswer(message=answer_signal(self.crisis_policy, signal, self.locale)), messages)
        reader = resolve_sem_or_missing(self.sem, strict=self.strict)

        def read() -> EmotionAnalysis:
            return reader.analyze([turns])[0]

        evidence = read_evidence(read, turns, self.reading, deadline=deadline, strict=self.strict)
        words = words_of_the_application(messages, self.system_prompt)
        since = turns_since_crisis(messages)
        instruction = instruct(evidence, self.reading, care=since is not None, system_prompt=words)
        question = Question(turns, evidence, instruction, tuple(reader.labels), since)
        listener, chosen = build_listener(reader), model or self.model
        answering = shared_model(chosen) if isinstance(chosen, str) else resolve_model(chosen, listener)
        return prepare_answer(answering, listener, question, AnswerOptions(deadline, self.method, self.strict))

    async def _aprepare(self, messages: list[BaseMessage], model: ModelLike = None) -> PreparedAnswer:
        """`_prepare`, off the event loop: the SEM computes, and a model named by a string imports its package."""
        return await _UNHURRIED.acall(lambda: self._prepare(messages, model))


def _name_of(model: Any) -> str:
    if isinstance(model, BaseChatModel):
        return model._get_ls_params().get("ls_model_name") or model._llm_type  # noqa: SLF001  what traces call it
    return str(model or "embedded listener")


def _stops(prepared: PreparedAnswer, stop: Sequence[str] | None) -> Sequence[str]:
    """The caller's stop sequences; none for help lines, of which nothing may be cut off."""
    return () if isinstance(prepared.model, FixedAnswer) else stop or ()


def _stopped(result: ChatResult, stop: Sequence[str]) -> ChatResult:
    [generation] = result.generations
    message = generation.message
    text = StopSequences(stop).cut(str(message.text))
    return ChatResult(generations=[ChatGeneration(message=message.model_copy(update={"content": text}))])
