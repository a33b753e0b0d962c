"""A crisis in front of an agent: answered in the model's place, whatever else the agent is made of."""

from dataclasses import dataclass
from typing import Any, Final

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    ModelFallbackMiddleware,
    PIIMiddleware,
    SummarizationMiddleware,
)
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from typing_extensions import TypedDict

from hef_graph.crisis import DEFAULT_POLICY, CrisisPolicy
from hef_graph.instruction import CARE
from hef_graph.middleware import EmpathyMiddleware
from tests.agents import SEARCH, BrokenSem, ToolModel, agent_on, invoke
from tests.fakes import StubSem
from tests.policies import CRISIS, SIGNAL, Broken, MarkedPolicy
from tests.runs import thread

SAID: Final = MarkedPolicy().respond(SIGNAL)
PLAIN: Final = "I want to kill myself."
ONE: Final = thread("1")

both = pytest.mark.parametrize("awaited", [False, True], ids=["sync", "async"])


def ours(policy: CrisisPolicy | None = None, sem: StubSem | None = None, **options: Any) -> EmpathyMiddleware:
    return EmpathyMiddleware(sem or StubSem(), crisis_policy=policy or MarkedPolicy(), **options)


async def run(agent: Any, text: str, *, awaited: bool, **settings: Any) -> dict[str, Any]:
    """One turn, called or awaited."""
    given = {"messages": [HumanMessage(text)]}
    out: dict[str, Any] = await agent.ainvoke(given, **settings) if awaited else agent.invoke(given, **settings)
    return out


class TestACrisis:
    @both
    async def test_is_answered_without_the_sem_and_without_the_model(self, *, awaited: bool) -> None:
        sem, model = StubSem(), ToolModel(answers=[])
        out = await run(agent_on(model, ours(sem=sem)), CRISIS, awaited=awaited)
        assert [message.text for message in out["messages"]] == [CRISIS, SAID]
        assert (sem.analyze_calls, model.calls) == (0, 0)

    @both
    async def test_is_told_in_the_state(self, *, awaited: bool) -> None:
        out = await run(agent_on(ToolModel(answers=[]), ours()), CRISIS, awaited=awaited)
        told = {key: out[key] for key in out if key != "messages"}
        assert told == {
            "emotion": None,
            "emotion_candidates": [],
            "cause_words": {"high": [], "low": []},
            "emotion_confidence": None,
            "in_domain": True,
            "sem_failure": None,
            "crisis": SIGNAL.to_json(),
        }

    @both
    async def test_is_answered_though_everything_is_down(self, *, awaited: bool) -> None:
        agent = agent_on(ToolModel(answers=[ConnectionError("down")]), ours(sem=BrokenSem()))
        assert (await run(agent, CRISIS, awaited=awaited))["messages"][-1].text == SAID

    @pytest.mark.parametrize("method", ["detect", "respond", "on_event"])
    def test_is_answered_though_the_policy_fails(self, method: str) -> None:
        out = invoke(agent_on(ToolModel(answers=[]), ours(Broken(method))), f"{CRISIS} {PLAIN}")
        assert out["crisis"] is not None

    def test_is_answered_though_the_middleware_is_strict(self) -> None:
        out = invoke(agent_on(ToolModel(answers=[]), ours(sem=BrokenSem(), strict=True)), CRISIS)
        assert out["messages"][-1].text == SAID

    def test_is_told_once_to_who_counts(self) -> None:
        policy = MarkedPolicy()
        invoke(agent_on(ToolModel(answers=[]), ours(policy)), CRISIS)
        assert len(policy.told) == 1

    def test_is_streamed_once(self) -> None:
        agent = agent_on(ToolModel(answers=[]), ours())
        told = agent.stream({"messages": [HumanMessage(CRISIS)]}, stream_mode="messages")
        assert [message.text for message, _ in told if message.text and message.type != "human"] == [SAID]

    def test_by_a_plain_phrase_is_found_by_the_shipped_policy(self) -> None:
        out = invoke(agent_on(ToolModel(answers=[]), EmpathyMiddleware(StubSem(), locale="GB")), PLAIN)
        assert "116 123" in out["messages"][-1].text
        assert out["crisis"]["evidence"] == PLAIN

    def test_in_a_text_beside_an_image_is_found(self) -> None:
        image: dict[str, Any] = {"type": "image", "url": "https://x.example/ring.png"}
        message = HumanMessage([image, {"type": "text", "text": PLAIN}])
        assert invoke(agent_on(ToolModel(answers=[]), EmpathyMiddleware(StubSem())), message)["crisis"] is not None


