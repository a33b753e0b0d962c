"""A small transformer encoder in NumPy: what the crisis classifier reads with, where torch may be missing or broken.

BERT's post-norm layers (Devlin et al. 2019) in MiniLM's shape (Wang et al. 2020), one text at a time, without padding.
The matrices are kept in 8 bits, each row with a scale of its own, and unpacked to single precision when loaded.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float32]

EPSILON: Final = 1e-12
QUANTISED: Final = ".int8"
SCALE: Final = ".scale"
"""Endings of the names under which a matrix and the scales of its rows are stored."""

_LEVELS: Final = 127


@dataclass(frozen=True, slots=True)
class Encoder:
    """Token ids in, one vector out."""

    weights: Mapping[str, Array]
    heads: int

    @property
    def layers(self) -> int:
        """How many there are."""
        return sum(name.endswith(".attention.query.weight") for name in self.weights)

    @property
    def vocabulary(self) -> int:
        """How many pieces it knows."""
        return len(self.weights["embeddings.token.weight"])

    def check(self, positions: int, outputs: int) -> None:
        """Nothing, if the weights are finite and of the shapes of one encoder.

        Raises:
            ValueError: one is missing, left over, of another shape, or holds NaN or infinity.
        """
        found = {name: values.shape for name, values in self.weights.items()}
        size = self.weights["embeddings.token.weight"].shape[1]
        inner, head = (len(self.weights[f"{name}.weight"]) for name in ("layers.0.feed_forward.inner", "head.dense"))
        wanted = _shapes(Sizes(self.vocabulary, positions, size, inner, self.layers, head, outputs))
        if wrong := sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name)):
            raise ValueError(f"{wrong[0]} is {found.get(wrong[0])}, expected {wanted.get(wrong[0])}")
        if size % self.heads:
            raise ValueError(f"{self.heads} heads do not divide {size}")
        if broken := [name for name, values in self.weights.items() if not np.isfinite(values).all()]:
            raise ValueError(f"{broken[0]} holds NaN or infinity")

    def read(self, ids: NDArray[np.int64], kinds: NDArray[np.int64]) -> Array:
        """The head's logits `(outputs,)`; `ids` and `kinds` are `(tokens,)`, 0 the newest message, 1 the rest."""
        weights = self.weights
        summed = (
            weights["embeddings.token.weight"][ids]
            + weights["embeddings.position.weight"][: len(ids)]
            + weights["embeddings.kind.weight"][kinds]
        )
        hidden = self._normalise(summed, "embeddings.norm")
        for index in range(self.layers):
            hidden = self._layer(hidden, f"layers.{index}")
        own = hidden[kinds == 0]
        pooled = np.concatenate([hidden[0], own.mean(axis=0)])
        return self._linear(np.tanh(self._linear(pooled, "head.dense")), "head.output")

    def _layer(self, hidden: Array, name: str) -> Array:
        """`(tokens, size)` → the same shape."""
        attended = self._normalise(hidden + self._attend(hidden, f"{name}.attention"), f"{name}.attention.norm")
        inner = _gelu(self._linear(attended, f"{name}.feed_forward.inner"))
        outer = self._linear(inner, f"{name}.feed_forward.outer")
        return self._normalise(attended + outer, f"{name}.feed_forward.norm")

    def _attend(self, hidden: Array, name: str) -> Array:
        query, key, value = (self._split(self._linear(hidden, f"{name}.{part}")) for part in ("query", "key", "value"))
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1])
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = (scores / scores.sum(axis=-1, keepdims=True)) @ value
        return self._linear(mixed.transpose(1, 0, 2).reshape(hidden.shape), f"{name}.output")

    def _split(self, projected: Array) -> Array:
        """`(tokens, size)` → `(heads, tokens, size / heads)`."""
        return projected.reshape(len(projected), self.heads, -1).transpose(1, 0, 2)

    def _linear(self, given: Array, name: str) -> Array:
        result: Array = given @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]
        return result

    def _normalise(self, given: Array, name: str) -> Array:
        centred = given - given.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON)
        result: Array = scaled * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]
        return result


@dataclass(frozen=True, slots=True)
class Sizes:
    """What an encoder's shapes follow from."""

    pieces: int
    positions: int
    hidden: int
    inner: int
    layers: int
    head: int
    outputs: int


def _shapes(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """The weights of an encoder, by name."""
    hidden, inner = sizes.hidden, sizes.inner
    embeddings = {"token": sizes.pieces, "position": sizes.positions, "kind": 2}
    linear = {"head.dense": (sizes.head, 2 * hidden), "head.output": (sizes.outputs, sizes.head)}
    norms = ["embeddings.norm"]
    for layer in (f"layers.{index}" for index in range(sizes.layers)):
        linear |= {f"{layer}.attention.{part}": (hidden, hidden) for part in ("query", "key", "value", "output")}
        linear |= {f"{layer}.feed_forward.inner": (inner, hidden), f"{layer}.feed_forward.outer": (hidden, inner)}
        norms += [f"{layer}.attention.norm", f"{layer}.feed_forward.norm"]
    return {
        **{f"embeddings.{name}.weight": (rows, hidden) for name, rows in embeddings.items()},
        **{f"{name}.weight": shape for name, shape in linear.items()},
        **{f"{name}.bias": shape[:1] for name, shape in linear.items()},
        **{f"{name}.{part}": (hidden,) for name in norms for part in ("weight", "bias")},
    }


def _gelu(given: Array) -> Array:
    """The tanh approximation of `x Φ(x)` (Hendrycks and Gimpel 2016)."""
    inner = math.sqrt(2 / math.pi) * (given + 0.044715 * given * given * given)
    result: Array = 0.5 * given * (1 + np.tanh(inner))
    return result


def quantise(weights: Mapping[str, Array]) -> dict[str, NDArray[np.generic]]:
    """Matrices as whole numbers from -127 to 127 with a scale per row; vectors in half precision."""
    packed: dict[str, NDArray[np.generic]] = {}
    for name, values in weights.items():
        if values.ndim == 1:
            packed[name] = values.astype(np.float16)
            continue
        scales = np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-8) / _LEVELS
        packed[name + QUANTISED] = np.rint(values / scales).astype(np.int8)
        packed[name + SCALE] = scales.astype(np.float32)
    return packed


def dequantise(packed: Mapping[str, NDArray[np.generic]]) -> dict[str, Array]:
    """What `quantise` packed, in single precision."""
    weights: dict[str, Array] = {}
    for name, values in packed.items():
        if name.endswith(QUANTISED):
            whole = name.removesuffix(QUANTISED)
            scales = packed[whole + SCALE]
            if scales.shape != (len(values), 1):  # else NumPy would spread the one over the other, and fill the memory
                raise ValueError(f"{whole + SCALE} is {scales.shape}, expected {(len(values), 1)}")
            weights[whole] = values.astype(np.float32) * scales.astype(np.float32)
        elif not name.endswith(SCALE):
            weights[name] = values.astype(np.float32)
    return weights
