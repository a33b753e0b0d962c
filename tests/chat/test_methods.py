import gc
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import BaseTool
from langchain_openai import AzureChatOpenAI, ChatOpenAI
from pydantic import BaseModel, SecretStr

from hef_graph.chat.methods import (
    Method,
    answer_text,
    bind_schema,
    check_finish,
    choose_method,
    learn_method,
    learned_method,
    word_schema,
)
from hef_graph.errors import HefReplyError
from hef_graph.reply import SCHEMA_NAME, json_schema
from tests.fakes import LABELS, ScriptedModel

KEY = SecretStr("test")


class ToolModel(ScriptedModel):
    """Takes tools; keeps how they were bound."""

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=tools, tool_choice=tool_choice)


class StructuredModel(ScriptedModel):
    """Has a structured output of its own and nothing else; answers with what it is told to."""

    result: Any = None

    def with_structured_output(
        self, schema: dict[str, Any] | type, *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]:
        return RunnableLambda(lambda _: self.result)


class BothModel(StructuredModel, ToolModel):
    """Has tools and a structured output of its own."""


class IntegrationModel(BothModel):
    """The same, as LangChain's own integrations have it."""

    __module__ = "langchain_someone.chat_models"


class PlainStructuredModel(ScriptedModel):
    """Has a structured output that cannot give the raw message."""

    def with_structured_output(  # type: ignore[override]  # as people write it
        self, schema: dict[str, Any] | type
    ) -> Runnable[LanguageModelInput, dict[str, Any]]:
        return RunnableLambda(lambda _: {"emotion": "sad", "response": "Oh no."})


