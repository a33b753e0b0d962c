import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.globals import set_llm_cache
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatResult
from typing_extensions import override

from hef_graph.chat.deadline import Deadline
from hef_graph.chat.listener import FIXED_REPLY, EmbeddedListener
from hef_graph.chat.methods import word_schema
from hef_graph.chat.outcome import Outcome, read_outcome
from hef_graph.chat.reply_model import ReplyModel
from hef_graph.errors import HefReplyError
from hef_graph.types import Dialogue, ReplyCandidate, Turn
from tests.fakes import LABELS, Answer, Interrupted, ScriptedModel, SpeakingStubSem, reply_json
from tests.runs import MODES, Mode

SAID = "I lost my cat."

STUB_REPLY = "That sounds hard. What happened then?"
"""What the stub's decoder answers to that."""

GIVEN_UP: float = 3.0
"""Seconds: well above the deadlines here, since machines are busy, and well below what the slow models would take."""

USAGE: UsageMetadata = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}

every_mode = pytest.mark.parametrize("mode", MODES)


class MuteSem(SpeakingStubSem):
    """A SEM whose decoder is broken."""

    @override
    def propose_replies(self, dialogue: Dialogue, emotion: str, *, count: int) -> list[ReplyCandidate]:
        raise RuntimeError("the decoder broke")


class AwaitedModel(ScriptedModel):
    """Never answers, but can be awaited; notes when it is cancelled."""

    cancelled: bool = False

    @override
    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        raise AssertionError("nobody waits that long")


@dataclass(frozen=True, slots=True)
class Answered:
    """What a reply model said, and in which pieces."""

    outcome: Outcome
    pieces: list[str]


def wrap(*answers: Answer, sem: SpeakingStubSem | None = None, **options: Any) -> ReplyModel:
    """A scripted model as one that answers with the response alone."""
    speaker = sem or SpeakingStubSem()
    return ReplyModel(
        inner=options.pop("inner", None) or ScriptedModel(answers=list(answers)),
        labels=LABELS,
        listener=EmbeddedListener(reader=speaker, speaker=speaker),
        turns=[Turn("speaker", SAID)],
        likeliest="sad",
        deadline=Deadline.after(options.pop("seconds", 30)),
        **options,
    )


async def ask(model: ReplyModel, mode: Mode, prompt: LanguageModelInput = SAID) -> Answered:
    """Ask it in one of the four ways."""
    match mode:
        case "invoke":
            chunks = [model.invoke(prompt)]
        case "ainvoke":
            chunks = [await model.ainvoke(prompt)]
        case "stream":
            chunks = list(model.stream(prompt))
        case "astream":
            chunks = [chunk async for chunk in model.astream(prompt)]
    whole = sum(chunks[1:], start=chunks[0])
    return Answered(read_outcome(whole), [str(chunk.text) for chunk in chunks])


@every_mode
async def test_a_good_answer_is_the_response_alone(mode: Mode) -> None:
    answered = await ask(wrap(reply_json("lonely", "Oh no, poor you!")), mode)
    assert answered.outcome == Outcome("lonely", "Oh no, poor you!")


@pytest.mark.parametrize("mode", ["stream", "astream"])
async def test_sentences_are_shown_as_they_come(mode: Mode) -> None:
    pieces = (await ask(wrap(reply_json("lonely", "Oh no! Poor you! What now?")), mode)).pieces
    assert [piece for piece in pieces if piece] == ["Oh no!", " Poor you!", " What now?"]


@every_mode
async def test_space_around_the_response_is_never_shown(mode: Mode) -> None:
    assert (await ask(wrap(reply_json("sad", "\n Oh no. \n")), mode)).outcome.response == "Oh no."


@every_mode
async def test_a_wrong_label_is_asked_for_again(mode: Mode) -> None:
    answered = await ask(wrap(reply_json("blue", "Hm."), reply_json("lonely", "Oh.")), mode)
    assert answered.outcome == Outcome("lonely", "Oh.", "repaired:label")


