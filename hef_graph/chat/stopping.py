"""Stop sequences for a response that travels inside JSON: a model told of them would cut the JSON, so we cut."""

from collections.abc import Sequence

from langchain_core.outputs import ChatGenerationChunk


class StopSequences:
    """Lets one response pass up to the first stop sequence, whole or in chunks."""

    def __init__(self, sequences: Sequence[str]) -> None:
        self._sequences = [sequence for sequence in sequences if sequence]
        self._text = ""
        self._passed = 0

    def cut(self, text: str) -> str:
        """The text before the first stop sequence."""
        return text[: min((text.find(stop) for stop in self._sequences if stop in text), default=len(text))]

    def pass_on(self, chunk: ChatGenerationChunk) -> ChatGenerationChunk:
        """The chunk without what comes after a stop sequence, or may turn out to be the beginning of one."""
        if not self._sequences:
            return chunk
        message = chunk.message
        self._text += str(message.text)
        safe = self.cut(self._text)
        if safe == self._text and getattr(message, "chunk_position", None) != "last":
            safe = safe[: len(safe) - self._beginning()]
        new, self._passed = safe[self._passed :], max(self._passed, len(safe))
        return ChatGenerationChunk(message=message.model_copy(update={"content": new}))

    def _beginning(self) -> int:
        """So many characters at the end may be the beginning of a stop sequence."""
        starts = (stop[:size] for stop in self._sequences for size in range(1, len(stop)))
        return max((len(start) for start in starts if self._text.endswith(start)), default=0)