class TestNoCrisis:
    def test_an_ordinary_turn_says_that_there_was_none(self) -> None:
        assert invoke(agent_on(ToolModel(answers=["Oh no."]), ours()), "I lost my ring.")["crisis"] is None

    def test_switched_off_the_model_answers(self) -> None:
        middleware = EmpathyMiddleware(StubSem(), crisis_policy=None)
        out = invoke(agent_on(ToolModel(answers=["Oh no."]), middleware), PLAIN)
        assert (out["messages"][-1].text, out["crisis"]) == ("Oh no.", None)

    def test_an_image_alone_is_none(self) -> None:
        image = HumanMessage([{"type": "image", "url": "https://x.example/ring.png"}])
        assert invoke(agent_on(ToolModel(answers=["I see."]), ours()), image)["crisis"] is None


class TestTheToolLoop:
    def test_is_over_though_the_agent_has_tools(self) -> None:
        out = invoke(agent_on(ToolModel(answers=[SEARCH]), ours()), CRISIS)
        assert [message.type for message in out["messages"]] == ["human", "ai"]

    def test_does_not_flag_the_users_message_again_and_again(self) -> None:
        policy = MarkedPolicy()
        model = ToolModel(answers=[SEARCH, "I could not find it."])
        agent = agent_on(model, ours(policy), checkpointer=InMemorySaver())
        agent.invoke({"messages": [CRISIS]}, ONE)
        out = agent.invoke({"messages": ["Then look for my ring."]}, ONE)
        assert [message.type for message in out["messages"]][2:] == ["human", "ai", "tool", "ai"]
        assert len(policy.told) == 1


class Verdict(TypedDict):
    """What the jeweller decides."""

    found: bool


DECIDED: Final = AIMessage("", tool_calls=[ToolCall(name="Verdict", args={"found": False}, id="2", type="tool_call")])


class TestAResponseFormat:
    @both
    @pytest.mark.parametrize("strategy", [ToolStrategy(Verdict), ProviderStrategy(Verdict)], ids=["tool", "provider"])
    async def test_gets_no_typed_response_in_a_crisis(self, strategy: Any, *, awaited: bool) -> None:
        agent = agent_on(ToolModel(answers=[]), ours(), response_format=strategy)
        out = await run(agent, CRISIS, awaited=awaited)
        assert out["messages"][-1].text == SAID
        assert out.get("structured_response") is None

    def test_gets_none_of_an_earlier_turn_either(self) -> None:
        model = ToolModel(answers=[DECIDED])
        agent = agent_on(model, ours(), response_format=ToolStrategy(Verdict), checkpointer=InMemorySaver())
        agent.invoke({"messages": ["I lost my ring."]}, ONE)
        assert agent.invoke({"messages": [CRISIS]}, ONE).get("structured_response") is None


@dataclass
class Caller:
    """A context of the application's own."""

    locale: str | None = None


class Request(TypedDict):
    """The same as a dict."""

    locale: str


class TestTheCountry:
    @both
    @pytest.mark.parametrize("locale", ["DE", "fr-FR", "JP", "ZA"])
    async def test_is_that_of_the_runs_context(self, locale: str, *, awaited: bool) -> None:
        agent = agent_on(ToolModel(answers=[]), ours(locale="GB"), context_schema=Caller)
        out = await run(agent, CRISIS, awaited=awaited, context=Caller(locale))
        assert out["messages"][-1].text == DEFAULT_POLICY.respond(SIGNAL, locale)

    def test_is_the_middlewares_own_where_the_context_has_none(self) -> None:
        agent = agent_on(ToolModel(answers=[]), ours(locale="GB"), context_schema=Caller)
        out = agent.invoke({"messages": [CRISIS]}, context=Caller())
        assert out["messages"][-1].text == DEFAULT_POLICY.respond(SIGNAL, "GB")

    def test_is_seen_in_a_context_that_is_a_dict(self) -> None:
        agent = agent_on(ToolModel(answers=[]), ours(), context_schema=Request)
        out = agent.invoke({"messages": [CRISIS]}, context={"locale": "GB"})
        assert out["messages"][-1].text == DEFAULT_POLICY.respond(SIGNAL, "GB")

    def test_is_none_where_nobody_says_it(self) -> None:
        assert invoke(agent_on(ToolModel(answers=[]), ours()), CRISIS)["messages"][-1].text == SAID


