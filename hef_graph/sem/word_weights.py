"""How much each word of a dialogue weighs: the trained cause head, the paper's attention, gradients, or occlusion."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Literal, TypeAlias, get_args

import torch
from torch import Tensor

from hef_graph.errors import HefInputError
from hef_graph.sem.attribution import Readout, gradient_norm, gradient_x_input, integrated_gradients, occlusion
from hef_graph.sem.dataset import DialogueBatch
from hef_graph.sem.modeling import EmpatheticModel, Reading
from hef_graph.sem.tokenization import EncodedDialogue

WordMethod: TypeAlias = Literal[
    "head", "attention", "gradient-norm", "gradient-x-input", "integrated-gradients", "occlusion"
]
"""`head` and `attention` come with the reading itself; the others read the dialogue again, some many times."""

WORD_METHODS: Final[tuple[WordMethod, ...]] = get_args(WordMethod)

_GRADIENTS: Final[dict[str, Callable[[Tensor, Readout], Tensor]]] = {
    "gradient-norm": gradient_norm,
    "gradient-x-input": gradient_x_input,
    "integrated-gradients": integrated_gradients,
}


def check_method(method: str | None, model: EmpatheticModel) -> WordMethod:
    """The method to use; None takes the best that the model has.

    Raises:
        HefInputError: no such method, or a model without a cause head is asked for it.
    """
    if method is None:
        return "head" if model.cause_head else "attention"
    known = [name for name in WORD_METHODS if name != "head" or model.cause_head]
    found = next((name for name in known if name == method), None)
    if found is None:
        raise HefInputError(f"words is {method!r}; this SEM has {', '.join(known)}")
    return found


def weigh_words(
    model: EmpatheticModel,
    dialogues: Sequence[EncodedDialogue],
    batch: DialogueBatch,
    reading: Reading,
    method: WordMethod,
) -> list[list[float]]:
    """For each dialogue one weight for each of its words; a dialogue's weights sum to 1.

    `batch` and `reading` are the dialogues padded, and what the model said about them.
    """
    if method == "occlusion":
        raw = [_occlude(model, dialogue, batch, row) for row, dialogue in enumerate(dialogues)]
    else:
        scores = _score_tokens(model, batch, reading, method).double().tolist()
        raw = [_join(dialogue, row, method) for dialogue, row in zip(dialogues, scores, strict=True)]
    return [_normalise(weights) for weights in raw]


def _join(dialogue: EncodedDialogue, scores: Sequence[float], method: WordMethod) -> list[float]:
    """Token scores → word scores: attention is shared among a word's pieces, all else counts at its highest piece."""
    join = sum if method == "attention" else max
    return [join(scores[token] for token in word.tokens) for word in dialogue.words]


def _score_tokens(model: EmpatheticModel, batch: DialogueBatch, reading: Reading, method: WordMethod) -> Tensor:
    """Scores of the tokens `(batch, tokens)`."""
    if method == "attention":
        return reading.attention
    if method == "head":
        assert reading.causes is not None, "checked by check_method"  # noqa: S101
        return reading.causes
    with torch.no_grad():
        embedded = model.encoder.embeddings(batch.ids, batch.roles)
    return _GRADIENTS[method](embedded, partial(_read_embedded, model, batch))


def _read_embedded(model: EmpatheticModel, batch: DialogueBatch, embedded: Tensor) -> Tensor:
    return model.read(embedded, *batch).logits


def _occlude(model: EmpatheticModel, dialogue: EncodedDialogue, batch: DialogueBatch, row: int) -> list[float]:
    """Hide one word after the other."""
    size = len(dialogue.ids)
    ids, roles, mask, poolable = (tensor[row : row + 1, :size] for tensor in batch)

    def readout(masks: Tensor) -> Tensor:
        rows = len(masks)
        logits: Tensor = model(ids.expand(rows, -1), roles.expand(rows, -1), masks, masks & poolable).logits
        return logits

    return occlusion(mask[0], readout, [word.tokens for word in dialogue.words]) if dialogue.words else []


def _normalise(weights: Sequence[float]) -> list[float]:
    total = sum(weights)
    return [weight / total if total else 1 / len(weights) for weight in weights]