@every_mode
async def test_a_response_before_its_emotion_is_still_read(mode: Mode) -> None:
    answered = await ask(wrap('{"response": "Oh.", "emotion": "lonely"}'), mode)
    assert answered.outcome == Outcome("lonely", "Oh.")


@every_mode
async def test_a_failing_model_is_made_good_by_the_listener(mode: Mode) -> None:
    answered = await ask(wrap(ConnectionError("no route")), mode)
    assert answered.outcome == Outcome("sad", STUB_REPLY, "connection")


@every_mode
async def test_a_failing_listener_is_made_good_by_the_fixed_text(mode: Mode) -> None:
    answered = await ask(wrap(ConnectionError("no route"), sem=MuteSem()), mode)
    assert answered.outcome == Outcome("sad", FIXED_REPLY, "connection")


@every_mode
async def test_strict_raises_what_went_wrong(mode: Mode) -> None:
    with pytest.raises(HefReplyError) as raised:
        await ask(wrap(ConnectionError("no route"), strict=True), mode)
    assert raised.value.cause == "connection"


@every_mode
async def test_strict_raises_instead_of_a_replaced_label(mode: Mode) -> None:
    with pytest.raises(HefReplyError) as raised:
        await ask(wrap(reply_json("blue", "Hm."), reply_json("blue", "Hm."), strict=True), mode)
    assert raised.value.cause == "label"


@every_mode
async def test_strict_lets_a_repaired_answer_pass(mode: Mode) -> None:
    model = wrap(reply_json("blue", "Hm."), reply_json("sad", "Oh."), strict=True)
    assert (await ask(model, mode)).outcome.degraded_reason == "repaired:label"


@pytest.mark.parametrize("mode", ["stream", "astream"])
async def test_words_that_were_shown_stay_when_the_model_breaks_off(mode: Mode) -> None:
    broken = Interrupted('{"emotion": "lonely", "response": "Oh no. What h', ConnectionError("lost"))
    answered = await ask(wrap(broken), mode)
    assert answered.outcome == Outcome("lonely", "Oh no.", "connection")
    assert "".join(answered.pieces) == "Oh no."


@pytest.mark.parametrize("mode", ["stream", "astream"])
async def test_a_line_without_a_sentence_that_was_shown_is_completed(mode: Mode) -> None:
    broken = Interrupted('{"emotion": "lonely", "response": "Oh no\\npo', ConnectionError("lost"))
    answered = await ask(wrap(broken), mode)
    assert answered.outcome == Outcome("lonely", f"Oh no… {STUB_REPLY}", "connection")
    assert "".join(answered.pieces) == answered.outcome.response


@pytest.mark.parametrize("mode", ["stream", "astream"])
async def test_a_model_that_breaks_off_in_its_first_sentence_may_be_asked_again(mode: Mode) -> None:
    broken = Interrupted('{"emotion": "lonely", "response": "Oh no, po', ConnectionError("lost"))
    answered = await ask(wrap(broken, reply_json("sad", "Oh.")), mode)
    assert answered.outcome == Outcome("sad", "Oh.", "repaired:connection")


@pytest.mark.parametrize("mode", ["stream", "astream"])
async def test_a_shown_answer_that_breaks_off_at_its_end_gets_no_mark(mode: Mode) -> None:
    broken = Interrupted('{"emotion": "lonely", "response": "Oh no. Oh dear."', ConnectionError("lost"))
    assert (await ask(wrap(broken), mode)).outcome == Outcome("lonely", "Oh no. Oh dear.", "connection")


CLAIM = "I lost my cat too."


@every_mode
async def test_a_sentence_that_claims_a_life_is_left_out_and_the_rest_goes_on(mode: Mode) -> None:
    answered = await ask(wrap(reply_json("lonely", f"Oh no. {CLAIM} Where was it?")), mode)
    assert answered.outcome == Outcome("lonely", "Oh no. Where was it?", "repaired:claim")
    assert "".join(answered.pieces) == answered.outcome.response


