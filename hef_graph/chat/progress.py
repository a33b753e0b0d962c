"""A streamed answer so far: JSON comes in, words go out."""

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk

from hef_graph.chat.asking import read_message
from hef_graph.chat.ladder import Attempt
from hef_graph.chat.methods import answer_text
from hef_graph.chat.release import SentenceGate
from hef_graph.errors import HefReplyError
from hef_graph.reply import partial_emotion, partial_response


class Progress:
    """The JSON text received, and the response text shown: whole sentences that passed the gate.

    Nothing is shown before one of the labels is settled: while nothing is, a wrong label can still be asked for again.
    """

    def __init__(
        self,
        labels: Sequence[str],
        on_emotion: Callable[[str], None] | None = None,
        known: frozenset[str] = frozenset(),
    ) -> None:
        self.failure: HefReplyError | None = None
        self._labels = labels
        self._on_emotion = on_emotion
        self._gate = SentenceGate(known)
        self._emotion: str | None = None
        self._received: BaseMessage | None = None
        self._text = ""
        self._shown = ""

    def add(self, chunk: Any) -> list[ChatGenerationChunk]:
        """Take in a chunk; give what it makes visible."""
        self._received = chunk if self._received is None else self._received + chunk
        self._text += answer_text(chunk)
        if self._emotion is None:
            self._settle()
        visible = self._gate.let_through(partial_response(self._text)) if self._emotion else ""
        new, self._shown = visible[len(self._shown) :], visible
        return [_chunk(new)] if new else []

    def attempt(self) -> Attempt:
        """What has come, for the ladder."""
        if self._received is None:
            return Attempt("", self.failure)
        read = read_message(self._received)
        return Attempt(self._text, self.failure or read.failure, self._shown, read.usage)

    def finish(self, message: AIMessage) -> list[ChatGenerationChunk]:
        """What is still to be shown, and the metadata, in the last chunk."""
        text = str(message.text)
        rest = text[len(self._shown) :] if text.startswith(self._shown) else ""
        return [_chunk(rest, message)]

    def _settle(self) -> None:
        self._emotion = partial_emotion(self._text, self._labels)
        if self._emotion and self._on_emotion:
            self._on_emotion(self._emotion)


def _chunk(text: str, last: AIMessage | None = None) -> ChatGenerationChunk:
    if last is None:
        return ChatGenerationChunk(message=AIMessageChunk(content=text))
    metadata, usage = last.response_metadata, last.usage_metadata
    return ChatGenerationChunk(
        message=AIMessageChunk(content=text, response_metadata=metadata, usage_metadata=usage, chunk_position="last")
    )
