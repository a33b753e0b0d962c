"""The run of a streamed call: `BaseChatModel.stream` opens one and does not tell `_stream`, whose calls run inside."""

import uuid
from typing import TypeVar

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    BaseCallbackManager,
    CallbackManager,
    CallbackManagerForLLMRun,
)
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import ensure_config, get_callback_manager_for_config

Run = TypeVar("Run", CallbackManagerForLLMRun, AsyncCallbackManagerForLLMRun)


def is_heard() -> bool:
    """Whether a trace, a stream of messages or a callback of the caller hears of runs inside the current one."""
    callbacks = ensure_config().get("callbacks")
    return bool(callbacks.handlers if isinstance(callbacks, BaseCallbackManager) else callbacks)


def name_run(config: RunnableConfig | None) -> RunnableConfig:
    """The settings with an id for the run to come, and with its callbacks set up."""
    settled = ensure_config(config)
    callbacks = get_callback_manager_for_config(settled)
    return {**settled, "callbacks": callbacks, "run_id": settled.get("run_id") or uuid.uuid4()}


def foresee_run(kind: type[Run], named: RunnableConfig) -> Run:
    """The run that a call with the settings of `name_run` is going to open."""
    callbacks, run_id = named["callbacks"], named["run_id"]
    if not isinstance(callbacks, CallbackManager) or run_id is None:
        raise TypeError("the settings were not made by name_run")
    return kind(
        run_id=run_id,
        handlers=callbacks.handlers,
        inheritable_handlers=callbacks.inheritable_handlers,
        parent_run_id=callbacks.parent_run_id,
        tags=callbacks.tags,
        inheritable_tags=callbacks.inheritable_tags,
        metadata=callbacks.metadata,
        inheritable_metadata=callbacks.inheritable_metadata,
    )
