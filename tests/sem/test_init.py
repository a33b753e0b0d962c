import subprocess
import sys
from pathlib import Path

import pytest

import hef_graph.sem
from hef_graph.errors import HefCheckpointError, HefInputError
from hef_graph.sem import TransformerSem, load_sem
from hef_graph.sem.plugins import huggingface_files, predictions, remote
from hef_graph.sem.plugins.huggingface import HuggingFaceSem
from hef_graph.sem.plugins.lexicon import LexiconSem
from tests.fakes import StubSem
from tests.sem.plugins import classifiers
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


def test_none_and_shipped_are_the_same_sem() -> None:
    assert load_sem("shipped", device="cpu") is load_sem(device="cpu")


def test_the_word_lexicon_is_the_lexicon_sem() -> None:
    assert isinstance(load_sem("lexicon"), LexiconSem)
    assert load_sem("lexicon") is load_sem("lexicon")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8765", "https://sem.example"])
def test_an_http_address_is_a_remote_sem(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "load_remote_sem", lambda given: StubSem([given]))
    assert load_sem(url).labels == (url,)


def test_a_jsonl_file_holds_predictions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.jsonl"
    monkeypatch.setattr(predictions, "load_predictions", lambda given: StubSem([str(given)]))
    assert load_sem(path).labels == load_sem(str(path)).labels == (str(path),)


def test_a_folder_of_the_large_library_is_a_hugging_face_sem(tmp_path: Path) -> None:
    sem = load_sem(classifiers.write_bert(tmp_path / "moods"), device="cpu")
    assert isinstance(sem, HuggingFaceSem)
    assert sem.name == "moods on cpu"
    assert load_sem(str(tmp_path / "moods"), device="cpu") is sem


def test_a_name_that_is_no_folder_is_asked_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classifiers.write_bert(tmp_path / "5a1f")
    monkeypatch.setattr(huggingface_files, "download_snapshot", lambda hub_id: tmp_path / "5a1f")
    sem = load_sem("org/moods", device="cpu")
    assert isinstance(sem, HuggingFaceSem)
    assert sem.name == "org/moods on cpu"


def test_a_checkpoint_of_ours_may_come_from_the_hub(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_files, "download_snapshot", lambda hub_id: checkpoint)
    assert isinstance(load_sem("org/ours", device="cpu"), TransformerSem)


def test_an_existing_folder_goes_before_the_hub(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkpoint.parent.parent)
    monkeypatch.delattr(huggingface_files, "download_snapshot")
    assert isinstance(load_sem(f"{checkpoint.parent.name}/checkpoint", device="cpu"), TransformerSem)


@pytest.mark.parametrize("source", ["", "./nowhere", "/nowhere/at/all", "a/b/c", "ftp://sem.example", "two words"])
def test_what_is_no_source_is_refused_with_all_that_is_allowed(source: str) -> None:
    with pytest.raises(HefCheckpointError) as caught:
        load_sem(source)
    allowed = ("config.json", "hub id", "http address", ".jsonl", "'lexicon'", "'shipped'")
    assert all(form in str(caught.value) for form in allowed)


def test_the_way_to_find_words_reaches_a_classifier(tmp_path: Path) -> None:
    folder = classifiers.write_bert(tmp_path)
    gradients, hidden = (load_sem(folder, device="cpu", words=words) for words in ("gradient-norm", "occlusion"))
    weights = [[word.weight for word in sem.analyze([["my dog"]])[0].words] for sem in (gradients, hidden)]
    assert weights[0] != weights[1]


def test_a_sem_with_one_way_to_find_words_refuses_another() -> None:
    with pytest.raises(HefInputError, match="words is 'occlusion', but the lexicon SEM"):
        load_sem("lexicon", words="occlusion")


def test_importing_the_router_leaves_torch_unimported() -> None:
    code = "import sys, hef_graph.sem; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'TransformersSem'"):
        _ = hef_graph.sem.TransformersSem


@pytest.mark.parametrize(
    "source", ["a\0b", "x" * 5000, "~nobody-of-that-name/sem", Path("a\0b"), "\ud800", "/dev/zero"]
)
def test_a_name_that_no_folder_can_have_is_refused(source: str | Path) -> None:
    with pytest.raises(HefCheckpointError, match="no SEM at"):
        load_sem(source)
