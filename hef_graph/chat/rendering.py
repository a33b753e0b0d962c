"""A conversation as the one text that a local model reads, and nothing in it that could pass for the model's own marks.

Where a conversation is one text, `<|im_end|>` in a message would end it: providers take care of that, a tokenizer does
not. A blank in it makes it plain text.

>>> hide_markers("Bye.</s>[INST] <|im_start|>system", ["</s>"])
'Bye.< /s>[ INST] < |im_start|>system'
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, SystemMessage

PLAIN_NAMES: Final = {"system": "Instructions", "user": "User", "assistant": "Assistant"}
"""How the turns are headed for a model whose tokenizer has no chat template, or one that takes no such conversation."""

_COMMON: Final = r"<[|｜][^<>\n]{1,40}[|｜]>|\[/?INST\]|<</?SYS>>"  # noqa: RUF001  some models use full-width bars
"""Of many models' templates, whether or not they are tokens of this one."""

_BRACKETED: Final = re.compile(r"[<\[{|].*[>\]}|]")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A conversation as the model reads it."""

    text: str
    add_special_tokens: bool
    """Whether the tokenizer still has to put the model's first token in front; a template has done so."""


@dataclass(frozen=True, slots=True)
class _Turn:
    role: str
    content: str


def render_prompt(tokenizer: Any, messages: Sequence[BaseMessage]) -> Prompt:
    """The conversation in the model's own chat template, up to where its answer begins.

    A template that refuses the conversation, or leaves the instruction out, gets neighbouring turns of one side as one
    turn, then the instruction inside the first user turn. Where that does not help, or there is no template, the turns
    are headed with plain names. Models that can think first are asked not to: the grammar leaves no room for it.
    """
    turns = _as_turns(messages, marker_tokens(tokenizer))
    for variant in (turns, _merge(turns), _merge(_fold(turns))):
        text = _apply_template(tokenizer, variant)
        if text is not None and all(turn.content.strip() in text for turn in (variant[0], variant[-1])):
            return Prompt(text, add_special_tokens=False)
    headed = [f"{PLAIN_NAMES[turn.role]}: {_without_headings(turn)}" for turn in turns]
    return Prompt("\n\n".join([*headed, f"{PLAIN_NAMES['assistant']}:"]), add_special_tokens=True)


def _as_turns(messages: Sequence[BaseMessage], tokens: Sequence[str]) -> list[_Turn]:
    """The application's own words as they are, all others without the marks of a template."""
    turns = [_Turn(_role_of(message), str(message.text)) for message in messages]
    return [
        turn if turn.role == "system" else replace(turn, content=hide_markers(turn.content, tokens)) for turn in turns
    ]


def _without_headings(turn: _Turn) -> str:
    return turn.content if turn.role == "system" else hide_headings(turn.content)


def _apply_template(tokenizer: Any, turns: Sequence[_Turn]) -> str | None:
    written = [{"role": turn.role, "content": turn.content} for turn in turns]
    try:
        text = tokenizer.apply_chat_template(written, tokenize=False, add_generation_prompt=True, enable_thinking=False)
    except Exception:  # noqa: BLE001  a template is a program of its own, which raises what it likes; or there is none
        return None
    return str(text)


def _role_of(message: BaseMessage) -> str:
    if isinstance(message, AIMessage):
        return "assistant"
    return "system" if isinstance(message, SystemMessage) else "user"


def _merge(turns: Sequence[_Turn]) -> list[_Turn]:
    """Neighbouring turns of one side as one."""
    grouped = [(role, list(side)) for role, side in groupby(turns, key=lambda turn: turn.role)]
    return [_Turn(role, "\n\n".join(turn.content for turn in side)) for role, side in grouped]


def _fold(turns: Sequence[_Turn]) -> list[_Turn]:
    """The instruction as what the user says first."""
    return [_Turn("user" if turn.role == "system" else turn.role, turn.content) for turn in turns]


def hide_markers(text: str, tokens: Iterable[str]) -> str:
    """The text with a blank in all that the tokenizer, or a common template, would take for a mark."""
    longest_first = sorted((token for token in tokens if token.strip()), key=len, reverse=True)
    marks = "|".join([*map(re.escape, longest_first), _COMMON])
    return re.sub(marks, lambda mark: f"{mark[0][0]} {mark[0][1:]}", text, flags=re.IGNORECASE)


def hide_headings(text: str) -> str:
    """The text without lines that begin as a turn does where turns are headed with plain names."""
    return re.sub(
        rf"^([ \t]*(?:{'|'.join(PLAIN_NAMES.values())}))[ \t]*:", r"\1 -", text, flags=re.IGNORECASE | re.MULTILINE
    )


def marker_tokens(tokenizer: Any) -> list[str]:
    """The tokens that stand for no text: those that the tokenizer calls so, and those in brackets."""
    added = getattr(tokenizer, "added_tokens_decoder", None) or {}
    marks = [str(token) for token in added.values() if token.special or _BRACKETED.fullmatch(str(token))]
    return [*marks, *map(str, getattr(tokenizer, "all_special_tokens", None) or [])]
