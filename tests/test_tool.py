import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import ToolCall, ToolMessage

from hef_graph.errors import HefInputError, HefModelError
from hef_graph.lexicon import Lexicon, WordEntry
from hef_graph.tool import create_emotion_tool
from hef_graph.turn import ReadingOptions
from hef_graph.types import Turn
from tests.agents import BrokenSem
from tests.fakes import LABELS, StubSem

DIALOGUE = ["My parrot died.", "Oh no.", "Ünlü was alone."]


pytestmark = pytest.mark.usefixtures("lexicon")


@pytest.fixture
def lexicon(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = Lexicon(100, {"died": WordEntry(5, 0.9, 1), "parrot": WordEntry(20, 0.1, 1)})
    monkeypatch.setattr("hef_graph.turn.load_lexicon", lambda: tiny)


def call(dialogue: list[str]) -> ToolCall:
    return ToolCall(name="analyze_emotion", args={"dialogue": dialogue}, id="7", type="tool_call")


def ask(options: ReadingOptions | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(create_emotion_tool(StubSem(), options=options).invoke({"dialogue": DIALOGUE}))
    return answer


def test_a_model_sees_its_name_and_its_one_argument() -> None:
    tool = create_emotion_tool(StubSem())
    assert (tool.name, list(tool.args)) == ("analyze_emotion", ["dialogue"])
    assert "speaker and listener alternate" in tool.args["dialogue"]["description"]


def test_it_answers_with_emotions_and_cause_words() -> None:
    answer = ask(ReadingOptions(k1=2, k2=2))
    assert answer == {
        "emotions": [{"label": "lonely", "probability": 0.3333}, {"label": "sad", "probability": 0.3333}],
        "cause_words": {"high": ["died"], "low": ["alone"]},
        "confidence": None,
        "in_domain": True,
    }


def test_without_options_it_shows_what_a_turn_shows() -> None:
    answer = ask()
    assert len(answer["emotions"]) == len(LABELS)
    assert answer["cause_words"] == {"high": ["died"], "low": ["alone", "parrot"]}


def test_its_json_keeps_letters_readable() -> None:
    text = create_emotion_tool(StubSem()).invoke({"dialogue": ["Ünlü"]})
    assert '"Ünlü"' in text


def test_the_artifact_of_its_message_is_the_whole_analysis() -> None:
    message = create_emotion_tool(StubSem(), options=ReadingOptions(k2=1)).invoke(call(DIALOGUE))
    assert isinstance(message, ToolMessage)
    assert message.artifact == StubSem().analyze([DIALOGUE])[0]


def test_the_newest_text_is_read_as_the_speakers() -> None:
    sem = StubSem()
    create_emotion_tool(sem).invoke({"dialogue": ["Hello.", "I won!"]})
    assert sem.dialogues_read == [[Turn("listener", "Hello."), Turn("speaker", "I won!")]]


async def test_it_can_be_awaited() -> None:
    tool = create_emotion_tool(StubSem())
    assert await tool.ainvoke({"dialogue": DIALOGUE}) == tool.invoke({"dialogue": DIALOGUE})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "dialogue: Field required"),
        ({"dialogue": []}, "dialogue: List should have at least 1 item"),
        ({"dialogue": "one text"}, "dialogue: Input should be a valid list"),
        ({"dialogue": ["a", 7]}, "dialogue.1: Input should be a valid string"),
    ],
)
def test_arguments_of_another_form_are_answered_with_what_is_expected(arguments: dict[str, Any], told: str) -> None:
    answer = create_emotion_tool(StubSem()).invoke(arguments)
    assert answer.startswith(f'analyze_emotion needs {{"dialogue": [text, …]}}, the newest text the speaker\'s; {told}')


def test_a_model_that_called_wrongly_is_told_of_an_error() -> None:
    message = create_emotion_tool(StubSem()).invoke({**call([]), "args": {"text": "I won!"}})
    assert (message.status, message.artifact) == ("error", None)


def test_a_sem_that_fails_is_a_model_error() -> None:
    with pytest.raises(HefModelError, match="the small empathetic model failed with RuntimeError"):
        create_emotion_tool(BrokenSem()).invoke(call(DIALOGUE))


def test_without_a_sem_the_shipped_one_is_loaded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = StubSem()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "hef_graph.sem", SimpleNamespace(load_sem=lambda: shipped))
        tool = create_emotion_tool()
    tool.invoke(call(["I won!"]))
    assert shipped.analyze_calls == 1


def test_what_is_no_sem_is_refused_by_its_type() -> None:
    with pytest.raises(HefInputError, match="sem is str"):
        create_emotion_tool("roberta-base")  # type: ignore[arg-type]
