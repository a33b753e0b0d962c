"""`EmpatheticChatModel`: the whole flow as a chat model, for any chain."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import ConfigDict
from typing_extensions import override

from hef_graph.chat.answering import AnswerOptions, PreparedAnswer, Question, prepare_answer
from hef_graph.chat.deadline import Deadline
from hef_graph.chat.models import shared_model
from hef_graph.defaults import build_listener, resolve_model, resolve_sem
from hef_graph.messages import turns_from_messages, words_of_the_application
from hef_graph.turn import ReadingOptions, instruct, weigh_evidence


class EmpatheticChatModel(BaseChatModel):
    """Reads the emotion, instructs a large language model (LLM), and answers with the response as plain text.

    The emotion is in the message's `response_metadata["hef"]`, with `degraded_reason` beside it.

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
    strict: bool = False
    """Raise a failing model's `HefReplyError` instead."""

    @property
    def _llm_type(self) -> str:
        return "hef"

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        prepared = self._prepare(messages)
        return prepared.model._generate(prepared.prompt)  # noqa: SLF001  the same call, not a second run in the traces

    @override
    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        prepared = self._prepare(messages)
        return await prepared.model._agenerate(prepared.prompt)  # noqa: SLF001  as above

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        prepared = self._prepare(messages)
        yield from prepared.model._stream(prepared.prompt, run_manager=run_manager)  # noqa: SLF001  as above

    @override
    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        prepared = self._prepare(messages)
        async for chunk in prepared.model._astream(prepared.prompt, run_manager=run_manager):  # noqa: SLF001  as above
            yield chunk

    def _prepare(self, messages: list[BaseMessage]) -> PreparedAnswer:
        deadline = Deadline.after(self.deadline)
        turns, reader = turns_from_messages(messages), resolve_sem(self.sem)
        listener = build_listener(reader)
        model = shared_model(self.model) if isinstance(self.model, str) else resolve_model(self.model, listener)
        evidence = weigh_evidence(reader.analyze([turns])[0], turns, self.reading)
        words = words_of_the_application(messages, self.system_prompt)
        instruction = instruct(reader.labels, evidence, self.reading, system_prompt=words)
        question = Question(turns, evidence, instruction, tuple(reader.labels))
        return prepare_answer(model, listener, question, AnswerOptions(deadline, strict=self.strict))
