"""A tiny random Hugging Face encoder on disk, to stand for a teacher's."""

from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch
from tokenizers import Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordPiece
from transformers import BertConfig, BertModel, MPNetConfig, MPNetModel, PreTrainedTokenizerFast

from tests.sem.tiny import PIECES

Kind: TypeAlias = Literal["bert", "mpnet"]

SPECIAL = ("<pad>", "<unk>", "<s>", "</s>")
SHAPE: dict[str, Any] = {
    "vocab_size": len(SPECIAL) + len(PIECES),
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 120,
    "pad_token_id": 0,
}


def write_encoder(folder: Path, kind: Kind = "bert") -> Path:
    """Write `config.json`, `tokenizer.json` and `model.safetensors`; returns the folder."""
    torch.manual_seed(0)
    encoder = BertModel(BertConfig(**SHAPE)) if kind == "bert" else MPNetModel(MPNetConfig(**SHAPE))
    encoder.save_pretrained(folder)
    build_tokenizer().save_pretrained(folder)
    return folder


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Lower case, the pieces of `tiny.py`."""
    pieces = {piece: index for index, piece in enumerate([*SPECIAL, *PIECES])}
    tokenizer = Tokenizer(WordPiece(pieces, unk_token="<unk>"))  # noqa: S106  a piece, not a password
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), SPECIAL, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)  # type: ignore[no-untyped-call]  # untyped there
