"""The small empathetic model (SEM): encoder → attention pooling → emotion head, and a response decoder.

The encoder has MiniLM's shape (Wang et al. 2020); pooling follows the attention of Yang et al. (2016), whose weights
the paper reads as word weights; the decoder attends to the encoder and is told the emotion (HEF, Section 3.3).
"""

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from hef_graph.sem.config import SemConfig
from hef_graph.sem.layers import LAYER_NORM_EPSILON, DecoderLayer, EncoderLayer, LayerCache


class Reading(NamedTuple):
    """What the encoder side says about a batch of dialogues."""

    states: Tensor
    """Token states `(batch, tokens, hidden)`."""
    logits: Tensor
    """Emotion logits `(batch, labels)`."""
    attention: Tensor
    """Pooling weights `(batch, tokens)`; zero on special tokens and padding, a row sums to 1."""
    causes: Tensor | None = None
    """How much each token tells of the emotion's cause, 0 to 1 `(batch, tokens)`; None without a cause head."""
    presence: Tensor | None = None
    """Probability that the text carries an emotion at all `(batch,)`; None without a presence head."""


class Embeddings(nn.Module):
    """Sum of token, position and kind embeddings, normalised."""

    def __init__(self, config: SemConfig, *, tokens: int, positions: int, kinds: int) -> None:
        super().__init__()
        self.token = _table(tokens, config.hidden_size)
        self.position = _table(positions, config.hidden_size)
        self.kind = _table(kinds, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=LAYER_NORM_EPSILON)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, ids: Tensor, kinds: Tensor, offset: int = 0) -> Tensor:
        """`ids` `(batch, tokens)`, `kinds` of a shape that broadcasts to it → `(batch, tokens, hidden)`."""
        positions = torch.arange(offset, offset + ids.shape[1], device=ids.device)
        summed = self.token(ids) + self.position(positions) + self.kind(kinds)
        return self.dropout(self.norm(summed))


class Encoder(nn.Module):
    """Tokens of a dialogue → contextual states; the kind of a token says who speaks."""

    def __init__(self, config: SemConfig) -> None:
        super().__init__()
        self.embeddings = Embeddings(config, tokens=config.vocab_size, positions=config.max_tokens, kinds=2)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.encoder_layers))

    def forward(self, ids: Tensor, roles: Tensor, mask: Tensor) -> Tensor:
        """`ids`, `roles`, `mask` `(batch, tokens)` → `(batch, tokens, hidden)`; `mask` is false on padding."""
        return self.contextualise(self.embeddings(ids, roles), mask)[-1]

    def contextualise(self, embedded: Tensor, mask: Tensor) -> list[Tensor]:
        """Embeddings `(batch, tokens, hidden)` → the states of every layer, each of the same shape."""
        states = [embedded]
        for layer in self.layers:
            states.append(layer(states[-1], mask[:, None, None, :]))
        return states


class AttentionPooling(nn.Module):
    """`softmax(v · tanh(W h))` over the words of the dialogue (Yang et al. 2016, equations 5-7)."""

    def __init__(self, config: SemConfig) -> None:
        super().__init__()
        self.projection = nn.Linear(config.hidden_size, config.hidden_size)
        self.query = nn.Linear(config.hidden_size, 1, bias=False)

    def forward(self, states: Tensor, poolable: Tensor) -> tuple[Tensor, Tensor]:
        """`states` `(batch, tokens, hidden)`, `poolable` `(batch, tokens)` → pooled `(batch, hidden)`, weights.

        Special tokens and padding are not poolable; a row without any poolable token pools nothing.
        """
        scores = self.query(torch.tanh(self.projection(states))).squeeze(-1).float()
        lowest = torch.finfo(scores.dtype).min
        weights = torch.softmax(scores.masked_fill(~poolable, lowest), dim=-1) * poolable
        return torch.einsum("bt,bth->bh", weights.to(states.dtype), states), weights


