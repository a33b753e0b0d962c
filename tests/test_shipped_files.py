"""The files that the package ships: they are those that their hashes were written for, and are checked when loaded."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from hef_graph.crisis import classifier
from hef_graph.crisis.classifier import CrisisClassifier
from hef_graph.errors import HefCheckpointError
from hef_graph.sem import checkpoint
from hef_graph.sem.checkpoint import load_checkpoint
from hef_graph.sem.plugins.lexicon import TABLE, read_word_emotions


def load_sem_folder(folder: Path) -> object:
    return load_checkpoint(folder, torch.device("cpu"))


SEM = checkpoint.SHIPPED / checkpoint.FILES.weights
CRISIS = classifier.SHIPPED / classifier.WEIGHTS
TOKENIZER = classifier.SHIPPED / classifier.TOKENIZER

LOADERS: dict[Path, Callable[[Path], object]] = {
    SEM: load_sem_folder,
    CRISIS: CrisisClassifier.load,
    TOKENIZER: CrisisClassifier.load,
}
"""How each checked file is loaded, by its folder."""

needs_classifier = pytest.mark.skipif(not CRISIS.exists(), reason="the crisis classifier is not shipped yet")
CHECKED = [
    pytest.param(SEM, id="sem"),
    pytest.param(CRISIS, id="crisis", marks=needs_classifier),
    pytest.param(TOKENIZER, id="crisis tokenizer", marks=needs_classifier),
]


@pytest.fixture
def copied(path: Path, tmp_path: Path) -> Path:
    """A copy of the file, with the rest of its folder beside it."""
    return Path(shutil.copytree(path.parent, tmp_path / "copy")) / path.name


def flip(path: Path, position: int) -> None:
    with path.open("r+b") as file:
        file.seek(position)
        [byte] = file.read(1)
        file.seek(position)
        file.write(bytes([byte ^ 1]))


@pytest.mark.parametrize("path", CHECKED)
def test_a_shipped_file_is_the_one_that_its_hash_was_written_for(path: Path) -> None:
    config = json.loads((path.parent / "config.json").read_text("utf-8"))
    promised = config["sha256"][path.name] if "sha256" in config else config[checkpoint.HASH]
    assert checkpoint._hash(path) == promised


@pytest.mark.parametrize("path", CHECKED)
@pytest.mark.parametrize("place", [0, 0.5, 1])
def test_one_flipped_bit_is_refused_and_the_error_says_what_to_do(path: Path, place: float, copied: Path) -> None:
    LOADERS[path](copied.parent)
    flip(copied, round(place * (copied.stat().st_size - 1)))
    with pytest.raises(
        HefCheckpointError, match=rf"{copied.name} is not the file .* damaged or was exchanged, so install"
    ):
        LOADERS[path](copied.parent)


def test_the_shipped_word_table_is_checked_row_by_row(tmp_path: Path) -> None:
    damaged = tmp_path / TABLE.name
    damaged.write_text(TABLE.read_text("utf-8").replace("\t", " ", 1), "utf-8")
    with pytest.raises(HefCheckpointError, match="is not a table of words and emotions"):
        read_word_emotions(damaged)
