import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
import transformers
from huggingface_hub import errors
from huggingface_hub.utils._paths import filter_repo_objects
from transformers import AutoTokenizer, BertModel

from hef_graph.errors import HefCheckpointError
from hef_graph.sem.plugins import huggingface_files
from hef_graph.sem.plugins.huggingface_files import download_snapshot, find_window, read_classifier
from tests.sem.plugins.classifiers import LABELS, WINDOW, labelled, write_bert, write_gpt2, write_roberta


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A BERT classifier, free to be damaged."""
    return write_bert(tmp_path / "moods")


@pytest.fixture(autouse=True)
def _fresh_downloads() -> None:
    download_snapshot.cache_clear()


class Malicious:
    """What a pickle may do to who loads it."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.marker,)


def change_config(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_folder_gives_model_tokenizer_and_labels(folder: Path) -> None:
    classifier = read_classifier(folder)
    assert classifier.labels == LABELS
    assert not classifier.model.training
    assert next(classifier.model.parameters()).dtype == torch.float32


def test_weights_in_half_precision_are_read_in_single(folder: Path) -> None:
    transformers.AutoModelForSequenceClassification.from_pretrained(folder).half().save_pretrained(folder)
    assert next(read_classifier(folder).model.parameters()).dtype == torch.float32


def test_pickled_weights_are_refused_and_never_opened(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").unlink()
    marker = tmp_path / "ran"
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Malicious(marker)))
    with pytest.raises(HefCheckpointError, match=r"has no model\.safetensors; other weights \(\.bin, \.h5\) are never"):
        read_classifier(folder)
    assert not marker.exists()


@pytest.mark.parametrize("name", ["pytorch_model.bin", "../other/model.safetensors", 5])
def test_an_index_may_name_only_safetensors_of_its_folder(folder: Path, tmp_path: Path, name: object) -> None:
    (folder / "model.safetensors").unlink()
    marker = tmp_path / "ran"
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Malicious(marker)))
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"classifier.weight": name}}))
    with pytest.raises(HefCheckpointError, match=r"only \.safetensors files in its own folder are loaded"):
        read_classifier(folder)
    assert not marker.exists()


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"weight_map": 5}'])
def test_a_damaged_index_is_refused(folder: Path, text: str) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(text)
    with pytest.raises(HefCheckpointError, match="is not an index of weights"):
        read_classifier(folder)


def test_weights_in_several_files_are_read(folder: Path) -> None:
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="10KB")
    assert not (folder / "model.safetensors").exists()
    assert read_classifier(folder).labels == LABELS


@pytest.mark.parametrize("model_type", ["bert", "my-own"])
def test_code_that_comes_with_a_model_is_never_run(folder: Path, tmp_path: Path, model_type: str) -> None:
    marker = tmp_path / "ran"
    (folder / "own.py").write_text(f"open({str(marker)!r}, 'w')\n")
    names = {"AutoConfig": "own.C", "AutoModelForSequenceClassification": "own.M", "AutoTokenizer": "own.T"}
    change_config(folder, model_type=model_type, auto_map=names)
    if model_type == "bert":
        assert read_classifier(folder).labels == LABELS
    else:
        with pytest.raises(HefCheckpointError, match=r"needs code of its own .* which is never run"):
            read_classifier(folder)
    assert not marker.exists()


def test_an_adapter_is_refused(folder: Path) -> None:
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(HefCheckpointError, match="is an adapter for another model"):
        read_classifier(folder)


def test_a_model_without_a_trained_head_is_refused(folder: Path) -> None:
    config = transformers.AutoConfig.from_pretrained(folder)
    BertModel(config).save_pretrained(folder)
    with pytest.raises(HefCheckpointError, match=r"is no trained sequence classifier: .* classifier\.bias"):
        read_classifier(folder)


