import json
import sys
from pathlib import Path

import pytest

from hef_graph.corpus import Conversation, contexts_of, read_conversations, set_aside, write_conversations
from hef_graph.errors import HefInputError
from hef_graph.sem.plugins.lexicon import read_word_emotions
from tools import count_words


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["count_words", *map(str, arguments)])
    return count_words.main()


def test_the_table_is_counted_on_what_is_kept_and_measured_on_what_is_set_aside(
    data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = data_file.with_name("words.tsv")
    assert run(monkeypatch, "--data", data_file, "--output", output, "--smoothing", 5) == 0
    printed, table = json.loads(capsys.readouterr().out), read_word_emotions(output)
    kept, aside = set_aside(read_conversations(data_file))
    assert sum(table.contexts) == printed["contexts"] == len(contexts_of(kept))
    assert (table.smoothing, table.temperature) == (5.0, printed["temperature"])
    assert printed["set_aside"]["contexts"] == len(contexts_of(aside))


def test_nothing_set_aside_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_conversations([Conversation("made-up-1", "sad", "", ("it rained", "oh"))], tmp_path / "one.jsonl")
    with pytest.raises(HefInputError, match="1 conversations cannot be split"):
        run(monkeypatch, "--data", tmp_path / "one.jsonl", "--output", tmp_path / "words.tsv")


def test_a_smoothing_of_0_is_refused(data_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HefInputError, match=r"--smoothing is 0\.0; allowed are numbers above 0"):
        run(monkeypatch, "--data", data_file, "--output", "words.tsv", "--smoothing", 0)
