"""Many turns, and many conversations at once."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from hef_graph.errors import HefReplyError
from hef_graph.graph import HefContext, HefGraph, HefOptions, create_hef_graph
from hef_graph.graph.disclosure import AI_NOTICE
from tests.fakes import Answer, ScriptedModel, SpeakingStubSem, reply_json
from tests.runs import say, thread

SAID = ["I lost my cat.", "I am so alone.", "But then I won!"]

FELT = ["sad", "lonely", "joyful"]

ONE = thread("one")


@pytest.fixture(params=["memory", "sqlite"])
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseCheckpointSaver[Any]]:
    if request.param == "memory":
        yield InMemorySaver()
    else:
        with SqliteSaver.from_conn_string(str(tmp_path / "kept.sqlite")) as kept:
            yield kept


def remembering(saver: BaseCheckpointSaver[Any], *answers: Answer, **options: Any) -> HefGraph:
    """A graph with memory; without answers, the model names the emotions felt, one a turn."""
    obedient: list[Answer] = [reply_json(emotion, f"So {emotion}.") for emotion in FELT * 2]
    model = ScriptedModel(answers=list(answers) or obedient)
    return create_hef_graph(model, sem=SpeakingStubSem(), checkpointer=saver, options=HefOptions(**options))


def test_each_turn_adds_the_users_message_and_one_answer(saver: BaseCheckpointSaver[Any]) -> None:
    graph = remembering(saver)
    kinds = [[message.type for message in graph.invoke(say(text), ONE)["messages"]] for text in SAID]
    assert kinds == [["human", "ai"] * count for count in (1, 2, 3)]


def test_the_history_holds_the_emotions_of_earlier_turns(saver: BaseCheckpointSaver[Any]) -> None:
    graph = remembering(saver)
    turns = [graph.invoke(say(text), ONE) for text in SAID]
    assert [turn["emotion"] for turn in turns] == FELT
    assert [turn["emotion_history"] for turn in turns] == [[], ["sad"], ["sad", "lonely"]]


def test_the_model_sees_the_whole_conversation_as_plain_text(saver: BaseCheckpointSaver[Any]) -> None:
    model = ScriptedModel(answers=[reply_json("sad", "Oh no."), reply_json("sad", "Oh.")])
    graph = create_hef_graph(model, sem=SpeakingStubSem(), checkpointer=saver)
    graph.invoke(say(SAID[0]), ONE)
    graph.invoke(say(SAID[1]), ONE)
    assert [message.text for message in model.prompts[1][1:3]] == [SAID[0], "Oh no."]


async def test_an_async_conversation_is_kept_in_sqlite(tmp_path: Path) -> None:
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "kept.sqlite")) as saver:
        graph = remembering(saver)
        turns = [await graph.ainvoke(say(text), ONE) for text in SAID]
    assert turns[-1]["emotion_history"] == ["sad", "lonely"]
    assert len(turns[-1]["messages"]) == 6


def test_two_conversations_do_not_mix(saver: BaseCheckpointSaver[Any]) -> None:
    graph = remembering(saver)
    graph.invoke(say("I lost my cat."), ONE)
    other = graph.invoke(say("I am so alone."), thread("other"))
    assert [message.text for message in other["messages"]] == ["I am so alone.", "So lonely."]
    assert (other["emotion_history"], other["disclosure"]) == ([], AI_NOTICE)


def test_what_a_turn_left_is_written_anew_in_the_next(saver: BaseCheckpointSaver[Any]) -> None:
    graph = remembering(saver, *[ConnectionError()] * 3, reply_json("joyful", "Yay!"))
    first, second = graph.invoke(say(SAID[0]), ONE), graph.invoke(say("What a party!"), ONE)
    assert (first["degraded_reason"], second["degraded_reason"]) == ("connection", None)
    assert (first["disclosure"], second["disclosure"]) == (AI_NOTICE, None)
    assert "party" in second["instruction"]
    assert second["structured_response"] == {"emotion": "joyful", "response": "Yay!"}


def test_a_turn_that_failed_leaves_no_emotion_behind(saver: BaseCheckpointSaver[Any]) -> None:
    graph = remembering(saver, reply_json("sad", "Oh."), PermissionError(), reply_json("joyful", "Yay!"), strict=True)
    graph.invoke(say(SAID[0]), ONE)
    with pytest.raises(HefReplyError):
        graph.invoke(say(SAID[1]), ONE)
    assert graph.invoke(say(SAID[2]), ONE)["emotion_history"] == ["sad"]


@pytest.mark.parametrize(("kept", "lengths"), [(2, [2, 2, 2]), (3, [2, 3, 3]), (5, [2, 4, 5]), (None, [2, 4, 6])])
def test_only_the_newest_messages_are_kept(kept: int | None, lengths: list[int]) -> None:
    graph = remembering(InMemorySaver(), keep_messages=kept)
    turns = [graph.invoke(say(text), ONE)["messages"] for text in SAID]
    assert [len(messages) for messages in turns] == lengths
    assert [message.text for message in turns[-1]][-2:] == [SAID[-1], "So joyful."]


def test_the_history_outlives_the_messages() -> None:
    graph = remembering(InMemorySaver(), keep_messages=2)
    assert [graph.invoke(say(text), ONE)["emotion_history"] for text in SAID][-1] == ["sad", "lonely"]


def test_several_messages_of_a_user_are_one_turn(saver: BaseCheckpointSaver[Any]) -> None:
    graph = remembering(saver)
    out = graph.invoke(say("I lost my cat.", "Yesterday."), ONE)
    assert [message.type for message in out["messages"]] == ["human", "human", "ai"]
    assert "Yesterday." in str(out["messages"][1].text)


@pytest.mark.parametrize("context", [None, HefContext(k2=2), {"k2": 2}], ids=["none", "object", "dict"])
def test_the_settings_of_a_call_come_as_object_or_dict_or_not_at_all(context: Any) -> None:
    out = create_hef_graph(sem=SpeakingStubSem()).invoke(say(SAID[0]), context=context)
    assert len(out["emotion_candidates"]) == (2 if context else 6)


async def test_the_settings_of_an_async_call_come_as_a_dict_too() -> None:
    out = await create_hef_graph(sem=SpeakingStubSem()).ainvoke(say(SAID[0]), context={"k2": 2})  # type: ignore[call-overload]  # as a server sends them
    assert len(out["emotion_candidates"]) == 2


@pytest.mark.parametrize(
    "message",
    [("user", SAID[0]), {"role": "user", "content": SAID[0]}, HumanMessage(SAID[0]), SAID[0]],
    ids=["pair", "dict", "message", "text"],
)
def test_messages_come_in_every_form_that_langchain_takes(message: Any) -> None:
    out = create_hef_graph(sem=SpeakingStubSem()).invoke({"messages": [message]})
    assert (out["emotion"], out["messages"][0].text) == ("sad", SAID[0])


def test_a_batch_keeps_its_order() -> None:
    outs = create_hef_graph(sem=SpeakingStubSem()).batch([say(text) for text in SAID * 3])
    assert [out["emotion"] for out in outs] == FELT * 3


async def test_an_async_batch_keeps_its_order() -> None:
    graph = create_hef_graph(sem=SpeakingStubSem())
    outs = await graph.abatch([say(text) for text in SAID * 3], {"max_concurrency": 4})
    assert [out["emotion"] for out in outs] == FELT * 3


def test_conversations_that_run_at_once_do_not_mix() -> None:
    graph = create_hef_graph(sem=SpeakingStubSem(), checkpointer=InMemorySaver())
    names = [thread(str(index)) for index in range(6)]
    for _ in range(2):
        outs = graph.batch([say(SAID[index % 3]) for index in range(6)], names)
    assert [out["emotion_history"] for out in outs] == [[felt] for felt in FELT * 2]


REOPEN = """
import json, sys
from langgraph.checkpoint.sqlite import SqliteSaver
from hef_graph import create_hef_graph
from tests.fakes import ScriptedModel, SpeakingStubSem, reply_json
from tests.runs import say, thread

def kept(turns):
    with SqliteSaver.from_conn_string(sys.argv[1]) as saver:
        model = ScriptedModel(answers=[reply_json("sad", "Oh."), "prose", "prose"])
        graph = create_hef_graph(model, sem=SpeakingStubSem(), checkpointer=saver)
        for text in turns:
            graph.invoke(say(text), thread("1"))
        values = graph.get_state(thread("1")).values
        return values | {"messages": [[m.type, m.text] for m in values["messages"]]}

written, read = kept(["I lost my cat.", "I won."]), kept([])
assert len(read["messages"]) == 4, read
assert json.loads(json.dumps(written)) == read, (written, read)
"""


@pytest.mark.slow
def test_a_strict_checkpoint_reopens_with_the_same_values(tmp_path: Path) -> None:
    command = [sys.executable, "-c", REOPEN, str(tmp_path / "kept.sqlite")]
    environment = {**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