def test_missing_tokenizer_files_are_named(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(HefCheckpointError, match=r"has no tokenizer files \(tokenizer\.json\)"):
        read_classifier(folder)


def test_a_slow_tokenizer_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = type("Slow", (), {"is_fast": False})()
    monkeypatch.setattr(AutoTokenizer, "from_pretrained", lambda *_, **__: slow)
    with pytest.raises(HefCheckpointError, match="has no fast tokenizer"):
        read_classifier(folder)


def test_a_tokenizer_of_another_model_is_refused(folder: Path, tmp_path: Path) -> None:
    other = write_roberta(tmp_path / "other")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_text((other / name).read_text())
    with pytest.raises(HefCheckpointError, match="the tokenizer has 260 pieces, the model knows only"):
        read_classifier(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "must hold a JSON object"),
        ('{"model_type": "no-such-model"}', "cannot be loaded as a sequence classifier"),
    ],
)
def test_a_config_that_cannot_be_used_is_one_sentence(folder: Path, text: str, message: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(HefCheckpointError, match=message) as caught:
        read_classifier(folder)
    assert "\n" not in str(caught.value)


def test_damaged_weights_are_one_sentence(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(HefCheckpointError, match="cannot be loaded as a sequence classifier"):
        read_classifier(folder)


def test_labels_lose_the_spaces_around_them(folder: Path) -> None:
    change_config(folder, **labelled((" calm", "tense\n", "glowing")))
    assert read_classifier(folder).labels == LABELS


def test_generic_labels_are_kept(folder: Path) -> None:
    change_config(folder, **labelled(("LABEL_0", "LABEL_1", "LABEL_2")))
    assert read_classifier(folder).labels == ("LABEL_0", "LABEL_1", "LABEL_2")


@pytest.mark.parametrize("labels", [("calm", "calm ", "tense"), ("calm", "", "tense")])
def test_labels_that_cannot_be_told_apart_are_refused(folder: Path, labels: tuple[str, ...]) -> None:
    change_config(folder, **labelled(labels))
    with pytest.raises(HefCheckpointError, match="must be different and not empty"):
        read_classifier(folder)


def test_a_regression_is_refused(folder: Path) -> None:
    change_config(folder, problem_type="regression")
    with pytest.raises(HefCheckpointError, match="gives one number, not emotions"):
        read_classifier(folder)


def test_loading_shows_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    read_classifier(folder)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("write", "window"), [(write_bert, WINDOW), (write_roberta, 2 * WINDOW), (write_gpt2, 48)])
def test_the_window_is_that_of_the_position_embeddings(
    write: Callable[[Path], Path], window: int, tmp_path: Path
) -> None:
    classifier = read_classifier(write(tmp_path))
    assert find_window(classifier.model, classifier.tokenizer) == window


def test_the_tokenizer_may_ask_for_less(folder: Path) -> None:
    classifier = read_classifier(folder)
    classifier.tokenizer.model_max_length = 9
    assert find_window(classifier.model, classifier.tokenizer) == 9


def test_only_safe_files_are_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: dict[str, Any] = {}

    def snapshot(hub_id: str, **options: Any) -> str:
        asked.update(options, hub_id=hub_id)
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    assert download_snapshot("org/moods") == tmp_path
    assert asked["hub_id"] == "org/moods"
    names = ["model.safetensors", "config.json", "pytorch_model.bin", "own.py", "checkpoint/model.safetensors"]
    kept = filter_repo_objects(names, allow_patterns=asked["allow_patterns"], ignore_patterns=asked["ignore_patterns"])
    assert list(kept) == ["model.safetensors", "config.json"]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (errors.RepositoryNotFoundError, "there is no folder 'org/moods' here, and the hub has no model of that name"),
        (errors.GatedRepoError, "'org/moods' is gated: accept its terms"),
        (errors.LocalEntryNotFoundError, "no folder 'org/moods' here, and it cannot be had from the Hugging Face hub"),
        (errors.HFValidationError, "cannot be had from the Hugging Face hub now"),
    ],
)
def test_what_the_hub_refuses_is_one_clear_sentence(
    kind: type[Exception], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> str:
        error = kind.__new__(kind)
        error.args = ("why\nand more",)
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(HefCheckpointError, match=message) as caught:
        download_snapshot("org/moods")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("load", [lambda: download_snapshot("org/moods"), lambda: huggingface_files._read(Path())])
def test_a_missing_library_says_what_to_install(load: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("huggingface_hub", "transformers"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(ValueError, match=r"pip install 'hef-graph\[huggingface\]'"):
        load()
