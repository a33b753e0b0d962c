import asyncio
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler, get_usage_metadata_callback
from langchain_core.globals import set_llm_cache
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from typing_extensions import override

from hef_graph.chat_model import EmpatheticChatModel
from hef_graph.errors import HefInputError, HefModelError, HefReplyError
from hef_graph.turn import ReadingOptions
from hef_graph.types import ReplyCandidate
from tests.agents import BrokenSem, HangingSem
from tests.fakes import ScriptedModel, SpeakingStubSem, reply_json

GOOD = reply_json("sad", 'Oh no, your "ring" 💍! Where did you see it last?')
SHOWN = 'Oh no, your "ring" 💍! Where did you see it last?'
SENTENCES = ['Oh no, your "ring" 💍!', " Where did you see it last?"]


class AuthenticationError(Exception):
    """As providers' libraries name it; asking again would not help."""


FAILING = [AuthenticationError()]

OTHER = [ReplyCandidate("Where did you have it last?", -1.0, 1.0)]


def empathetic(*answers: Any, **options: Any) -> EmpatheticChatModel:
    return EmpatheticChatModel(model=ScriptedModel(answers=list(answers)), sem=SpeakingStubSem(), **options)


def test_the_answer_is_the_response_alone_with_the_emotion_beside_it() -> None:
    message = empathetic(GOOD).invoke("I lost my ring.")
    assert message.text == SHOWN
    assert message.response_metadata["hef"] == {"emotion": "sad", "degraded_reason": None}


async def test_awaited_it_answers_the_same() -> None:
    assert (await empathetic(GOOD).ainvoke("I lost my ring.")).text == SHOWN


def test_streamed_it_shows_sentence_by_sentence_and_never_json() -> None:
    pieces = [chunk.text for chunk in empathetic(GOOD).stream("I lost my ring.")]
    assert "".join(pieces) == SHOWN
    assert [piece for piece in pieces if piece] == SENTENCES


async def test_streamed_async_it_shows_the_same_words() -> None:
    assert "".join([chunk.text async for chunk in empathetic(GOOD).astream("I lost my ring.")]) == SHOWN


def test_without_a_model_the_embedded_listener_answers_and_streams() -> None:
    model = EmpatheticChatModel(sem=SpeakingStubSem())
    streamed = "".join(chunk.text for chunk in model.stream("I lost my ring."))
    assert streamed == model.invoke("I lost my ring.").text == "That sounds hard. What happened then?"


def test_it_takes_part_in_a_chain() -> None:
    prompt = ChatPromptTemplate.from_messages([("system", "You work for {shop}."), ("human", "{said}")])
    chain = prompt | empathetic(GOOD) | StrOutputParser()
    assert chain.invoke({"shop": "a jeweller", "said": "I {lost} my ring."}) == SHOWN


def test_system_messages_of_the_caller_reach_the_model_before_ours() -> None:
    model = empathetic(GOOD, system_prompt="Be brief.")
    model.invoke([SystemMessage("You work for a jeweller."), HumanMessage("I lost my ring.")])
    first = model.model.prompts[0][0]
    assert first.type == "system"
    assert first.text.startswith("Be brief.\n\nYou work for a jeweller.\n\nYou are an empathetic listener.")


def test_the_reading_options_decide_what_the_model_is_shown() -> None:
    model = empathetic(GOOD, reading=ReadingOptions(k2=1, cause_perception=False))
    model.invoke("I lost my ring.")
    evidence = model.model.prompts[0][-1].text
    assert "best first: sad." in evidence
    assert "Words that" not in evidence


def test_earlier_turns_reach_the_model() -> None:
    model = empathetic(GOOD)
    model.invoke([HumanMessage("I lost my ring."), AIMessage("Oh no!"), HumanMessage("It was gold.")])
    assert [message.type for message in model.model.prompts[0]] == ["system", "human", "ai", "human"]


def test_a_failing_model_is_stood_in_for() -> None:
    message = empathetic(*FAILING).invoke("I lost my ring.")
    assert message.response_metadata["hef"]["degraded_reason"] == "auth"


def test_strict_raises_a_failing_models_error() -> None:
    with pytest.raises(HefReplyError, match="AuthenticationError"):
        empathetic(*FAILING, strict=True).invoke("I lost my ring.")


def test_nothing_to_answer_is_refused() -> None:
    with pytest.raises(HefInputError, match="no text to answer"):
        empathetic(GOOD).invoke("  ")


