"""How a turn begins: the last one's keys are cleared, and the notice that an AI speaks is given if it is due."""

import time
from pathlib import Path
from typing import Any, Final

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver

from hef_graph.crisis import CrisisSignal
from hef_graph.errors import HefInputError
from hef_graph.graph import HefOptions, create_hef_graph
from hef_graph.graph.disclosure import AI_NOTICE, Disclosure
from hef_graph.graph.opening import HISTORY, crisis_turn, open_turn
from tests.fakes import ScriptedModel, SpeakingStubSem, reply_json
from tests.policies import CRISIS, MarkedPolicy
from tests.runs import say, thread

HOUR: Final = 3600.0
START: Final = 1_800_000_000.0
ONE: Final = thread("one")


class Clock:
    """`time.time()` as a test sets it."""

    def __init__(self) -> None:
        self.now = START

    def time(self) -> float:
        return self.now

    def at(self, hours: float) -> None:
        self.now = START + hours * HOUR


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "time", made.time)
    return made


class Talk:
    """A conversation whose every turn is told by a new graph."""

    def __init__(self, saver: Any = None, **options: Any) -> None:
        self.saver = saver or InMemorySaver()
        self.options = HefOptions(crisis_policy=MarkedPolicy(), **options)
        self.prompts: list[str] = []

    def turn(self, text: str = "So.") -> dict[str, Any]:
        model = ScriptedModel(answers=[reply_json("sad", "I am here.")])
        graph = create_hef_graph(model, sem=SpeakingStubSem(), checkpointer=self.saver, options=self.options)
        left = graph.invoke(say(text), ONE)
        self.prompts += [str(message.text) for prompt in model.prompts for message in prompt]
        return left

    def notices(self, clock: Clock, *hours: float) -> list[float]:
        """The hours at which the notice was given, of turns at these hours."""
        given = []
        for hour in hours:
            clock.at(hour)
            given += [hour] if self.turn()["disclosure"] else []
        return given


class TestTheNotice:
    def test_is_given_at_the_start_and_every_three_hours_exactly(self, clock: Clock) -> None:
        hours = (0, 0.01, 1, 2.9999, 3, 3.01, 4, 5.9999, 6, 6.5, 8.99, 9)
        assert Talk().notices(clock, *hours) == [0, 3, 6, 9]

    def test_of_a_talk_that_paused_is_given_once(self, clock: Clock) -> None:
        assert Talk().notices(clock, 0, 50, 50.1, 52.9, 53) == [0, 50, 53]

    def test_keeps_its_clock_after_a_restart(self, clock: Clock, tmp_path: Path) -> None:
        given = []
        for hour in (0, 2.9, 3, 5.9, 6):
            with SqliteSaver.from_conn_string(str(tmp_path / "kept.sqlite")) as saver:
                given += Talk(saver).notices(clock, hour)
        assert given == [0, 3, 6]

    def test_keeps_its_clock_though_messages_are_forgotten(self, clock: Clock) -> None:
        hours = [step / 4 for step in range(27)]
        assert Talk(keep_messages=2).notices(clock, *hours) == [0, 3, 6]

    def test_may_be_the_applications_own(self, clock: Clock) -> None:
        talk = Talk(disclosure=Disclosure("A machine speaks.", every=HOUR))
        assert talk.turn()["disclosure"] == "A machine speaks."
        assert talk.notices(clock, 0.5, 1, 1.5, 2) == [1, 2]

    def test_can_be_switched_off(self, clock: Clock) -> None:
        assert Talk(disclosure=False).notices(clock, 0, 3, 6) == []

    def test_switched_on_later_comes_when_its_time_has_come(self, clock: Clock) -> None:
        saver = InMemorySaver()
        assert Talk(saver, disclosure=False).notices(clock, 0, 1) == []
        assert Talk(saver).notices(clock, 2, 3) == [3]

    def test_is_part_of_no_reply_and_of_no_prompt(self, clock: Clock) -> None:
        talk = Talk()
        for hour in (0, 3):
            clock.at(hour)
            out = talk.turn()
            assert out["disclosure"] == AI_NOTICE
            assert all(AI_NOTICE not in message.text for message in out["messages"])
            assert AI_NOTICE not in out["structured_response"]["response"]
        assert all(AI_NOTICE not in text for text in talk.prompts)

    def test_comes_with_a_crisis_turn_too(self, clock: Clock) -> None:
        talk = Talk()
        first, second = talk.turn(CRISIS), talk.turn(CRISIS)
        assert (first["disclosure"], second["disclosure"]) == (AI_NOTICE, None)
        assert AI_NOTICE not in first["messages"][-1].text

    def test_of_a_talk_that_began_elsewhere_starts_its_clock_with_the_first_turn_here(self, clock: Clock) -> None:
        talk = Talk()
        graph = create_hef_graph(
            ScriptedModel(answers=[reply_json("sad", "Oh.")]), sem=SpeakingStubSem(), checkpointer=talk.saver
        )
        earlier: list[AnyMessage] = [HumanMessage("Hi."), AIMessage("Hello!"), HumanMessage("So.")]
        assert graph.invoke({"messages": earlier}, ONE)["disclosure"] is None
        assert talk.notices(clock, 1, 2.9, 3) == [3]

    def test_of_two_talks_have_clocks_of_their_own(self, clock: Clock) -> None:
        assert Talk().notices(clock, 0) == [0]
        assert Talk().notices(clock, 1, 3, 4) == [1, 4]


