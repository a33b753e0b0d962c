"""`EmpathyMiddleware` among other middleware, in agents of several kinds."""

import json
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    HumanInTheLoopMiddleware,
    ModelRequest,
    ModelRetryMiddleware,
    PIIMiddleware,
    SummarizationMiddleware,
    dynamic_prompt,
)
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command
from typing_extensions import TypedDict

from hef_graph.instruction import AGENT_ROLE
from hef_graph.middleware import EmpathyMiddleware, EmpathyState
from tests.agents import SEARCH, ToolModel, agent_on, invoke, search
from tests.fakes import StubSem
from tests.runs import thread

LETTER = "I lost my ring, write to unfair@example.com"
"""The stub hears anger in the address, sadness in the rest."""

listed_first = pytest.mark.parametrize("first", [True, False], ids=["the other first", "ours first"])


def ordered(ours: EmpathyMiddleware, other: Any, *, first: bool) -> list[AgentMiddleware[Any, Any, Any]]:
    return [other, ours] if first else [ours, other]


class TestWithRedaction:
    def redacted(self, model: ToolModel, sem: StubSem, *, first: bool) -> dict[str, Any]:
        redaction: Any = PIIMiddleware("email", strategy="redact")
        return invoke(agent_on(model, *ordered(EmpathyMiddleware(sem), redaction, first=first)), LETTER)

    @listed_first
    def test_what_is_taken_out_is_never_read(self, first: bool) -> None:
        sem = StubSem()
        self.redacted(ToolModel(answers=[SEARCH, "Oh no."]), sem, first=first)
        assert sem.analyze_calls == 1
        assert sem.dialogues_read[0][0].text == "I lost my ring, write to [REDACTED_EMAIL]"

    @listed_first
    def test_it_comes_back_neither_in_the_state_nor_in_the_prompt(self, first: bool) -> None:
        model = ToolModel(answers=["Oh no."])
        out = self.redacted(model, StubSem(), first=first)
        assert out["emotion"] == "sad"
        assert "unfair" not in f"{out} {model.prompts}"

    def test_words_that_only_a_request_leaves_out_are_not_quoted(self) -> None:
        """A redaction inside `wrap_model_call` changes what the model sees, not the state."""

        class Hide(AgentMiddleware[Any, Any, Any]):
            def wrap_model_call(self, request: ModelRequest[Any], handler: Any) -> Any:
                shown = [m.model_copy(update={"content": m.text.replace("ring", "…")}) for m in request.messages]
                return handler(request.override(messages=shown))

        model = ToolModel(answers=["Oh no."])
        invoke(agent_on(model, Hide(), EmpathyMiddleware(StubSem())), "I lost my ring.")
        assert '"lost"' in model.prompts[0][-1].text
        assert "ring" not in model.prompts[0][-1].text


class TestWithSummaries:
    def summarising(self, summary: str, keep: int) -> Any:
        model = ToolModel(answers=[summary] * 3)
        return SummarizationMiddleware(model, trigger=("messages", 5), keep=("messages", keep))

    @listed_first
    def test_a_summary_is_not_read_as_the_users_words(self, first: bool) -> None:
        sem, model = StubSem(), ToolModel(answers=["It is safe."])
        agent = agent_on(model, *ordered(EmpathyMiddleware(sem), self.summarising("They won!", 1), first=first))
        hello: list[AnyMessage] = [
            HumanMessage("Hi."),
            AIMessage("Hello."),
            HumanMessage("One moment."),
            AIMessage("Yes?"),
        ]
        out = invoke(agent, *hello, "My cat died.")
        assert [turn.text for turn in sem.dialogues_read[0]] == ["My cat died."]
        assert out["emotion"] == "sad"

    @listed_first
    def test_the_evidence_stands_behind_the_users_text_and_not_behind_the_summary(self, first: bool) -> None:
        model = ToolModel(answers=["It is safe."])
        other = self.summarising("They won!", 3)
        agent = agent_on(model, *ordered(EmpathyMiddleware(StubSem()), other, first=first))
        invoke(agent, "Hi.", AIMessage("Hello."), "My cat died.", SEARCH, ToolMessage("no", tool_call_id="1"))
        shown = [message.text for message in model.prompts[0]]
        assert shown[1].endswith("They won!")
        assert shown[2].startswith("My cat died.\n\n<evidence>")

    @listed_first
    def test_when_the_users_text_is_summarised_away_the_candidates_stand_behind_the_system_prompt(
        self, first: bool
    ) -> None:
        sem, model = StubSem(), ToolModel(answers=[search("1"), search("2"), "I could not find it."])
        other = self.summarising("They look for something.", 2)
        agent = agent_on(model, *ordered(EmpathyMiddleware(sem), other, first=first))
        out = invoke(agent, "I lost my ring.")
        system, *rest = (message.text for message in model.prompts[2])
        assert system.startswith(f"You work for a jeweller.\n\n{AGENT_ROLE}\n\n<evidence>")
        assert "best first: sad" in system
        assert '"ring"' not in system
        assert not any("<evidence>" in text for text in rest)
        assert (sem.analyze_calls, out["emotion"]) == (1, "sad")

    def test_a_later_turn_behind_a_summary_is_read(self) -> None:
        sem, model = StubSem(), ToolModel(answers=[search("1"), search("2"), "No.", "Well done!"])
        other = self.summarising("They look for something.", 2)
        agent = agent_on(model, EmpathyMiddleware(sem), other, checkpointer=InMemorySaver())
        said = ["I lost my ring.", "I won!"]
        outs = [agent.invoke({"messages": [text]}, thread("1")) for text in said]
        assert [out["emotion"] for out in outs] == ["sad", "joyful"]


