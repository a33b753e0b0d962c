"""A SEM on disk: `model.safetensors`, `config.json`, `vocab.txt`. Nothing in them can run code or fill the memory."""

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
from hef_graph.files import MEGABYTE, check_size, read_object, read_text
from hef_graph.sem.config import SemConfig
from hef_graph.sem.modeling import EmpatheticModel
from hef_graph.sem.tokenization import SPECIAL_TOKENS


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

LARGEST_VOCABULARY = 32 * MEGABYTE
LARGEST_WEIGHTS = 2048 * MEGABYTE
LARGEST_HEADER = MEGABYTE
LARGEST_NUMBER = 16
"""Bytes for one of the `least_weights`, as somebody else may write them."""

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
    config, promised = _read_config(folder)
    vocabulary = _read_vocabulary(folder / FILES.vocabulary, config)
    path = _existing(folder / FILES.weights)
    check_size(path, most=min(LARGEST_WEIGHTS, LARGEST_NUMBER * config.least_weights + LARGEST_HEADER))
    _check_hash(path, promised)
    return _build(folder, config, _read_weights(path)).to(device).eval(), vocabulary


def _build(folder: Path, config: SemConfig, weights: dict[str, Tensor]) -> EmpatheticModel:
    """The model with its weights; no memory is taken before there are enough of them."""
    misfit = f"the weights in {folder} do not fit its config.json"
    found = sum(tensor.numel() for tensor in weights.values())
    if found < config.least_weights:
        raise HefCheckpointError(f"{misfit}: they are {found}, it describes {config.least_weights} or more")
    with torch.device("meta"):  # neither memory nor random numbers for weights that are replaced at once
        model = EmpatheticModel(config)
    try:
        model.load_state_dict(weights, assign=True)
    except RuntimeError as error:
        raise HefCheckpointError(f"{misfit}: {error}") from error
    return model


def _read_config(folder: Path) -> tuple[SemConfig, object]:
    """The config, and the hash that it promises; None where the format knows none."""
    path = _existing(folder / FILES.config)
    values = read_object(path, most=MEGABYTE)
    promised = values.pop(HASH, None)
    config = SemConfig.from_dict(values)
    if promised is None and values["format"] > FIRST_FORMAT:
        raise HefCheckpointError(f"{path} lacks {HASH!r}, the SHA-256 of {FILES.weights}")
    return config, promised


def _read_vocabulary(path: Path, config: SemConfig) -> list[str]:
    vocabulary = read_text(_existing(path), most=LARGEST_VOCABULARY).splitlines()
    if len(vocabulary) != config.vocab_size:
        raise HefCheckpointError(f"{path} has {len(vocabulary)} entries, config.json says {config.vocab_size}")
    if tuple(vocabulary[: len(SPECIAL_TOKENS)]) != SPECIAL_TOKENS:
        raise HefCheckpointError(f"{path} must begin with {', '.join(SPECIAL_TOKENS)}, a line each")
    return vocabulary


def _check_hash(path: Path, promised: object) -> None:
    if promised is None or promised == (found := _hash(path)):
        return
    expected = promised if isinstance(promised, str) else "a text"
    raise HefCheckpointError(
        f"{path} is not the file that config.json belongs to: its SHA-256 is {found}, expected {expected}; "
        "it is damaged or was exchanged, so install or train it anew"
    )


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise HefCheckpointError(f"no such file: {path}; a checkpoint folder holds {FILES.listed}")
    return path


def _read_weights(path: Path) -> dict[str, Tensor]:
    try:
        weights = {name: tensor.float() for name, tensor in load_file(path).items()}
    except (SafetensorError, OSError, RuntimeError) as error:  # the last for kinds of numbers that cannot be converted
        raise HefCheckpointError(f"{path} cannot be read as safetensors: {error}") from error
    if broken := [name for name, tensor in weights.items() if not tensor.sum().isfinite()]:  # far quicker than each
        raise HefCheckpointError(f"{path} holds NaN or infinity in {broken[0]!r}; train the model anew")
    return weights
