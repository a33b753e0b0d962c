"""The shape of the shipped small empathetic model (SEM), as written to `config.json`."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from hef_graph.emotions import EMOTIONS
from hef_graph.errors import HefCheckpointError
from hef_graph.types import CoverageThresholds

FORMAT = 2
"""Raised whenever an older reader could no longer load the files; files of earlier formats still load."""

RARITY_NUMBERS = 4


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
            raise HefCheckpointError(f"the model's config.json has format {found!r}; this version reads up to {FORMAT}")
        try:
            given = {key: _as_tuple(value) for key, value in values.items() if key != "format"}
            return _checked(cls(**{**given, "labels": given["labels"]}))
        except (TypeError, KeyError) as error:
            raise HefCheckpointError(f"the model's config.json cannot be used: {error}") from error


def _as_tuple(value: Any) -> Any:
    """JSON's lists as tuples, inner ones too."""
    return tuple(_as_tuple(entry) for entry in value) if isinstance(value, list) else value


def _checked(config: SemConfig) -> SemConfig:
    """The same config; a `TypeError` if a value is not of its field's type or is negative."""
    for field in fields(config):
        value = getattr(config, field.name)
        if not _FITS.get(field.name, _is_number)(value, field.type):
            raise TypeError(f"{field.name} is {value!r}")
    if not config.attention_heads or config.hidden_size % config.attention_heads or not config.temperature:
        raise TypeError("attention_heads must divide hidden_size, and temperature must be above 0")
    if len(config.rarity) not in {0, RARITY_NUMBERS}:
        raise TypeError(f"rarity has {len(config.rarity)} numbers; allowed are none or {RARITY_NUMBERS}")
    return config


def _is_number(value: Any, kind: Any) -> bool:
    """A flag where one is asked for, else a number that is not negative; an int may stand for a float."""
    return type(value) is bool if kind is bool else type(value) in (int, kind) and value >= 0


def _are_texts(values: Any, _: Any) -> bool:
    return isinstance(values, tuple) and all(isinstance(value, str) for value in values)


def _are_numbers(values: Any, _: Any) -> bool:
    return isinstance(values, tuple) and all(type(value) in (int, float) for value in values)


def _are_pairs(values: Any, _: Any) -> bool:
    return isinstance(values, tuple) and all(_are_numbers(pair, None) and len(pair) == 2 for pair in values)  # noqa: PLR2004


_FITS = {"labels": _are_texts, "rarity": _are_numbers, "thresholds": _are_pairs}
"""Checks of the fields that are no plain number."""
