"""The shape of the shipped small empathetic model (SEM), as written to `config.json`.

Files may come from anywhere: every number has limits that no useful SEM comes near, so that none can fill the memory.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, Final, TypeAlias

from hef_graph.emotions import EMOTIONS
from hef_graph.errors import HefCheckpointError
from hef_graph.sem.tokenization import SPECIAL_TOKENS
from hef_graph.types import CoverageThresholds

FORMAT = 4
"""Raised whenever an older reader could no longer load the files; files of earlier formats still load."""

ActivationRange: TypeAlias = tuple[float, float]
"""The least and the greatest number that a layer is given."""

LAYER_RANGES = 4
"""Of each encoder layer: into its projections, its attention's output, the inner and the outer feed-forward layer."""

RARITY_NUMBERS = 4
MOST_LABELS = 1000


@dataclass(frozen=True, slots=True)
class SemConfig:
    """Everything needed to rebuild the model around its weights."""

    vocab_size: int
    labels: tuple[str, ...] = EMOTIONS
    hidden_size: int = 384
    feed_forward_size: int = 1536
    attention_heads: int = 12
    encoder_layers: int = 6
    decoder_layers: int = 3
    """0 for a SEM that only reads."""
    decoder_vocab_size: int = 7000
    """The decoder writes with the first so many pieces of the vocabulary (the most frequent ones)."""
    max_tokens: int = 128
    """Window of the encoder, special tokens included."""
    max_reply_tokens: int = 64
    dropout: float = 0.1
    temperature: float = 1.0
    """The emotion logits are divided by it."""
    ngram_buckets: int = 0
    """Rows for pairs of neighbouring pieces in the linear part beside the encoder (`NgramVotes`); 0 for none."""
    cause_head: bool = False
    """Whether the model scores words as causes in the same pass; else word weights are the pooling attention."""
    presence_head: bool = False
    """Whether the model says if a text carries any emotion."""
    rarity: tuple[float, ...] = ()
    """The limits within which a text is in domain, see `domain.py`; empty: every text is."""
    thresholds: CoverageThresholds = ()
    """For adaptive candidates: pairs of (coverage, least probability of a candidate)."""
    activation_ranges: tuple[ActivationRange, ...] = ()
    """For reading in 8 bits (`quantization.py`): four for each encoder layer, and, from format 4 on, one for the last
    layer's states, which the heads are given; empty if they were not measured."""

    @property
    def least_weights(self) -> int:
        """So many numbers a model of this shape holds at least: its matrices."""
        size, inner = self.hidden_size, 2 * self.feed_forward_size
        reading = self.vocab_size + self.max_tokens + self.encoder_layers * (4 * size + inner)
        writing = self.decoder_vocab_size + self.max_reply_tokens + self.decoder_layers * (8 * size + inner)
        votes = (2 * self.vocab_size + self.ngram_buckets) * len(self.labels)
        return size * (reading + writing * bool(self.decoder_layers)) + votes * bool(self.ngram_buckets)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for `config.json`."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "SemConfig":
        """Read what `to_dict` wrote.

        Raises:
            HefCheckpointError: another format, or a missing, unknown or ill-typed value.
        """
        found = values.get("format")
        if type(found) is not int or not 1 <= found <= FORMAT:
            raise HefCheckpointError(
                f"the model's config.json has format {_shown(found)}; this version reads up to {FORMAT}"
            )
        try:
            given = {key: _as_tuple(value) for key, value in values.items() if key != "format"}
            return _checked(cls(**{**given, "labels": given["labels"]}))
        except (TypeError, KeyError, RecursionError) as error:
            raise HefCheckpointError(f"the model's config.json cannot be used: {error}") from error


def _as_tuple(value: Any) -> Any:
    """JSON's lists as tuples, inner ones too."""
    return tuple(_as_tuple(entry) for entry in value) if isinstance(value, list) else value


def _checked(config: SemConfig) -> SemConfig:
    """The same config; a `TypeError` if a value is not of its field's type or out of its limits."""
    for field in fields(config):
        value = getattr(config, field.name)
        if not _FITS.get(field.name, _is_number)(value, field.type):
            raise TypeError(f"{field.name} is {_shown(value)}")
        least, most = _LIMITS.get(field.name, _ANY)
        if not all(least <= number <= most for number in _numbers_of(value)):
            raise TypeError(f"{field.name} is {_shown(value)}; allowed is {least} to {most}")
    if config.hidden_size % config.attention_heads:
        raise TypeError("attention_heads must divide hidden_size")
    layers = LAYER_RANGES * config.encoder_layers
    if len(config.activation_ranges) not in {0, layers, layers + 1}:
        raise TypeError(
            f"activation_ranges are {len(config.activation_ranges)}; allowed are none, or 4 for each layer and one more"
        )
    if len(config.rarity) not in {0, RARITY_NUMBERS}:
        raise TypeError(f"rarity has {len(config.rarity)} numbers; allowed are none or {RARITY_NUMBERS}")
    return config


def _shown(value: Any) -> str:
    """The value for people; an unreadable or endless one is cut."""
    try:
        return repr(value)[:100]
    except (ValueError, RecursionError):  # thousands of digits, or of brackets
        return f"an endless {type(value).__name__}"


def _numbers_of(value: Any) -> list[float]:
    """The numbers in a value: itself, or those of a tuple and its inner tuples."""
    if isinstance(value, tuple):
        return [number for entry in value for number in _numbers_of(entry)]
    return [value] if type(value) in {int, float} else []


def _is_number(value: Any, kind: Any) -> bool:
    """A flag where one is asked for, else a number; an int may stand for a float."""
    return type(value) is bool if kind is bool else type(value) in {int, kind}


def _are_labels(values: Any, _: Any) -> bool:
    """Different texts that can be shown in one line."""
    return (
        isinstance(values, tuple)
        and 0 < len(values) <= MOST_LABELS
        and all(isinstance(value, str) and value.strip() and value.isprintable() for value in values)
        and len(set(values)) == len(values)
    )


def _are_numbers(values: Any, _: Any) -> bool:
    return isinstance(values, tuple) and all(type(value) in {int, float} for value in values)


def _are_pairs(values: Any, _: Any) -> bool:
    return isinstance(values, tuple) and all(_are_numbers(pair, None) and len(pair) == 2 for pair in values)  # noqa: PLR2004


_FITS: Final = {
    "labels": _are_labels,
    "rarity": _are_numbers,
    "thresholds": _are_pairs,
    "activation_ranges": _are_pairs,
}
"""Checks of the fields that are no plain number."""

_ANY: Final = (0, 2**20)
_LIMITS: Final[dict[str, tuple[float, float]]] = {
    "vocab_size": (len(SPECIAL_TOKENS), 2**20),
    "hidden_size": (1, 2**13),
    "feed_forward_size": (1, 2**15),
    "attention_heads": (1, 2**8),
    "encoder_layers": (0, 100),
    "decoder_layers": (0, 100),
    "decoder_vocab_size": (len(SPECIAL_TOKENS), 2**20),
    "max_tokens": (4, 2**15),
    "max_reply_tokens": (1, 2**15),
    "dropout": (0, 1),
    "temperature": (1e-3, 1e3),
    "ngram_buckets": (0, 2**24),
    "thresholds": (0, 1),
    "activation_ranges": (-1e6, 1e6),
}
"""The least and the greatest number that a field may hold; NaN and infinity never fit. Other fields: `_ANY`."""
