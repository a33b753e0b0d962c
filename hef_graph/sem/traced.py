"""A model's operations, recorded once and then run by torch without Python between them.

Python takes a quarter of a short dialogue's reading (measured on a slow core), and while it has its turn, no other
thread computes. Results are the same to the last bit. torch calls its tracer old, but its successors need a compiler
on the machine; where it cannot trace, the model reads as it is.
"""

import logging
import threading
import warnings
from collections import Counter
from typing import Any, Final

import torch
from torch import Tensor, nn

from hef_graph.sem.modeling import EmpatheticModel, Reading

_log = logging.getLogger(__name__)

PAYS_AFTER: Final = 20
"""Calls that are read without: tracing takes as long as some twenty of them."""


class TracedReader:
    """Reads as its model, and faster once it has been called some twenty times."""

    def __init__(self, model: EmpatheticModel) -> None:
        self._model = model
        self._traced: dict[bool, Any] = {}
        self._calls: Counter[bool] = Counter()
        self._tracing = threading.Lock()

    def __call__(self, *batch: Tensor) -> Reading:
        """As the model's; without gradients."""
        alone = len(batch[0]) == 1  # needs no mask, and so takes other operations
        traced = self._traced.get(alone)
        if traced is not None:
            return _named(traced(*batch))
        self._calls[alone] += 1
        if self._calls[alone] > PAYS_AFTER and self._tracing.acquire(blocking=False):
            try:
                if alone not in self._traced:  # another thread may just have been faster
                    self._traced[alone] = _trace(self._model, batch)
            finally:
                self._tracing.release()
        reading: Reading = self._model(*batch)
        return reading


class _Listed(nn.Module):
    """The fields of a model's reading that are there, by their names: a trace knows no other value than tensors."""

    def __init__(self, model: EmpatheticModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, *batch: Tensor) -> dict[str, Tensor]:
        reading: Reading = self.model(*batch)
        return {name: value for name, value in reading._asdict().items() if value is not None}


def _trace(model: EmpatheticModel, batch: tuple[Tensor, ...]) -> Any:
    """The recorded operations; the model itself where they cannot be recorded."""
    listed = _Listed(model).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return torch.jit.trace(listed, batch, strict=False, check_trace=False)  # type: ignore[no-untyped-call]
        except Exception as error:  # noqa: BLE001  torch says in many ways that it cannot
            _log.warning("the SEM reads more slowly: torch cannot trace it (%s)", type(error).__name__)
            return listed


def _named(found: dict[str, Tensor]) -> Reading:
    return Reading(**found)
