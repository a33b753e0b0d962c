import time
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.callbacks import BaseCallbackHandler, CallbackManagerForLLMRun
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata

from hef_graph.chat.asking import Asker, read_message, silent_child
from hef_graph.chat.deadline import Deadline
from hef_graph.chat.ladder import Attempt, Call
from hef_graph.chat.methods import learned_method
from tests.fakes import LABELS, Answer, ScriptedModel, reply_json

PROMPT = [HumanMessage("I lost my cat.")]

GOOD = reply_json("sad", "Oh no.")

CALL = Call(PROMPT, "plain")

USAGE: UsageMetadata = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}


def asker(*answers: Answer, seconds: float = 30) -> Asker:
    model = ScriptedModel(answers=list(answers))
    return Asker(model, LABELS, "plain", Deadline.after(seconds), silent_child(None))


async def ask(asking: Asker, call: Call, *, awaited: bool) -> Attempt:
    return await asking.aask(call) if awaited else asking.ask(call)


async def stream(asking: Asker, call: Call, *, awaited: bool) -> list[str]:
    if awaited:
        return [str(chunk.text) async for chunk in asking.astream(call)]
    return [str(chunk.text) for chunk in asking.stream(call)]


both = pytest.mark.parametrize("awaited", [False, True], ids=["sync", "async"])


@both
async def test_an_answer_comes_with_its_tokens(*, awaited: bool) -> None:
    attempt = await ask(asker(AIMessage(GOOD, usage_metadata=USAGE)), CALL, awaited=awaited)
    assert attempt == Attempt(GOOD, usage=USAGE)


@both
async def test_a_failure_is_part_of_what_comes_back(*, awaited: bool) -> None:
    attempt = await ask(asker(ConnectionError()), CALL, awaited=awaited)
    assert attempt.failure is not None
    assert (attempt.text, attempt.failure.cause) == ("", "connection")


@both
async def test_a_call_that_is_due_later_waits(*, awaited: bool) -> None:
    start = time.monotonic()
    await ask(asker(GOOD), Call(PROMPT, "plain", wait=0.2), awaited=awaited)
    assert time.monotonic() - start >= 0.2


@both
async def test_no_wait_is_longer_than_the_turn(*, awaited: bool) -> None:
    start = time.monotonic()
    attempt = await ask(asker(GOOD, seconds=0.1), Call(PROMPT, "plain", wait=9.0), awaited=awaited)
    assert time.monotonic() - start < 3
    assert attempt.failure is not None
    assert attempt.failure.cause == "timeout"


@both
async def test_a_stream_comes_in_pieces(*, awaited: bool) -> None:
    pieces = await stream(asker(GOOD), CALL, awaited=awaited)
    assert "".join(pieces) == GOOD
    assert len(pieces) > 5


@both
async def test_a_call_that_is_not_to_be_streamed_comes_in_one_piece(*, awaited: bool) -> None:
    assert await stream(asker(GOOD), Call(PROMPT, "plain", streamed=False), awaited=awaited) == [GOOD]


@both
async def test_a_stream_raises_what_the_provider_raises(*, awaited: bool) -> None:
    with pytest.raises(ConnectionError):
        await stream(asker(ConnectionError()), CALL, awaited=awaited)


def test_a_call_that_had_to_go_lower_is_remembered_for_the_model() -> None:
    asking = asker(GOOD)
    lower = Asker(asking.model, LABELS, "json_mode", asking.deadline, asking.config)
    lower.ask(CALL)
    assert learned_method(asking.model, "json_mode") == "plain"


@pytest.mark.parametrize("usage", [None, {}, {"total_cost": 0.1}])
def test_tokens_that_were_not_counted_are_none(usage: Any) -> None:
    message = AIMessage(GOOD)
    message.usage_metadata = usage
    assert read_message(message).usage is None


def test_without_a_run_the_call_is_only_kept_out_of_the_message_stream() -> None:
    assert silent_child(None) == {"tags": ["nostream"]}


def test_inside_a_run_the_call_is_its_child_and_inherits_what_the_caller_set() -> None:
    handler, run_id = BaseCallbackHandler(), uuid4()
    run = CallbackManagerForLLMRun(
        run_id=run_id,
        handlers=[handler],
        inheritable_handlers=[handler],
        inheritable_tags=["mine"],
        inheritable_metadata={"team": "care"},
    )
    config: Any = silent_child(run)
    callbacks = config["callbacks"]
    assert (callbacks.parent_run_id, callbacks.handlers) == (run_id, [handler])
    assert (callbacks.tags, callbacks.metadata, config["tags"]) == (["mine"], {"team": "care"}, ["nostream"])
