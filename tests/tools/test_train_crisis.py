import json
import sys
from pathlib import Path

import pytest

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.crisis.classifier import CrisisClassifier
from tests.evaluation.crisis_encoder import ORDINARY, SIGNALS, write_encoder
from tools import train_crisis


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["train_crisis", *map(str, arguments)])
    return end_in_one_line("train_crisis", train_crisis.main)


@pytest.fixture
def flags(tmp_path: Path, data_file: Path) -> list[object]:
    examples = tmp_path / "examples"
    examples.mkdir()
    families = [f"## {n} | suicidal_active | self | current\n{text}\n" for n, text in enumerate(SIGNALS * 3)]
    families += [f"## o{n} | none | ordinary\n{text}\n" for n, text in enumerate(ORDINARY * 3)]
    (examples / "mine.txt").write_text("".join(families), "utf-8")
    encoder = write_encoder(tmp_path / "encoder")
    return ["--data", data_file, "--examples", examples, "--encoder", encoder, "--layers", 2, "--epochs", 1]


def test_a_classifier_is_written_and_each_epoch_measured(
    flags: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *flags, "--output", tmp_path / "run", "--threshold", 0.7) == 0
    [measures] = json.loads(capsys.readouterr().out)
    assert set(measures) >= {"score"}
    assert CrisisClassifier.load(tmp_path / "run").threshold == 0.7


def test_missing_conversations_end_in_one_line(
    flags: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *flags, "--data", tmp_path / "no.jsonl", "--output", tmp_path / "run") == 2
    assert "no.jsonl" in capsys.readouterr().err
