import pytest

from hef_graph.corpus import Conversation
from hef_graph.crisis.detector import CrisisDetector
from hef_graph.crisis.examples import Example, Label
from hef_graph.evaluation.crisis_report import Share, agreement, flag_turns, judge_examples, judge_late, shares

PHRASES = CrisisDetector(None)
"""Plain phrases alone."""

EXAMPLES = (
    Example(("I want to kill myself.",), Label("suicidal_active"), "a/plain"),
    Example(("It will be over by Friday.",), Label("suicidal_active"), "a/oblique"),
    Example(("My husband hits me.",), Label("abuse", time="past"), "a/home"),
    Example(("This queue is murder.",), Label(None, kind="idiom"), "a/queue"),
    Example(("He hits me every day, I mean the sun.",), Label(None, kind="idiom"), "a/sun"),
)


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [(95, 100, 88.8, 97.8), (0, 10, 0.0, 27.8), (10, 10, 72.2, 100.0), (0, 0, 0, 79.3)],
)
def test_the_interval_is_wilsons(count: int, total: int, low: float, high: float) -> None:
    assert Share(count, total).interval == pytest.approx((low, high), abs=0.1)


def test_a_share_is_told_with_its_interval() -> None:
    assert str(Share(95, 100)) == "95/100  95.0 % (88.8 to 97.8)"


def test_recall_is_told_by_category_and_false_alarms_by_kind() -> None:
    table = shares(judge_examples(PHRASES, EXAMPLES))
    assert {name: (share.count, share.total) for name, share in table.items()} == {
        "suicidal_active": (1, 2),
        "abuse": (1, 1),
        "every signal": (2, 3),
        "none: idiom": (1, 2),
        "no signal": (1, 2),
    }


def test_only_signals_that_were_found_are_asked_what_they_are() -> None:
    assert {name: (s.count, s.total) for name, s in agreement(judge_examples(PHRASES, EXAMPLES)).items()} == {
        "category": (2, 2),
        "who": (2, 2),
        "time": (1, 2),
    }


@pytest.mark.parametrize("turn", [1, 2, 50])
def test_late_in_a_conversation_the_same_messages_are_read(turn: int) -> None:
    talk = ("I hate rain.", "Me too.", "Shall we walk?")
    found = shares(judge_late(PHRASES, EXAMPLES[:3], talk, turn))
    assert (found["every signal"].count, found["every signal"].total) == (2, 3)


def test_every_turn_of_the_speaker_is_read() -> None:
    talk = Conversation(
        "1", "sad", "", ("I lost my ring.", "Do you want to kill yourself?", "Yes.", "Oh.", "I hate rain.")
    )
    flags, read = flag_turns(PHRASES, [talk])
    assert ([flag.text for flag in flags], read) == (["Yes."], 3)
