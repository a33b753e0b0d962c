"""What a larger model (a teacher) thinks of each training text, on disk: one row of logits a text.

A row is found by a hash of the text's turns, so that the file holds no text and does not depend on an order.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from hef_graph.errors import HefInputError

_BETWEEN_TURNS = "\x1f"


class SoftLabels:
    """Logits of a teacher by text."""

    def __init__(self, keys: Sequence[int], logits: Tensor) -> None:
        """`logits` `(texts, labels)`, row by row those of `keys`."""
        self._logits = logits
        self._rows = {key: row for row, key in enumerate(keys)}

    def __len__(self) -> int:
        return len(self._rows)

    def of(self, turns: Sequence[str]) -> Tensor | None:
        """The teacher's logits `(labels,)`, or None for a text that it did not see."""
        row = self._rows.get(text_key(turns))
        return None if row is None else self._logits[row]


def text_key(turns: Sequence[str]) -> int:
    """A 63-bit hash of a dialogue's texts."""
    digest = hashlib.sha256(_BETWEEN_TURNS.join(turns).encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def write_soft_labels(path: Path, texts: Sequence[Sequence[str]], logits: Tensor, labels: Sequence[str]) -> None:
    """Write `logits` `(texts, labels)` in half precision; of equal texts the last one counts."""
    keys = torch.tensor([text_key(turns) for turns in texts], dtype=torch.int64)
    tensors = {"keys": keys, "logits": logits.half().contiguous()}
    save_file(tensors, path, metadata={"labels": json.dumps(list(labels))})


def read_soft_labels(path: Path, labels: Sequence[str]) -> SoftLabels:
    """Read what `write_soft_labels` wrote for the same labels.

    Raises:
        HefInputError: no such file, another kind of file, or other labels.
    """
    try:
        with safe_open(path, framework="pt") as file:
            known = json.loads((file.metadata() or {}).get("labels", "[]"))
            keys, logits = file.get_tensor("keys"), file.get_tensor("logits").float()
    except (SafetensorError, OSError, ValueError) as error:
        raise HefInputError(f"{path} cannot be read as a teacher's soft labels: {error}") from error
    if known != list(labels):
        raise HefInputError(f"the soft labels of {path} are for {known}, not for {list(labels)}")
    if logits.shape != (len(keys), len(labels)):
        raise HefInputError(f"{path} has logits of shape {tuple(logits.shape)} for {len(keys)} texts")
    return SoftLabels(keys.tolist(), logits)


def distillation_loss(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Cross-entropy with the teacher's softened distribution, scaled to the gradient of a hard label.

    Both `(batch, labels)` (Hinton et al. 2015).
    """
    target = torch.softmax(teacher / temperature, dim=-1)
    return functional.cross_entropy(logits / temperature, target) * temperature**2
