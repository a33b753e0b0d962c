"""Hugging Face classifiers small enough for a test, untrained, with tokenizers made on the spot."""

import string
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BartConfig,
    BartForSequenceClassification,
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2ForSequenceClassification,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
)

LABELS = ("calm", "tense", "glowing")
"""A label set that the package knows nothing of."""

WINDOW = 24

_WORDS = "my dog died we won the game oh no who took it away and then came back".split()
BERT_PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", *string.ascii_lowercase, *_WORDS)
BERT_PIECES += tuple(f"##{letter}" for letter in string.ascii_lowercase)

_SIZES: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}


def write_bert(folder: Path, **config: Any) -> Path:
    """A BERT with WordPiece."""
    pieces = {piece: index for index, piece in enumerate(BERT_PIECES)}
    tokenizer = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))  # noqa: S106  a piece, not a password
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    special = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    shape = BertConfig(vocab_size=len(pieces), max_position_embeddings=WINDOW, **_SIZES, **labelled(LABELS), **config)
    return _write(folder, BertForSequenceClassification, shape, tokenizer, special)


def write_roberta(folder: Path, **config: Any) -> Path:
    """A RoBERTa with byte-level pieces, one byte each."""
    tokenizer, special = _bytes()
    shape = RobertaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        max_position_embeddings=2 * WINDOW + 2,
        **_SIZES,
        **labelled(LABELS),
        **config,
    )
    return _write(folder, RobertaForSequenceClassification, shape, tokenizer, special)


def write_bart(folder: Path) -> Path:
    """An encoder with a decoder, whose separator is the token that it reads the answer at."""
    tokenizer, special = _bytes()
    halves: dict[str, Any] = {
        f"{half}_{name}": 2 for half in ("encoder", "decoder") for name in ("layers", "attention_heads")
    }
    inner: dict[str, Any] = {"encoder_ffn_dim": 32, "decoder_ffn_dim": 32}
    shape = BartConfig(
        vocab_size=tokenizer.get_vocab_size(),
        d_model=16,
        max_position_embeddings=48,
        **halves,
        **inner,
        **labelled(LABELS),
    )
    return _write(folder, BartForSequenceClassification, shape, tokenizer, special)


def _bytes() -> tuple[Tokenizer, dict[str, str]]:
    """RoBERTa's tokenizer without merges, and its special tokens."""
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    names = ("<s>", "<pad>", "</s>", "<unk>")
    pieces = {piece: index for index, piece in enumerate([*names, *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    tokenizer = Tokenizer(models.BPE(pieces, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer, special | {"cls_token": "<s>", "sep_token": "</s>"}


def write_gpt2(folder: Path, **config: Any) -> Path:
    """A decoder without separator, padding, first or last token."""
    pieces = {piece: index for index, piece in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(pieces, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    shape = GPT2Config(
        vocab_size=len(pieces), n_positions=2 * WINDOW, n_embd=16, n_layer=2, n_head=2, **labelled(LABELS), **config
    )
    return _write(folder, GPT2ForSequenceClassification, shape, tokenizer, {})


def labelled(labels: tuple[str, ...]) -> dict[str, Any]:
    """The part of a config that names the labels."""
    return {"id2label": dict(enumerate(labels)), "label2id": {label: index for index, label in enumerate(labels)}}


def _write(folder: Path, kind: Any, config: Any, tokenizer: Tokenizer, special: dict[str, str]) -> Path:
    """Weights are large enough for inputs to matter."""
    torch.manual_seed(0)
    model = kind(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1 and "embeddings" not in name:
                parameter.mul_(15)
            elif parameter.ndim > 1:
                parameter.mul_(30)
    model.save_pretrained(folder)
    wrap: Any = PreTrainedTokenizerFast
    wrap(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    return folder