def test_a_copy_with_another_model_asks_that_one() -> None:
    first = empathetic(GOOD)
    first.invoke("I lost my ring.")
    other = first.model_copy(update={"model": ScriptedModel(answers=[reply_json("sad", "Where was it?")])})
    assert other.invoke("I lost my ring.").text == "Where was it?"


class TestAFailingSem:
    def model(self, sem: Any, **options: Any) -> EmpatheticChatModel:
        return EmpatheticChatModel(model=ScriptedModel(answers=[GOOD]), sem=sem, **options)

    @pytest.mark.parametrize("sem", [BrokenSem(), HangingSem()], ids=["raises", "hangs"])
    def test_leaves_the_answer_to_the_model_and_says_so(self, sem: Any) -> None:
        model = self.model(sem, deadline=3)
        message = model.invoke("I lost my ring.")
        assert (message.text, message.response_metadata["hef"]["degraded_reason"]) == (SHOWN, "sem")
        assert model.model.prompts[0][-1].text == "I lost my ring."

    async def test_leaves_the_answer_to_the_model_when_awaited(self) -> None:
        message = await self.model(HangingSem(), deadline=0.6).ainvoke("I lost my ring.")
        assert message.response_metadata["hef"]["degraded_reason"] is not None

    def test_is_raised_when_strict(self) -> None:
        with pytest.raises(HefModelError, match="RuntimeError"):
            self.model(BrokenSem(), strict=True).invoke("I lost my ring.")


async def test_the_event_loop_goes_on_while_the_sem_reads() -> None:
    sem = HangingSem()
    model = EmpatheticChatModel(model=ScriptedModel(answers=[GOOD] * 2), sem=sem)
    asyncio.get_running_loop().call_later(0.05, sem.released.set)
    waited, streamed = await asyncio.gather(model.ainvoke("I lost my ring."), collect(model))
    assert waited.text == streamed == SHOWN
    assert waited.response_metadata["hef"]["degraded_reason"] is None


async def collect(model: EmpatheticChatModel) -> str:
    return "".join([chunk.text async for chunk in model.astream("I lost my ring.")])


class TestStopSequences:
    ANSWER = reply_json("sad", "Oh no. Where was it? Tell me.")

    @pytest.mark.parametrize(
        ("stop", "left"),
        [
            (["Where"], "Oh no. "),
            (["Tell", "was"], "Oh no. Where "),
            (["xyz"], "Oh no. Where was it? Tell me."),
            (["Oh"], ""),
        ],
    )
    def test_cut_the_response_and_leave_the_emotion(self, stop: list[str], left: str) -> None:
        message = empathetic(self.ANSWER).invoke("I lost my ring.", stop=stop)
        assert (message.text, message.response_metadata["hef"]["emotion"]) == (left, "sad")

    async def test_cut_a_stream_before_their_first_letter_is_shown(self) -> None:
        model = empathetic(self.ANSWER, self.ANSWER)
        shown = [chunk.text for chunk in model.stream("I lost my ring.", stop=["here was it? X", "was it"])]
        awaited = [chunk.text async for chunk in model.astream("I lost my ring.", stop=["was it"])]
        assert "".join(shown) == "".join(awaited) == "Oh no. Where "

    def test_are_not_the_inner_models_whose_json_they_would_cut(self) -> None:
        model = empathetic(reply_json("sad", 'She said "no".'))
        assert model.invoke("I lost my ring.", stop=["}", '": "']).text == 'She said "no".'


class Runs(BaseCallbackHandler):
    """Notes each chat model run."""

    def __init__(self) -> None:
        self.started: list[dict[str, Any]] = []

    @override
    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: uuid.UUID,
        parent_run_id: uuid.UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.started.append({"id": run_id, "parent": parent_run_id, "tags": tags or [], "metadata": metadata or {}})