class TestAmongOthers:
    @pytest.mark.parametrize("first", [True, False], ids=["redaction first", "ours first"])
    def test_what_was_redacted_is_not_in_the_evidence(self, *, first: bool) -> None:
        redaction: Any = PIIMiddleware("email", strategy="redact")
        middleware: list[AgentMiddleware[Any, Any, Any]] = [redaction, ours(CrisisPolicy())]
        agent = agent_on(ToolModel(answers=[]), *(middleware if first else middleware[::-1]))
        out = invoke(agent, "I want to kill myself, tell ada@example.com")
        assert "[REDACTED_EMAIL]" in out["crisis"]["evidence"]
        assert "ada@example.com" not in repr(out)

    @pytest.mark.parametrize("first", [True, False], ids=["summaries first", "ours first"])
    def test_a_crisis_behind_a_summary_is_answered(self, *, first: bool) -> None:
        writer = ToolModel(answers=["They talked of an umbrella."] * 3)
        other: Any = SummarizationMiddleware(writer, trigger=("messages", 3), keep=("messages", 1))
        middleware: list[AgentMiddleware[Any, Any, Any]] = [other, ours()]
        agent = agent_on(ToolModel(answers=[]), *(middleware if first else middleware[::-1]))
        out = invoke(agent, "Hi.", AIMessage("Hello."), CRISIS)
        assert out["messages"][-1].text == SAID

    def test_a_summary_that_tells_of_a_crisis_is_none(self) -> None:
        writer = ToolModel(answers=[CRISIS] * 3)
        other: Any = SummarizationMiddleware(writer, trigger=("messages", 3), keep=("messages", 1))
        agent = agent_on(ToolModel(answers=["It is safe."]), other, ours())
        assert invoke(agent, "Hi.", AIMessage("Hello."), "My cat died.")["crisis"] is None

    def test_a_fallback_is_not_asked(self) -> None:
        spare = ToolModel(answers=["Spare."])
        middleware = (ours(), ModelFallbackMiddleware(spare))
        out = invoke(agent_on(ToolModel(answers=[ConnectionError("down")]), *middleware), CRISIS)
        assert (out["messages"][-1].text, spare.calls) == (SAID, 0)


class TestAfterwards:
    @both
    async def test_the_model_is_asked_for_care(self, *, awaited: bool) -> None:
        model = ToolModel(answers=["I am here."] * 2)
        agent = agent_on(model, ours(), checkpointer=InMemorySaver())
        outs = [await run(agent, text, awaited=awaited, config=ONE) for text in (CRISIS, "Thank you.", "So.")]
        assert [out["crisis"] for out in outs] == [SIGNAL.to_json(), None, None]
        assert all(str(prompt[0].text).endswith(CARE) for prompt in model.prompts)

    def test_before_a_crisis_it_is_not(self) -> None:
        model = ToolModel(answers=["Oh no."])
        invoke(agent_on(model, ours()), "I lost my ring.")
        assert CARE not in str(model.prompts[0][0].text)

    def test_the_care_outlives_a_summary_and_a_restart(self) -> None:
        saver, prompts = InMemorySaver(), []
        for text in (CRISIS, "It rained.", "It was dark.", "So."):
            writer = ToolModel(answers=["They talked."] * 3)
            other: Any = SummarizationMiddleware(writer, trigger=("messages", 4), keep=("messages", 1))
            model = ToolModel(answers=["I see."])
            agent_on(model, other, ours(), checkpointer=saver).invoke({"messages": [HumanMessage(text)]}, ONE)
            prompts += model.prompts
        assert len(prompts) == 3
        assert all(CARE in str(prompt[0].text) for prompt in prompts)

    def test_a_new_signal_is_answered_again(self) -> None:
        policy = MarkedPolicy()
        agent = agent_on(ToolModel(answers=["I see."]), ours(policy), checkpointer=InMemorySaver())
        outs = [agent.invoke({"messages": [text]}, ONE) for text in (CRISIS, "So.", CRISIS)]
        assert [out["crisis"] is not None for out in outs] == [True, False, True]
        assert len(policy.told) == 2

    def test_strict_msgpack_gives_the_state_back_as_it_was(self) -> None:
        saver = InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=None))
        agent = agent_on(ToolModel(answers=[]), ours(), checkpointer=saver)
        out = agent.invoke({"messages": [CRISIS]}, ONE)
        kept = agent.get_state(ONE).values
        assert {key: kept[key] for key in out} == out

    def test_without_a_checkpointer_the_fixed_answer_among_the_messages_says_it(self) -> None:
        model = ToolModel(answers=["I am here."])
        agent = create_agent(model, [], middleware=[ours()])
        said: list[AnyMessage] = invoke(agent, CRISIS)["messages"]
        invoke(agent, *said, "Thank you.")
        assert CARE in str(model.prompts[0][0].text)


def test_what_a_caller_puts_into_our_keys_is_not_taken() -> None:
    model = ToolModel(answers=["Oh no."])
    agent = agent_on(model, ours(), checkpointer=InMemorySaver())
    out = agent.invoke({"messages": [HumanMessage("I lost my ring.")], "crisis": {"category": "abuse"}}, ONE)
    assert out["crisis"] is None
    assert CARE not in str(model.prompts[0][0].text)
