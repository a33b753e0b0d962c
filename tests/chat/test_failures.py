import json

import httpx
import pytest
from langchain_core.exceptions import OutputParserException

from hef_graph.chat.failures import name_failure
from hef_graph.errors import HefReplyError


def error_named(name: str) -> Exception:
    """An error as some provider's library names it."""
    kind: type[Exception] = type(name, (Exception,), {})
    return kind("I lost my cat")


def error_with_status(status: int) -> Exception:
    """An error that carries HTTP's status code."""
    error = Exception("I lost my cat")
    error.status_code = status  # type: ignore[attr-defined]  # as providers' libraries attach it
    return error


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
        (json.JSONDecodeError("bad", "x", 0), "prose"),
        (KeyError("choices"), "error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_errors_of_common_libraries_have_their_cause(error: Exception, cause: str) -> None:
    assert name_failure(error).cause == cause


def test_a_named_failure_stays_as_it_is() -> None:
    named = HefReplyError("label", "another label")
    assert name_failure(named) is named


def test_the_text_holds_nothing_of_what_the_user_wrote() -> None:
    assert "cat" not in str(name_failure(error_named("ServerError")))
