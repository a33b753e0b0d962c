import json
import sys
from pathlib import Path
from typing import Any

import pytest

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.evaluation.benchmark.report import Row
from tools import benchmark
from tools.benchmark import PARTS, QUICK


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["benchmark", *map(str, arguments)])
    return end_in_one_line("benchmark", benchmark.main)


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_each_part_gives_figures_of_its_own(part: str) -> None:
    rows = PARTS[part](QUICK, [["I lost my ring.", "Oh no.", "It was my mother's."], ["We won!"]])
    assert rows
    assert all(row.value.low <= row.value.median <= row.value.high for row in rows)
    assert len({row.what for row in rows}) == len(rows)


def test_figures_are_printed_written_and_drawn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = ("--output", tmp_path / "b.json", "--picture", tmp_path / "b.png")
    assert run(monkeypatch, "--quick", "--part", "graph", *outputs) == 0
    assert "graph / create_agent" in capsys.readouterr().out
    written: dict[str, Any] = json.loads((tmp_path / "b.json").read_text("utf-8"))
    first, *rows, last = written["rows"]
    assert {row["part"] for row in rows} == {"machine", "graph"}
    assert (first["what"][:7], last["what"][:6]) == ("before:", "after:")
    assert written["quick"] is True
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")


def test_missing_data_end_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--part", "crowd", "--data", tmp_path / "none.jsonl") == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_the_figures_say_where_they_were_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nothing(_effort: object, _contexts: object) -> list[Row]:
        return []

    monkeypatch.setitem(PARTS, "crowd", nothing)
    assert run(monkeypatch, "--part", "crowd", "--output", tmp_path / "b.json") == 0
    written = json.loads((tmp_path / "b.json").read_text("utf-8"))
    assert written["machine"].keys() == {"system", "python", "cores"}
    assert written["data"] == "the lines of this tool"