class EmotionHead(nn.Module):
    """Pooled words and the first token's state → emotion logits."""

    def __init__(self, config: SemConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(2 * config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.hidden_size, len(config.labels))

    def forward(self, pooled: Tensor, first: Tensor) -> Tensor:
        """Two `(batch, hidden)` → `(batch, labels)`."""
        joined = self.dropout(torch.cat([pooled, first], dim=-1))
        return self.output(self.dropout(torch.tanh(self.dense(joined))))


class NgramVotes(nn.Module):
    """Every piece and every pair of neighbouring pieces votes for emotions: a linear model beside the deep one.

    Wide and deep models err differently (Cheng et al. 2016). Pairs share rows by hashing (Weinberger et al. 2009).
    """

    def __init__(self, config: SemConfig) -> None:
        super().__init__()
        self._pieces, self._buckets = config.vocab_size, config.ngram_buckets
        self.table = _table(2 * config.vocab_size + config.ngram_buckets, len(config.labels))

    def forward(self, ids: Tensor, roles: Tensor, poolable: Tensor) -> Tensor:
        """All `(batch, tokens)` → the votes' sum over the root of their number, `(batch, labels)`."""
        pairs = (ids[:, :-1] * 1_000_003 + ids[:, 1:] * 7_919 + roles[:, :-1] * 104_729) % max(1, self._buckets)
        rows = torch.cat([ids + self._pieces * roles, 2 * self._pieces + pairs], dim=1)
        voters = torch.cat([poolable, poolable[:, :-1] & poolable[:, 1:]], dim=1)
        total = torch.einsum("bt,btl->bl", voters.to(self.table.weight.dtype), self.table(rows * voters))
        return total / voters.sum(dim=1, keepdim=True).clamp(min=1).sqrt()


class CauseHead(nn.Module):
    """States of a token, early, middle and late, and the pooled dialogue → is the token part of the cause?

    The late layers know the emotion, the early ones still know the word.
    """

    SIZE = 128

    def __init__(self, config: SemConfig) -> None:
        super().__init__()
        self.layers = (config.encoder_layers // 3, 2 * config.encoder_layers // 3, config.encoder_layers)
        self.dense = nn.Linear((len(self.layers) + 1) * config.hidden_size, self.SIZE)
        self.dropout = nn.Dropout(0.3)
        self.output = nn.Linear(self.SIZE, 1)

    def forward(self, layers: Sequence[Tensor], pooled: Tensor) -> Tensor:
        """Each layer's states `(batch, tokens, hidden)`, pooled `(batch, hidden)` → 0 to 1, `(batch, tokens)`."""
        return torch.sigmoid(self.read(self.join(layers, pooled)))

    def join(self, layers: Sequence[Tensor], pooled: Tensor) -> Tensor:
        """What is read of each token: `(batch, tokens, features)`."""
        states = [layers[index] for index in self.layers]
        return torch.cat([*states, pooled[:, None, :].expand_as(states[0])], dim=-1)

    def read(self, joined: Tensor) -> Tensor:
        """`(…, features)` → logits `(…)`."""
        return self.output(self.dropout(functional.gelu(self.dense(self.dropout(joined))))).squeeze(-1)


class PresenceHead(nn.Module):
    """Pooled words and the first token's state → does the text carry an emotion?"""

    SIZE = 64

    def __init__(self, config: SemConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(2 * config.hidden_size, self.SIZE)
        self.output = nn.Linear(self.SIZE, 1)

    def forward(self, pooled: Tensor, first: Tensor) -> Tensor:
        """Two `(batch, hidden)` → probabilities `(batch,)`."""
        return torch.sigmoid(self.read(torch.cat([pooled, first], dim=-1)))

    def read(self, joined: Tensor) -> Tensor:
        """Both side by side `(batch, 2 hidden)` → logits `(batch,)`."""
        return self.output(functional.gelu(self.dense(joined))).squeeze(-1)


class Decoder(nn.Module):
    """Writes a reply token by token, looking at the encoded dialogue and told the emotion."""

    def __init__(self, config: SemConfig) -> None:
        super().__init__()
        self.embeddings = Embeddings(
            config, tokens=config.decoder_vocab_size, positions=config.max_reply_tokens, kinds=len(config.labels)
        )
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.decoder_layers))
        self.transform = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=LAYER_NORM_EPSILON)
        self.bias = nn.Parameter(torch.zeros(config.decoder_vocab_size))

    def start(self, states: Tensor) -> list[LayerCache]:
        """Caches for a reply to the dialogues of `states` `(batch, tokens, hidden)`."""
        return [LayerCache(None, cast("DecoderLayer", layer).remember(states)) for layer in self.layers]

    def forward(
        self, ids: Tensor, emotions: Tensor, caches: list[LayerCache], memory_mask: Tensor
    ) -> tuple[Tensor, list[LayerCache]]:
        """Next-token logits `(batch, new tokens, decoder vocabulary)` and the grown caches.

        `ids` `(batch, new tokens)` continue what the caches hold; `emotions` `(batch,)` are label indices;
        `memory_mask` `(batch, memory tokens)` is false on padding.
        """
        own = caches[0].own
        offset = own.key.shape[2] if own else 0
        hidden = self.embeddings(ids, emotions[:, None], offset)
        grown: list[LayerCache] = []
        for layer, cache in zip(self.layers, caches, strict=True):
            hidden, newer = layer(hidden, cache, memory_mask[:, None, None, :])
            grown.append(newer)
        written = self.norm(functional.gelu(self.transform(hidden)))
        return functional.linear(written, self.embeddings.token.weight, self.bias), grown


