"""The crisis classifier in torch, for training: its start from a pretrained encoder, and its way into NumPy."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from tokenizers import Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordPiece
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from hef_graph.crisis.classifier import MOST_POSITIONS, OUTPUTS
from hef_graph.crisis.encoder import Array

HEAD_SIZE: Final = 384
_RESERVED: Final = re.compile(r"\[\w+\]")
"""Special tokens and places left for others in the pretrained vocabulary."""
_SPECIAL: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
_COMMON_IDS: Final = 14_000
"""BERT's vocabulary falls in frequency: pieces below this id are common English and stay even if unseen."""

_NAMES: Final = {
    "attention.self.query": "attention.query",
    "attention.self.key": "attention.key",
    "attention.self.value": "attention.value",
    "attention.output.dense": "attention.output",
    "attention.output.LayerNorm": "attention.norm",
    "intermediate.dense": "feed_forward.inner",
    "output.dense": "feed_forward.outer",
    "output.LayerNorm": "feed_forward.norm",
    "word_embeddings": "token",
    "position_embeddings": "position",
    "token_type_embeddings": "kind",
}
"""BERT's names → ours."""


class CrisisModel(nn.Module):
    """BERT, the first token and the mean of the newest message's tokens, two layers: as `hef_graph.crisis.encoder`."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder
        size = encoder.config.hidden_size
        self.dense = nn.Linear(2 * size, HEAD_SIZE)
        self.output = nn.Linear(HEAD_SIZE, OUTPUTS)
        self.dropout = nn.Dropout(0.1)

    def forward(self, ids: Tensor, kinds: Tensor, mask: Tensor) -> Tensor:
        """All `(batch, tokens)` → logits `(batch, OUTPUTS)`."""
        states = self.encoder(input_ids=ids, token_type_ids=kinds, attention_mask=mask).last_hidden_state
        own = ((kinds == 0) & mask.bool())[..., None].to(states.dtype)
        pooled = torch.cat([states[:, 0], (states * own).sum(dim=1) / own.sum(dim=1)], dim=-1)
        logits: Tensor = self.output(self.dropout(torch.tanh(self.dense(self.dropout(pooled)))))
        return logits.float()


def prune_tokenizer(folder: Path, texts: Iterable[str]) -> tuple[Tokenizer, list[int]]:
    """An uncased WordPiece tokenizer over the pieces worth keeping, and their ids in the pretrained vocabulary."""
    whole = Tokenizer.from_file(str(folder / "tokenizer.json"))
    whole.no_truncation()
    whole.no_padding()
    seen = {piece for encoding in whole.encode_batch(list(texts), add_special_tokens=False) for piece in encoding.ids}
    vocabulary: dict[str, int] = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    kept = [
        piece
        for piece, index in sorted(vocabulary.items(), key=lambda item: item[1])
        if not _RESERVED.fullmatch(piece) and (index in seen or (index < _COMMON_IDS and piece.isascii()))
    ]
    pieces = [*_SPECIAL, *kept]
    tokenizer = Tokenizer(WordPiece({piece: number for number, piece in enumerate(pieces)}, unk_token="[UNK]"))  # noqa: S106  a token of text
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer, [vocabulary[piece] for piece in pieces]


def export_weights(model: CrisisModel) -> dict[str, Array]:
    """The weights under the names that `hef_graph.crisis.encoder` knows."""
    weights: dict[str, Array] = {}
    for name, tensor in model.state_dict().items():
        ours = (
            name.removeprefix("encoder.")
            .replace("encoder.layer.", "layers.")
            .replace("embeddings.LayerNorm", "embeddings.norm")
        )
        for theirs, plain in _NAMES.items():
            ours = ours.replace(f".{theirs}.", f".{plain}.")
        head = f"head.{ours}" if ours.startswith(("dense.", "output.")) else ours
        if "position_ids" not in head and "token_type_ids" not in head:
            weights[head] = tensor.detach().float().cpu().numpy()
    return weights


def load_encoder(folder: Path, rows: Sequence[int], layers: int) -> BertModel:
    """The lowest `layers` of a pretrained encoder, with the given rows of its vocabulary."""
    config: Any = BertConfig.from_pretrained(folder)
    config.hidden_act = "gelu_pytorch_tanh"
    encoder: Any = BertModel.from_pretrained(folder, config=config, add_pooling_layer=False, use_safetensors=True)
    encoder.encoder.layer = encoder.encoder.layer[:layers]
    encoder.config.num_hidden_layers = layers
    words, places = encoder.embeddings.word_embeddings, encoder.embeddings.position_embeddings
    encoder.embeddings.word_embeddings = _embedding(words.weight[torch.tensor(rows)])
    encoder.embeddings.position_embeddings = _embedding(places.weight[:MOST_POSITIONS])
    model: BertModel = encoder
    return model


def _embedding(rows: Tensor) -> nn.Embedding:
    table = nn.Embedding(*rows.shape)
    table.weight = nn.Parameter(rows.detach().clone())
    return table
