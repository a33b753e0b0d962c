import json
import sys
from pathlib import Path

import pytest

from tools import import_predictions

TEXT = "Pred Emotions: sad, lonely, ashamed\nContext:['the pond is dry .']\n" + "-" * 63 + "\n"


def test_the_report_is_printed_and_the_file_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results.txt").write_text(TEXT)
    flags = ["--system", "escm_tt", "--predictions", "results.txt", "--output", "out.jsonl"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["import_predictions", *flags])
    assert import_predictions.main() == 0
    assert json.loads(capsys.readouterr().out)["written"] == 1
    assert json.loads((tmp_path / "out.jsonl").read_text())["dialogue"] == ["the pond is dry ."]
