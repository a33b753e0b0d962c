import json
import sys
from pathlib import Path

import pytest

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.corpus import Conversation
from tools import prepare_data

CSV = (
    "conv_id,utterance_idx,context,prompt,speaker_idx,utterance,selfeval,tags\n"
    "hit:1_conv:2,1,sad,I lost it_comma_ twice.,7,I lost my ring_comma_ twice.,5|5|5,\n"
    "hit:1_conv:2,2,sad,I lost it_comma_ twice.,8,Oh no.,5|5|5,\n"
    "hit:1_conv:3,1,proud,I ran.,7,I ran far.,5|5|5,\n"
    "hit:1_conv:3,2,proud,I ran.,8,Well done!,5|5|5,\n"
)


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    path = tmp_path / "train.csv"
    path.write_text(CSV)
    return path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["prepare_data", *arguments])
    return end_in_one_line("prepare_data", prepare_data.main)


def test_the_official_csv_becomes_one_conversation_a_line(
    csv_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(monkeypatch, "--input", str(csv_file), "--output", str(tmp_path / "out.jsonl")) == 0
    first = json.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])
    assert first["utterances"] == ["I lost my ring, twice.", "Oh no."]
    assert (first["conv_id"], first["emotion"]) == ("hit:1_conv:2", "sad")


def test_the_counts_are_printed(
    csv_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "--input", str(csv_file), "--output", str(tmp_path / "out.jsonl"))
    printed = json.loads(capsys.readouterr().out)
    assert printed == {"conversations": 2, "contexts": 2, "emotions": {"sad": 1, "proud": 1}}


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    everyone = [Conversation(str(number), "sad", "", ()) for number in range(50)]
    assert prepare_data.sample(everyone, 10, seed=3) == prepare_data.sample(everyone, 10, seed=3)
    assert prepare_data.sample(everyone, 10, seed=3) != prepare_data.sample(everyone, 10, seed=4)


def test_a_missing_file_ends_with_one_line_and_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--input", "nowhere.csv", "--output", str(tmp_path / "out.jsonl")) == 2
    assert capsys.readouterr().err == "prepare_data: no such file: nowhere.csv\n"


def test_a_hub_out_of_reach_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert run(monkeypatch, "--hub", "nobody/nothing", "--output", str(tmp_path / "out.jsonl")) == 2
    error = capsys.readouterr().err
    assert error.startswith("prepare_data: cannot download nobody/nothing, split train")
    assert error.count("\n") == 1