class TestWithAHumanInTheLoop:
    @listed_first
    def test_the_reading_survives_the_wait_for_a_decision(self, first: bool) -> None:
        sem, model = StubSem(), ToolModel(answers=[SEARCH, "I could not find it."])
        asking: Any = HumanInTheLoopMiddleware(interrupt_on={"find_ring": True})
        agent = agent_on(model, *ordered(EmpathyMiddleware(sem), asking, first=first), checkpointer=InMemorySaver())
        waiting = agent.invoke({"messages": ["I lost my ring."]}, thread("1"))
        assert (waiting["emotion"], len(waiting["__interrupt__"])) == ("sad", 1)
        out = agent.invoke(Command(resume={"decisions": [{"type": "approve"}]}), thread("1"))
        assert (out["emotion"], out["messages"][-1].text, sem.analyze_calls) == ("sad", "I could not find it.", 1)
        assert model.prompts[1][1] == model.prompts[0][1]


class TestWithOtherMiddleware:
    def test_what_is_listed_after_ours_knows_the_emotion_of_the_turn(self) -> None:
        @dynamic_prompt
        def tone(request: ModelRequest[Any]) -> str:
            return f"They are {request.state.get('emotion')}."

        model = ToolModel(answers=["Oh no."])
        invoke(agent_on(model, EmpathyMiddleware(StubSem()), tone), "I lost my ring.")
        assert model.prompts[0][0].text == "They are sad."

    def test_a_prompt_that_is_made_before_ours_is_kept(self) -> None:
        @dynamic_prompt
        def shop(request: ModelRequest[Any]) -> str:
            return "You work for a watchmaker."

        model = ToolModel(answers=["Oh no."])
        invoke(agent_on(model, shop, EmpathyMiddleware(StubSem())), "I lost my ring.")
        assert model.prompts[0][0].text == f"You work for a watchmaker.\n\n{AGENT_ROLE}"

    def test_a_retry_listed_after_ours_does_not_read_again(self) -> None:
        sem, model = StubSem(), ToolModel(answers=[ConnectionError("no route"), "Oh no."])
        out = invoke(agent_on(model, EmpathyMiddleware(sem), ModelRetryMiddleware(initial_delay=0)), "I lost my ring.")
        assert (out["messages"][-1].text, sem.analyze_calls) == ("Oh no.", 1)


class Verdict(TypedDict):
    """What the jeweller decides."""

    found: bool


class TestWithAResponseFormat:
    DECIDED = AIMessage("", tool_calls=[ToolCall(name="Verdict", args={"found": False}, id="2", type="tool_call")])

    @pytest.mark.parametrize(
        ("strategy", "answer"),
        [(ToolStrategy(Verdict), DECIDED), (ProviderStrategy(Verdict), AIMessage(json.dumps({"found": False})))],
        ids=["tool", "provider"],
    )
    def test_the_typed_response_and_the_emotion_stand_side_by_side(self, strategy: Any, answer: AIMessage) -> None:
        sem, model = StubSem(), ToolModel(answers=[SEARCH, answer])
        out = invoke(agent_on(model, EmpathyMiddleware(sem), response_format=strategy), "I lost my ring.")
        assert (out["structured_response"], out["emotion"]) == ({"found": False}, "sad")
        assert "<evidence>" in model.prompts[1][1].text
        assert sem.analyze_calls == 1

    def test_a_typed_response_in_an_earlier_turn_does_not_hide_the_next_one(self) -> None:
        model = ToolModel(answers=[self.DECIDED, self.DECIDED.model_copy(update={"id": None})])
        agent = agent_on(
            model,
            EmpathyMiddleware(StubSem()),
            response_format=ToolStrategy(Verdict),
            checkpointer=InMemorySaver(),
        )
        outs = [agent.invoke({"messages": [text]}, thread("1")) for text in ["I lost my ring.", "I won!"]]
        assert [out["emotion"] for out in outs] == ["sad", "joyful"]


