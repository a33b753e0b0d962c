"""How each provider is asked for the reply's schema, and where in its answer the reply's text is."""

import json
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableLambda

from hef_graph.chat.deadline import Deadline
from hef_graph.chat.local import constrain, is_local
from hef_graph.errors import HefReplyError
from hef_graph.reply import SCHEMA_NAME, json_schema, reply_schema

Method: TypeAlias = Literal["json_schema", "function_calling", "json_mode", "native", "grammar", "plain"]
"""json_schema: constrained decoding · function_calling: a forced tool call · json_mode: any JSON object · native: the
model class's own `with_structured_output` · grammar: a local model's tokens, each checked · plain: the instruction
alone."""

LOWER: Final[Mapping[Method, Method]] = {
    "json_schema": "function_calling",
    "function_calling": "json_mode",
    "json_mode": "plain",
    "native": "plain",
}
"""What to try where a provider refuses a method."""

IN_WORDS: Final = 'Answer with one JSON object: {{"emotion": one of [{labels}], "response": your reply}}.'
"""The schema, for models that are not shown it: some answer freely, of others only the tokens are held to it."""

_SHOWING: Final = (".openai.com", ".azure.com")
"""Services that put a JSON schema before the model; servers of open models (vLLM, llama.cpp) only hold tokens to it."""

_learned: dict[tuple[int, Method], Method] = {}
"""For a model and the method that it was to be asked with, the one that it took."""


def choose_method(model: BaseChatModel) -> Method:
    """The best way that this model offers, by its class and by what its profile denies.

    LangChain's own integrations are known to stream a forced tool call, so that words can be shown while the model
    still writes; of any other class its own `with_structured_output` is the surest sign of what it can do.
    """
    kind = type(model)
    if is_local(model):
        return "grammar"
    if any(base.__module__.startswith("langchain_openai.") for base in kind.__mro__):
        return _allowed_by_profile(model)
    structures = kind.with_structured_output is not BaseChatModel.with_structured_output
    if structures and not kind.__module__.startswith("langchain_"):
        return "native"
    if kind.bind_tools is not BaseChatModel.bind_tools:
        return "function_calling"
    return "native" if structures else "plain"


def _allowed_by_profile(model: BaseChatModel) -> Method:
    profile: Mapping[str, Any] = getattr(model, "profile", None) or {}
    if profile.get("structured_output") is not False:
        return "json_schema"
    return "function_calling" if profile.get("tool_calling") is not False else "json_mode"


def learned_method(model: BaseChatModel, method: Method) -> Method:
    """The method that this model took when it was last asked with `method`."""
    return _learned.get((id(model), method), method)


def learn_method(model: BaseChatModel, method: Method, taken: Method) -> None:
    """Keep for the model's lifetime that `taken` is to be used instead of `method`."""
    key = (id(model), method)
    if key not in _learned:
        weakref.finalize(model, _learned.pop, key, None)
    _learned[key] = taken


def bind_schema(
    model: BaseChatModel, labels: tuple[str, ...], method: Method, *, deadline: Deadline | None = None
) -> Runnable[LanguageModelInput, BaseMessage]:
    """The model, asked for the schema; it answers with one message whose `answer_text` is the JSON text.

    A model that runs here stops writing at the deadline.
    """
    schema = json_schema(labels)
    if method == "json_schema":
        strict = {"name": SCHEMA_NAME, "schema": schema, "strict": True}
        return model.bind(response_format={"type": "json_schema", "json_schema": strict})
    if method == "json_mode":
        return model.bind(response_format={"type": "json_object"})
    if method == "function_calling":
        described = {"title": SCHEMA_NAME, "description": "The speaker's emotion, then the reply.", **schema}
        return model.bind_tools([described], tool_choice=SCHEMA_NAME)
    if method == "grammar":
        return constrain(model, labels, deadline=deadline)
    if method == "native":
        return _structure(model, labels) | RunnableLambda(_as_message)
    return model


def word_schema(
    prompt: Sequence[BaseMessage], model: BaseChatModel, labels: Sequence[str], method: Method
) -> list[BaseMessage]:
    """The prompt as this way of asking needs it: with the schema in words where the model is not shown it otherwise."""
    if method == "function_calling" or (method == "json_schema" and _is_shown_schemas(model)):
        return list(prompt)
    words, (first, *others) = IN_WORDS.format(labels=", ".join(labels)), prompt
    if isinstance(first, SystemMessage):
        return [SystemMessage(f"{first.text}\n\n{words}"), *others]
    return [SystemMessage(words), first, *others]


def _is_shown_schemas(model: BaseChatModel) -> bool:
    client = getattr(model, "root_async_client", None)
    host = getattr(getattr(client, "base_url", None), "host", "")
    return f".{host}".endswith(_SHOWING)


def answer_text(message: BaseMessage) -> str:
    """The JSON text of an answer or of a chunk of one: the tool call's arguments where there are any, else the text."""
    chunks = getattr(message, "tool_call_chunks", None)
    if chunks:
        return "".join(chunk.get("args") or "" for chunk in chunks)
    calls = getattr(message, "tool_calls", None)
    if calls:
        return _dump(calls[0]["args"])
    return str(message.text)


def check_finish(message: BaseMessage) -> None:
    """Raise `HefReplyError` where the provider says that the answer is not whole."""
    metadata = message.response_metadata
    if message.additional_kwargs.get("refusal"):
        raise HefReplyError("refusal", "the model refused to answer")
    reason = str(metadata.get("finish_reason") or metadata.get("stop_reason") or metadata.get("done_reason") or "")
    if reason in {"length", "max_tokens", "MAX_TOKENS"}:
        raise HefReplyError("truncated", "the model's answer hit its length limit")
    if reason in {"content_filter", "SAFETY"}:
        raise HefReplyError("filter", "the provider's content filter stopped the answer")


def _structure(model: BaseChatModel, labels: tuple[str, ...]) -> Runnable[LanguageModelInput, Any]:
    """The class's own way, with the raw message beside the result where the class can give it."""
    try:
        return model.with_structured_output(reply_schema(labels), include_raw=True)
    except (TypeError, NotImplementedError):
        return model.with_structured_output(reply_schema(labels))


def _as_message(result: Any) -> AIMessage:
    """What `with_structured_output` gives, with `include_raw` or without, as a message with JSON text."""
    raw, parsed = (result.get("raw"), result.get("parsed")) if _has_raw(result) else (None, result)
    if parsed is None:
        return raw if isinstance(raw, AIMessage) else AIMessage("")
    kept = raw if isinstance(raw, AIMessage) else AIMessage("")
    text = _dump(parsed.model_dump() if hasattr(parsed, "model_dump") else parsed)
    return AIMessage(text, usage_metadata=kept.usage_metadata, response_metadata=kept.response_metadata)


def _has_raw(result: Any) -> bool:
    return isinstance(result, dict) and "parsed" in result


def _dump(values: Any) -> str:
    return json.dumps(values, ensure_ascii=False)
