"""What went wrong in a provider's call, as one word."""

from typing import Final

from hef_graph.errors import HefReplyError

_BY_STATUS: Final = {401: "auth", 403: "auth", 404: "not_found", 408: "timeout", 429: "rate_limit"}
_BY_NAME: Final = {
    "timeout": "timeout",
    "lengthfinish": "truncated",
    "contentfilter": "filter",
    "refusal": "refusal",
    "connect": "connection",
    "ratelimit": "rate_limit",
    "authentication": "auth",
    "validation": "schema",
    "outputparser": "prose",
    "jsondecode": "prose",
}
"""Parts of exception names that providers' libraries use."""


def name_failure(error: Exception) -> HefReplyError:
    """The error as a `HefReplyError`; its text never holds what the user wrote."""
    if isinstance(error, HefReplyError):
        return error
    return HefReplyError(_cause_of(error), f"the model call failed with {type(error).__name__}")


def _cause_of(error: Exception) -> str:
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return _BY_STATUS.get(status, "server" if status >= 500 else "bad_request")  # noqa: PLR2004  HTTP's own numbers
    name = type(error).__name__.lower()
    return next((cause for part, cause in _BY_NAME.items() if part in name), "error")
