import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, cast

import httpx
import pytest
from langchain_core.exceptions import OutputParserException

from hef_graph.chat.failures import name_failure
from hef_graph.errors import HefReplyError


def error_named(name: str) -> Exception:
    """An error as some provider's library names it."""
    kind: type[Exception] = type(name, (Exception,), {})
    return kind("I lost my cat")


def error_with_status(status: int, text: str = "I lost my cat", retry_after: str | None = None) -> Exception:
    """An error that carries HTTP's status code, and its response."""
    error: Any = Exception(text)
    error.status_code = status
    error.response = httpx.Response(status, headers={"Retry-After": retry_after} if retry_after else {})
    return cast("Exception", error)


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (400, "bad_request"),
        (401, "auth"),
        (403, "auth"),
        (404, "not_found"),
        (408, "timeout"),
        (422, "bad_request"),
        (429, "rate_limit"),
        (500, "server"),
        (503, "server"),
    ],
)
def test_an_http_status_has_its_cause(status: int, cause: str) -> None:
    assert name_failure(error_with_status(status)).cause == cause


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("APITimeoutError", "timeout"),
        ("ReadTimeout", "timeout"),
        ("LengthFinishReasonError", "truncated"),
        ("ContentFilterFinishReasonError", "filter"),
        ("OpenAIRefusalError", "refusal"),
        ("ModelRefusalError", "refusal"),
        ("APIConnectionError", "connection"),
        ("RateLimitError", "rate_limit"),
        ("AuthenticationError", "auth"),
        ("ValidationError", "schema"),
        ("SomethingElse", "error"),
    ],
)
def test_an_error_of_a_provider_is_known_by_its_name(name: str, cause: str) -> None:
    assert name_failure(error_named(name)).cause == cause


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (TimeoutError(), "timeout"),
        (ConnectionRefusedError(), "connection"),
        (httpx.ConnectError("no route"), "connection"),
        (OutputParserException("not parsed"), "prose"),
        (json.JSONDecodeError("bad", "x", 0), "malformed"),
        (KeyError("choices"), "malformed"),
        (AssertionError(), "malformed"),
        (httpx.RemoteProtocolError("half an answer"), "connection"),
        (httpx.ReadError("reset"), "connection"),
        (ConnectionResetError(), "connection"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_errors_of_common_libraries_have_their_cause(error: Exception, cause: str) -> None:
    assert name_failure(error).cause == cause


@pytest.mark.parametrize(
    "text",
    [
        "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
        "tools is not supported in this model",
        "'tool_choice' must be auto",
        "This model does not support function_calling",
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_a_request_that_holds_what_the_provider_cannot_take_is_known(status: int, text: str) -> None:
    assert name_failure(error_with_status(status, text)).refused_method


@pytest.mark.parametrize(
    ("status", "text"),
    [(400, "the prompt is too long"), (500, "response_format crashed"), (401, "tools"), (400, "my toolbox is gone")],
)
def test_any_other_error_says_nothing_of_the_method(status: int, text: str) -> None:
    assert not name_failure(error_with_status(status, text)).refused_method


def test_a_class_that_lacks_a_method_refuses_it() -> None:
    assert name_failure(NotImplementedError()).refused_method


def test_a_bad_request_of_a_content_filter_is_one_of_the_filter() -> None:
    text = "{'code': 'content_filter', 'message': 'triggered the content management policy'}"
    assert name_failure(error_with_status(400, text)).cause == "filter"


@pytest.mark.parametrize(("header", "seconds"), [("3", 3.0), ("0.5", 0.5), ("-1", 0.0), ("soon", None), (None, None)])
def test_the_seconds_of_retry_after_are_read(header: str | None, seconds: float | None) -> None:
    assert name_failure(error_with_status(429, retry_after=header)).retry_after == seconds


def test_the_date_of_retry_after_is_read() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    after = name_failure(error_with_status(429, retry_after=date)).retry_after
    assert after is not None
    assert 80 < after <= 90


def test_a_named_failure_stays_as_it_is() -> None:
    named = HefReplyError("label", "another label")
    assert name_failure(named) is named


def test_the_text_holds_nothing_of_what_the_user_wrote() -> None:
    assert "cat" not in str(name_failure(error_named("ServerError")))
