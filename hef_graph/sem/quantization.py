"""Reading in fewer bits: the matrices of encoder and heads in 8 on CPUs, the encoder's layers in bfloat16 on GPUs.

In 8 bits, weights have one scale per output (Jacob et al. 2018), and what is multiplied with them one scale per layer,
measured once on training texts (`calibration.py`). Scales that are fixed are the same in any company: dialogues can be
read side by side, and nobody's text shifts another's result.
"""

import copy
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Final, Literal, TypeAlias, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from hef_graph.errors import HefInputError
from hef_graph.sem.config import LAYER_RANGES, ActivationRange, SemConfig
from hef_graph.sem.layers import EncoderLayer
from hef_graph.sem.modeling import CauseHead, EmpatheticModel
from hef_graph.sem.word_weights import WordMethod

Precision: TypeAlias = Literal["fp32", "int8", "bf16"]
"""fp32: as trained · int8: on CPUs · bf16: for GPUs, compiled there when it is first used."""

PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)

READ_AT_ONCE: Final = ("head", "attention")
"""Ways to weigh words that come with the reading: the others need gradients, or read many times."""

_LARGEST: Final = 127
_STEPS: Final = 200
"""Steps of an input's range, and a quarter more above it. With all 255 sums of two products are cut too often on AVX2;
with half of them, where none is, results are further from those of single precision (measured)."""


class Int8Linear(nn.Module):
    """Linear layers of one input, side by side, that multiply in 8 bits and answer in single precision."""

    def __init__(self, linears: Sequence[nn.Linear], expected: ActivationRange) -> None:
        """`expected` is the range in which inputs lie."""
        super().__init__()
        weight = torch.cat([linear.weight.detach() for linear in linears]).float()
        bias = torch.cat([linear.bias.detach() for linear in linears]).float()
        self._packed = torch.ops.quantized.linear_prepack(in_whole_numbers(weight), bias)
        least, greatest = min(expected[0], 0.0), max(expected[1], 0.0)
        self._scale = max((greatest - least) / _STEPS, torch.finfo(weight.dtype).tiny)
        self._zero = round(-least / self._scale)
        self._multiply = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32.default

    def forward(self, hidden: Tensor) -> Tensor:
        """`(…, inputs)` → `(…, outputs of all)`; inputs far out of the expected range are cut."""
        multiplied: Tensor = self._multiply(hidden, self._scale, self._zero, self._packed)
        return multiplied


class Int8Layer(nn.Module):
    """An `EncoderLayer` for reading: three projections in one product, no dropout, no step that is not needed."""

    def __init__(self, layer: EncoderLayer, ranges: Sequence[ActivationRange]) -> None:
        super().__init__()
        attention, outer = layer.attention, layer.feed_forward
        query = _scaled(attention.query, 1 / math.sqrt(attention.query.out_features / attention.heads))
        linears = ((query, attention.key, attention.value), (attention.output,), (outer.inner,), (outer.outer,))
        self.project, self.output, self.inner, self.outer = map(Int8Linear, linears, ranges)
        self.heads, self.attended, self.fed = attention.heads, attention.norm, outer.norm

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """As the layer's. No large result has a name: its memory is free for the next one while the cache holds it."""
        attended = self.attended(self.output(self._attend(hidden, mask)).add_(hidden))
        fed: Tensor = self.fed(self.outer(torch.ops.aten.gelu_.default(self.inner(attended))).add_(attended))
        return fed

    def _attend(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """What the heads see `(batch, tokens, hidden)`."""
        batch, tokens, _ = hidden.shape
        query, key, value = self.project(hidden).view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        if batch > 1:
            mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=1.0)
        else:  # no padding, so no mask; and two plain products are the faster way for a short text (measured)
            mixed = torch.softmax(query @ key.transpose(2, 3), dim=-1) @ value
        return mixed.transpose(1, 2).flatten(2)


def in_whole_numbers(weight: Tensor) -> Tensor:
    """A matrix `(outputs, inputs)` in 8 bits, with a scale for each output.

    It is what `torch.quantize_per_channel` gives, in a quarter of the time.
    """
    scales = weight.abs().amax(dim=1).clamp(min=torch.finfo(weight.dtype).tiny) / _LARGEST
    whole = (weight * (1 / scales)[:, None]).round_().to(torch.int8)
    zeros = torch.zeros(len(scales), dtype=torch.long)
    with warnings.catch_warnings():  # torch means to move these functions one day
        warnings.simplefilter("ignore")
        return torch._make_per_channel_quantized_tensor(whole, scales.double(), zeros, 0)  # noqa: SLF001  no public one


class Int8CauseHead(nn.Module):
    """A `CauseHead` for reading: what it joins is multiplied part by part, and once what all tokens share."""

    def __init__(self, head: CauseHead, ranges: Sequence[ActivationRange]) -> None:
        """`ranges`: of the embeddings and of each layer's states."""
        super().__init__()
        self._layers = head.layers
        *states, pooled = head.dense.weight.detach().chunk(len(head.layers) + 1, dim=1)
        parts = zip(states, head.layers, strict=True)
        self.parts = nn.ModuleList(Int8Linear([_linear(weight)], ranges[layer]) for weight, layer in parts)
        self.pooled = Int8Linear([_linear(pooled, head.dense.bias.detach())], ranges[-1])
        self.output = head.output

    def forward(self, layers: Sequence[Tensor], pooled: Tensor) -> Tensor:
        """As the head's."""
        joined = self.pooled(pooled)[:, None]
        for part, layer in zip(self.parts, self._layers, strict=True):
            joined = part(layers[layer]).add_(joined)
        read: Tensor = self.output(torch.ops.aten.gelu_.default(joined)).squeeze(-1)
        return torch.sigmoid(read)


