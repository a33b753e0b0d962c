import json
import sys
from pathlib import Path

import pytest
from torch import Tensor

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.corpus import contexts_of, read_conversations, set_aside
from hef_graph.emotions import EMOTIONS
from hef_graph.sem.soft_labels import read_soft_labels
from tests.sem.encoders import write_encoder
from tools import train_teacher


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["train_teacher", *map(str, arguments)])
    return end_in_one_line("train_teacher", train_teacher.main)


def test_soft_labels_are_written_and_measures_printed(
    tmp_path: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--data", data_file, "--encoder", write_encoder(tmp_path / "encoder", "mpnet"), "--frozen-layers", 1]
    assert run(monkeypatch, *flags, "--output", tmp_path / "run", "--precision", "fp32") == 0
    [measures] = json.loads(capsys.readouterr().out)
    known = read_soft_labels(tmp_path / "run" / "soft_labels.safetensors", EMOTIONS)
    learned = contexts_of(set_aside(read_conversations(data_file))[0])
    assert all(isinstance(known.of(context.turns), Tensor) for context in learned)
    assert 0 <= measures["acc_1"] <= 100


def test_a_folder_without_an_encoder_ends_in_one_line(
    tmp_path: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--data", data_file, "--encoder", tmp_path, "--output", tmp_path / "run") == 2
    error = capsys.readouterr().err
    assert error == f"train_teacher: no config.json in {tmp_path}; give the folder of a Hugging Face encoder\n"
