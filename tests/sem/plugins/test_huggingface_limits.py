import base64
import json
from pathlib import Path
from typing import Any

import pytest

from hef_graph.errors import HefCheckpointError
from hef_graph.sem.plugins.huggingface_limits import LARGEST_FILE, check_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files that nothing is wrong with."""
    (tmp_path / "model.safetensors").touch()
    (tmp_path / "config.json").write_text('{"num_hidden_layers": 48, "id2label": {"0": "calm", "1": "tense"}}')
    (tmp_path / "tokenizer.json").write_text('{"normalizer": null, "model": {"max_input_chars_per_word": 100}}')
    return tmp_path


def refused(folder: Path, message: str) -> None:
    with pytest.raises(HefCheckpointError, match=message):
        check_folder(folder)


def put(folder: Path, name: str, value: Any) -> None:
    (folder / name).write_text(json.dumps(value))


def charsmap(*replacements: str) -> str:
    """As SentencePiece writes it, with a search tree of eight bytes."""
    texts = b"".join(each.encode() + b"\0" for each in replacements)
    return base64.b64encode((8).to_bytes(4, "little") + bytes(8) + texts).decode()


def replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}


def test_usual_files_pass(folder: Path) -> None:
    check_folder(folder)


@pytest.mark.parametrize(
    "normalizer",
    [
        {"type": "BertNormalizer", "lowercase": True},
        {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Sequence", "normalizers": []}]},
        {"type": "Prepend", "prepend": "▁"},
        replace({"String": " "}, "▁"),
        replace({"Regex": " {2,}"}, " "),
        {"type": "Precompiled", "precompiled_charsmap": charsmap("صلى الله عليه وسلم", "1/2")},
        {"type": "Precompiled", "precompiled_charsmap": None},
    ],
)
def test_usual_normalizers_pass(normalizer: dict[str, Any], folder: Path) -> None:
    put(folder, "tokenizer.json", {"normalizer": normalizer, "model": {}})
    check_folder(folder)


@pytest.mark.parametrize(
    "normalizer",
    [
        replace({"String": "o"}, "o" * 1001),
        replace({"Regex": ""}, "o" * 1001),
        replace({"String": ""}, "o" * 1001),
        {"type": "Sequence", "normalizers": [replace({"String": "o"}, "o" * 40)] * 2},
        {"type": "Sequence", "normalizers": [replace({"String": "o"}, "oo")] * 2000},
        {"type": "Prepend", "prepend": "o" * 1001},
        {"type": "Precompiled", "precompiled_charsmap": charsmap("a", "o" * 1001)},
        {"type": "Sequence", "normalizers": [{"type": "Precompiled", "precompiled_charsmap": charsmap("o" * 40)}] * 2},
    ],
    ids=lambda normalizer: json.dumps(normalizer)[:50],
)
def test_a_normalizer_that_makes_texts_far_longer_is_refused(normalizer: dict[str, Any], folder: Path) -> None:
    put(folder, "tokenizer.json", {"normalizer": normalizer, "model": {}})
    refused(folder, "makes texts more than 1000 times longer")


@pytest.mark.parametrize(
    "tokenizer",
    [
        {"normalizer": []},
        {"normalizer": "Replace"},
        {"normalizer": {"type": "Replace"}},
        {"normalizer": replace({"String": "a"}, "") | {"content": 5}},
        {"normalizer": {"type": "Prepend"}},
        {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "a"}},
        {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "/////wAAAAAAAAA="}},
        {"normalizer": {"type": "Sequence", "normalizers": 5}},
        {"model": 5},
    ],
)
def test_what_is_no_tokenizer_is_refused(tokenizer: dict[str, Any], folder: Path) -> None:
    put(folder, "tokenizer.json", tokenizer)
    refused(folder, r"tokenizer\.json is not a tokenizer")


@pytest.mark.parametrize("longest", [1001, 10**30, "100", None])
def test_endless_words_are_refused(longest: object, folder: Path) -> None:
    put(folder, "tokenizer.json", {"model": {"max_input_chars_per_word": longest}})
    refused(folder, "max_input_chars_per_word is out of range; allowed is up to 1000")


@pytest.mark.parametrize(
    "config",
    [
        {"num_hidden_layers": 201},
        {"n_layer": 10**9},
        {"encoder_layers": 10.0**9},
        {"text_config": {"num_hidden_layers": 10**30}},
        {"depths": [2, 2, 10**9, 2]},
        {"num_labels": 1001},
    ],
)
def test_parts_that_nobody_builds_are_refused(config: dict[str, Any], folder: Path) -> None:
    put(folder, "config.json", config)
    refused(folder, r"config\.json: \w+ is out of range; allowed is up to ")


@pytest.mark.parametrize(
    "config",
    [
        {"transformers_weights": "other.safetensors.index.json"},
        {"quantization_config": {"quant_method": "gptq"}},
        {"attn_implementation": "somebody/kernel"},
        {"_attn_implementation": {"text_config": "somebody/kernel"}},
        {"text_config": {"attn_implementation": "flash_attention_2"}},
    ],
)
def test_weights_code_and_precision_of_other_kinds_are_refused(config: dict[str, Any], folder: Path) -> None:
    put(folder, "config.json", config)
    refused(folder, r"config\.json (names|is of|asks for)")


@pytest.mark.parametrize(
    "config",
    [
        {"layer_norm_eps": 1e-12, "layer_types": ["full"], "block_size": 512, "num_experts": 16384},
        {"attn_implementation": "sdpa", "_attn_implementation": None, "transformers_weights": None},
        {"quantization_config": None, "num_labels": 1000, "use_layers": True},
    ],
)
def test_what_configs_usually_say_passes(config: dict[str, Any], folder: Path) -> None:
    put(folder, "config.json", config)
    check_folder(folder)


@pytest.mark.parametrize("name", ["vocab.json", "merges.txt", "spiece.model", "tokenizer_config.json"])
def test_a_file_that_is_too_large_is_refused_before_it_is_opened(name: str, folder: Path) -> None:
    with (folder / name).open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    refused(folder, f"{name} has {LARGEST_FILE + 1} bytes; allowed are {LARGEST_FILE}")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json"])
def test_json_nested_too_deeply_is_refused(name: str, folder: Path) -> None:
    (folder / name).write_text('{"a":' * 100_000)
    refused(folder, f"{name} is not JSON")


def test_a_part_of_the_weights_that_is_missing_is_named(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    put(folder, "model.safetensors.index.json", {"weight_map": {"a": "model-1.safetensors"}})
    refused(folder, r"names 'model-1\.safetensors', but there is no such file")