class EmpatheticModel(nn.Module):
    """The whole SEM; `decoder` is None for a model that only reads."""

    def __init__(self, config: SemConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.pooling = AttentionPooling(config)
        self.head = EmotionHead(config)
        self.decoder = Decoder(config) if config.decoder_layers else None
        self.votes = NgramVotes(config) if config.ngram_buckets else None
        self.cause_head = CauseHead(config) if config.cause_head else None
        self.presence_head = PresenceHead(config) if config.presence_head else None
        self.apply(_initialise)

    def forward(self, ids: Tensor, roles: Tensor, mask: Tensor, poolable: Tensor) -> Reading:
        """Read a batch of dialogues; all inputs are `(batch, tokens)`."""
        return self.read(self.encoder.embeddings(ids, roles), ids, roles, mask, poolable)

    def read(self, embedded: Tensor, ids: Tensor, roles: Tensor, mask: Tensor, poolable: Tensor) -> Reading:
        """The same, the encoder's token embeddings `(batch, tokens, hidden)` being given."""
        layers = self.encoder.contextualise(embedded, mask)
        states = layers[-1]
        pooled, attention = self.pooling(states, poolable)
        logits = self.head(pooled, states[:, 0]).float()
        if self.votes is not None:
            logits = logits + self.votes(ids, roles, poolable)
        logits = logits / self.config.temperature
        causes = self.cause_head(layers, pooled) * poolable if self.cause_head else None
        presence = self.presence_head(pooled, states[:, 0]) if self.presence_head else None
        return Reading(states, logits, attention, causes, presence)


def _table(rows: int, size: int) -> nn.Embedding:
    """Embeddings; on the meta device without first numbers, for which torch would import its compiler."""
    weight = torch.empty(rows, size) if torch.empty(0).is_meta else None
    return nn.Embedding(rows, size, _weight=weight)


def _initialise(module: nn.Module) -> None:
    """BERT's initialisation: normal with a standard deviation of 0.02, zero biases; none on the meta device."""
    if any(parameter.is_meta for parameter in module.parameters(recurse=False)):
        return
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