@every_mode
async def test_a_reply_of_nothing_but_claims_is_asked_for_again(mode: Mode) -> None:
    answered = await ask(wrap(reply_json("lonely", CLAIM), reply_json("sad", "Oh.")), mode)
    assert answered.outcome == Outcome("sad", "Oh.", "repaired:claim")
    assert "".join(answered.pieces) == "Oh."


@every_mode
async def test_a_model_that_goes_on_claiming_is_made_good_by_the_listener(mode: Mode) -> None:
    answered = await ask(wrap(*[reply_json("lonely", CLAIM)] * 2), mode)
    assert answered.outcome == Outcome("sad", STUB_REPLY, "claim")


@every_mode
async def test_strict_raises_a_claim_only_when_nothing_else_is_left(mode: Mode) -> None:
    half = wrap(reply_json("lonely", f"Oh no. {CLAIM}"), strict=True)
    assert (await ask(half, mode)).outcome == Outcome("lonely", "Oh no.", "repaired:claim")
    with pytest.raises(HefReplyError) as raised:
        await ask(wrap(*[reply_json("lonely", CLAIM)] * 2, strict=True), mode)
    assert raised.value.cause == "claim"


@every_mode
@pytest.mark.parametrize(
    ("said", "told", "shown"),
    [("", "", "Oh no."), ("Is it 988?", "", "Oh no. Call 988."), ("", "Our line: 988", "Oh no. Call 988.")],
)
async def test_a_number_may_be_given_if_the_user_or_the_application_named_it(
    said: str, told: str, shown: str, mode: Mode
) -> None:
    model = wrap(reply_json("sad", "Oh no. Call 988.")).model_copy(
        update={"turns": [Turn("speaker", f"{SAID} {said}")]}
    )
    assert (await ask(model, mode, [("system", told), ("user", SAID)])).outcome.response == shown


@every_mode
async def test_what_passes_in_a_moment_is_asked_for_once_more(mode: Mode) -> None:
    answered = await ask(wrap(ConnectionError("no route"), reply_json("lonely", "Oh.")), mode)
    assert answered.outcome == Outcome("lonely", "Oh.", "repaired:connection")


@every_mode
async def test_a_turn_below_hef_says_so_whatever_the_model_answers(mode: Mode) -> None:
    assert (await ask(wrap(reply_json("lonely", "Oh."), degraded="sem"), mode)).outcome.degraded_reason == "sem"


@pytest.mark.parametrize("mode", ["stream", "astream"])
async def test_the_emotion_is_told_once_before_the_first_word(mode: Mode) -> None:
    told: list[str] = []
    inner = ScriptedModel(answers=[reply_json("lonely", "Oh no, poor you!")])
    model = wrap(inner=inner, on_emotion=told.append)
    if mode == "stream":
        seen = [(str(chunk.text), list(told)) for chunk in model.stream(SAID)]
    else:
        seen = [(str(chunk.text), list(told)) async for chunk in model.astream(SAID)]
    assert told == ["lonely"]
    assert all(before == ["lonely"] for text, before in seen if text)


@pytest.mark.parametrize("mode", ["stream", "astream"])
async def test_a_model_that_breaks_off_before_a_word_is_made_good(mode: Mode) -> None:
    answered = await ask(wrap(*[Interrupted('{"emotion": "lone', ConnectionError("lost"))] * 3), mode)
    assert answered.outcome == Outcome("sad", STUB_REPLY, "connection")


@every_mode
async def test_a_model_slower_than_the_deadline_is_given_up(mode: Mode) -> None:
    start = time.monotonic()
    answered = await ask(wrap(inner=ScriptedModel(answers=["late"], delay=5), seconds=0.2), mode)
    assert answered.outcome == Outcome("sad", STUB_REPLY, "timeout")
    assert time.monotonic() - start < GIVEN_UP


