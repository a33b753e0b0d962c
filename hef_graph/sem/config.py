"""The shape of the shipped small empathetic model (SEM), as written to `config.json`."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from hef_graph.emotions import EMOTIONS
from hef_graph.errors import HefCheckpointError

FORMAT = 1
"""Raised whenever an older reader could no longer load the files."""


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

    def to_dict(self) -> dict[str, Any]:
        """Plain values for `config.json`."""
        return {"format": FORMAT, **asdict(self), "labels": list(self.labels)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "SemConfig":
        """Read what `to_dict` wrote.

        Raises:
            HefCheckpointError: another format, or a missing, unknown or ill-typed value.
        """
        found = values.get("format")
        if found != FORMAT:
            raise HefCheckpointError(f"the model's config.json has format {found!r}; this version reads {FORMAT}")
        try:
            given = {key: value for key, value in values.items() if key != "format"}
            return _checked(cls(**{**given, "labels": tuple(given["labels"])}))
        except (TypeError, KeyError) as error:
            raise HefCheckpointError(f"the model's config.json cannot be used: {error}") from error


def _checked(config: SemConfig) -> SemConfig:
    """The same config; a `TypeError` if a value is not of its field's type or is negative."""
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name == "labels":
            fits = all(isinstance(label, str) for label in value)
        else:
            fits = type(value) in (int, field.type) and value >= 0
        if not fits:
            raise TypeError(f"{field.name} is {value!r}")
    if not config.attention_heads or config.hidden_size % config.attention_heads or not config.temperature:
        raise TypeError("attention_heads must divide hidden_size, and temperature must be above 0")
    return config
