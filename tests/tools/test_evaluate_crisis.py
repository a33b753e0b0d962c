import json
import sys
from pathlib import Path

import pytest

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.corpus import Conversation, write_conversations
from tools import evaluate_crisis

LINES = (
    "## plain | suicidal_active | self | current\nI want to kill myself.\n## idiom | none | idiom\nI hate Mondays.\n"
)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["evaluate_crisis", *map(str, arguments)])
    return end_in_one_line("evaluate_crisis", evaluate_crisis.main)


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "mine.txt").write_text(LINES, "utf-8")
    return tmp_path / "examples"


def test_the_table_is_printed_and_written(
    examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--examples", examples, "--rules-only", "--output", tmp_path / "out.json") == 0
    assert "suicidal_active      1/1 100.0 % (20.7 to 100.0)" in capsys.readouterr().out
    assert json.loads((tmp_path / "out.json").read_text())["mine"]["no signal"]["count"] == 0


def test_everyday_turns_that_are_flagged_can_be_read(
    examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = Conversation("1", "sad", "", ("I lost my ring.", "Oh.", "I want to die."))
    write_conversations([talk], tmp_path / "talk.jsonl")
    assert run(monkeypatch, "--examples", examples, "--rules-only", "--show", "--data", tmp_path / "talk.jsonl") == 0
    shown = capsys.readouterr().out
    assert "flagged              1/2" in shown
    assert "suicidal_passive, current, self | I want to die." in shown


def test_a_folder_of_another_form_ends_in_one_line(
    examples: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (examples / "broken.txt").write_text("A line without a header.\n", "utf-8")
    assert run(monkeypatch, "--examples", examples, "--rules-only") == 2
    assert capsys.readouterr().err.startswith("evaluate_crisis: broken.txt:1: an example before the first header")
