"""What a user felt in an earlier conversation, as the graph takes it up in the next."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from typing_extensions import override

from hef_graph.errors import HefReplyError
from hef_graph.graph import HefContext, HefOptions, aforget_user, create_hef_graph, forget_user
from tests.fakes import Answer, ScriptedModel, SpeakingStubSem, reply_json
from tests.runs import say, thread
from tests.stores import KINDS, DownStore, Place, open_store, place_for

pytest_plugins = ["tests.postgres"]

ADA: Final = HefContext(user_id="ada@example.org")

BOB: Final = HefContext(user_id="bob@example.org")

SAD: Final = reply_json("sad", "Oh no.")

MONDAY: Final = "I lost my ring."

FELT: Final = 'In an earlier conversation the speaker felt sad about "lost", "ring".'


both = pytest.mark.parametrize("awaited", [False, True], ids=["sync", "async"])


@dataclass(frozen=True)
class App:
    """An application with a store: each turn by a new graph, as after a restart."""

    store: BaseStore
    awaited: bool
    prompts: list[str] = field(default_factory=list)
    """The newest message as the model was sent it, turn by turn."""

    async def turn(
        self,
        text: str,
        on: str | None,
        answer: Answer = SAD,
        *,
        context: HefContext | None = ADA,
        saver: BaseCheckpointSaver[Any] | None = None,
        strict: bool = False,
    ) -> dict[str, Any]:
        """What a turn leaves in the thread of that name."""
        model, options = ScriptedModel(answers=[answer]), HefOptions(strict=strict)
        graph = create_hef_graph(model, sem=SpeakingStubSem(), store=self.store, checkpointer=saver, options=options)
        run = graph.ainvoke if self.awaited else graph.invoke
        left: Any = run(say(text), thread(on) if on else None, context=context)
        out: dict[str, Any] = await left if self.awaited else left
        self.prompts.append(str(model.prompts[-1][-1].text))
        return out

    async def forget(self, context: HefContext) -> int:
        user = str(context.user_id)
        return await aforget_user(self.store, user) if self.awaited else forget_user(self.store, user)


@pytest.fixture(params=KINDS)
async def app(request: pytest.FixtureRequest) -> AsyncIterator[App]:
    place: Place = place_for(request.param, request)
    async with open_store(place) as store:
        yield App(store, place.awaited)


async def test_the_emotion_and_words_of_an_earlier_conversation_reach_the_model(app: App) -> None:
    await app.turn(MONDAY, "monday")
    out = await app.turn("Hello again.", "tuesday")
    assert FELT in app.prompts[1]
    assert FELT in out["instruction"]


async def test_a_first_conversation_has_nothing_to_come_back_to(app: App) -> None:
    await app.turn(MONDAY, "monday")
    assert "earlier conversation" not in app.prompts[0]


async def test_another_users_past_is_not_told(app: App) -> None:
    await app.turn(MONDAY, "monday")
    await app.turn("Hello.", "tuesday", context=BOB)
    assert "earlier conversation" not in app.prompts[1]


async def test_only_the_first_turn_of_a_conversation_comes_back_to_an_earlier_one(app: App) -> None:
    saver = InMemorySaver()
    await app.turn(MONDAY, "monday")
    await app.turn("Hello again.", "tuesday", saver=saver)
    await app.turn("It rains.", "tuesday", saver=saver)
    assert ["earlier conversation" in prompt for prompt in app.prompts] == [False, True, False]


async def test_after_a_user_is_forgotten_nothing_is_recalled(app: App) -> None:
    await app.turn(MONDAY, "monday")
    assert await app.forget(ADA) == 1
    await app.turn("Hello again.", "tuesday")
    assert "earlier conversation" not in app.prompts[1]


async def test_forgetting_one_user_leaves_the_others_past(app: App) -> None:
    await app.turn(MONDAY, "monday", context=BOB)
    await app.turn(MONDAY, "monday too")
    await app.forget(ADA)
    await app.turn("Hello again.", "tuesday", context=BOB)
    assert FELT in app.prompts[2]


@both
@pytest.mark.parametrize("context", [None, HefContext(), HefContext(user_id="")], ids=["none", "default", "empty"])
async def test_without_a_user_id_nothing_is_written(context: HefContext | None, awaited: bool) -> None:
    store = InMemoryStore()
    await App(store, awaited).turn(MONDAY, "monday", context=context)
    assert store.search(()) == []


async def test_without_a_store_of_its_own_the_graph_uses_no_other() -> None:
    parents = InMemoryStore()
    await run_inside_a_parent(None, parents)
    assert parents.search(()) == []


@both
async def test_of_what_was_said_only_the_cause_words_are_kept(awaited: bool) -> None:
    store = InMemoryStore()
    await App(store, awaited).turn("Yesterday I lost my ring, and my brother found it.", "monday")
    [item] = store.search(())
    [moment] = item.value["moments"]
    assert (moment["emotion"], set(moment)) == ("sad", {"emotion", "words", "at"})
    assert set(moment["words"]) <= {"Yesterday", "lost", "ring", "brother", "found"}
    assert len(moment["words"]) == 3


@both
async def test_every_turn_of_a_conversation_is_a_moment_of_one_item(awaited: bool) -> None:
    store = InMemoryStore()
    app = App(store, awaited)
    for emotion in ("sad", "angry", "joyful"):
        await app.turn(MONDAY, "monday", reply_json(emotion, "Oh."))
    [item] = store.search(())
    assert [moment["emotion"] for moment in item.value["moments"]] == ["sad", "angry", "joyful"]


@both
async def test_a_turn_that_failed_is_not_remembered(awaited: bool) -> None:
    store = InMemoryStore()
    with pytest.raises(HefReplyError):
        await App(store, awaited).turn(MONDAY, "monday", KeyError(), strict=True)
    assert store.search(()) == []


@both
@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
async def test_a_store_that_is_down_never_fails_a_turn(
    awaited: bool, strict: bool, caplog: pytest.LogCaptureFixture
) -> None:
    out = await App(DownStore(), awaited).turn("Hello.", "monday", strict=strict)
    assert (out["messages"][-1].text, out["degraded_reason"]) == ("Oh no.", None)
    assert "ConnectionError" in caplog.text
    assert "down" not in caplog.text


@both
async def test_a_damaged_item_never_fails_a_turn(awaited: bool) -> None:
    store = InMemoryStore()
    app = App(store, awaited)
    await app.turn(MONDAY, "monday")
    [item] = store.search(())
    store.put(item.namespace, item.key, {"moments": 7})
    await app.turn("Hello again.", "tuesday")
    assert "earlier conversation" not in app.prompts[1]


async def run_inside_a_parent(own: BaseStore | None, parents: BaseStore | None) -> None:
    """One turn of Ada's in a graph that another graph holds."""
    hef = create_hef_graph(ScriptedModel(answers=[SAD]), sem=SpeakingStubSem(), store=own)
    parent = StateGraph(MessagesState, context_schema=HefContext).add_node("hef", hef).add_edge(START, "hef")
    await parent.compile(store=parents).ainvoke(MessagesState(**say(MONDAY)), thread("monday"), context=ADA)


@pytest.mark.parametrize("parents", [None, InMemoryStore()], ids=["none", "a store"])
async def test_inside_another_graph_the_store_given_is_the_one_used(parents: BaseStore | None) -> None:
    store = InMemoryStore()
    await run_inside_a_parent(store, parents)
    assert len(store.search(())) == 1
    assert forget_user(store, str(ADA.user_id)) == 1
    assert parents is None or parents.search(()) == []


@both
async def test_turns_without_a_thread_are_conversations_of_their_own(awaited: bool) -> None:
    app = App(InMemoryStore(), awaited)
    await app.turn(MONDAY, None)
    await app.turn("Hello again.", None)
    assert FELT in app.prompts[1]


class FailingSem(SpeakingStubSem):
    """Reads nothing."""

    @override
    def analyze(self, dialogues: Any) -> Any:
        raise RuntimeError("out of memory")


async def test_a_turn_without_an_emotion_is_not_remembered() -> None:
    store = InMemoryStore()
    model = ScriptedModel(answers=[KeyError()] * 9)
    graph = create_hef_graph(model, sem=FailingSem(["grief", "glee"]), store=store)
    out = graph.invoke(say(MONDAY), thread("monday"), context=ADA)
    assert (out["emotion"], store.search(())) == (None, [])
