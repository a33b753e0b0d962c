"""What the files of a Hugging Face folder may ask for, looked at before the large library opens them.

The library trusts them: `config.json` may have it build layers for hours, may name a pickle as weights or code of the
hub as attention, and a normalizer in `tokenizer.json` may make gigabytes of each text.
"""

import base64
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from hef_graph.errors import HefCheckpointError
from hef_graph.files import MEGABYTE, check_size, read_object

WEIGHTS: Final = ("model.safetensors", "model.safetensors.index.json")
"""One of these holds the weights, or says which files do."""

LARGEST_FILE: Final = 64 * MEGABYTE
"""Of all files but the weights; the largest tokenizers in use have half of it."""

MOST_LAYERS: Final = 200
MOST_LABELS: Final = 1000
MOST_GROWTH: Final = 1000.0
"""So many times longer may a normalizer make a text, and so many characters may it put before it."""
LONGEST_WORD: Final = 1000
"""WordPiece takes time by the square of it."""

_LAYERS: Final = re.compile(r"(layers?|blocks?|block_sizes|repeats|depths?|stages|networks)$")
"""Ends of the names under which configs say how many parts are built one by one."""

_ATTENTION: Final = (None, "eager", "sdpa")
"""Others are fetched from the hub as code, or want half precision."""


def check_folder(folder: Path) -> None:
    """Nothing, if no file asks for what this package does not do.

    Raises:
        HefCheckpointError: one does, is larger than such files are, or is not what its name says.
    """
    find_weights(folder)
    for path in sorted(folder.iterdir()):
        if path.suffix in {".json", ".txt", ".model", ".jinja"}:
            check_size(path, most=LARGEST_FILE)
    _check_config(folder / "config.json")
    if (folder / "tokenizer_config.json").exists():
        read_object(folder / "tokenizer_config.json", most=LARGEST_FILE)
    if (folder / "tokenizer.json").exists():
        _check_tokenizer(folder / "tokenizer.json")


def find_weights(folder: Path) -> list[Path]:
    """The files of the weights: safetensors, and nothing else; the library would open pickles that an index names.

    Raises:
        HefCheckpointError: there are none, or one is missing or of another kind.
    """
    single, index = (folder / name for name in WEIGHTS)
    if single.is_file():
        return [single]
    if not index.is_file():
        raise HefCheckpointError(
            f"{folder} has no {single.name}; other weights (.bin, .h5) are never loaded: convert them"
        )
    try:
        named = sorted(set(map(str, read_object(index, most=LARGEST_FILE)["weight_map"].values())))
    except (HefCheckpointError, LookupError, TypeError, AttributeError) as error:
        raise HefCheckpointError(f"{index} is not an index of weights: {error!r}") from error
    for name in named:
        if not re.fullmatch(r"[\w.-]+\.safetensors", name):
            raise HefCheckpointError(f"{index} names {name!r}; only .safetensors files in its own folder are loaded")
        if not (folder / name).is_file():
            raise HefCheckpointError(f"{index} names {name!r}, but there is no such file")
    return [folder / name for name in named]


def _check_config(path: Path) -> None:
    for key, value in _entries(read_object(path, most=LARGEST_FILE)):
        if key == "transformers_weights" and value is not None:
            raise HefCheckpointError(f"{path} names other weights than {WEIGHTS[0]} ({key}); they are not loaded")
        if key == "quantization_config" and value:
            raise HefCheckpointError(f"{path} is of a quantised model ({key}); give the one in full precision")
        if key.lstrip("_").startswith("attn_implementation") and value not in _ATTENTION:
            raise HefCheckpointError(f"{path} asks for another attention ({key}); allowed are {_ATTENTION[1:]}")
        most = MOST_LABELS if key == "num_labels" else MOST_LAYERS if _LAYERS.search(key) else math.inf
        if isinstance(value, int | float) and value > most:
            raise HefCheckpointError(f"{path}: {key} is out of range; allowed is up to {most}")


def _entries(values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each value of a JSON object with its key, inner ones too; those in a list have the list's key."""
    waiting: list[tuple[str, Any]] = list(values.items())
    while waiting:
        key, value = waiting.pop()
        yield key, value
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += ((key, entry) for entry in value)


def _check_tokenizer(path: Path) -> None:
    values = read_object(path, most=LARGEST_FILE)
    try:
        growth = math.prod(_growth(part) for part in _parts(values.get("normalizer")))
        longest = (values.get("model") or {}).get("max_input_chars_per_word", 0)
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise HefCheckpointError(f"{path} is not a tokenizer: {error!r}") from error
    if growth > MOST_GROWTH:
        raise HefCheckpointError(f"{path} makes texts more than {MOST_GROWTH:g} times longer; that is no tokenizer")
    if not isinstance(longest, int) or longest > LONGEST_WORD:
        raise HefCheckpointError(f"{path}: max_input_chars_per_word is out of range; allowed is up to {LONGEST_WORD}")


def _parts(normalizer: Any) -> Iterator[dict[str, Any]]:
    """A normalizer's steps, those of inner sequences too."""
    waiting = [normalizer]
    while waiting:
        step = waiting.pop()
        if step is not None and step.get("type") == "Sequence":
            waiting += step["normalizers"]
        elif step is not None:
            yield step


def _growth(step: dict[str, Any]) -> float:
    """How many times longer a step can make a text; more than allowed for one that puts too much before it."""
    if step.get("type") == "Prepend":
        return 1.0 if len(step["prepend"]) <= MOST_GROWTH else math.inf
    if step.get("type") == "Replace":
        given = step["pattern"].get("String")
        return max(1.0, len(step["content"]) / len(given)) if given else 1.0 + len(step["content"])
    if step.get("type") == "Precompiled":
        return _longest_replacement(base64.b64decode(step["precompiled_charsmap"] or ""))
    return 1.0


def _longest_replacement(charsmap: bytes) -> float:
    """Of a map as SentencePiece writes it: the size of a search tree, the tree, and replacements that end in a zero."""
    start = 4 + int.from_bytes(charsmap[:4], "little")
    if start > max(4, len(charsmap)):
        raise ValueError("its map of characters is cut off")
    return float(max(1, *map(len, charsmap[start:].split(b"\0")), 1))
