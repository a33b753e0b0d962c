import json
import sys
from pathlib import Path

import pytest

from hef_graph.corpus import contexts_of, read_conversations
from tools import evaluate


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["evaluate", *map(str, arguments)])
    return evaluate.main()


def test_every_context_is_read_and_the_report_is_printed_and_written(
    sem_folder: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = data_file.with_name("report.json")
    assert run(monkeypatch, "--data", data_file, "--sem", sem_folder, "--output", output) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads(output.read_text())
    assert report["reading"]["contexts"] == len(contexts_of(read_conversations(data_file)))
    assert 0 <= report["reading"]["acc_1"] <= report["reading"]["acc_3"] <= report["reading"]["acc_20"] == 100


def test_writing_is_measured_on_demand(
    sem_folder: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "--data", data_file, "--sem", sem_folder, "--writing")
    assert json.loads(capsys.readouterr().out)["writing"]["perplexity"] > 1


def test_replies_are_shown_for_the_first_conversations_by_id(
    sem_folder: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "--data", data_file, "--sem", sem_folder, "--show", 3)
    shown = [reply["conv_id"] for reply in json.loads(capsys.readouterr().out)["replies"]]
    assert shown == sorted(c.conv_id for c in contexts_of(read_conversations(data_file)))[:3]
