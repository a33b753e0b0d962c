"""A provider's client that makes one call and no more: how often is asked again is decided in one place, the ladder."""

from functools import cached_property
from typing import Any

from langchain_core.language_models import BaseChatModel


def single_call(model: BaseChatModel, seconds: float) -> BaseChatModel:
    """The model with its client's own retries switched off, and no call longer than `seconds` where it can be told.

    A client that retries by itself turns three calls into nine, and its default timeout of ten minutes keeps
    connections open long after the turn. The caller's object is left as it is; a model without such settings is given
    back as it came.
    """
    if getattr(model, "root_async_client", None) is not None:
        return _single_openai(model, seconds)
    if "max_retries" in type(model).model_fields:
        return _without_lazy_clients(model.model_copy(update={"max_retries": 0}))
    return model


def _single_openai(model: Any, seconds: float) -> BaseChatModel:
    """For `langchain_openai`, whose models hold ready clients."""
    set_by_caller = model.request_timeout
    timeout = min(seconds, set_by_caller) if isinstance(set_by_caller, int | float) else set_by_caller or seconds
    clients = {"root_client": "client", "root_async_client": "async_client"}
    update: dict[str, Any] = {"max_retries": 0, "request_timeout": timeout}
    for root, completions in clients.items():
        if (made := getattr(model, root)) is not None:  # with an asynchronous key there is no synchronous client
            client = made.with_options(max_retries=0, timeout=timeout)
            update |= {root: client, completions: client.chat.completions}
    copy: BaseChatModel = model.model_copy(update=update)
    return copy


def _without_lazy_clients(copy: BaseChatModel) -> BaseChatModel:
    """A copy whose client is made anew, with the copy's settings, when it is first needed."""
    lazy = [name for name in vars(copy) if isinstance(getattr(type(copy), name, None), cached_property)]
    for name in lazy:
        del vars(copy)[name]
    return copy
