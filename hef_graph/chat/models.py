"""From what the caller names to a chat model."""

import os
from functools import lru_cache
from typing import TypeAlias

from langchain_core.language_models import BaseChatModel, BaseLLM

from hef_graph.errors import HefModelError

ModelLike: TypeAlias = str | BaseChatModel | BaseLLM | None
"""A chat model, a `HuggingFacePipeline`, a "provider:name" string for `init_chat_model`, or None for the embedded
listener."""


def build_model(name: str) -> BaseChatModel:
    """The chat model behind a string such as "openai:gpt-4.1-mini".

    Raises:
        HefModelError: unknown provider, missing package or missing key; the text says which.
    """
    from langchain.chat_models import init_chat_model  # noqa: PLC0415  slow to import; only strings need it

    try:
        model = init_chat_model(name)
    except ImportError as error:
        raise HefModelError(f"the model {name!r} needs another package: {error}") from error
    except Exception as error:  # each provider's library raises its own kind
        raise HefModelError(f"the model {name!r} cannot be set up: {_first_line(error)}") from error
    if not isinstance(model, BaseChatModel):
        raise HefModelError(f"the model {name!r} names no model; write provider:name, as in 'openai:gpt-4.1-mini'")
    return model


def shared_model(name: str) -> BaseChatModel:
    """`build_model`, once per name: for strings that come with every call, which must not open a client each time.

    Providers read keys and addresses from the environment: where that has changed, the model is built anew.
    """
    return _build_once(name, frozenset(os.environ.items()))


@lru_cache(maxsize=16)
def _build_once(name: str, _environment: frozenset[tuple[str, str]]) -> BaseChatModel:
    return build_model(name)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
