"""The encoder's matrices in 8 bits, for CPUs: about twice as fast, a quarter of the memory traffic.

Weights have one scale per output (Jacob et al. 2018); what is multiplied with them gets one per call, from what is read
(dynamic quantisation). So a call must hold one dialogue alone: in company another's numbers would shift its scale.
"""

import copy
import warnings
from typing import Final, Literal, TypeAlias, get_args

import torch
from torch import Tensor, nn

from hef_graph.errors import HefInputError
from hef_graph.sem.modeling import EmpatheticModel
from hef_graph.sem.word_weights import WordMethod

Precision: TypeAlias = Literal["fp32", "int8"]
"""fp32: as trained, dialogues side by side · int8: for CPUs, one dialogue at a time."""

PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)

READ_AT_ONCE: Final = ("head", "attention")
"""Ways to weigh words that come with the reading: the others need gradients, or read many times."""

_LARGEST: Final = 127


class Int8Linear(nn.Module):
    """A linear layer that multiplies in 8 bits and answers in single precision."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        largest = torch.linalg.vector_norm(weight, ord=torch.inf, dim=1)
        scales = largest.clamp(min=torch.finfo(weight.dtype).tiny) / _LARGEST
        zeros = torch.zeros(len(scales), dtype=torch.long)
        with warnings.catch_warnings():  # torch means to move these functions one day
            warnings.simplefilter("ignore")
            packed = torch.quantize_per_channel(weight, scales.double(), zeros, 0, torch.qint8)
        self._packed = torch.ops.quantized.linear_prepack(packed, linear.bias.detach().float())

    def forward(self, hidden: Tensor) -> Tensor:
        """`(…, inputs)` → `(…, outputs)`; seven bits of the inputs are used, as AVX2 would overflow with eight."""
        multiplied: Tensor = torch.ops.quantized.linear_dynamic(hidden, self._packed, True)
        return multiplied


def quantise_encoder(model: EmpatheticModel) -> EmpatheticModel:
    """A model for reading whose encoder layers multiply in 8 bits; all other weights are shared with `model`."""
    reader = copy.deepcopy(model, {id(shared): shared for shared in model.parameters()})
    for module in reader.encoder.layers.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.Linear):
                setattr(module, name, Int8Linear(child))
    return reader.eval()


def choose_precision(wished: str | None, device: str, method: WordMethod) -> Precision:
    """The wished precision, else the fastest that the device and the way to weigh words allow.

    Raises:
        HefInputError: no such precision, or one that cannot be had here.
    """
    possible = device == "cpu" and method in READ_AT_ONCE and can_quantise()
    if wished is None:
        return "int8" if possible else "fp32"
    found = next((name for name in PRECISIONS if name == wished), None)
    if found is None:
        raise HefInputError(f"precision is {wished!r}; allowed are {', '.join(PRECISIONS)}, or None")
    if found == "int8" and not possible:
        raise HefInputError(
            f"precision is 'int8', which needs a CPU that torch can multiply 8 bits on, and words by "
            f"{' or '.join(READ_AT_ONCE)}; here are {device} and {method!r}: take 'fp32'"
        )
    return found


def can_quantise() -> bool:
    """Whether torch can multiply 8 bits on this CPU."""
    try:
        Int8Linear(nn.Linear(8, 8))(torch.zeros(1, 8))
    except (RuntimeError, AttributeError, NotImplementedError):
        return False
    return True