def _linear(weight: Tensor, bias: Tensor | None = None) -> nn.Linear:
    """A linear layer of these numbers `(outputs, inputs)`, and of zeros for no bias."""
    made = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    made.weight = nn.Parameter(weight, requires_grad=False)
    made.bias = nn.Parameter(torch.zeros(len(weight)) if bias is None else bias, requires_grad=False)
    return made


def _scaled(linear: nn.Linear, factor: float) -> nn.Linear:
    """The layer whose outputs are `factor` times as large."""
    return _linear(linear.weight.detach() * factor, linear.bias.detach() * factor)


class Bf16Layer(nn.Module):
    """An `EncoderLayer` that computes in bfloat16 and is spoken to in single precision."""

    def __init__(self, layer: EncoderLayer) -> None:
        super().__init__()
        self.inside = copy.deepcopy(layer).to(torch.bfloat16)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """As the layer's."""
        answered: Tensor = self.inside(hidden.to(torch.bfloat16), mask)
        return answered.float()


def reader_in(precision: Precision, model: EmpatheticModel) -> EmpatheticModel:
    """A model for reading in that precision; it shares with `model` the weights that stay as they are."""
    if precision == "int8":
        return _in_8_bits(model)
    return _with_layers(model, lambda _, layer: Bf16Layer(layer)) if precision == "bf16" else model


def _in_8_bits(model: EmpatheticModel) -> EmpatheticModel:
    """The heads stay in full precision where the checkpoint does not say in which range their inputs lie."""
    ranges, count = model.config.activation_ranges, model.config.encoder_layers
    each = [ranges[LAYER_RANGES * index : LAYER_RANGES * (index + 1)] for index in range(count)]
    reader = _with_layers(model, lambda index, layer: Int8Layer(layer, each[index]))
    if len(ranges) > LAYER_RANGES * count:
        _quantise_heads(reader, [*(first for first, *_ in each), ranges[-1]])
    return reader


def _quantise_heads(reader: EmpatheticModel, states: Sequence[ActivationRange]) -> None:
    """`states`: ranges of the embeddings and of each layer's states; what is pooled from these lies between them."""
    for head, name in ((reader.pooling, "projection"), (reader.head, "dense"), (reader.presence_head, "dense")):
        if head is not None:
            setattr(head, name, Int8Linear([getattr(head, name)], states[-1]))
    if reader.cause_head:
        reader.cause_head = Int8CauseHead(reader.cause_head, states)  # type: ignore[assignment]  # read in the same way


def compile_layers(model: EmpatheticModel, backend: str = "inductor") -> EmpatheticModel:
    """The same model, whose encoder's layers torch compiles when they are first used, once for all lengths."""
    for layer in model.encoder.layers:
        layer.compile(backend=backend, dynamic=True)
    return model


def _with_layers(model: EmpatheticModel, remake: Callable[[int, EncoderLayer], nn.Module]) -> EmpatheticModel:
    reader = copy.deepcopy(model, {id(shared): shared for shared in model.parameters()})
    made = [remake(index, layer) for index, layer in enumerate(reader.encoder.layers)]  # type: ignore[arg-type]  # torch types a list's modules no further
    reader.encoder.layers = nn.ModuleList(made)
    return reader.eval()


def choose_precision(wished: str | None, device: str, method: WordMethod, config: SemConfig) -> Precision:
    """The wished precision, else the fastest on a CPU, and fp32 on a GPU.

    Raises:
        HefInputError: no such precision, or one that cannot be had here.
    """
    possible = device == "cpu" and method in READ_AT_ONCE and bool(config.activation_ranges) and can_quantise()
    if wished is None:
        return "int8" if possible else "fp32"
    found = next((name for name in PRECISIONS if name == wished), None)
    if found is None:
        raise HefInputError(f"precision is {wished!r}; allowed are {', '.join(PRECISIONS)}, or None")
    if found == "int8" and not possible:
        measured = "" if config.activation_ranges else "; this checkpoint lacks activation_ranges (tools/calibrate.py)"
        raise HefInputError(
            f"precision is 'int8', which needs a CPU that torch can multiply 8 bits on, and words by "
            f"{' or '.join(READ_AT_ONCE)}; here are {device} and {method!r}{measured}: take 'fp32'"
        )
    if found == "bf16" and method not in READ_AT_ONCE:
        raise HefInputError(f"precision is 'bf16', which needs words by {' or '.join(READ_AT_ONCE)}, not {method!r}")
    return found


def can_quantise() -> bool:
    """Whether torch can multiply 8 bits on this CPU."""
    try:
        Int8Linear([nn.Linear(8, 8)], (-1.0, 1.0))(torch.zeros(1, 8))
    except (RuntimeError, AttributeError, NotImplementedError):
        return False
    return True
