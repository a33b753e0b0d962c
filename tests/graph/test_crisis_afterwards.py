"""The turns after a crisis: with care, not flagged again without a reason, whatever is trimmed or restarted."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.store.memory import InMemoryStore

from hef_graph.crisis import CrisisPolicy
from hef_graph.graph import HefContext, HefOptions, create_hef_graph
from hef_graph.instruction import CARE
from tests.fakes import ScriptedModel, SpeakingStubSem, reply_json
from tests.policies import CRISIS, SIGNAL, MarkedPolicy
from tests.runs import say, thread
from tests.stores import KINDS, ON_DISK, Place, open_saver, place_for

pytest_plugins = ["tests.postgres"]

ONE: Final = thread("one")
THANKS: Final = "Thank you, I will call them."
PLAIN: Final = "I want to kill myself tonight."


@dataclass
class Talk:
    """A conversation whose every turn is told by a new graph, as after a restart."""

    saver: BaseCheckpointSaver[Any]
    awaited: bool = False
    policy: CrisisPolicy | None = field(default_factory=MarkedPolicy)
    keep_messages: int | None = 40
    systems: list[str] = field(default_factory=list)
    """What the model was told beside the conversation, turn by turn; nothing where it was not asked."""

    async def turn(self, text: str, **context: Any) -> dict[str, Any]:
        model = ScriptedModel(answers=[reply_json("sad", "I am here.")])
        options = HefOptions(crisis_policy=self.policy, keep_messages=self.keep_messages)
        graph = create_hef_graph(model, sem=SpeakingStubSem(), checkpointer=self.saver, options=options)
        given = HefContext(**context)
        run = graph.ainvoke(say(text), ONE, context=given) if self.awaited else None
        left = await run if run else graph.invoke(say(text), ONE, context=given)
        self.systems += [str(prompt[0].text) for prompt in model.prompts]
        return left


@pytest.fixture(params=KINDS)
async def kept(request: pytest.FixtureRequest) -> AsyncIterator[Talk]:
    """A conversation in each kind of saver."""
    place: Place = place_for(request.param, request)
    async with open_saver(place) as saver:
        yield Talk(saver, place.awaited)


@pytest.fixture
def talk() -> Talk:
    return Talk(InMemorySaver())


class TestTheNextTurn:
    async def test_is_answered_by_the_model_with_care(self, kept: Talk) -> None:
        await kept.turn(CRISIS)
        out = await kept.turn(THANKS)
        [system] = kept.systems
        assert (out["crisis"], out["messages"][-1].text) == (None, "I am here.")
        assert CARE in system
        assert CARE in out["instruction"]

    async def test_before_any_crisis_is_told_nothing_of_one(self, talk: Talk) -> None:
        await talk.turn("I lost my cat.")
        assert CARE not in talk.systems[0]

    async def test_is_not_flagged_again_for_what_was_said_before(self, talk: Talk) -> None:
        talk.policy = CrisisPolicy()
        assert (await talk.turn(PLAIN))["crisis"] is not None
        assert (await talk.turn(THANKS))["crisis"] is None

    async def test_is_flagged_again_with_a_new_signal(self, kept: Talk) -> None:
        for text, flagged in ((CRISIS, True), (THANKS, False), (CRISIS, True), (CRISIS, True), (THANKS, False)):
            assert (await kept.turn(text))["crisis"] == (SIGNAL.to_json() if flagged else None)
        assert len(kept.systems) == 2

    async def test_asks_for_care_for_the_rest_of_the_conversation(self, talk: Talk) -> None:
        await talk.turn(CRISIS)
        for _ in range(50):
            await talk.turn("And then it rained.")
        assert all(CARE in system for system in talk.systems)

    async def test_leaves_no_trace_of_the_last_crisis_in_its_keys(self, talk: Talk) -> None:
        await talk.turn(CRISIS)
        out = await talk.turn("I lost my cat.")
        assert (out["crisis"], out["emotion"], out["structured_response"]["emotion"]) == (None, "sad", "sad")
        assert out["emotion_candidates"][0]["label"] == "sad"


@pytest.mark.parametrize("kind", ON_DISK)
async def test_a_restart_changes_nothing(kind: str, request: pytest.FixtureRequest) -> None:
    place, systems = place_for(kind, request), []
    for text, flagged in ((CRISIS, True), (THANKS, False), (CRISIS, True), (THANKS, False)):
        async with open_saver(place) as saver:
            talk = Talk(saver, place.awaited, keep_messages=2)
            assert ((await talk.turn(text))["crisis"] is not None) is flagged
        systems += talk.systems
    assert [CARE in system for system in systems] == [True, True]


class TestAfterTrimming:
    async def test_the_care_stays_though_the_crisis_is_forgotten(self, kept: Talk) -> None:
        kept.keep_messages = 2
        await kept.turn(CRISIS)
        for _ in range(3):
            out = await kept.turn("And then it rained.")
        assert all(CRISIS not in message.text for message in out["messages"])
        assert len(kept.systems) == 3
        assert all(CARE in system for system in kept.systems)

    async def test_a_crisis_turn_keeps_to_the_bound_too(self, talk: Talk) -> None:
        talk.keep_messages = 4
        for text in ("One.", "Two.", "Three.", CRISIS):
            out = await talk.turn(text)
        assert len(out["messages"]) == 4
        assert out["messages"][-2].text == CRISIS


@pytest.mark.parametrize("turn", [1, 10, pytest.param(50, marks=pytest.mark.slow)])
async def test_a_crisis_is_answered_whenever_it_comes(kept: Talk, turn: int) -> None:
    kept.keep_messages, kept.policy = 10, CrisisPolicy()
    for _ in range(turn - 1):
        assert (await kept.turn("And then it rained."))["crisis"] is None
    out = await kept.turn(PLAIN, locale="GB")
    assert out["crisis"] is not None
    assert "116 123" in out["messages"][-1].text
    assert CARE not in "".join(kept.systems)


class TestWhatIsKept:
    async def test_is_read_back_as_it_was_left(self, kept: Talk) -> None:
        left = await kept.turn(CRISIS)
        graph = create_hef_graph(sem=SpeakingStubSem(), checkpointer=kept.saver)
        state = await graph.aget_state(ONE) if kept.awaited else graph.get_state(ONE)
        assert {key: state.values[key] for key in left} == left
        assert state.next == ()

    async def test_passes_the_strict_serializer(self) -> None:
        talk = Talk(InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=None)))
        left = await talk.turn(CRISIS)
        await talk.turn(THANKS)
        state = create_hef_graph(sem=SpeakingStubSem(), checkpointer=talk.saver).get_state(ONE)
        assert CARE in talk.systems[0]
        assert repr(state.values["messages"][:2]) == repr(left["messages"])

    async def test_of_the_course_of_emotions_is_nothing_of_the_crisis(self, talk: Talk) -> None:
        for text in ("I lost my cat.", CRISIS, THANKS, "So."):
            out = await talk.turn(text)
        assert out["emotion_history"] == ["sad", "sad"]

    async def test_across_conversations_is_nothing_of_the_crisis(self) -> None:
        store, saver = InMemoryStore(), InMemorySaver()
        model = ScriptedModel(answers=[reply_json("sad", "Oh no.")] * 2)
        options = HefOptions(crisis_policy=MarkedPolicy())
        graph = create_hef_graph(model, sem=SpeakingStubSem(), checkpointer=saver, store=store, options=options)
        for text in ("I lost my ring.", CRISIS, "It was dark."):
            graph.invoke(say(text), ONE, context=HefContext(user_id="ada"))
        [item] = store.search(("hef",))
        assert len(item.value["moments"]) == 2
        assert "umbrella" not in repr(item.value)


class TestAnApplicationThatKeepsTheMessagesItself:
    """Where no state is kept, the fixed answer among the messages says that there was a crisis."""

    def test_gets_care_from_a_graph_without_a_checkpointer(self) -> None:
        model = ScriptedModel(answers=[reply_json("sad", "I am here.")])
        options = HefOptions(crisis_policy=MarkedPolicy())
        graph = create_hef_graph(model, sem=SpeakingStubSem(), options=options)
        first = graph.invoke(say(CRISIS))
        graph.invoke({"messages": [*first["messages"], HumanMessage(THANKS)]})
        assert CARE in str(model.prompts[0][0].text)

    def test_gets_care_from_a_graph_inside_its_own(self) -> None:
        model = ScriptedModel(answers=[reply_json("sad", "I am here.")])
        options = HefOptions(crisis_policy=MarkedPolicy())
        builder = StateGraph(MessagesState)
        builder.add_node("hef", create_hef_graph(model, sem=SpeakingStubSem(), options=options))
        builder.add_edge(START, "hef")
        parent = builder.compile(checkpointer=InMemorySaver())
        for text in (CRISIS, THANKS):
            parent.invoke({"messages": [HumanMessage(text)]}, ONE)
        assert CARE in str(model.prompts[0][0].text)


def test_switched_off_there_is_no_care_either() -> None:
    model = ScriptedModel(answers=[reply_json("sad", "Oh.")] * 2)
    options = HefOptions(crisis_policy=None)
    graph = create_hef_graph(model, sem=SpeakingStubSem(), options=options, checkpointer=InMemorySaver())
    for text in (PLAIN, "So."):
        graph.invoke(say(text), ONE)
    assert all(CARE not in str(prompt[0].text) for prompt in model.prompts)
