"""A local Hugging Face model as a chat model that can write nothing but a reply that fits the schema.

The model comes as LangChain's `HuggingFacePipeline` or `ChatHuggingFace`, and its pipeline generates, with its device
and its sampling settings. LangChain's own call is not used: its stream waits for spaces, decodes what is no exact JSON,
notices an error after a minute and cannot be stopped; its prompt is begun twice (`<s><s>`) and refused where the
template knows no system role; and it has no async side. Async callers run this one in a thread of `deadline`.
"""

import atexit
import contextvars
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakSet

from langchain_core.caches import BaseCache
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field
from typing_extensions import override

from hef_graph.chat.deadline import Deadline
from hef_graph.chat.grammar import ReplyWriter, Vocabulary, read_bounds, read_vocabulary, reply_grammar
from hef_graph.chat.rendering import render_prompt
from hef_graph.errors import HefModelError

SETTINGS: Final = {
    "return_full_text": False,
    "eos_token_id": None,
    "max_time": None,
    "stop_strings": None,
    "num_beams": 1,
    "num_return_sequences": 1,
    "prompt_lookup_num_tokens": None,
}
"""What a grammar and a stream cannot go with: the writer alone says where the reply ends, and reads one token at a
time. All else, the sampling above all, is left as the pipeline has it."""


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all calls to one pipeline share."""

    vocabulary: Vocabulary
    turn: threading.Lock = field(default_factory=threading.Lock)
    """One call at a time: neither fast tokenizers nor static caches can be used by two threads at once."""


_SHARED: Final[WeakKeyDictionary[Any, _Shared]] = WeakKeyDictionary()
_SHARING: Final = threading.Lock()
"""A vocabulary is read once for each pipeline, not at every turn, and goes when the pipeline does."""

_WRITERS: Final[WeakSet[ReplyWriter]] = WeakSet()
EXIT_WAIT: Final = 5.0
"""Seconds that a process which ends waits for the token being computed."""


class LocalReplyModel(BaseChatModel):
    """Answers with the JSON text of a reply; sync only."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    chat: Any
    """A `ChatHuggingFace` around a `HuggingFacePipeline`."""
    labels: tuple[str, ...]
    deadline: Deadline | None = None
    """When generation stops, whether or not anybody still waits."""
    cache: BaseCache | bool | None = Field(default=False, exclude=True)
    """Never: LangChain's global cache would know this model by its prompt alone."""

    @property
    def _llm_type(self) -> str:
        return "hef-local"

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        pieces: list[str] = []
        writer = self._writer(pieces.append)
        self._write(messages, writer)
        message = AIMessage(
            "".join(pieces), response_metadata=self._metadata(writer), usage_metadata=_count_tokens(writer)
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        pieces: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()
        writer = self._writer(pieces.put)
        _start(lambda: self._write(messages, writer), pieces.put)
        try:
            while isinstance(piece := pieces.get(), str):
                yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
        finally:
            writer.halt()
        if piece is not None:
            raise piece
        last = AIMessageChunk(
            content="",
            response_metadata=self._metadata(writer),
            usage_metadata=_count_tokens(writer),
            chunk_position="last",
        )
        yield ChatGenerationChunk(message=last)

    def _writer(self, show: Callable[[str], object]) -> ReplyWriter:
        pipeline = self.chat.llm.pipeline
        writer = ReplyWriter(_share(pipeline).vocabulary, self.labels, read_bounds(pipeline, self.deadline), show)
        _WRITERS.add(writer)
        return writer

    def _write(self, messages: Sequence[BaseMessage], writer: ReplyWriter) -> None:
        """Let the pipeline generate, one call at a time; the writer shows the reply as it grows."""
        pipeline = self.chat.llm.pipeline
        prompt = render_prompt(self.chat.tokenizer or pipeline.tokenizer, messages)
        turn = _share(pipeline).turn
        if turn.acquire(timeout=self.deadline.remaining if self.deadline else -1):
            try:
                if not writer.halted:
                    pipeline(
                        prompt.text,
                        add_special_tokens=prompt.add_special_tokens,
                        max_new_tokens=writer.total_tokens,
                        logits_processor=[writer.rule],
                        stopping_criteria=[writer.watch],
                        **SETTINGS,
                    )
            finally:
                turn.release()
        writer.close()

    def _metadata(self, writer: ReplyWriter) -> dict[str, Any]:
        return {"model_name": self.chat.model_id, "finish_reason": "stop", "ended_by": writer.ending}


def is_local(model: BaseChatModel) -> bool:
    """Whether it is a `ChatHuggingFace` around a `HuggingFacePipeline` that generates text; imports nothing."""
    llm = getattr(model, "llm", None)
    made = _is_made_by_langchain(model, "ChatHuggingFace") and _is_made_by_langchain(llm, "HuggingFacePipeline")
    return made and getattr(getattr(llm, "pipeline", None), "task", None) in {"", "text-generation"}


def as_chat_model(llm: Any) -> BaseChatModel:
    """A `HuggingFacePipeline` as a chat model, nothing downloaded; a chat model as it is.

    Raises:
        HefModelError: it is neither.
    """
    if isinstance(llm, BaseChatModel):
        return llm
    if not _is_made_by_langchain(llm, "HuggingFacePipeline"):
        raise HefModelError(f"the model is a {type(llm).__name__}; allowed are chat models and a HuggingFacePipeline")
    from langchain_huggingface import ChatHuggingFace  # noqa: PLC0415  an extra, imported where the pipeline was made

    return ChatHuggingFace(llm=llm, tokenizer=llm.pipeline.tokenizer, model_id=llm.model_id)


def constrain(model: BaseChatModel, labels: tuple[str, ...], *, deadline: Deadline | None = None) -> BaseChatModel:
    """The local model, held to the reply's schema token by token; sync only, whole or streamed.

    The pipeline's `max_new_tokens` bounds the response; the JSON around it comes on top.

    Args:
        model: one for which `is_local` holds.
        labels: the emotions that it may name.
        deadline: when generation stops, even if the thread it runs in was left alone.

    Raises:
        HefModelError: the model is of another kind, or its tokenizer is; or an extra is not installed.
    """
    if not is_local(model):
        raise HefModelError(f"a {type(model).__name__} is no ChatHuggingFace around a HuggingFacePipeline")
    reply_grammar(labels)
    local = LocalReplyModel(chat=model, labels=labels, deadline=deadline)
    _share(local.chat.llm.pipeline)
    return local


def _is_made_by_langchain(value: object, name: str) -> bool:
    kinds = type(value).__mro__
    return any(kind.__name__ == name and kind.__module__.startswith("langchain_huggingface.") for kind in kinds)


def _share(pipeline: Any) -> _Shared:
    with _SHARING:
        if pipeline not in _SHARED:
            _SHARED[pipeline] = _Shared(read_vocabulary(pipeline.tokenizer))
        return _SHARED[pipeline]


def _count_tokens(writer: ReplyWriter) -> UsageMetadata:
    sent, written = writer.prompt_tokens, writer.reply_tokens
    return UsageMetadata(input_tokens=sent, output_tokens=written, total_tokens=sent + written)


def _start(write: Callable[[], None], put: Callable[[BaseException | None], None]) -> None:
    """Run `write` in a thread with the caller's context; `put` gets its error, or None at the end."""

    def work() -> None:
        try:
            write()
        except BaseException as error:  # noqa: BLE001  handed to the caller's thread, which raises it
            put(error)
        else:
            put(None)

    threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True, name="hef-local-model").start()


@atexit.register
def _stop_all() -> None:
    """Let no generation run into the end of the process: torch would abort it."""
    for writer in tuple(_WRITERS):
        writer.halt()
    for shared in tuple(_SHARED.values()):
        shared.turn.acquire(timeout=EXIT_WAIT)
