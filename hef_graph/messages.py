"""LangChain messages ↔ the turns of a dialogue, and what comes in made fit for every later step."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, convert_to_messages

from hef_graph.errors import HefInputError
from hef_graph.types import Role, Turn

_UNSAFE: Final = re.compile(r"[\ud800-\udfff]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|[\u202a-\u202e\u2066-\u2069]")
"""Lone surrogates (checkpointers and tokenizers refuse them), control characters, bidirectional overrides."""

_UNKEPT: Final = re.compile(r"[\ud800-\udfff\x00]")
"""What databases and servers refuse."""

DEEPEST: Final = 50
"""Levels of lists and objects in a message; serializers give up on more than some hundred."""

_LARGEST: Final = 2**63


def read_messages(given: Any) -> list[BaseMessage]:
    """Messages in any form that LangChain takes, as every checkpointer and server can keep them.

    Raises:
        HefInputError: something is no message, or holds what is no plain JSON; it is named by its place and kind.
    """
    if given is None:
        raise HefInputError('there are no messages (None); give {"messages": [("user", text)]}')
    return [_read(one, index) for index, one in enumerate(given if isinstance(given, list) else [given])]


def text_of(message: BaseMessage) -> str:
    """The message's text; none of what is no text."""
    return str(message.text) if _is_readable(message.content) else ""


def clean_text(text: str) -> str:
    r"""Text that every later step can take: one kind of line break, no surrogates, controls or bidi overrides.

    >>> clean_text("so\r\nsad\x00 \ud83d")
    'so\nsad\ufffd \ufffd'
    """
    return replace_unsafe(text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def replace_unsafe(text: str) -> str:
    """Text of the same length without surrogates, controls or bidi overrides."""
    return _UNSAFE.sub("\ufffd", text)


def turns_from_messages(messages: Sequence[BaseMessage]) -> list[Turn]:
    """The spoken turns: what people said is the speaker's, what models said the listener's.

    System and tool messages, tool calls and images are not speech; neighbouring messages of one side are one turn.

    Raises:
        HefInputError: no text, or the newest turn is not the user's.
    """
    turns: list[Turn] = []
    for message in messages:
        text, role = clean_text(text_of(message)), _role_of(message)
        if role is None or not text:
            continue
        if turns and turns[-1].role == role:
            turns[-1] = Turn(role, f"{turns[-1].text}\n{text}")
        else:
            turns.append(Turn(role, text))
    _require_speaker_last(turns, messages)
    return turns


def map_texts(content: Any, change: Callable[[str], str]) -> Any:
    """A message's content with each of its texts changed: the content itself, or the texts among its blocks.

    >>> map_texts(["so", {"type": "text", "text": "sad"}, {"type": "image", "url": "x"}], str.upper)
    ['SO', {'type': 'text', 'text': 'SAD'}, {'type': 'image', 'url': 'x'}]
    """
    return (
        [_map_block(block, change) for block in content] if isinstance(content, list) else _map_block(content, change)
    )


def _map_block(block: Any, change: Callable[[str], str]) -> Any:
    """One block; a list inside a list holds none."""
    if isinstance(block, str):
        return change(block)
    written = isinstance(block, dict) and block.get("type") == "text" and isinstance(block.get("text"), str)
    return {**block, "text": change(block["text"])} if written else block


def words_of_the_application(messages: Sequence[BaseMessage], system_prompt: str | None) -> str | None:
    """The system prompt and the texts of all system messages, in this order; None if there are none."""
    written = [text_of(message) for message in messages if isinstance(message, SystemMessage)]
    return "\n\n".join(text for text in (system_prompt, *written) if text) or None


def _read(given: Any, index: int) -> BaseMessage:
    try:
        [message] = convert_to_messages([given])
    except Exception:  # noqa: BLE001  LangChain raises many kinds, and repeats what it was given
        form = "a message, a (role, text) pair or {'role', 'content'}"
        raise HefInputError(f"message {index} ({type(given).__name__}) cannot be read; give {form}") from None
    try:
        return _keepable(message)
    except HefInputError as error:
        raise HefInputError(f"message {index} {error}") from None


def _keepable(message: BaseMessage) -> BaseMessage:
    """The message without what cannot be kept; of what models and tools said only plain text is looked at."""
    if not _is_readable(message.content):
        raise HefInputError("has content that is neither a text nor a list of blocks")
    users = isinstance(message, HumanMessage)
    names = ("content", "additional_kwargs", "name", "id") if users else ("content",)
    kept = {name: _plain(getattr(message, name)) if users else _plain_text(getattr(message, name)) for name in names}
    return message.model_copy(update=kept) if any(getattr(message, name) != kept[name] for name in names) else message


def _is_readable(content: Any) -> bool:
    return isinstance(content, str) or (
        isinstance(content, list) and all(isinstance(block, str | dict) for block in content)
    )


def _plain(value: Any, depth: int = 0) -> Any:
    """A JSON value whose texts can be kept.

    Raises:
        HefInputError: it is none; the text goes on from the name of what holds it.
    """
    if depth > DEEPEST:
        raise HefInputError(f"is nested deeper than {DEEPEST} levels; send plainer content")
    match value:
        case None | bool() | str():
            return _plain_text(value)
        case dict():
            return {_plain_text(str(key)): _plain(each, depth + 1) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each, depth + 1) for each in value]
        case int() if -_LARGEST <= value < _LARGEST:
            return value
        case float() if math.isfinite(value):
            return value
        case int() | float():
            raise HefInputError("holds a number that JSON or databases cannot take; write it as a text")
    raise HefInputError(f"holds a {type(value).__name__}, which is no JSON; bytes are sent as base64 texts")


def _plain_text(value: Any) -> Any:
    return _UNKEPT.sub("\ufffd", value) if isinstance(value, str) else value


def _role_of(message: BaseMessage) -> Role | None:
    if isinstance(message, HumanMessage):
        return "speaker"
    return "listener" if isinstance(message, AIMessage) else None


def _require_speaker_last(turns: list[Turn], messages: Sequence[BaseMessage]) -> None:
    if not turns:
        raise HefInputError(f"no text to answer in {len(messages)} messages; the newest must be the user's text")
    newest_human = next((m for m in reversed(messages) if isinstance(m, HumanMessage)), None)
    if turns[-1].role != "speaker" or newest_human is None or not clean_text(text_of(newest_human)):
        raise HefInputError("the newest turn must be the user's and hold text (images alone cannot be read)")
