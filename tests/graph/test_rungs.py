"""The rungs of a turn: HEF, the model alone, the small empathetic model (SEM) alone, the fixed text."""

import time
from collections.abc import Sequence
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from typing_extensions import override

from hef_graph.chat.listener import FIXED_REPLY
from hef_graph.emotions import EMOTIONS
from hef_graph.errors import HefCheckpointError, HefModelError
from hef_graph.graph import HefContext, HefGraph, HefOptions, create_hef_graph
from hef_graph.types import Dialogue, EmotionAnalysis, ReplyCandidate
from tests.fakes import REPLIES, Answer, ScriptedModel, SpeakingStubSem, reply_json
from tests.runs import MODES, Mode, run_turn, say, thread

SAID = "I lost my cat."

GOOD = reply_json("lonely", "Oh, poor you.")

every_mode = pytest.mark.parametrize("mode", MODES)


class BrokenSem(SpeakingStubSem):
    """Reads nothing and says nothing."""

    @override
    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        raise RuntimeError("the reader broke")

    @override
    def propose_replies(self, dialogue: Dialogue, emotion: str, *, count: int) -> list[ReplyCandidate]:
        raise RuntimeError("the decoder broke")


class HungSem(BrokenSem):
    """Never comes back."""

    @override
    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        time.sleep(60)
        raise AssertionError("nobody waits that long")


def graph_of(sem: Any, *answers: Answer, **options: Any) -> tuple[HefGraph, ScriptedModel]:
    model = ScriptedModel(answers=list(answers) or [GOOD])
    return create_hef_graph(model, sem=sem, options=HefOptions(**options)), model


@every_mode
async def test_without_a_reading_the_model_answers_alone(mode: Mode) -> None:
    graph, model = graph_of(BrokenSem())
    out = (await run_turn(graph, mode, SAID)).out
    assert out["structured_response"] == {"emotion": "lonely", "response": "Oh, poor you."}
    assert (out["degraded_reason"], out["emotion_candidates"]) == ("sem", [])
    assert out["cause_words"] == {"high": [], "low": []}
    assert [str(message.text) for message in model.prompts[0][1:]] == [SAID]


@every_mode
async def test_a_sem_that_hangs_leaves_the_model_most_of_the_time(mode: Mode) -> None:
    graph, _ = graph_of(HungSem())
    start = time.monotonic()
    out = (await run_turn(graph, mode, SAID, HefContext(deadline=1.5))).out
    assert (out["emotion"], out["degraded_reason"]) == ("lonely", "sem")
    assert time.monotonic() - start < 1.5


@every_mode
async def test_a_repaired_answer_without_a_reading_says_what_weighs_more(mode: Mode) -> None:
    graph, _ = graph_of(BrokenSem(), reply_json("blue", "Hm."), GOOD)
    assert (await run_turn(graph, mode, SAID)).out["degraded_reason"] == "sem"


@every_mode
async def test_without_the_model_the_sem_answers_alone(mode: Mode) -> None:
    graph, _ = graph_of(SpeakingStubSem(), PermissionError())
    out = (await run_turn(graph, mode, SAID)).out
    assert out["structured_response"] == {"emotion": "sad", "response": REPLIES[0].text}
    assert out["degraded_reason"] == "error"


@every_mode
async def test_with_nothing_left_there_is_the_fixed_text_and_the_words_own_emotion(mode: Mode) -> None:
    graph, _ = graph_of(BrokenSem(EMOTIONS), PermissionError())
    out = (await run_turn(graph, mode, "I am so proud of my daughter.")).out
    assert out["structured_response"] == {"emotion": "proud", "response": FIXED_REPLY}
    assert out["degraded_reason"] == "error"


def test_an_emotion_that_nobody_could_read_is_left_open() -> None:
    graph, _ = graph_of(BrokenSem(["glum", "merry"]), PermissionError())
    out = graph.invoke(say(SAID))
    assert out["structured_response"] == {"emotion": None, "response": FIXED_REPLY}


@pytest.mark.parametrize("sem", [BrokenSem(EMOTIONS), HungSem(EMOTIONS)], ids=["broken", "hung"])
@every_mode
async def test_a_listener_without_its_sem_gives_the_fixed_text_in_time(sem: SpeakingStubSem, mode: Mode) -> None:
    start = time.monotonic()
    out = (await run_turn(create_hef_graph(sem=sem), mode, SAID, HefContext(deadline=0.6))).out
    assert (out["messages"][-1].text, out["degraded_reason"]) == (FIXED_REPLY, "sem")
    assert time.monotonic() - start < 1.6


@every_mode
async def test_strict_raises_the_sems_failure(mode: Mode) -> None:
    graph, model = graph_of(BrokenSem(), strict=True)
    with pytest.raises(HefModelError, match="the small empathetic model failed with RuntimeError"):
        await run_turn(graph, mode, SAID)
    assert model.calls == 0


@pytest.fixture
def no_shipped_sem(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise HefCheckpointError("no weights here")

    monkeypatch.setattr("hef_graph.defaults._shipped_sem", missing)


@pytest.mark.usefixtures("no_shipped_sem")
def test_a_missing_sem_is_one_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    graph, _ = graph_of(None, reply_json("nostalgic", "Oh."))
    out = graph.invoke(say(SAID))
    assert (out["emotion"], out["degraded_reason"]) == ("nostalgic", "sem")
    assert "no weights here" in caplog.text


@pytest.mark.usefixtures("no_shipped_sem")
def test_strict_does_not_build_without_a_sem() -> None:
    with pytest.raises(HefCheckpointError, match="no weights here"):
        graph_of(None, strict=True)


def test_a_turn_without_a_reading_leaves_no_trace_in_the_next() -> None:
    saver = InMemorySaver()
    for sem, reason in [(BrokenSem(), "sem"), (SpeakingStubSem(), None)]:
        graph = create_hef_graph(ScriptedModel(answers=[GOOD]), sem=sem, checkpointer=saver)
        assert graph.invoke(say(SAID), thread("1"))["degraded_reason"] == reason