class TestInTraces:
    USED = UsageMetadata(input_tokens=40, output_tokens=9, total_tokens=49)

    def counting(self) -> EmpatheticChatModel:
        return empathetic(AIMessage(GOOD, usage_metadata=self.USED, response_metadata={"model_name": "inner"}))

    def test_each_token_is_counted_once_and_for_the_model_that_used_it(self) -> None:
        with get_usage_metadata_callback() as used:
            message = self.counting().invoke("I lost my ring.")
        assert used.usage_metadata == {"inner": self.USED}
        assert message.usage_metadata == self.USED

    async def test_each_token_is_counted_once_in_a_stream(self) -> None:
        with get_usage_metadata_callback() as used:
            await collect(self.counting())
        assert used.usage_metadata == {"inner": self.USED}

    @pytest.mark.parametrize("mode", ["invoke", "ainvoke", "stream", "astream"])
    async def test_the_inner_run_is_a_child_with_the_callers_tags_and_metadata(self, mode: str) -> None:
        runs, model = Runs(), empathetic(GOOD)
        config: Any = {"callbacks": [runs], "tags": ["shop"], "metadata": {"customer": 7}}
        await exhaust(getattr(model, mode)("I lost my ring.", config))
        outer, inner = runs.started
        assert inner["parent"] == outer["id"]
        assert {"shop", "nostream"} <= set(inner["tags"])
        assert inner["metadata"]["customer"] == 7

    async def test_a_stream_that_is_switched_off_is_one_run_inside_another_too(self) -> None:
        runs, model = Runs(), empathetic(GOOD, GOOD, disable_streaming=True)
        [whole] = model.stream("I lost my ring.", {"callbacks": [runs]})
        assert whole.text == await collect(model) == SHOWN
        assert runs.started[1]["parent"] == runs.started[0]["id"]

    def test_the_run_bears_the_name_of_the_model_behind_it(self) -> None:
        runs = Runs()
        EmpatheticChatModel(sem=SpeakingStubSem()).invoke("I lost my ring.", {"callbacks": [runs]})
        metadata = runs.started[0]["metadata"]
        assert (metadata["ls_provider"], metadata["ls_model_name"]) == ("hef", "embedded listener")


async def exhaust(running: Any) -> None:
    """Let a call of any kind run to its end."""
    if isinstance(running, Iterator):
        list(running)
    elif hasattr(running, "__aiter__"):
        [_ async for _ in running]
    elif hasattr(running, "__await__"):
        await running


class TestAsARunnable:
    async def test_many_at_once_do_not_mix(self) -> None:
        texts: list[Any] = ["My cat died.", "I won!", "They stole it.", "It was dark."] * 3
        model = EmpatheticChatModel(sem=SpeakingStubSem())
        for messages in (model.batch(texts), await model.abatch(texts)):
            felt = [message.response_metadata["hef"]["emotion"] for message in messages]
            assert felt == ["sad", "joyful", "angry", "afraid"] * 3

    def test_its_events_stream_the_words_of_the_response(self) -> None:
        words = [chunk for chunk in asyncio.run(self.streamed_events()) if chunk]
        assert words == SENTENCES

    async def streamed_events(self) -> list[str]:
        events = empathetic(GOOD).with_config(run_name="hef").astream_events("I lost my ring.", version="v2")
        return [
            event["data"]["chunk"].text
            async for event in events
            if event["event"] == "on_chat_model_stream" and event["name"] == "hef"
        ]

    def test_another_model_can_stand_by_where_it_is_strict(self) -> None:
        first = empathetic(*FAILING, strict=True)
        assert first.with_fallbacks([empathetic(GOOD)]).invoke("I lost my ring.").text == SHOWN

    def test_it_can_be_tried_again_where_it_is_strict(self) -> None:
        model = empathetic(*FAILING, GOOD, strict=True).with_retry(wait_exponential_jitter=False)
        assert model.invoke("I lost my ring.").text == SHOWN

    def test_a_call_may_name_another_model(self) -> None:
        other = ScriptedModel(answers=[GOOD])
        assert empathetic().bind(model=other).invoke("I lost my ring.").text == SHOWN
        assert other.calls == 1

    def test_langchains_cache_never_gives_one_models_answer_for_another(self) -> None:
        set_llm_cache(InMemoryCache())
        try:
            first, second = (
                EmpatheticChatModel(sem=sem) for sem in (SpeakingStubSem(), SpeakingStubSem(replies=OTHER))
            )
            assert first.invoke("I lost my ring.").text != second.invoke("I lost my ring.").text == OTHER[0].text
        finally:
            set_llm_cache(None)


def test_threads_may_share_it() -> None:
    model, felt = EmpatheticChatModel(sem=SpeakingStubSem()), {}

    def ask(said: str) -> None:
        felt[said] = model.invoke(said).response_metadata["hef"]["emotion"]

    workers = [threading.Thread(target=ask, args=(said,)) for said in ("My cat died.", "I won!", "They stole it.")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert felt == {"My cat died.": "sad", "I won!": "joyful", "They stole it.": "angry"}


def test_the_way_of_asking_can_be_chosen() -> None:
    model = empathetic(GOOD, method="json_mode")
    assert model.invoke("I lost my ring.").text == SHOWN
