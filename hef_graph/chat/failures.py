"""What went wrong in a provider's call: one word, when to ask again, and whether to ask in another way."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from json import JSONDecodeError
from typing import Any, Final

from hef_graph.errors import HefReplyError

_BY_STATUS: Final = {401: "auth", 403: "auth", 404: "not_found", 408: "timeout", 429: "rate_limit"}
_BY_NAME: Final = {
    "timeout": "timeout",
    "lengthfinish": "truncated",
    "contentfilter": "filter",
    "refusal": "refusal",
    "responsevalidation": "malformed",
    "connect": "connection",
    "protocolerror": "connection",
    "readerror": "connection",
    "ratelimit": "rate_limit",
    "authentication": "auth",
    "validation": "schema",
    "outputparser": "prose",
    "apierror": "server",
}
"""Parts of exception names that providers' libraries use."""

_MALFORMED: Final = (AssertionError, AttributeError, JSONDecodeError, KeyError, TypeError)
"""What the libraries raise on a body that is not what they expect: a 200 without an event stream, a web page, half
a JSON text."""

_CANNOT_TAKE: Final = frozenset({400, 422})
"""With these statuses a provider says that a request holds what it does not know."""

_METHOD = re.compile(
    r"\b(response_?format|json_?schema|tool_choice|tools?|function_call\w*|functions?)\b", re.IGNORECASE
)
_FILTER = re.compile(r"content_?filter|content management policy", re.IGNORECASE)


def name_failure(error: Exception) -> HefReplyError:
    """The error as a `HefReplyError`; its text never holds what the user wrote."""
    if isinstance(error, HefReplyError):
        return error
    return HefReplyError(
        _cause_of(error),
        f"the model call failed with {type(error).__name__}",
        retry_after=_retry_after(error),
        refused_method=_refuses_method(error),
    )


def partial_text(error: Exception) -> str:
    """What the model had written when its length limit stopped it; empty where the error does not hold it."""
    try:
        return str(error.completion.choices[0].message.content or "")  # type: ignore[attr-defined]  # OpenAI's client
    except (AttributeError, IndexError, TypeError):
        return ""


def _cause_of(error: Exception) -> str:
    status = getattr(error, "status_code", None)
    if status in _CANNOT_TAKE and _FILTER.search(str(error)):
        return "filter"
    if isinstance(status, int):
        return _BY_STATUS.get(status, "server" if status >= 500 else "bad_request")  # noqa: PLR2004  HTTP's own numbers
    if isinstance(error, _MALFORMED):
        return "malformed"
    name = type(error).__name__.lower()
    return next((cause for part, cause in _BY_NAME.items() if part in name), "error")


def _refuses_method(error: Exception) -> bool:
    """Whether the model's class, or its provider by name, cannot do what the method asks for."""
    if isinstance(error, NotImplementedError):
        return True
    return getattr(error, "status_code", None) in _CANNOT_TAKE and bool(_METHOD.search(str(error)))


def _retry_after(error: Exception) -> float | None:
    """Seconds that the header Retry-After asks for, given as a number or as a date."""
    headers: Mapping[str, Any] = getattr(getattr(error, "response", None), "headers", None) or {}
    given = str(headers.get("retry-after") or "").strip()
    try:
        return max(0.0, float(given))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):  # no header, another format, or a date without its zone
        return None
