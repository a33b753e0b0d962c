import json
from collections.abc import Callable
from typing import TypeAlias

import pytest

import hef_graph.cli.chat
from hef_graph.graph.disclosure import AI_NOTICE
from tests.fakes import ScriptedModel, reply_json

Hef: TypeAlias = Callable[..., tuple[int, str, str]]
Pipe: TypeAlias = Callable[[str], None]


def test_a_reply_shows_who_answers_what_was_read_and_the_answer(hef: Hef) -> None:
    code, out, _ = hef("reply", "I lost my ring.")
    assert code == 0
    assert "reads: stub · answers: the embedded listener" in out
    assert "hef › That sounds hard. What happened then?" in out
    assert "(sad)" in out


def test_a_reply_says_that_an_ai_answers(hef: Hef) -> None:
    assert AI_NOTICE in hef("reply", "I lost my ring.")[1]


def test_json_is_the_whole_result_without_messages(hef: Hef) -> None:
    result = json.loads(hef("reply", "--json", "--k2", "2", "I lost my ring.")[1])
    assert result["structured_response"] == {"emotion": "sad", "response": "That sounds hard. What happened then?"}
    assert len(result["emotion_candidates"]) == 2
    assert "messages" not in result


def test_an_answer_of_a_rung_below_says_so(hef: Hef, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = ScriptedModel(answers=[TimeoutError("slow")])
    monkeypatch.setattr("hef_graph.defaults.build_model", lambda _name: failing)
    assert "(sad; timeout)" in hef("reply", "--model", "test:failing", "I lost my ring.")[1]


def test_each_piped_line_is_a_turn(hef: Hef, pipe: Pipe) -> None:
    pipe("I lost my ring.\n\nIt was my mother's.\n")
    code, out, _ = hef("chat")
    assert code == 0
    assert [line for line in out.splitlines() if line.startswith("you")] == [
        "you › I lost my ring.",
        "you › It was my mother's.",
    ]
    assert out.count("hef ›") == 2


def test_a_conversation_is_resumed_by_its_name(hef: Hef, pipe: Pipe) -> None:
    for text in ("I lost my ring.", "It was gold."):
        pipe(text)
        out = hef("chat", "--thread", "ring")[1]
    assert "conversation 'ring' (resumed, 2 messages)" in out


def test_conversations_of_other_names_stay_apart(hef: Hef, pipe: Pipe) -> None:
    pipe("I lost my ring.")
    hef("chat", "--thread", "ring")
    pipe("I won!")
    assert "conversation 'prize' (new)" in hef("chat", "--thread", "prize")[1]


def test_a_forgotten_conversation_leaves_nothing(hef: Hef, pipe: Pipe) -> None:
    pipe("I lost my zirconia ring.")
    hef("chat", "--thread", "ring")
    assert hef("chat", "--forget", "ring")[:2] == (0, "forgot the conversation 'ring'\n")
    stored = hef_graph.cli.history.history_path().parent.glob("chat.sqlite*")
    assert not any(b"zirconia" in file.read_bytes() for file in stored)


def test_the_history_is_for_the_user_alone(hef: Hef, pipe: Pipe) -> None:
    pipe("I lost my ring.")
    hef("chat")
    assert hef_graph.cli.history.history_path().stat().st_mode & 0o077 == 0


def test_ctrl_c_in_a_turn_keeps_the_conversation(hef: Hef, pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    model = ScriptedModel(answers=[reply_json("sad", "I am listening."), reply_json("sad", "Tell me more.")])
    monkeypatch.setattr("hef_graph.defaults.build_model", lambda _name: model)
    take_turn, interrupts = hef_graph.cli.chat.Chat.take_turn, iter([True, False])

    def interrupted(chat: hef_graph.cli.chat.Chat, text: str) -> None:
        if next(interrupts):
            raise KeyboardInterrupt
        take_turn(chat, text)

    monkeypatch.setattr(hef_graph.cli.chat.Chat, "take_turn", interrupted)
    pipe("I lost my ring.\nIt was gold.\n")
    code, out, _ = hef("chat", "--model", "test:scripted")
    assert (code, "(stopped" in out, "I am listening." in out) == (0, True, True)
