import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from hef_graph.errors import HefCheckpointError
from hef_graph.sem.checkpoint import FILES, HASH, load_checkpoint, save_checkpoint, save_config
from hef_graph.sem.config import FORMAT
from hef_graph.sem.dataset import collate_dialogues
from hef_graph.sem.modeling import EmpatheticModel
from tests.sem.tiny import CONFIG, VOCABULARY, build_model, encode, without_decoder

CPU = torch.device("cpu")


class _Touch:
    """Unpickling it creates a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


def _refused(folder: Path, message: str) -> None:
    with pytest.raises(HefCheckpointError, match=message):
        load_checkpoint(folder, CPU)


def _change_config(folder: Path, **changes: object) -> None:
    """Set values of `config.json`; None takes one away."""
    path = folder / FILES.config
    values = {**json.loads(path.read_text("utf-8")), **changes}
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not None}), "utf-8")


def _as_first_format(folder: Path) -> None:
    """What the first version wrote: no hash."""
    _change_config(folder, format=1, **{HASH: None})


def test_a_checkpoint_folder_holds_weights_config_and_vocabulary(checkpoint: Path) -> None:
    assert sorted(path.name for path in checkpoint.iterdir()) == ["config.json", "model.safetensors", "vocab.txt"]


def test_a_round_trip_gives_the_logits_within_half_precision(checkpoint: Path, model: EmpatheticModel) -> None:
    batch = collate_dialogues([encode("my dog died"), encode("we won", "wow", "yes")])
    loaded, _ = load_checkpoint(checkpoint, CPU)
    torch.testing.assert_close(loaded(*batch).logits, model(*batch).logits, rtol=0, atol=0.02)


def test_a_round_trip_keeps_the_decoder(checkpoint: Path, model: EmpatheticModel) -> None:
    loaded, _ = load_checkpoint(checkpoint, CPU)
    expected = {name: tensor.half().float() for name, tensor in model.state_dict().items()}
    torch.testing.assert_close(loaded.state_dict(), expected, rtol=0, atol=0)


def test_a_round_trip_keeps_config_and_vocabulary(checkpoint: Path) -> None:
    loaded, vocabulary = load_checkpoint(checkpoint, CPU)
    assert loaded.config == CONFIG
    assert tuple(vocabulary) == VOCABULARY


def test_a_model_without_decoder_makes_the_round_trip(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, build_model(without_decoder()), VOCABULARY)
    assert load_checkpoint(tmp_path, CPU)[0].decoder is None


def test_weights_are_stored_in_two_bytes_and_used_in_four(checkpoint: Path) -> None:
    stored = load_file(checkpoint / FILES.weights)
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    assert {p.dtype for p in load_checkpoint(checkpoint, CPU)[0].parameters()} == {torch.float32}


def test_a_loaded_model_is_ready_to_read(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, build_model(replace(CONFIG, dropout=0.5)).train(), VOCABULARY)
    assert not load_checkpoint(tmp_path, CPU)[0].training


def test_saving_again_replaces_the_checkpoint(checkpoint: Path) -> None:
    other = build_model(seed=1)
    save_checkpoint(checkpoint, other, VOCABULARY)
    loaded = load_checkpoint(checkpoint, CPU)[0].head.output.weight
    torch.testing.assert_close(loaded, other.head.output.weight, rtol=1e-3, atol=1e-3)


def test_the_config_alone_can_be_rewritten(checkpoint: Path) -> None:
    save_config(checkpoint, replace(CONFIG, temperature=1.5))
    assert load_checkpoint(checkpoint, CPU)[0].config.temperature == 1.5


@pytest.mark.parametrize("name", [FILES.weights, FILES.config, FILES.vocabulary])
def test_a_missing_file_is_named(checkpoint: Path, name: str) -> None:
    (checkpoint / name).unlink()
    _refused(checkpoint, f"no such file: .*{name}")


@pytest.mark.parametrize("size", [0, 4, 200, 4000])
def test_cut_off_weights_are_refused(checkpoint: Path, size: int) -> None:
    path = checkpoint / FILES.weights
    path.write_bytes(path.read_bytes()[:size])
    _refused(
        checkpoint, r"model\.safetensors is not the file that config\.json belongs to: its SHA-256 is [0-9a-f]{64}"
    )
    _as_first_format(checkpoint)
    _refused(checkpoint, "cannot be read as safetensors")


def test_one_changed_bit_of_the_weights_is_refused(checkpoint: Path) -> None:
    path = checkpoint / FILES.weights
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    _refused(checkpoint, "it is damaged or was exchanged")


def test_the_weights_of_another_model_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "other", build_model(seed=1), VOCABULARY)
    (tmp_path / "other" / FILES.weights).replace(checkpoint / FILES.weights)
    _refused(checkpoint, "it is damaged or was exchanged")


def test_the_first_format_had_no_hash_and_still_loads(checkpoint: Path, model: EmpatheticModel) -> None:
    _as_first_format(checkpoint)
    loaded = load_checkpoint(checkpoint, CPU)[0].head.output.weight
    torch.testing.assert_close(loaded, model.head.output.weight, rtol=1e-3, atol=1e-3)


def test_a_hash_is_checked_in_the_first_format_too(checkpoint: Path) -> None:
    _change_config(checkpoint, format=1, **{HASH: "0" * 64})
    _refused(checkpoint, "expected 0000")


def test_a_later_format_without_hash_is_refused(checkpoint: Path) -> None:
    _change_config(checkpoint, **{HASH: None})
    _refused(checkpoint, r"config\.json lacks 'weights_sha256', the SHA-256 of model\.safetensors")


@pytest.mark.parametrize("promised", ["", "abc", 5, ["0" * 64]])
def test_a_hash_that_is_none_is_refused(checkpoint: Path, promised: object) -> None:
    _change_config(checkpoint, **{HASH: promised})
    _refused(checkpoint, "it is damaged or was exchanged")


def test_heads_make_the_round_trip(tmp_path: Path) -> None:
    with_heads = build_model(replace(CONFIG, cause_head=True, presence_head=True))
    save_checkpoint(tmp_path, with_heads, VOCABULARY)
    batch = collate_dialogues([encode("my dog died")])
    found, expected = load_checkpoint(tmp_path, CPU)[0](*batch), with_heads(*batch)
    torch.testing.assert_close(found.causes, expected.causes, rtol=0, atol=0.02)
    torch.testing.assert_close(found.presence, expected.presence, rtol=0, atol=0.02)


def test_weights_of_another_shape_are_refused(checkpoint: Path) -> None:
    save_config(checkpoint, replace(CONFIG, feed_forward_size=64))
    _refused(checkpoint, r"do not fit its config\.json")


def test_missing_weights_are_refused(checkpoint: Path) -> None:
    weights = load_file(checkpoint / FILES.weights)
    del weights["head.output.bias"]
    save_file(weights, checkpoint / FILES.weights)
    save_config(checkpoint, CONFIG)
    _refused(checkpoint, r"head\.output\.bias")


def test_unknown_weights_are_refused(checkpoint: Path) -> None:
    save_config(checkpoint, without_decoder())
    _refused(checkpoint, "decoder")


@pytest.mark.parametrize("vocabulary", [VOCABULARY[:-1], (*VOCABULARY, "more")])
def test_a_vocabulary_of_another_length_is_refused(checkpoint: Path, vocabulary: tuple[str, ...]) -> None:
    (checkpoint / FILES.vocabulary).write_text("\n".join(vocabulary), "utf-8")
    _refused(checkpoint, rf"has {len(vocabulary)} entries, config\.json says {len(VOCABULARY)}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not JSON"),
        ("{'format': 1}", "is not JSON"),
        ("[1]", "must hold a JSON object"),
        ('"text"', "must hold a JSON object"),
        ("{}", "format None"),
        (json.dumps({**CONFIG.to_dict(), "format": FORMAT + 1}), f"format {FORMAT + 1}"),
        (json.dumps({**CONFIG.to_dict(), "format": "2"}), "format '2'"),
    ],
)
def test_a_config_that_cannot_be_used_is_refused(checkpoint: Path, text: str, message: str) -> None:
    (checkpoint / FILES.config).write_text(text, "utf-8")
    _refused(checkpoint, message)


@pytest.mark.parametrize("name", [FILES.config, FILES.vocabulary])
def test_a_file_that_is_not_text_is_refused(checkpoint: Path, name: str) -> None:
    (checkpoint / name).write_bytes(b"\xff\xfe\x00")
    _refused(checkpoint, f"{name} is not text")


@pytest.mark.parametrize("dump", [pickle.dump, torch.save])
def test_a_pickle_under_the_name_of_the_weights_is_refused_and_not_run(checkpoint: Path, dump: Any) -> None:
    marker = checkpoint.parent / "marker"
    with (checkpoint / FILES.weights).open("wb") as file:
        dump({"head": _Touch(marker)}, file)
    save_config(checkpoint, CONFIG)
    _refused(checkpoint, "cannot be read as safetensors")
    assert not marker.exists()


def test_the_marker_of_the_pickle_test_works(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(_Touch(tmp_path / "marker")))  # noqa: S301  what the loader must not do
    assert (tmp_path / "marker").exists()


def test_votes_are_kept_in_one_byte_and_still_read_alike(tmp_path: Path) -> None:
    model = build_model(replace(CONFIG, ngram_buckets=64))
    assert model.votes is not None
    save_checkpoint(tmp_path, model, VOCABULARY)
    with safe_open(tmp_path / FILES.weights, framework="pt") as file:
        assert file.get_tensor("votes.table.weight").dtype == torch.float8_e4m3fn
    loaded, _ = load_checkpoint(tmp_path, torch.device("cpu"))
    assert loaded.votes is not None
    torch.testing.assert_close(loaded.votes.table.weight, model.votes.table.weight, rtol=0.07, atol=0.002)