def opened(state: Any, **given: Any) -> dict[str, Any]:
    """The keys of a turn that opens on this state."""
    told: Any = {"messages": [HumanMessage("So.")], **state}
    return open_turn(told, given.get("notice", Disclosure()), given.get("now", START))


class TestOpening:
    def test_clears_what_the_last_turn_left(self) -> None:
        left = {
            "emotion": "sad",
            "structured_response": {"emotion": "sad", "response": "Oh."},
            "crisis": {"who": "self"},
        }
        keys = opened(left)
        assert (keys["emotion"], keys["structured_response"], keys["crisis"]) == (None, None, None)

    def test_notes_the_time(self) -> None:
        assert opened({})["started"] == START

    @pytest.mark.parametrize(("since", "then"), [(None, None), (0, 1), (41, 42)])
    def test_counts_the_turns_since_a_crisis(self, since: int | None, then: int | None) -> None:
        assert opened({"since_crisis": since})["since_crisis"] == then

    def test_puts_the_last_emotion_into_the_history(self) -> None:
        answered = {"emotion": "sad", "response": "Oh."}
        assert opened({"structured_response": answered, "emotion_history": ["angry"]})["emotion_history"] == [
            "angry",
            "sad",
        ]

    @pytest.mark.parametrize("last", [None, {"emotion": None, "response": "Call 999."}])
    def test_puts_nothing_there_of_a_turn_without_one(self, last: Any) -> None:
        assert opened({"structured_response": last, "emotion_history": ["angry"]})["emotion_history"] == ["angry"]

    def test_keeps_the_history_bounded(self) -> None:
        answered = {"emotion": "sad", "response": "Oh."}
        history = opened({"structured_response": answered, "emotion_history": ["angry"] * HISTORY})["emotion_history"]
        assert history == ["angry"] * (HISTORY - 1) + ["sad"]

    @pytest.mark.parametrize("messages", [[], [HumanMessage(" ")], [HumanMessage("Hi."), AIMessage("Hello.")]])
    def test_refuses_a_turn_without_words_of_the_user(self, messages: list[AnyMessage]) -> None:
        with pytest.raises(HefInputError):
            opened({"messages": messages})


def test_a_crisis_turn_says_what_was_found_and_that_nothing_was_read() -> None:
    signal = CrisisSignal("abuse", "past", "self", "he hit me")
    keys = crisis_turn(signal, AIMessage("We are here."))
    assert keys["crisis"] == signal.to_json()
    assert keys["structured_response"] == {"emotion": None, "response": "We are here."}
    assert (keys["since_crisis"], keys["instruction"], keys["sem_failure"]) == (0, "", None)
    assert (keys["emotion_candidates"], keys["cause_words"]) == ([], {"high": [], "low": []})