@tool
def hand_to_repairs(call_id: Annotated[str, InjectedToolCallId]) -> Command[Any]:
    """Hand the conversation to the repairs desk."""
    handed = ToolMessage("handed over", tool_call_id=call_id)
    calling = AIMessage("", tool_calls=[ToolCall(name="hand_to_repairs", args={}, id=call_id, type="tool_call")])
    return Command(goto="repairs", graph=Command.PARENT, update={"messages": [calling, handed]})


class TestWithSeveralAgents:
    HAND_OVER = AIMessage("", tool_calls=[ToolCall(name="hand_to_repairs", args={}, id="9", type="tool_call")])

    def shop(self, sems: tuple[StubSem, StubSem], desk: ToolModel, repairs: ToolModel, state: Any) -> Any:
        """A front desk that hands over to a repairs desk, as nodes of one graph."""
        graph = StateGraph(state)
        front = create_agent(desk, [hand_to_repairs], middleware=[EmpathyMiddleware(sems[0])])
        graph.add_node("front", front, destinations=("repairs",))
        graph.add_node("repairs", create_agent(repairs, middleware=[EmpathyMiddleware(sems[1])]))
        graph.add_edge(START, "front")
        graph.add_edge("repairs", END)
        return graph.compile()

    def test_the_agent_that_takes_over_reads_the_users_words_too(self) -> None:
        sems, repairs = (StubSem(), StubSem()), ToolModel(answers=["We can mend it."])
        shop = self.shop(sems, ToolModel(answers=[self.HAND_OVER]), repairs, MessagesState)
        assert invoke(shop, "I lost the stone of my ring.")["messages"][-1].text == "We can mend it."
        assert [sem.analyze_calls for sem in sems] == [1, 1]
        assert repairs.prompts[0][1].text.startswith("I lost the stone of my ring.\n\n<evidence>")

    def test_a_parent_with_the_same_keys_is_given_the_emotion(self) -> None:
        repairs = ToolModel(answers=["We can mend it."])
        shop = self.shop((StubSem(), StubSem()), ToolModel(answers=[self.HAND_OVER]), repairs, EmpathyState)
        assert invoke(shop, "I lost the stone of my ring.")["emotion"] == "sad"

    def test_a_supervisor_reads_the_user_and_its_sub_agents_answer_without_us(self) -> None:
        worker = ToolModel(answers=["nothing in the sink"])
        searcher = create_agent(worker)

        @tool
        def ask_searcher(task: str) -> str:
            """Let somebody search."""
            return str(invoke(searcher, task)["messages"][-1].text)

        calling = ToolCall(name="ask_searcher", args={"task": "search the dark sink"}, id="3", type="tool_call")
        sem, model = StubSem(), ToolModel(answers=[AIMessage("", tool_calls=[calling]), "It is not there."])
        out = invoke(create_agent(model, [ask_searcher], middleware=[EmpathyMiddleware(sem)]), "I lost my ring.")
        assert (out["emotion"], sem.analyze_calls) == ("sad", 1)
        assert [message.text for message in worker.prompts[0]] == ["search the dark sink"]


class TestWithACheckpointer:
    def test_strict_msgpack_gives_the_state_back_as_it_was(self, caplog: pytest.LogCaptureFixture) -> None:
        saver = InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=None))
        agent = agent_on(ToolModel(answers=["Oh no."]), EmpathyMiddleware(StubSem()), checkpointer=saver)
        out = agent.invoke({"messages": ["I lost my ring."]}, thread("1"))
        kept = agent.get_state(thread("1")).values
        assert {key: kept[key] for key in out} == out
        assert json.loads(json.dumps({**kept, "messages": 0})) == {**kept, "messages": 0}
        assert not [record for record in caplog.records if "msgpack" in record.message]

    def test_the_mark_of_the_message_read_is_not_shown_and_holds_no_words(self) -> None:
        agent = agent_on(ToolModel(answers=["Oh no."]), EmpathyMiddleware(StubSem()), checkpointer=InMemorySaver())
        config: RunnableConfig = thread("1")
        assert "empathy_read" not in agent.invoke({"messages": ["I lost my ring."]}, config)
        assert agent.get_state(config).values["empathy_read"].isalnum()

    def test_an_update_in_the_stream_stays_one_per_model_call(self) -> None:
        agent = agent_on(ToolModel(answers=["Oh no."]), EmpathyMiddleware(StubSem()))
        [update] = agent.stream({"messages": [HumanMessage("I lost my ring.")]}, stream_mode="updates")
        assert update["model"]["messages"][0].text == "Oh no."
        assert update["model"]["emotion"] == "sad"
