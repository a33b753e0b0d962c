"""A tiny random BERT on disk, and a handful of examples, to train a crisis classifier on in seconds."""

from pathlib import Path
from typing import Any, Final

import torch
from tokenizers import Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordPiece
from transformers import BertConfig, BertModel

from hef_graph.crisis.classifier import MOST_POSITIONS
from hef_graph.crisis.examples import Example, Label

WORDS: Final = (
    "i you my the cat is was lost gone over by friday night kill die hits me he she bread rope note sun lovely".split()
)
PIECES: Final = [
    "[PAD]",
    "[unused0]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "[",
    *"abcdefghijklmnopqrstuvwxyz.,'",
    *WORDS,
    "猫",
]

SIGNALS: Final = ("kill me by friday", "the rope is my note", "i die by night")
ABUSE: Final = ("he hits me", "she hits me by night")
ORDINARY: Final = ("the sun is lovely", "my cat is gone", "the bread was lovely", "you lost the cat", "i lost my bread")

EXAMPLES: Final = [
    *(Example((text,), Label("suicidal_active"), "a/signal") for text in SIGNALS),
    *(Example(("the cat is lovely", text), Label("abuse", "other", "past"), "a/abuse") for text in ABUSE),
    *(Example((text,), Label(None, kind="ordinary"), "a/none") for text in ORDINARY),
]


def write_encoder(folder: Path) -> Path:
    """Write `config.json`, `tokenizer.json` and `model.safetensors`; returns the folder."""
    torch.manual_seed(0)
    shape: dict[str, Any] = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    }
    config = BertConfig(vocab_size=len(PIECES), max_position_embeddings=MOST_POSITIONS + 5, **shape)
    BertModel(config).save_pretrained(folder)
    tokenizer = Tokenizer(WordPiece({piece: n for n, piece in enumerate(PIECES)}, unk_token="[UNK]"))  # noqa: S106  a piece
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
