"""The building blocks of the small empathetic model (SEM): attention, feed-forward and transformer layers.

Post-norm layers as in BERT (Devlin et al. 2019), so that pretrained MiniLM weights fit.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from hef_graph.sem.config import SemConfig

LAYER_NORM_EPSILON = 1e-12


class KeyValue(NamedTuple):
    """Projected keys and values, each `(batch, heads, tokens, head size)`."""

    key: Tensor
    value: Tensor

    def append(self, newer: "KeyValue") -> "KeyValue":
        """Both along the token axis: what a decoder has seen so far."""
        return KeyValue(torch.cat([self.key, newer.key], dim=2), torch.cat([self.value, newer.value], dim=2))


class Attention(nn.Module):
    """Multi-head scaled dot-product attention with its residual connection and layer norm."""

    def __init__(self, config: SemConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.heads = config.attention_heads
        self.query, self.key, self.value = nn.Linear(size, size), nn.Linear(size, size), nn.Linear(size, size)
        self.output = nn.Linear(size, size)
        self.norm = nn.LayerNorm(size, eps=LAYER_NORM_EPSILON)
        self.dropout = nn.Dropout(config.dropout)

    def project(self, memory: Tensor) -> KeyValue:
        """Keys and values of `memory` `(batch, tokens, hidden)`."""
        return KeyValue(self._split(self.key(memory)), self._split(self.value(memory)))

    def forward(self, hidden: Tensor, memory: KeyValue, mask: Tensor | None = None, *, causal: bool = False) -> Tensor:
        """Attend from `hidden` `(batch, tokens, hidden)` to `memory`; `mask` is true where it may look."""
        dropout = self.dropout.p if self.training else 0.0
        query = self._split(self.query(hidden))
        mixed = functional.scaled_dot_product_attention(
            query, memory.key, memory.value, attn_mask=mask, dropout_p=dropout, is_causal=causal
        )
        merged = mixed.transpose(1, 2).flatten(2)
        return self.norm(hidden + self.dropout(self.output(merged)))

    def _split(self, projected: Tensor) -> Tensor:
        """`(batch, tokens, hidden)` → `(batch, heads, tokens, head size)`."""
        batch, tokens, _ = projected.shape
        return projected.view(batch, tokens, self.heads, -1).transpose(1, 2)


class FeedForward(nn.Module):
    """`norm(x + W2 gelu(W1 x))`, position by position."""

    def __init__(self, config: SemConfig) -> None:
        super().__init__()
        self.inner = nn.Linear(config.hidden_size, config.feed_forward_size)
        self.outer = nn.Linear(config.feed_forward_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=LAYER_NORM_EPSILON)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        """`(batch, tokens, hidden)` → the same shape."""
        return self.norm(hidden + self.dropout(self.outer(functional.gelu(self.inner(hidden)))))


class EncoderLayer(nn.Module):
    """Self-attention, then feed-forward."""

    def __init__(self, config: SemConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.feed_forward = FeedForward(config)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """`hidden` `(batch, tokens, hidden)`, `mask` `(batch, 1, 1, tokens)` → the shape of `hidden`."""
        return self.feed_forward(self.attention(hidden, self.attention.project(hidden), mask))


class LayerCache(NamedTuple):
    """What one decoder layer keeps between steps."""

    own: KeyValue | None
    """The reply so far; None before the first token."""
    memory: KeyValue
    """The encoded dialogue."""


class DecoderLayer(nn.Module):
    """Causal self-attention over the reply, cross-attention to the dialogue, feed-forward."""

    def __init__(self, config: SemConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.cross_attention = Attention(config)
        self.feed_forward = FeedForward(config)

    def remember(self, states: Tensor) -> KeyValue:
        """The encoded dialogue `(batch, tokens, hidden)`, ready to be looked at."""
        return self.cross_attention.project(states)

    def forward(self, hidden: Tensor, cache: LayerCache, memory_mask: Tensor) -> tuple[Tensor, LayerCache]:
        """Continue the reply by `hidden` `(batch, new tokens, hidden)`: one token at a time after the first call.

        `memory_mask` is `(batch, 1, 1, memory tokens)`, true on tokens that are not padding.
        """
        newer = self.attention.project(hidden)
        own = cache.own.append(newer) if cache.own else newer
        attended = self.attention(hidden, own, causal=cache.own is None)
        informed = self.cross_attention(attended, cache.memory, memory_mask)
        return self.feed_forward(informed), LayerCache(own, cache.memory)
