"""LangChain messages ↔ the turns of a dialogue, and the cleaning of incoming text."""

import re
from collections.abc import Sequence
from typing import Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from hef_graph.errors import HefInputError
from hef_graph.types import Role, Turn

_UNSAFE: Final = re.compile(r"[\ud800-\udfff]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|[\u202a-\u202e\u2066-\u2069]")
"""Lone surrogates (checkpointers and tokenizers refuse them), control characters, bidirectional overrides."""


def clean_text(text: str) -> str:
    r"""Text that every later step can take: one kind of line break, no surrogates, controls or bidi overrides.

    >>> clean_text("so\r\nsad\x00 \ud83d")
    'so\nsad\ufffd \ufffd'
    """
    return _UNSAFE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def turns_from_messages(messages: Sequence[BaseMessage]) -> list[Turn]:
    """The spoken turns: what people said is the speaker's, what models said the listener's.

    System and tool messages, tool calls and images are not speech; neighbouring messages of one side are one turn.

    Raises:
        HefInputError: no text, or the newest turn is not the user's.
    """
    turns: list[Turn] = []
    for message in messages:
        text, role = clean_text(str(message.text)), _role_of(message)
        if role is None or not text:
            continue
        if turns and turns[-1].role == role:
            turns[-1] = Turn(role, f"{turns[-1].text}\n{text}")
        else:
            turns.append(Turn(role, text))
    _require_speaker_last(turns, messages)
    return turns


def words_of_the_application(messages: Sequence[BaseMessage], system_prompt: str | None) -> str | None:
    """The system prompt and the texts of all system messages, in this order; None if there are none."""
    written = [str(message.text) for message in messages if isinstance(message, SystemMessage)]
    return "\n\n".join(text for text in (system_prompt, *written) if text) or None


def _role_of(message: BaseMessage) -> Role | None:
    if isinstance(message, HumanMessage):
        return "speaker"
    return "listener" if isinstance(message, AIMessage) else None


def _require_speaker_last(turns: list[Turn], messages: Sequence[BaseMessage]) -> None:
    if not turns:
        raise HefInputError(f"no text to answer in {len(messages)} messages; the newest must be the user's text")
    newest_human = next((m for m in reversed(messages) if isinstance(m, HumanMessage)), None)
    if turns[-1].role != "speaker" or newest_human is None or not clean_text(str(newest_human.text)):
        raise HefInputError("the newest turn must be the user's and hold text (images alone cannot be read)")
