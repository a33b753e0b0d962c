"""A crisis in a chain: the model answers with help lines, however it is called."""

from typing import Any, Final

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder

from hef_graph.chat_model import EmpatheticChatModel
from hef_graph.crisis import DEFAULT_POLICY, CrisisPolicy
from hef_graph.errors import HefInputError
from hef_graph.instruction import CARE
from tests.agents import BrokenSem
from tests.fakes import ScriptedModel, SpeakingStubSem, reply_json
from tests.policies import CRISIS, SIGNAL, Broken, MarkedPolicy

SAID: Final = MarkedPolicy().respond(SIGNAL)
TOLD: Final = {"emotion": None, "degraded_reason": None, "crisis": SIGNAL.to_json()}
GOOD: Final = reply_json("sad", "I am here.")
PLAIN: Final = "I want to kill myself."


def empathetic(*answers: Any, policy: CrisisPolicy | None = None, **options: Any) -> EmpatheticChatModel:
    model = ScriptedModel(answers=list(answers))
    settings = {"sem": SpeakingStubSem(), "crisis_policy": policy or MarkedPolicy(), **options}
    return EmpatheticChatModel(model=model, **settings)


class TestACrisis:
    def test_is_answered_and_told_in_the_metadata(self) -> None:
        message = empathetic().invoke(CRISIS)
        assert (message.text, message.response_metadata["hef"]) == (SAID, TOLD)

    async def test_is_answered_awaited(self) -> None:
        message = await empathetic().ainvoke(CRISIS)
        assert (message.text, message.response_metadata["hef"]) == (SAID, TOLD)

    def test_is_streamed_whole_with_its_metadata(self) -> None:
        chunks = list(empathetic().stream(CRISIS))
        assert [chunk.text for chunk in chunks if chunk.text] == [SAID]
        assert [chunk.response_metadata["hef"] for chunk in chunks if chunk.response_metadata.get("hef")] == [TOLD]

    async def test_is_streamed_whole_awaited(self) -> None:
        chunks = [chunk async for chunk in empathetic().astream(CRISIS)]
        assert [chunk.text for chunk in chunks if chunk.text] == [SAID]
        assert [chunk.response_metadata["hef"] for chunk in chunks if chunk.response_metadata.get("hef")] == [TOLD]

    async def test_is_told_among_a_chains_events(self) -> None:
        events = [event async for event in empathetic().astream_events(CRISIS, version="v2")]
        told = [event["data"]["chunk"].text for event in events if event["event"] == "on_chat_model_stream"]
        assert "".join(told) == SAID

    def test_in_a_batch_is_answered_and_the_others_as_ever(self) -> None:
        model = EmpatheticChatModel(sem=SpeakingStubSem(), crisis_policy=MarkedPolicy())
        out = model.batch(["I lost my cat.", CRISIS, "I won!"])
        assert [message.response_metadata["hef"].get("crisis") for message in out] == [None, SIGNAL.to_json(), None]
        assert out[1].text == SAID

    async def test_in_an_awaited_batch_is_answered(self) -> None:
        model = EmpatheticChatModel(sem=SpeakingStubSem(), crisis_policy=MarkedPolicy())
        assert [message.text == SAID for message in await model.abatch([CRISIS, "I won!"])] == [True, False]

    def test_in_a_chain_is_answered_as_text(self) -> None:
        prompt = ChatPromptTemplate.from_messages([("system", "You work for {shop}."), ("human", "{said}")])
        chain = prompt | empathetic() | StrOutputParser()
        assert chain.invoke({"shop": "a jeweller", "said": CRISIS}) == SAID

    def test_is_answered_without_the_sem_and_without_the_model(self) -> None:
        sem = SpeakingStubSem()
        model = empathetic(sem=sem)
        model.invoke(CRISIS)
        assert (sem.analyze_calls, model.model.calls) == (0, 0)

    @pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
    def test_is_answered_though_everything_is_down(self, *, strict: bool) -> None:
        model = empathetic(ConnectionError("down"), sem=BrokenSem(), strict=strict)
        assert model.invoke(CRISIS).text == SAID

    @pytest.mark.parametrize("method", ["detect", "respond", "on_event"])
    def test_is_answered_though_the_policy_fails(self, method: str) -> None:
        message = empathetic(policy=Broken(method)).invoke(f"{CRISIS} {PLAIN}")
        assert message.response_metadata["hef"]["crisis"] is not None

    @pytest.mark.parametrize("locale", ["GB", "de-DE", "FR", "JP"])
    def test_shows_the_lines_of_its_country(self, locale: str) -> None:
        assert empathetic(locale=locale).invoke(CRISIS).text == DEFAULT_POLICY.respond(SIGNAL, locale)

    def test_by_a_plain_phrase_is_found_by_the_shipped_policy(self) -> None:
        message = empathetic(policy=CrisisPolicy(), locale="GB").invoke(PLAIN)
        assert "116 123" in message.text
        assert message.response_metadata["hef"]["crisis"]["evidence"] == PLAIN

    def test_said_by_the_application_is_none(self) -> None:
        model = empathetic(GOOD, policy=CrisisPolicy())
        message = model.invoke([SystemMessage(PLAIN), HumanMessage("I like tea.")])
        assert "crisis" not in message.response_metadata["hef"]

    def test_is_told_once_to_who_counts(self) -> None:
        policy = MarkedPolicy()
        list(empathetic(policy=policy).stream(CRISIS))
        assert len(policy.told) == 1


