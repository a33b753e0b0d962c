"""One model call: made when it is due, in the way that the ladder says, under the turn's deadline, sync and async."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManager, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig

from hef_graph.chat.clients import single_call
from hef_graph.chat.deadline import Deadline
from hef_graph.chat.failures import name_failure, partial_text
from hef_graph.chat.ladder import Attempt, Call
from hef_graph.chat.methods import Method, answer_text, bind_schema, check_finish, learn_method, word_schema
from hef_graph.errors import HefReplyError


def silent_child(run: CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun | None) -> RunnableConfig:
    """The settings of a model call inside another one's run: its child in traces, with its callbacks, tags, metadata.

    The tag `nostream` keeps the inner model's JSON out of LangGraph's message stream.
    """
    if run is None:
        return {"tags": ["nostream"]}
    callbacks = CallbackManager(handlers=[], parent_run_id=run.run_id)
    callbacks.set_handlers(run.inheritable_handlers)
    callbacks.add_tags(run.inheritable_tags)
    callbacks.add_metadata(run.inheritable_metadata)
    return {"tags": ["nostream"], "callbacks": callbacks}


@dataclass(frozen=True, slots=True)
class Asker:
    """Makes a turn's calls to one model."""

    model: BaseChatModel
    labels: tuple[str, ...]
    method: Method
    """How the model was to be asked at first; a call that had to go lower is remembered for the model."""
    deadline: Deadline
    config: RunnableConfig

    def ask(self, call: Call) -> Attempt:
        """What comes back in one piece; a failure of the call is part of it."""
        try:
            return read_message(next(iter(self.stream(replace(call, streamed=False)))))
        except Exception as error:  # noqa: BLE001  whatever a provider raises, the user gets an answer
            return Attempt(partial_text(error), name_failure(error))

    async def aask(self, call: Call) -> Attempt:
        """`ask`, awaited."""
        try:
            return read_message(await anext(self.astream(replace(call, streamed=False))))
        except Exception as error:  # noqa: BLE001  as in `ask`
            return Attempt(partial_text(error), name_failure(error))

    def stream(self, call: Call) -> Iterator[BaseMessage]:
        """The chunks as they come; one that holds all of a call that is not to be streamed.

        Raises:
            Exception: whatever the provider's library raises, and `TimeoutError` past the deadline.
        """
        self._wait(call)
        if not call.streamed:
            yield self.deadline.call(lambda: self._bound(call).invoke(self._worded(call), self.config))
            return
        yield from self.deadline.iterate(lambda: self._bound(call).stream(self._worded(call), self.config))

    async def astream(self, call: Call) -> AsyncIterator[BaseMessage]:
        """`stream`, awaited."""
        await self._await(call)
        if not call.streamed:
            yield await self._answer(call)
            return
        prompt = self._worded(call)
        if self._only_blocks(call):
            chunks = self.deadline.aiterate_blocking(lambda: self._bound(call).stream(prompt, self.config))
        else:
            chunks = self.deadline.aiterate(self._bound(call).astream(prompt, self.config))
        async for chunk in chunks:
            yield chunk

    async def _answer(self, call: Call) -> BaseMessage:
        prompt = self._worded(call)
        if self._only_blocks(call):
            return await self.deadline.acall(lambda: self._bound(call).invoke(prompt, self.config))
        return await self.deadline.wait(self._bound(call).ainvoke(prompt, self.config))

    def _bound(self, call: Call) -> Any:
        if call.method != self.method:
            learn_method(self.model, self.method, call.method)
        model = single_call(self.model, self.deadline.remaining)
        return bind_schema(model, self.labels, call.method, deadline=self.deadline)

    def _worded(self, call: Call) -> list[BaseMessage]:
        return word_schema(call.prompt, self.model, self.labels, call.method)

    def _only_blocks(self, call: Call) -> bool:
        """Whether a model has no async side of its own: LangChain would run it in threads that nobody can leave."""
        kind = type(self.model)
        return call.method == "grammar" or (
            kind._agenerate is BaseChatModel._agenerate and kind._astream is BaseChatModel._astream  # noqa: SLF001  whether overridden
        )

    def _wait(self, call: Call) -> None:
        if call.wait:
            time.sleep(min(call.wait, self.deadline.remaining))
        self._require_time(call)

    async def _await(self, call: Call) -> None:
        await asyncio.sleep(min(call.wait, self.deadline.remaining))
        self._require_time(call)

    def _require_time(self, call: Call) -> None:
        """Raise `TimeoutError` for a call that was due only at the deadline: a quick answer would be late too."""
        if call.wait and not self.deadline.remaining:
            raise TimeoutError("the turn's deadline has passed")


def read_message(message: BaseMessage) -> Attempt:
    """What a whole answer holds: its JSON text, its tokens, and why it is not whole if the provider says so."""
    failure: HefReplyError | None = None
    try:
        check_finish(message)
    except HefReplyError as error:
        failure = error
    usage = getattr(message, "usage_metadata", None)
    whole = usage and "total_tokens" in usage  # an answer from LangChain's cache may hold costs alone
    return Attempt(answer_text(message), failure, usage=usage if whole else None)
