"""The reply's schema, built from a label set, and the parsing of what a model wrote for it."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, cast

from langchain_core.utils.json import parse_partial_json
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from hef_graph.errors import HefReplyError

SCHEMA_NAME: Final = "empathetic_reply"

_UNPRINTABLE = re.compile(r"[\ud800-\udfff\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Half an emoji, written as one escape, and control characters: databases refuse them, terminals obey them."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A settled emotion and the answer written from it."""

    emotion: str
    response: str
    repair: str | None = None
    """Why the text had to be mended before it fitted the schema; None if it fitted as written."""


@lru_cache(maxsize=16)
def reply_schema(labels: tuple[str, ...]) -> type[BaseModel]:
    """The pydantic model that an LLM fills in: `emotion` (one of `labels`) first, then `response`."""
    return create_model(
        SCHEMA_NAME,
        __config__=ConfigDict(extra="forbid"),
        __doc__="The speaker's emotion, then the reply to the speaker.",
        emotion=(cast("type[str]", Literal[labels]), Field(description="The emotion that the speaker feels.")),
        response=(str, Field(description="The reply, written from that understanding.", min_length=1)),
    )


def json_schema(labels: Sequence[str]) -> dict[str, Any]:
    """The same as a strict JSON schema (no length limits: strict providers refuse them)."""
    return {
        "type": "object",
        "properties": {
            "emotion": {"type": "string", "enum": list(labels), "description": "The emotion that the speaker feels."},
            "response": {"type": "string", "description": "The reply, written from that understanding."},
        },
        "required": ["emotion", "response"],
        "additionalProperties": False,
    }


def parse_reply(text: str, labels: Sequence[str]) -> Reply:
    """Read a reply; small deviations (fences, prose around the object, a label's case) are mended and named.

    Raises:
        HefReplyError: it cannot be read; `cause` is "empty", "truncated", "prose", "label" or "schema".
    """
    if not text.strip():
        raise HefReplyError("empty", "the model answered nothing")
    values, repair = _find_object(text)
    return validate_reply(values, labels, repair=repair)


def validate_reply(values: object, labels: Sequence[str], *, repair: str | None = None) -> Reply:
    """Check an object that a model or a library has already parsed.

    Raises:
        HefReplyError: as in `parse_reply`.
    """
    given = values.model_dump() if isinstance(values, BaseModel) else values
    valid: Any = None
    with suppress(ValidationError):  # whose text repeats the answer
        valid = reply_schema(tuple(labels)).model_validate(given)
    if valid is None:
        return _mend(given, labels)
    response = printable(valid.response).strip()
    if not response:
        raise HefReplyError("empty", "the model's response is empty")
    return Reply(valid.emotion, response, repair)


def printable(text: str) -> str:
    """The text without what no database or terminal should get."""
    return _UNPRINTABLE.sub("", text)


def partial_response(text: str) -> str:
    """The part of the `response` field that a still growing JSON text shows; empty before it begins.

    A text that ends inside an escape is read up to the escape.
    """
    response = _partial_object(text).get("response")
    visible = response if isinstance(response, str) else ""
    return printable(visible).lstrip()


def partial_emotion(text: str, labels: Sequence[str]) -> str | None:
    """The label that a still growing JSON text has settled on; None until another field follows it."""
    values = _partial_object(text)
    settled = "emotion" in values and next(reversed(values)) != "emotion"
    return _known_label(values["emotion"], labels) if settled else None


def _partial_object(text: str) -> dict[str, Any]:
    """The object in a still growing JSON text, as far as it goes; empty before it begins."""
    start = text.find("{")
    if start < 0:
        return {}
    whole = re.sub(r"\\(u[0-9a-fA-F]{0,3})?$", "", text[start:])
    try:
        values = parse_partial_json(whole)
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _known_label(emotion: object, labels: Sequence[str]) -> str | None:
    """The label that a model meant; None if it is not one of `labels`."""
    known = {label.casefold(): label for label in labels}
    return known.get(str(emotion).strip(" .\"'").casefold())


def _find_object(text: str) -> tuple[object, str | None]:
    """The JSON value in a text, and the repair's name if the text is more than the value."""
    try:
        return json.loads(text), None
    except (ValueError, RecursionError):  # no JSON, or nested too deep, or a number of thousands of digits
        pass
    for match in re.finditer(r"\{", text):
        try:
            values, _ = json.JSONDecoder().raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(values, dict) and "response" in values:
            return values, "prose"
    if partial_response(text):
        raise HefReplyError("truncated", "the model's JSON object is cut off")
    raise HefReplyError("prose", "the model answered without a JSON object")


def _mend(values: object, labels: Sequence[str]) -> Reply:
    """Accept a label in another case or with extra keys around; refuse the rest with its cause."""
    if not isinstance(values, dict):
        raise HefReplyError("schema", f"expected a JSON object, got {type(values).__name__}")
    response, emotion = values.get("response"), values.get("emotion")
    if not isinstance(response, str):
        raise HefReplyError("schema", "the field 'response' is missing or not a text")
    response = printable(response).strip()
    if not response:
        raise HefReplyError("empty", "the model's response is empty")
    named = _known_label(emotion, labels)
    if named is None:
        raise HefReplyError("label", "the field 'emotion' is not one of the labels")
    return Reply(named, response, "schema" if emotion == named else "label")
