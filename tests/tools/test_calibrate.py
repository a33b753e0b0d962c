import json
import sys
from pathlib import Path

import pytest

from hef_graph.corpus import contexts_of, read_conversations
from hef_graph.lexicon import load_lexicon
from tools import calibrate


def test_the_temperature_and_the_word_table_are_written(
    sem_folder: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = data_file.with_name("lexicon.tsv")
    arguments = ["calibrate", "--data", str(data_file), "--sem", str(sem_folder), "--lexicon", str(table)]
    monkeypatch.setattr(sys, "argv", arguments)
    assert calibrate.main() == 0
    printed = json.loads(capsys.readouterr().out)
    assert json.loads((sem_folder / "config.json").read_text())["temperature"] == printed["temperature"]
    assert load_lexicon(table).contexts == len(contexts_of(read_conversations(data_file)))
    assert len(load_lexicon(table).entries) == printed["words"]
