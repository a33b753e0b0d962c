"""Which tokens made a classifier decide: gradients and occlusion, for any model that can be read from its embeddings.

Every method scores tokens for the emotion that is most probable on the whole text; scores are not negative, and only
their order and ratio within one text mean anything.
"""

from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor

Readout = Callable[[Tensor], Tensor]
"""From token embeddings `(batch, tokens, hidden)`, or from a mask `(batch, tokens)`, to logits `(batch, labels)`."""

STEPS: Final = 16
"""Points on the path of integrated gradients."""


def gradient_norm(embedded: Tensor, readout: Readout) -> Tensor:
    """Length of the gradient at each token's embedding (Simonyan et al. 2014) → `(batch, tokens)`."""
    return _gradient(embedded, readout, _winners(embedded, readout)).norm(dim=-1)


def gradient_x_input(embedded: Tensor, readout: Readout) -> Tensor:
    """Size of the dot product of gradient and embedding (Denil et al. 2014) → `(batch, tokens)`."""
    gradient = _gradient(embedded, readout, _winners(embedded, readout))
    return (gradient * embedded).sum(dim=-1).abs()


def integrated_gradients(embedded: Tensor, readout: Readout, *, steps: int = STEPS) -> Tensor:
    """Gradients along the straight path from zero embeddings (Sundararajan et al. 2017) → `(batch, tokens)`."""
    winners = _winners(embedded, readout)
    total = torch.zeros_like(embedded)
    for step in range(steps):
        total += _gradient(embedded * ((step + 0.5) / steps), readout, winners)
    return (total / steps * embedded).sum(dim=-1).abs()


@torch.inference_mode()
def occlusion(mask: Tensor, readout: Readout, spans: Sequence[Sequence[int]]) -> list[float]:
    """How far the winner's log-probability falls when the tokens of each span are hidden; one number a span, ≥ 0.

    `mask` `(tokens,)` is true on the tokens of one text; `readout` reads masks.
    """
    hidden = mask.repeat(len(spans) + 1, 1)
    for row, span in enumerate(spans, start=1):
        hidden[row, list(span)] = False
    logs = torch.log_softmax(readout(hidden), dim=-1)
    winner = logs[0].argmax()
    return (logs[0, winner] - logs[1:, winner]).clamp(min=0).tolist()


@torch.no_grad()
def _winners(embedded: Tensor, readout: Readout) -> Tensor:
    return readout(embedded).argmax(dim=-1, keepdim=True)


def _gradient(embedded: Tensor, readout: Readout, winners: Tensor) -> Tensor:
    """Gradient of the winners' log-probabilities at the embeddings, of their shape."""
    with torch.enable_grad():
        source = embedded.detach().requires_grad_()
        logs = torch.log_softmax(readout(source), dim=-1)
        return torch.autograd.grad(logs.gather(1, winners).sum(), source)[0]
