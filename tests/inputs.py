"""What can come in: texts, messages and what is none, by name."""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from langchain_core.messages import AIMessage, FunctionMessage, HumanMessage, SystemMessage, ToolMessage

MEGABYTE: Final = 1_000_000

TEXTS: Final = {
    "punctuation": "?!...",
    "braces": "{sad} {0} {x.__class__} %s {",
    "bidi": "\u202eI won\u202c \u2066here\u2069",
    "surrogates": "half \ud83d an emoji \udc00",
    "controls": "bell\x07 escape\x1b[2J back\x08 \x9b31m",
    "nul": "a\x00b",
    "accents": "a" + "\u0301" * 5000,
    "emoji": "\U0001f622\U0001f44d\U0001f3fd\U0001f469\u200d\U0001f680" * 200,
    "right to left": "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 " * 100,
    "invisible": "\u200b\u2060\ufeff",
    "other blanks": "\u3000I\u00a0won\u2003",
    "line breaks": "I won\r\nthis\rone" + "\n" * 100_000 + "end",
    "one long word": "a" * 100_000,
    "chinese": "\u6211\u4eca\u5929\u5f88\u96be\u8fc7" * 1000,
    "markup": "<b>I</b> </evidence> <|im_end|> ```json",
    "private use": "\ue000\U000f0000\ufffe\U0010ffff",
}

NOTHING: Final = {"empty": "", "blanks": "  ", "line breaks": "\n\r\n\t", "other blanks": "\u3000\u00a0\u2003"}


def nested(depth: int) -> Any:
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    return value


def said(*blocks: Any) -> HumanMessage:
    return HumanMessage(content=[*blocks, {"type": "text", "text": "I won!"}])


def built(content: Any) -> HumanMessage:
    """As no check lets it through."""
    return HumanMessage.model_construct(content=content, additional_kwargs={}, response_metadata={})


READABLE: Final[dict[str, Any]] = {
    "an image": said({"type": "image_url", "image_url": {"url": "http://nowhere/x.png"}}),
    "a block of no known type": said({"type": "zorp", "zorp": [1, 2.5, None, True]}),
    "a block without type": said({"zorp": "x"}),
    "a text block without text": said({"type": "text", "text": None}, {"type": "text"}),
    "blocks of bare text": HumanMessage(content=["I ", "won!"]),
    "nested blocks": said({"type": "zorp", "deep": nested(40)}),
    "surrogates in a block": said({"type": "zorp", "\ud800": "\ud800"}),
    "surrogates beside the text": HumanMessage("I won!", name="\ud800", id="\udfff", additional_kwargs={"x": "\x00"}),
    "a pair": ("user", "I won!"),
    "an object": {"role": "user", "content": "I won!"},
    "a text": "I won!",
}
"""Single messages that hold something to answer."""

WITHOUT_TEXT: Final[dict[str, list[Any]]] = {
    "no message": [],
    "an image alone": [HumanMessage(content=[{"type": "image_url", "image_url": {"url": "http://nowhere/x.png"}}])],
    "an unknown block alone": [HumanMessage(content=[{"type": "zorp", "text": "x"}])],
    "null": [{"role": "user", "content": None}],
    "a tool's message": [ToolMessage("found it", tool_call_id="1")],
    "a function's message": [FunctionMessage(content="found it", name="f")],
    "a system message": [SystemMessage("Be kind.")],
    "a model's message": [HumanMessage("Hi."), AIMessage("Hello.")],
    **{f"{name} text": [HumanMessage(text)] for name, text in NOTHING.items()},
}
"""Conversations in which nothing waits for an answer."""

UNREADABLE: Final[dict[str, Any]] = {
    "a number": 5,
    "none": None,
    "bytes": b"I won!",
    "a set": {"I won!"},
    "an object of another kind": object(),
    "a triple": ("user", "I", "won!"),
    "an unknown role": ("bystander", "I won!"),
    "an object without role": {"text": "I won!"},
    "content of another kind": {"role": "user", "content": {"text": "I won!"}},
    "a block that is a number": {"role": "user", "content": [5]},
    "content that was never checked": built(None),
    "blocks that were never checked": built([5]),
    "bytes in a block": said({"type": "image", "data": b"\xff"}),
    "an object in a block": said({"type": "zorp", "data": object()}),
    "no number in a block": said({"type": "zorp", "data": float("nan")}),
    "a huge number in a block": said({"type": "zorp", "data": 10**400}),
    "blocks nested too deep": said({"type": "zorp", "deep": nested(5000)}),
    "an object beside the text": HumanMessage("I won!", additional_kwargs={"x": object()}),
}
"""What is no message, or one that no checkpointer could keep."""

LARGE: Final = {
    "words": "I lost my ring and cried all day. " * (MEGABYTE // 34),
    "one word": "a" * MEGABYTE,
    "line breaks": "I won" + "\n" * MEGABYTE + "it",
    "lines": "sad\n" * (MEGABYTE // 4),
    "brackets": "<" * MEGABYTE,
    "blanks": "<" + " " * MEGABYTE + "x",
    "accents": "a" + "\u0301" * (MEGABYTE // 2),
    "chinese": "\u6211" * (MEGABYTE // 3),
    "surrogates": "\ud83d" * (MEGABYTE // 3),
    "emoji": "\U0001f622" * (MEGABYTE // 4),
}
"""A megabyte each."""


def each(inputs: Mapping[str, Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("given", list(inputs.values()), ids=list(inputs))