class HungSem(SpeakingStubSem):
    """A SEM whose decoder never comes back."""

    @override
    def propose_replies(self, dialogue: Dialogue, emotion: str, *, count: int) -> list[ReplyCandidate]:
        time.sleep(60)
        return []


@every_mode
async def test_a_listener_that_hangs_is_given_up_within_a_second_of_the_deadline(mode: Mode) -> None:
    model = wrap(inner=ScriptedModel(answers=["late"], delay=5), sem=HungSem(), seconds=0.2)
    model = model.model_copy(update={"listener": model.listener.model_copy(update={"deadline": model.deadline})})
    start = time.monotonic()
    assert (await ask(model, mode)).outcome.response == FIXED_REPLY
    assert time.monotonic() - start < 1.2


@pytest.mark.parametrize("mode", ["ainvoke", "astream"])
def test_the_event_loop_can_close_while_a_blocking_model_still_hangs(mode: Mode) -> None:
    start = time.monotonic()
    asyncio.run(ask(wrap(inner=ScriptedModel(answers=["late"], delay=5), seconds=0.2), mode))
    assert time.monotonic() - start < GIVEN_UP


async def test_a_model_with_an_async_side_is_cancelled_at_the_deadline() -> None:
    inner = AwaitedModel(answers=[])
    await ask(wrap(inner=inner, seconds=0.5), "ainvoke")
    assert inner.cancelled


def test_the_second_question_shares_the_deadline_of_the_first() -> None:
    slow = ScriptedModel(answers=["", reply_json("sad", "Oh.")], delay=0.5)
    assert wrap(inner=slow, seconds=0.8).invoke(SAID).text == STUB_REPLY


def test_the_prompt_reaches_the_model_with_nothing_but_the_schema_added() -> None:
    inner = ScriptedModel(answers=[reply_json("sad", "Oh.")])
    prompt = [SystemMessage("Be kind."), HumanMessage(SAID)]
    wrap(inner=inner).invoke(prompt)
    assert inner.prompts[0] == word_schema(prompt, inner, LABELS, "plain")


@every_mode
async def test_the_tokens_of_all_calls_are_counted(mode: Mode) -> None:
    wrong, right = reply_json("blue", "Hm."), reply_json("sad", "Oh.")
    model = wrap(AIMessage(wrong, usage_metadata=USAGE), AIMessage(right, usage_metadata=USAGE))
    usage = (await ask(model, mode)).outcome.usage
    assert usage is not None
    assert usage["total_tokens"] == 14


def test_an_answer_in_a_tool_call_streams_the_same() -> None:
    call = {"name": "reply", "args": {"emotion": "lonely", "response": "Oh, poor you!"}, "id": "1", "type": "tool_call"}
    chunks = list(wrap(AIMessage("", tool_calls=[call])).stream(SAID))
    assert "".join(str(chunk.text) for chunk in chunks) == "Oh, poor you!"
    assert not any(chunk.tool_calls for chunk in chunks)


@pytest.fixture
def cache() -> Iterator[InMemoryCache]:
    """LangChain's global cache, switched on."""
    kept = InMemoryCache()
    set_llm_cache(kept)
    yield kept
    set_llm_cache(None)


def test_a_degraded_answer_is_never_remembered(cache: InMemoryCache) -> None:
    model = wrap(*[ConnectionError("no route")] * 3, reply_json("lonely", "Oh."))
    assert [model.invoke(SAID).text for _ in range(2)] == [STUB_REPLY, "Oh."]


def test_an_answer_from_the_models_own_cache_is_used(cache: InMemoryCache) -> None:
    inner = ScriptedModel(answers=[reply_json("lonely", "Oh.")])
    assert [wrap(inner=inner).invoke(SAID).text for _ in range(2)] == ["Oh.", "Oh."]
