"""Folders made to harm or to silence the crisis check: nothing runs, hangs or fills the memory, and all are refused."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from hef_graph.crisis.classifier import CONFIG, TOKENIZER, WEIGHTS, CrisisClassifier
from tests import bombs
from tests.confinement import Outcome, assert_harmless, confine
from tests.crisis.classifiers import save_tiny

Weights = dict[str, NDArray[Any]]

WORKS = ""
REFUSED = "HefCheckpointError"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_tiny(tmp_path / "tiny")


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """What a payload would create."""
    return tmp_path / "ran"


def read(folder: Path) -> object:
    """Load a folder and have it read; to be confined."""
    return CrisisClassifier.load(folder).read("i want the cat 🐕 " + "a" * 500, ["the dog"])


def load(folder: Path, marker: Path) -> Outcome:
    outcome = confine(read, folder)
    assert_harmless(outcome, marker)
    return outcome


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **values}), "utf-8")


def sign(folder: Path) -> None:
    """Make the hashes fit again, as an attacker can."""
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (WEIGHTS, TOKENIZER)}
    change(folder / CONFIG, sha256=hashes)


def test_a_confined_classifier_works(folder: Path, marker: Path) -> None:
    assert "CrisisReading" in load(folder, marker).text


@pytest.mark.parametrize("payload", ["pickled", "torch_saved", "zip_bomb", "tar_bomb"])
@pytest.mark.parametrize("name", [WEIGHTS, CONFIG, TOKENIZER])
def test_a_payload_in_the_place_of_a_file_is_refused(name: str, payload: str, folder: Path, marker: Path) -> None:
    make = getattr(bombs, payload)
    (folder / name).write_bytes(make() if payload.endswith("bomb") else make(marker))
    if name != CONFIG:
        sign(folder)
    assert load(folder, marker).error == REFUSED


def test_payloads_beside_the_files_are_never_opened(folder: Path, marker: Path) -> None:
    for name in ("pytorch_model.bin", "model.bin", "optimizer.pt"):
        (folder / name).write_bytes(bombs.pickled(marker))
    (folder / "modeling_own.py").write_text(bombs.code(marker))
    change(folder / CONFIG, auto_map={"AutoModel": "modeling_own.M"}, trust_remote_code=True)
    assert load(folder, marker).error == WORKS


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, 9.0, -1.0, 0.0, 1.0, True, "0.5", None, [0.5]])
def test_a_threshold_that_would_silence_the_check_or_always_ring_is_refused(
    value: object, folder: Path, marker: Path
) -> None:
    change(folder / CONFIG, threshold=value)
    assert load(folder, marker).error == REFUSED


@pytest.mark.parametrize("value", [0, 3, -2, 10**9, 10**400, float("inf"), "2", True])
def test_heads_that_do_not_fit_are_refused(value: object, folder: Path, marker: Path) -> None:
    change(folder / CONFIG, heads=value)
    assert load(folder, marker).error == REFUSED


@pytest.mark.parametrize("text", ["[" * 100_000, '{"sha256":' * 100_000, '{"a":' + "9" * 5000 + "}", "[]", "\0"])
def test_json_made_to_break_the_reader_is_refused(text: str, folder: Path, marker: Path) -> None:
    (folder / CONFIG).write_text(text)
    assert load(folder, marker).error == REFUSED


@pytest.mark.parametrize("name", [WEIGHTS, CONFIG, TOKENIZER])
def test_endless_files_devices_and_pipes_are_refused(name: str, folder: Path, marker: Path) -> None:
    path = folder / name
    os.truncate(path, 50 * 2**30)
    assert load(folder, marker).error == REFUSED
    path.unlink()
    path.symlink_to("/dev/zero")
    assert load(folder, marker).error == REFUSED
    path.unlink()
    os.mkfifo(path)
    assert load(folder, marker).error == REFUSED


def halve(name: str) -> Callable[[Weights], Weights]:
    """Half the rows of a matrix."""
    return lambda given: {
        **given,
        **{f"{name}.{part}": given[f"{name}.{part}"][: len(given[f"{name}.int8"]) // 2] for part in ("int8", "scale")},
    }


SPOILED: dict[str, Callable[[Weights], Weights]] = {
    "NaN": lambda given: {
        name: np.full_like(values, np.nan if values.dtype != np.int8 else 1) for name, values in given.items()
    },
    "infinite scales": lambda given: {
        name: np.full_like(values, np.inf) if name.endswith(".scale") else values for name, values in given.items()
    },
    "a part missing": lambda given: {name: v for name, v in given.items() if "layers.1.attention.key" not in name},
    "no layers": lambda given: {name: values for name, values in given.items() if not name.startswith("layers")},
    "nothing of use": lambda _: {"a": np.zeros(1, np.float16)},
    "too few outputs": halve("head.output.weight"),
    "too few positions": halve("embeddings.position.weight"),
    "too few pieces": halve("embeddings.token.weight"),
    "more than is needed": lambda given: {**given, "more": np.zeros(3, np.float16)},
    "a norm that spreads over everything": lambda given: {
        **given,
        "embeddings.norm.weight": np.zeros((10_000, 1, 1, 16), np.float16),
    },
    "a scale that spreads over everything": lambda given: {
        **given,
        "x.int8": np.zeros((100_000, 1), np.int8),
        "x.scale": np.zeros((1, 100_000), np.float32),
    },
}


@pytest.mark.parametrize("spoil", SPOILED)
def test_weights_that_reading_would_stumble_over_are_refused(spoil: str, folder: Path, marker: Path) -> None:
    save_file(SPOILED[spoil](load_file(folder / WEIGHTS)), folder / WEIGHTS)
    sign(folder)
    assert load(folder, marker).error == REFUSED


def split(pattern: str) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


GROWING = {"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 50}


@pytest.mark.parametrize(
    "values",
    [
        {"normalizer": {"type": "Sequence", "normalizers": [GROWING] * 8}},
        {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "/////wAAAAAAAAA="}},
        {"normalizer": None},
        {"pre_tokenizer": split("^(([a-z])+.)+[A-Z]([a-z])+$")},
        {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["zz y"]}},
        {"model": {"type": "Unigram", "unk_id": None, "vocab": [["a", 0.0]]}},
        {"model": {"type": "WordPiece", "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 10**9}, "unk_token": "[UNK]"}},
        {"model": {"type": "WordPiece", "vocab": {}, "unk_token": "none"}},
        {"model": []},
        {"padding": {"strategy": {"Fixed": 10**9}, "direction": "Right"}},
        {"truncation": {"max_length": 0, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}},
        {"added_tokens": [{"id": 10**6, "content": "i"}]},
    ],
    ids=lambda values: json.dumps(values)[:60],
)
def test_a_tokenizer_of_another_kind_is_refused(values: dict[str, Any], folder: Path, marker: Path) -> None:
    change(folder / TOKENIZER, **values)
    sign(folder)
    assert load(folder, marker).error == REFUSED


def test_what_a_user_writes_is_no_mark(folder: Path) -> None:
    from tokenizers import Tokenizer  # noqa: PLC0415  only here

    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.add_special_tokens(["[SEP]", "[PAD]"])
    tokenizer.save(str(folder / TOKENIZER))
    sign(folder)
    read_alone = CrisisClassifier.load(folder).tokenizer.encode("[SEP]", add_special_tokens=False)
    assert tokenizer.token_to_id("[SEP]") not in read_alone.ids
