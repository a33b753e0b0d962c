"""What one turn's answer comes to, and how it travels in an `AIMessage`."""

from dataclasses import dataclass
from typing import Any, Final

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata

from hef_graph.reply import printable

_KEY: Final = "hef"


@dataclass(frozen=True, slots=True)
class Outcome:
    """An emotion, the response, and why it is not what the large language model (LLM) first wrote."""

    emotion: str
    response: str
    degraded_reason: str | None = None
    usage: UsageMetadata | None = None
    """Tokens of all model calls of the turn, as far as the provider counts them."""

    def metadata(self) -> dict[str, Any]:
        """For `response_metadata`, read back by `read_outcome`."""
        return {_KEY: {"emotion": self.emotion, "degraded_reason": self.degraded_reason}}

    def to_message(self) -> AIMessage:
        """The response as plain text; the rest rides along in the metadata."""
        return AIMessage(printable(self.response), response_metadata=self.metadata(), usage_metadata=self.usage)

    def to_chunk(self) -> AIMessageChunk:
        """The same as the only chunk of a stream."""
        return AIMessageChunk(
            content=printable(self.response),
            response_metadata=self.metadata(),
            usage_metadata=self.usage,
            chunk_position="last",
        )


def read_outcome(message: BaseMessage) -> Outcome:
    """The outcome that a reply model put into its message."""
    values = message.response_metadata[_KEY]
    usage = getattr(message, "usage_metadata", None)
    return Outcome(values["emotion"], str(message.text), values["degraded_reason"], usage)
