import json
import sys
from pathlib import Path

import pytest

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.corpus import contexts_of, halves, read_conversations, set_aside, write_conversations
from hef_graph.lexicon import load_lexicon
from hef_graph.sem.calibration import calibrate_checkpoint
from tools import calibrate


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["calibrate", *map(str, arguments)])
    return end_in_one_line("calibrate", calibrate.main)


def test_what_is_fitted_and_the_word_table_are_written(
    sem_folder: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = data_file.with_name("lexicon.tsv")
    assert run(monkeypatch, "--data", data_file, "--sem", sem_folder, "--lexicon", table) == 0
    printed, config = json.loads(capsys.readouterr().out), json.loads((sem_folder / "config.json").read_text())
    assert (config["temperature"], config["rarity"]) == (printed["temperature"], printed["rarity"])
    assert config["thresholds"]
    assert load_lexicon(table).contexts == len(contexts_of(read_conversations(data_file)))
    assert len(load_lexicon(table).entries) == printed["words"]


def test_without_held_the_conversations_set_aside_are_calibrated_on(
    sem_folder: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "--data", data_file, "--sem", sem_folder)
    learned, aside = set_aside(read_conversations(data_file))
    again = calibrate_checkpoint(sem_folder, aside, learned)
    printed = json.loads(capsys.readouterr().out)
    assert again.temperature == pytest.approx(printed["temperature"], rel=0.01)
    assert list(again.rarity) == printed["rarity"]


def test_half_of_the_held_conversations_is_calibrated_on_too(
    sem_folder: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    used: list[object] = []

    def note(folder: Path, held: list[object], learned: list[object]) -> object:
        used.extend([held, learned])
        return calibrate_checkpoint(folder, held, learned)  # type: ignore[arg-type]  # conversations they are

    monkeypatch.setattr(calibrate, "calibrate_checkpoint", note)
    everyone = read_conversations(data_file)
    write_conversations(everyone[::3], data_file.with_name("held.jsonl"))
    assert run(monkeypatch, "--data", data_file, "--held", data_file.with_name("held.jsonl"), "--sem", sem_folder) == 0
    learned, aside = set_aside(everyone)
    assert used == [[*aside, *halves(everyone[::3])[0]], learned]


def test_held_conversations_of_other_emotions_end_in_one_line(
    sem_folder: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    held = data_file.with_name("held.jsonl")
    held.write_text(data_file.read_text().replace('"sad"', '"bored"'))
    assert run(monkeypatch, "--data", data_file, "--held", held, "--sem", sem_folder) == 2
    assert capsys.readouterr().err == (
        "calibrate: the conversations have emotions that the SEM does not know: ['bored']\n"
    )
