import time
from collections.abc import Callable

import pytest

from hef_graph.chat.deadline import Deadline
from hef_graph.chat.reading import SEM_FAILED, SEM_SHARE, read_evidence
from hef_graph.errors import HefModelError
from hef_graph.turn import Evidence, ReadingOptions, weigh_evidence
from hef_graph.types import CauseWords, EmotionAnalysis, Turn
from tests.fakes import StubSem

TURNS = [Turn("speaker", "I lost my cat, and the secret word is plover.")]

NOTHING = Evidence((), CauseWords(), failure=SEM_FAILED)

READING = ReadingOptions()


def analyze() -> EmotionAnalysis:
    return StubSem().analyze([TURNS])[0]


def break_down() -> EmotionAnalysis:
    raise RuntimeError(TURNS[0].text)


def hang() -> EmotionAnalysis:
    time.sleep(60)
    raise AssertionError("nobody waits that long")


def test_a_reading_is_weighed() -> None:
    evidence = read_evidence(analyze, TURNS, READING, deadline=Deadline.after(30))
    assert evidence == weigh_evidence(analyze(), TURNS, READING)
    assert evidence.failure is None


def test_a_sem_that_fails_contributes_nothing_and_says_so() -> None:
    assert read_evidence(break_down, TURNS, READING, deadline=Deadline.after(30)) == NOTHING


def test_a_sem_that_hangs_is_left_after_its_share_of_the_time() -> None:
    deadline = Deadline.after(0.6)
    assert read_evidence(hang, TURNS, READING, deadline=deadline) == NOTHING
    assert deadline.remaining > 0.6 * (1 - SEM_SHARE) - 0.3


@pytest.mark.parametrize("read", [break_down, hang])
def test_strict_raises_the_typed_error(read: Callable[[], EmotionAnalysis]) -> None:
    with pytest.raises(HefModelError, match="the small empathetic model failed with"):
        read_evidence(read, TURNS, READING, deadline=Deadline.after(0.3), strict=True)


def test_what_the_user_wrote_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    read_evidence(break_down, TURNS, READING, deadline=Deadline.after(30))
    assert "RuntimeError" in caplog.text
    assert "plover" not in caplog.text
