"""Conversations in every saver: read back as they were, across processes, bounded, and whole after a turn cut off."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from typing_extensions import override

from hef_graph.errors import HefReplyError
from hef_graph.graph import HefGraph, HefInput, HefOptions, create_hef_graph
from hef_graph.graph.opening import HISTORY
from tests.fakes import LABELS, Answer, ScriptedModel, SpeakingStubSem, reply_json
from tests.runs import say, thread
from tests.stores import KINDS, ON_DISK, Place, open_saver, place_for

pytest_plugins = ["tests.postgres"]

SAID: Final = ("I lost my ring.", "Now I sit here alone 😢.", "My sister won it back!")

LAST_WORDS: Final = "Then we went to the sea"

ANSWERS: Final[dict[str, list[Answer]]] = {
    SAID[0]: [reply_json("sad", "Oh no.")],
    SAID[1]: ["no JSON at all"] * 9,
    SAID[2]: [reply_json("joyful", "Yay 🎉!")],
}
"""One turn in order, one that falls to the listener, one in order."""

ONE: Final = thread("one")


class DyingModel(ScriptedModel):
    """Takes the process with it."""

    @override
    def _next(self, messages: Any) -> NoReturn:
        os._exit(9)


@dataclass(frozen=True)
class Talk:
    """A conversation kept in a saver, called or awaited."""

    saver: BaseCheckpointSaver[Any]
    awaited: bool

    async def turn(
        self, given: str | HefInput | None, *answers: Answer, options: HefOptions | None = None
    ) -> dict[str, Any]:
        """What one turn leaves, told by a new graph; None goes on with a turn that was cut off."""
        words = given if isinstance(given, str) else ""
        dying = words == LAST_WORDS
        model = DyingModel(answers=[]) if dying else ScriptedModel(answers=list(answers or ANSWERS.get(words, [])))
        graph = create_hef_graph(model, sem=SpeakingStubSem(), checkpointer=self.saver, options=options)
        turn = say(given) if isinstance(given, str) else given
        return await graph.ainvoke(turn, ONE) if self.awaited else graph.invoke(turn, ONE)

    async def state(self) -> dict[str, Any]:
        """What the saver holds, read by a new graph."""
        graph = create_hef_graph(sem=SpeakingStubSem(), checkpointer=self.saver)
        kept = await graph.aget_state(ONE) if self.awaited else graph.get_state(ONE)
        return dict(kept.values)

    async def texts(self) -> list[str]:
        """What was said."""
        return [str(message.text) for message in (await self.state())["messages"]]


KEPT: Final = 10
"""Messages that the long conversations keep."""


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest) -> Place:
    return place_for(request.param, request)


@pytest.fixture
async def talk(place: Place) -> AsyncIterator[Talk]:
    async with open_saver(place) as saver:
        yield Talk(saver, place.awaited)


every_place_on_disk = pytest.mark.parametrize("place", ON_DISK, indirect=True)


async def test_what_is_read_back_is_what_the_turns_left(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    left = [await talk.turn(text) for text in SAID][-1]
    kept = await talk.state()
    assert {key: kept[key] for key in left} == left
    assert [record.message for record in caplog.records if "langgraph" in record.name] == []


@every_place_on_disk
async def test_another_connection_reads_the_same(place: Place) -> None:
    async with open_saver(place) as saver:
        left = [await Talk(saver, place.awaited).turn(text) for text in SAID][-1]
    async with open_saver(place) as saver:
        kept = await Talk(saver, place.awaited).state()
    assert {key: kept[key] for key in left} == left


async def test_the_strict_serializer_gives_back_every_value() -> None:
    talk = Talk(InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=None)), awaited=False)
    left = [await talk.turn(text) for text in SAID][-1]
    kept = await talk.state()
    assert repr({key: kept[key] for key in left}) == repr(left)  # an Enum of texts would come back as an equal text


def play(kind: str, where: str, *said: str) -> None:
    """Run turns in this process, and print what is then kept."""
    print(json.dumps(asyncio.run(played(Place(kind, where), *said))))  # noqa: T201  read by the test


def plain(kept: dict[str, Any]) -> dict[str, Any]:
    """What is kept as JSON, without what differs between runs."""
    messages = [[message.type, str(message.text)] for message in kept["messages"]]
    timeless = {key: kept[key] for key in kept if key not in {"started", "disclosed_at"}}
    return timeless | {"messages": messages}


async def played(place: Place, *said: str) -> dict[str, Any]:
    """What is kept after the turns."""
    async with open_saver(place) as saver:
        talk = Talk(saver, place.awaited)
        for text in said:
            await talk.turn(text)
        kept = await talk.state()
    return plain(kept)


def play_in_a_process(place: Place, *said: str) -> dict[str, Any]:
    """`play`, where only what msgpack knows is read back; empty if the process was killed."""
    code = f"from {__name__} import play; import sys; play(*sys.argv[1:])"
    environment = {**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true"}
    command = [sys.executable, "-c", code, *place, *said]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (9 if LAST_WORDS in said else 0, "")
    values: dict[str, Any] = json.loads(ended.stdout or "{}")
    return values


@pytest.mark.slow
@every_place_on_disk
def test_a_conversation_goes_on_in_another_process(place: Place) -> None:
    play_in_a_process(place, *SAID[:2])
    in_two = play_in_a_process(place, SAID[2])
    in_one = asyncio.run(played(Place("memory", ""), *SAID))
    assert in_two == in_one
    assert in_two["emotion_history"] == ["sad", "lonely"]


@pytest.mark.slow
@every_place_on_disk
def test_a_conversation_goes_on_after_its_process_was_killed(place: Place) -> None:
    play_in_a_process(place, SAID[0], LAST_WORDS)
    kept = play_in_a_process(place, SAID[2])
    said = [text for _, text in kept["messages"]]
    assert [text for text in said if text != LAST_WORDS] == [SAID[0], "Oh no.", SAID[2], "Yay 🎉!"]
    assert (said.count(LAST_WORDS) <= 1, kept["emotion_history"]) == (True, ["sad"])


STRICT: Final = HefOptions(strict=True)


async def cut_off(talk: Talk, second: HefInput) -> None:
    """One turn in order, and one whose model breaks."""
    await talk.turn(SAID[0])
    with pytest.raises(HefReplyError):
        await talk.turn(second, KeyError(), options=STRICT)


async def test_after_a_turn_cut_off_the_next_one_works(talk: Talk) -> None:
    await cut_off(talk, say(SAID[1]))
    left = await talk.turn(SAID[2], options=STRICT)
    assert await talk.texts() == [SAID[0], "Oh no.", SAID[1], SAID[2], "Yay 🎉!"]
    assert (left["emotion"], left["emotion_history"]) == ("joyful", ["sad"])


async def test_a_turn_cut_off_can_be_taken_up_again(talk: Talk) -> None:
    await cut_off(talk, say(SAID[1]))
    left = await talk.turn(None, reply_json("lonely", "I am here."), options=STRICT)
    assert await talk.texts() == [SAID[0], "Oh no.", SAID[1], "I am here."]
    assert (left["emotion"], left["emotion_history"]) == ("lonely", ["sad"])


async def test_the_same_message_sent_again_is_not_doubled(talk: Talk) -> None:
    second: HefInput = {"messages": [HumanMessage(SAID[1], id="second")]}
    await cut_off(talk, second)
    await talk.turn(second, reply_json("lonely", "I am here."), options=STRICT)
    assert await talk.texts() == [SAID[0], "Oh no.", SAID[1], "I am here."]


class EndlessModel(ScriptedModel):
    """Names the emotions in turn, and keeps no prompts, since those would be all that grows."""

    @override
    def _next(self, messages: Any) -> str:
        self.prompts.append([])
        return reply_json(LABELS[self.calls % len(LABELS)], "I see, go on.")


def endless(saver: BaseCheckpointSaver[Any], keep_messages: int | None) -> HefGraph:
    """A graph for a long conversation."""
    options = HefOptions(keep_messages=keep_messages)
    return create_hef_graph(EndlessModel(answers=[]), sem=SpeakingStubSem(), checkpointer=saver, options=options)


@pytest.mark.slow
async def test_what_a_conversation_holds_stays_of_one_size(talk: Talk) -> None:
    graph, sizes = endless(talk.saver, KEPT), []
    for turn in range(HISTORY + 3 * len(LABELS)):
        await graph.ainvoke(say(f"Line {turn:04}."), ONE) if talk.awaited else graph.invoke(
            say(f"Line {turn:04}."), ONE
        )
        sizes.append(len(json.dumps(plain(await talk.state()))))
    assert sizes[-1] == sizes[-1 - len(LABELS)] > sizes[0]
    assert len(await talk.texts()) == KEPT


def test_the_history_is_of_the_newest_emotions() -> None:
    graph = endless(InMemorySaver(), KEPT)
    turns = [graph.invoke(say(SAID[0]), ONE) for _ in range(HISTORY + 14)]
    assert turns[-1]["emotion_history"] == [turn["emotion"] for turn in turns[-1 - HISTORY : -1]]


def test_a_conversation_can_be_kept_whole() -> None:
    graph = endless(InMemorySaver(), None)
    turns = [graph.invoke(say(f"Line {turn}."), ONE) for turn in range(HISTORY)]
    texts = [str(message.text) for message in turns[-1]["messages"]]
    assert texts == [text for turn in range(HISTORY) for text in (f"Line {turn}.", "I see, go on.")]


@pytest.mark.slow
@pytest.mark.parametrize(("keep_messages", "flat"), [(KEPT, True), (None, False)], ids=["bounded", "whole"])
def test_a_late_turn_takes_no_more_of_a_file_than_an_early_one(
    tmp_path: Path, keep_messages: int | None, flat: bool
) -> None:
    with SqliteSaver.from_conn_string(str(tmp_path / "kept.sqlite")) as saver:
        graph, sizes = endless(saver, keep_messages), []
        for _ in range(HISTORY + 60):
            graph.invoke(say(SAID[0]), ONE)
            sizes.append(saver.conn.execute("PRAGMA page_count").fetchone()[0])
    early, late = sizes[HISTORY + 20] - sizes[HISTORY], sizes[-1] - sizes[-21]
    assert (late < 1.1 * early) is flat
