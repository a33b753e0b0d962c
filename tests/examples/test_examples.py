"""Every example runs as it stands, offline, and prints what its docstring promises."""

import runpy
from pathlib import Path

import pytest

from tests.fakes import reply_json
from tests.servers import OpenAIServer

EXAMPLES = Path(__file__).parents[2] / "examples"

PRINTED = {
    "analyze_message.py": ["%", "turn 0: ", "["],
    "empathetic_reply.py": ["you › I finally passed", "hef › ", "cause words: ", "emotions so far: ["],
    "agent_with_tools.py": [
        "the model is shown › human: My grandmother's ring",
        "<evidence>",
        "the model is shown › tool: ring",
        "emotion › ",
        "cause words › ",
        "agent › It is safe.",
    ],
    "chain.py": ["you › My dog died", "hef › ", "      emotion: ", "letter › I passed my exam", "   hef › "],
    "local_model.py": ["you › It was delicious!", " characters; degraded: None"],
    "sqlite_chat.py": ["start: 0 messages remembered", "start: 4 messages remembered", "felt before: ['sad', 'sad']"],
    "user_memory.py": ["Monday: My exam", 'felt anxious about "nervous", "exam"', "forgotten conversations: 2"],
    "openai_model.py": ["skipped: OPENAI_API_KEY is not set"],
    "support_bot.py": [
        "bot › Order 4711 left our store this morning.",
        "you › It broke on the way.",
        "      emotion: ",
    ],
    "custom_sem.py": ["stressed › What is due first?", "'deadline'"],
}


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(PRINTED)


@pytest.mark.parametrize("name", PRINTED)
def test_an_example_runs_offline_and_prints(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "")
    monkeypatch.setattr("sys.argv", [name])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    printed = capsys.readouterr().out
    assert [part for part in PRINTED[name] if part not in printed] == []


def test_the_parent_graph_streams_the_listeners_words(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "support_bot.py"), run_name="__main__")
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("bot › ")]
    assert len(said[1].removeprefix("bot ›").split()) > 2


def test_with_a_key_the_emotion_comes_first_and_then_the_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with OpenAIServer(reply_json("joyful", "That is great news!")) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "test")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setattr("sys.argv", ["openai_model.py", "any-model"])
        runpy.run_path(str(EXAMPLES / "openai_model.py"), run_name="__main__")
    _, guess, settled, words, reason = capsys.readouterr().out.splitlines()
    assert guess.endswith("(the SEM guesses)")
    assert settled.split() == ["joyful", "(settled)"]
    assert words == "That is great news!"
    assert reason.split() == ["degraded_reason:", "None"]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_is_short(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) < 60
