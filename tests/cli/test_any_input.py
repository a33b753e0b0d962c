"""The command line takes every text: a result, or one line that says what is wrong without repeating it."""

import json
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pytest

from hef_graph.cli import main
from tests.inputs import NOTHING, TEXTS, each


@pytest.mark.parametrize("command", [("reply",), ("reply", "--json"), ("analyze",), ("analyze", "--json")])
@each(TEXTS)
def test_any_text_is_answered(command: Sequence[str], given: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "--", given]) == 0
    assert not set(capsys.readouterr().out) & set(map(chr, chain(range(9), range(11, 32), range(127, 160))))


@pytest.mark.parametrize("command", ["reply", "analyze"])
@each(NOTHING)
def test_no_text_is_bad_input(command: str, given: str) -> None:
    assert main([command, given]) == 2


@pytest.mark.parametrize("command", ["reply", "analyze", "chat"])
def test_bytes_that_are_no_text_are_bad_input(
    command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "piped").write_bytes(b"I won \xff\xfe\n")
    with (tmp_path / "piped").open(encoding="utf-8") as piped:
        monkeypatch.setattr("sys.stdin", piped)
        assert main([command]) == 2
    assert capsys.readouterr().err.startswith("hef: standard input is not UTF-8 text: invalid start byte at byte 6")


@each({name: json.dumps(text) for name, text in TEXTS.items()})
def test_a_line_of_any_text_is_read(given: str, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(f"{given}\n")
    assert main(["analyze", "--input", "in.jsonl", "--output", "out.jsonl"]) == 0
    assert json.loads((tmp_path / "out.jsonl").read_text("utf-8"))["emotions"]


@pytest.mark.parametrize(
    "given",
    ["null", "5", "[]", "{}", '[["I won!"]]', '{"text": 5}', "[" * 5000, "NaN", "1" * 5000, '"I won!', '["", " "]'],
)
def test_a_line_that_is_no_dialogue_is_named_and_not_repeated(
    given: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.jsonl").write_text(f"{given}\n")
    assert main(["analyze", "--input", "in.jsonl"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("hef: in.jsonl, line 1: ")
    assert "won" not in said


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('"I won!"\n', "utf-8-sig")
    assert main(["analyze", "--input", "in.jsonl", "--output", "out.jsonl"]) == 0
