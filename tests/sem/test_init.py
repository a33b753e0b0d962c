from pathlib import Path

import pytest

from hef_graph.errors import HefCheckpointError
from hef_graph.sem import TransformerSem, load_sem
from tests.sem.tiny import LABELS


def test_a_checkpoint_folder_is_loaded(checkpoint: Path) -> None:
    sem = load_sem(checkpoint, device="cpu")
    assert sem.labels == LABELS
    assert sem.name == "checkpoint on cpu"


def test_a_folder_may_be_given_as_text(checkpoint: Path) -> None:
    assert load_sem(str(checkpoint), device="cpu") is load_sem(checkpoint, device="cpu")


def test_a_relative_folder_is_the_same_folder(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkpoint.parent)
    assert load_sem("checkpoint", device="cpu") is load_sem(checkpoint, device="cpu")


def test_a_tilde_is_the_home_folder(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(checkpoint.parent))
    assert load_sem("~/checkpoint", device="cpu") is load_sem(checkpoint, device="cpu")


def test_another_folder_is_another_sem(checkpoint: Path) -> None:
    first = load_sem(checkpoint, device="cpu")
    assert load_sem(checkpoint.rename(checkpoint.parent / "other"), device="cpu") is not first


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(HefCheckpointError, match=r"no SEM at '.*nowhere': give a folder that holds .*config\.json"):
        load_sem(tmp_path / "nowhere")


def test_a_file_is_no_checkpoint(checkpoint: Path) -> None:
    with pytest.raises(HefCheckpointError, match="no SEM at"):
        load_sem(checkpoint / "config.json")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HefCheckpointError, match="no such file"):
        load_sem(tmp_path)


def test_a_failed_load_is_tried_again(checkpoint: Path) -> None:
    config = checkpoint / "config.json"
    text = config.read_text("utf-8")
    config.write_text("{", "utf-8")
    with pytest.raises(HefCheckpointError):
        load_sem(checkpoint, device="cpu")
    config.write_text(text, "utf-8")
    assert isinstance(load_sem(checkpoint, device="cpu"), TransformerSem)
