from typing import Any

import pytest

from hef_graph.graph.announcing import Announcer

FOUND: dict[str, Any] = {
    "emotion_candidates": [{"label": "sad", "probability": 0.5}],
    "cause_words": {"high": ["lost"], "low": []},
    "messages": ["no event needs them"],
}


@pytest.fixture
def told() -> list[Any]:
    return []


def test_an_event_holds_the_emotion_and_what_the_sem_found(told: list[Any]) -> None:
    Announcer(told.append, FOUND).guess("sad")
    evidence = {key: FOUND[key] for key in ("emotion_candidates", "cause_words")}
    assert told == [{"type": "emotion", "emotion": "sad", "settled": False, **evidence}]


def test_what_is_settled_on_is_told_once(told: list[Any]) -> None:
    announcer = Announcer(told.append, FOUND)
    announcer.settle("sad")
    announcer.settle("sad")
    assert [event["settled"] for event in told] == [True]


def test_a_settled_emotion_that_changes_is_told_again(told: list[Any]) -> None:
    announcer = Announcer(told.append, FOUND)
    announcer.settle("sad")
    announcer.settle("angry")
    assert [event["emotion"] for event in told] == ["sad", "angry"]


def test_an_emotion_left_open_is_no_event_of_settling(told: list[Any]) -> None:
    Announcer(told.append, FOUND).settle(None)
    assert told == []