class TestStopSequences:
    def test_that_do_not_occur_change_nothing(self) -> None:
        assert empathetic().invoke(CRISIS, stop=["Observation:"]).text == SAID

    @pytest.mark.parametrize("stop", ["\n", "\n\n", "-", ".", "AI"])
    def test_cut_nothing_off_the_help_lines(self, stop: str) -> None:
        assert empathetic().invoke(CRISIS, stop=[stop]).text == SAID

    async def test_cut_nothing_off_a_stream(self) -> None:
        assert "".join(chunk.text for chunk in empathetic().stream(CRISIS, stop=["\n\n"])) == SAID
        assert "".join([chunk.text async for chunk in empathetic().astream(CRISIS, stop=["\n\n"])]) == SAID


class TestAfterwards:
    def history(self, *more: Any) -> list[Any]:
        first = HumanMessage(CRISIS)
        return [first, empathetic().invoke([first]), *more]

    def test_the_model_is_asked_for_care(self) -> None:
        model = empathetic(GOOD)
        message = model.invoke(self.history(HumanMessage("Thank you.")))
        assert CARE in model.model.prompts[0][0].text
        assert message.text == "I am here."
        assert message.response_metadata["hef"].get("crisis") is None

    def test_for_the_rest_of_the_conversation(self) -> None:
        more = [message for _ in range(20) for message in (HumanMessage("So."), AIMessage("I see."))]
        model = empathetic(GOOD)
        model.invoke(self.history(*more, HumanMessage("It rained.")))
        assert CARE in model.model.prompts[0][0].text

    def test_after_a_streamed_answer_too(self) -> None:
        first, *more = empathetic().stream(CRISIS)
        model = empathetic(GOOD)
        model.invoke([HumanMessage(CRISIS), sum(more, first), HumanMessage("Thank you.")])
        assert CARE in model.model.prompts[0][0].text

    def test_as_a_chain_with_a_history_keeps_it(self) -> None:
        model, history = empathetic(GOOD), list[BaseMessage]()
        chain = ChatPromptTemplate.from_messages([MessagesPlaceholder("history"), ("human", "{said}")]) | model
        for said in (CRISIS, "Thank you."):
            history += [HumanMessage(said), chain.invoke({"history": history, "said": said})]
        assert CARE in model.model.prompts[0][0].text

    def test_without_a_crisis_there_is_none(self) -> None:
        model = empathetic(GOOD)
        model.invoke("I lost my cat.")
        assert CARE not in model.model.prompts[0][0].text

    def test_a_new_signal_is_answered_again(self) -> None:
        assert empathetic().invoke(self.history(HumanMessage(CRISIS))).text == SAID


def test_switched_off_the_model_answers() -> None:
    model = EmpatheticChatModel(model=ScriptedModel(answers=[GOOD]), sem=SpeakingStubSem(), crisis_policy=None)
    assert model.invoke(PLAIN).text == "I am here."


def test_nothing_to_answer_is_refused_before_the_policy_is_asked() -> None:
    policy = MarkedPolicy()
    with pytest.raises(HefInputError):
        empathetic(policy=policy).invoke(" ")
    assert policy.told == []


def test_the_policy_is_not_part_of_what_is_written_down_of_the_model() -> None:
    assert "crisis_policy" not in empathetic().model_dump(exclude={"model", "sem"})