@pytest.mark.parametrize(
    ("model", "method"),
    [
        (ChatOpenAI(model="m", api_key=KEY), "json_schema"),
        (AzureChatOpenAI(api_key=KEY, azure_endpoint="http://127.0.0.1", api_version="1"), "json_schema"),
        (ToolModel(answers=[]), "function_calling"),
        (StructuredModel(answers=[]), "native"),
        (BothModel(answers=[]), "native"),
        (IntegrationModel(answers=[]), "function_calling"),
        (ScriptedModel(answers=[]), "plain"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_each_model_class_is_asked_in_the_best_way_that_it_offers(model: BaseChatModel, method: Method) -> None:
    assert choose_method(model) == method


ASKED = [SystemMessage("Be kind."), HumanMessage("I won.")]
IN_WORDS = 'Answer with one JSON object: {"emotion": one of [sad, proud], "response": your reply}.'
AT_OPENAI = ChatOpenAI(model="m", api_key=KEY, base_url="https://api.openai.com/v1")
AT_AZURE = AzureChatOpenAI(api_key=KEY, azure_endpoint="https://ours.openai.azure.com", api_version="1")
ON_OUR_SERVER = ChatOpenAI(model="m", api_key=KEY, base_url="http://127.0.0.1:9/v1")
BY_ANOTHER_NAME = ChatOpenAI(model="m", api_key=KEY, base_url="https://notopenai.com/v1")


@pytest.mark.parametrize(
    ("model", "method"),
    [(AT_OPENAI, "json_schema"), (AT_AZURE, "json_schema"), (ON_OUR_SERVER, "function_calling")],
    ids=["openai", "azure", "a tool"],
)
def test_a_model_that_is_shown_the_schema_is_not_told_it_again(model: BaseChatModel, method: Method) -> None:
    assert word_schema(ASKED, model, ("sad", "proud"), method) == ASKED


@pytest.mark.parametrize(
    ("model", "method"),
    [
        (ON_OUR_SERVER, "json_schema"),
        (BY_ANOTHER_NAME, "json_schema"),
        (AT_OPENAI, "json_mode"),
        (AT_OPENAI, "plain"),
        (StructuredModel(answers=[]), "native"),
        (StructuredModel(answers=[]), "grammar"),
    ],
    ids=["a server that only holds tokens to it", "another name", "JSON mode", "plain", "native", "grammar"],
)
def test_any_other_model_is_told_the_schema_in_words_behind_the_instruction(
    model: BaseChatModel, method: Method
) -> None:
    told = word_schema(ASKED, model, ("sad", "proud"), method)
    assert told == [SystemMessage(f"Be kind.\n\n{IN_WORDS}"), ASKED[1]]


def test_a_prompt_without_an_instruction_begins_with_the_schema() -> None:
    told = word_schema(ASKED[1:], ScriptedModel(answers=[]), ("sad", "proud"), "plain")
    assert told == [SystemMessage(IN_WORDS), ASKED[1]]


@pytest.mark.parametrize(
    ("profile", "method"),
    [
        ({}, "json_schema"),
        ({"structured_output": True}, "json_schema"),
        ({"structured_output": False}, "function_calling"),
        ({"structured_output": False, "tool_calling": False}, "json_mode"),
    ],
)
def test_what_a_models_profile_denies_is_not_asked_for(profile: Any, method: Method) -> None:
    assert choose_method(ChatOpenAI(model="m", api_key=KEY, profile=profile)) == method


def test_a_method_that_a_model_took_is_remembered_for_it_alone() -> None:
    model, other = ScriptedModel(answers=[]), ScriptedModel(answers=[])
    learn_method(model, "json_schema", "json_mode")
    assert learned_method(model, "json_schema") == "json_mode"
    assert learned_method(model, "function_calling") == "function_calling"
    assert learned_method(other, "json_schema") == "json_schema"


def test_what_was_learned_goes_with_the_model() -> None:
    for _ in range(20):  # ids are used again
        model = ScriptedModel(answers=[])
        assert learned_method(model, "json_schema") == "json_schema"
        learn_method(model, "json_schema", "plain")
        del model
        gc.collect()


def test_a_structured_output_without_the_raw_message_will_do() -> None:
    bound = bind_schema(PlainStructuredModel(answers=[]), LABELS, "native")
    assert json.loads(answer_text(bound.invoke("I lost it."))) == {"emotion": "sad", "response": "Oh no."}


def test_json_schema_asks_for_strict_decoding() -> None:
    bound: Any = bind_schema(ScriptedModel(answers=[]), LABELS, "json_schema")
    asked = bound.kwargs["response_format"]
    assert asked["type"] == "json_schema"
    assert asked["json_schema"] == {"name": SCHEMA_NAME, "schema": json_schema(LABELS), "strict": True}


def test_json_mode_asks_for_any_object() -> None:
    bound: Any = bind_schema(ScriptedModel(answers=[]), LABELS, "json_mode")
    assert bound.kwargs["response_format"] == {"type": "json_object"}


def test_function_calling_forces_the_one_tool() -> None:
    bound: Any = bind_schema(ToolModel(answers=[]), LABELS, "function_calling")
    [tool] = bound.kwargs["tools"]
    assert tool["title"] == bound.kwargs["tool_choice"] == SCHEMA_NAME
    assert tool["properties"]["emotion"]["enum"] == list(LABELS)


def test_plain_leaves_the_model_as_it_is() -> None:
    model = ScriptedModel(answers=[])
    assert bind_schema(model, LABELS, "plain") is model


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ({"emotion": "sad", "response": "Oh."}, '{"emotion": "sad", "response": "Oh."}'),
        (
            {"raw": AIMessage("x"), "parsed": {"emotion": "sad", "response": "Oh."}},
            '{"emotion": "sad", "response": "Oh."}',
        ),
        ({"raw": AIMessage("just prose"), "parsed": None, "parsing_error": ValueError()}, "just prose"),
        (None, ""),
    ],
    ids=["parsed alone", "with the raw message", "not parsed", "nothing"],
)
def test_native_output_comes_back_as_json_text(result: Any, text: str) -> None:
    bound = bind_schema(StructuredModel(answers=[], result=result), LABELS, "native")
    assert answer_text(bound.invoke("hello")) == text


def test_native_output_keeps_the_count_of_tokens() -> None:
    usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    raw = AIMessage("x", usage_metadata=usage)
    result = {"raw": raw, "parsed": {"emotion": "sad", "response": "Oh."}}
    message: Any = bind_schema(StructuredModel(answers=[], result=result), LABELS, "native").invoke("hello")
    assert message.usage_metadata == usage


CALL = {"name": SCHEMA_NAME, "args": {"emotion": "sad", "response": "Ô"}, "id": "1", "type": "tool_call"}


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (AIMessage("plain"), "plain"),
        (AIMessage([{"type": "text", "text": "in "}, {"type": "text", "text": "blocks"}]), "in blocks"),
        (AIMessage("beside a call", tool_calls=[CALL]), '{"emotion": "sad", "response": "Ô"}'),
        (AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(args='{"emo')]), '{"emo'),
        (AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(name=SCHEMA_NAME)]), ""),
        (HumanMessage("spoken"), "spoken"),
    ],
    ids=["text", "blocks", "tool call", "piece of a tool call", "start of a tool call", "not a model's"],
)
def test_the_answer_is_found_where_the_provider_puts_it(message: BaseMessage, text: str) -> None:
    assert answer_text(message) == text


@pytest.mark.parametrize(
    ("metadata", "cause"),
    [
        ({"finish_reason": "length"}, "truncated"),
        ({"stop_reason": "max_tokens"}, "truncated"),
        ({"done_reason": "length"}, "truncated"),
        ({"finish_reason": "MAX_TOKENS"}, "truncated"),
        ({"finish_reason": "content_filter"}, "filter"),
        ({"finish_reason": "SAFETY"}, "filter"),
    ],
)
def test_an_answer_that_is_not_whole_is_refused_with_its_cause(metadata: dict[str, str], cause: str) -> None:
    with pytest.raises(HefReplyError) as raised:
        check_finish(AIMessage("text", response_metadata=metadata))
    assert raised.value.cause == cause


def test_a_refusal_is_refused_with_its_cause() -> None:
    with pytest.raises(HefReplyError) as raised:
        check_finish(AIMessage("", additional_kwargs={"refusal": "I cannot help with that."}))
    assert raised.value.cause == "refusal"


@pytest.mark.parametrize(
    "metadata", [{}, {"finish_reason": "stop"}, {"stop_reason": "end_turn"}, {"finish_reason": None}]
)
def test_a_whole_answer_passes(metadata: dict[str, str | None]) -> None:
    check_finish(AIMessage("text", response_metadata=metadata, additional_kwargs={"refusal": None}))
