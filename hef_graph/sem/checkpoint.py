"""A SEM on disk: `model.safetensors`, `config.json`, `vocab.txt`. Nothing in these files can run code."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from hef_graph.errors import HefCheckpointError
from hef_graph.sem.config import SemConfig
from hef_graph.sem.modeling import EmpatheticModel


@dataclass(frozen=True, slots=True)
class CheckpointFiles:
    """The layout of a checkpoint folder."""

    weights: str = "model.safetensors"
    config: str = "config.json"
    vocabulary: str = "vocab.txt"

    @property
    def listed(self) -> str:
        """The names, for people."""
        return f"{self.weights}, {self.config} and {self.vocabulary}"


HASH = "weights_sha256"
"""The key of `config.json` that holds the weights' hash."""

FIRST_FORMAT = 1
"""It had no hash."""

FILES = CheckpointFiles()
SHIPPED = Path(__file__).parent / "weights"
"""The checkpoint inside the package."""


def save_checkpoint(folder: Path, model: EmpatheticModel, vocabulary: Sequence[str]) -> None:
    """Write the model in half precision (2 bytes a weight), its votes in 1 byte each."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach().cpu().to(_kind_on_disk(name)) for name, tensor in model.state_dict().items()}
    save_file(state, folder / FILES.weights)
    save_config(folder, model.config)
    (folder / FILES.vocabulary).write_text("\n".join(vocabulary) + "\n", "utf-8")


def _kind_on_disk(name: str) -> torch.dtype:
    """Many votes are summed up, so a coarse number does for each (model card)."""
    return torch.float8_e4m3fn if name.startswith("votes.") else torch.float16


def save_config(folder: Path, config: SemConfig) -> None:
    """Write the readable part, with the hash of the weights that lie beside it."""
    values = {**config.to_dict(), HASH: _hash(folder / FILES.weights)}
    (folder / FILES.config).write_text(json.dumps(values, indent=1) + "\n", "utf-8")


def load_checkpoint(folder: Path, device: torch.device) -> tuple[EmpatheticModel, list[str]]:
    """The model in single precision, ready to read, and its vocabulary.

    Raises:
        HefCheckpointError: a file is missing or damaged, or does not fit the others; the weights are not those that
            `config.json` was written for.
    """
    config, vocabulary = _read_config(folder), _read_lines(folder / FILES.vocabulary)
    if len(vocabulary) != config.vocab_size:
        raise HefCheckpointError(
            f"{folder / FILES.vocabulary} has {len(vocabulary)} entries, config.json says {config.vocab_size}"
        )
    model = EmpatheticModel(config)
    try:
        model.load_state_dict(_read_weights(folder / FILES.weights), assign=True)
    except RuntimeError as error:
        raise HefCheckpointError(f"the weights in {folder} do not fit its config.json: {error}") from error
    return model.to(device).eval(), vocabulary


def _read_config(folder: Path) -> SemConfig:
    text = "\n".join(_read_lines(folder / FILES.config))
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise HefCheckpointError(f"{folder / FILES.config} is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise HefCheckpointError(f"{folder / FILES.config} must hold a JSON object")
    promised = values.pop(HASH, None)
    config = SemConfig.from_dict(values)
    if promised is None and values["format"] > FIRST_FORMAT:
        raise HefCheckpointError(f"{folder / FILES.config} lacks {HASH!r}, the SHA-256 of {FILES.weights}")
    if promised is not None:
        _check_hash(folder / FILES.weights, promised)
    return config


def _check_hash(weights: Path, promised: object) -> None:
    found = _hash(weights)
    if promised != found:
        raise HefCheckpointError(
            f"{weights} is not the file that config.json belongs to: its SHA-256 is {found}, expected {promised}; "
            "it is damaged or was exchanged, so install or train it anew"
        )


def _hash(path: Path) -> str:
    if not path.is_file():
        raise HefCheckpointError(f"no such file: {path}; a checkpoint folder holds {FILES.listed}")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_lines(path: Path) -> list[str]:
    if not path.is_file():
        raise HefCheckpointError(f"no such file: {path}; a checkpoint folder holds {FILES.listed}")
    try:
        return path.read_text("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise HefCheckpointError(f"{path} is not text in UTF-8: {error}") from error


def _read_weights(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise HefCheckpointError(f"no such file: {path}; a checkpoint folder holds {FILES.listed}")
    try:
        return {name: tensor.float() for name, tensor in load_file(path).items()}
    except (SafetensorError, OSError) as error:
        raise HefCheckpointError(f"{path} cannot be read as safetensors: {error}") from error
