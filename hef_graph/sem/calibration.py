"""Honest probabilities, fitted on contexts that nothing was trained on.

One temperature for the emotions (Guo et al. 2017), thresholds for adaptive candidates (split conformal prediction), the
limits within which a text is like those of the training, and the ranges of numbers inside for reading in 8 bits.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from hef_graph.corpus import Conversation, labelled_texts
from hef_graph.errors import HefInputError
from hef_graph.sem.checkpoint import load_checkpoint, save_config
from hef_graph.sem.config import ActivationRange, SemConfig
from hef_graph.sem.dataset import as_turns, collate_dialogues, emotion_examples
from hef_graph.sem.domain import fit_limits
from hef_graph.sem.modeling import EmpatheticModel
from hef_graph.sem.phases import predict_logits
from hef_graph.sem.tokenization import DialogueTokenizer, EncodedDialogue
from hef_graph.types import CoverageThresholds

COVERAGES: Final = tuple(number / 200 for number in range(100, 200))
"""The coverages that thresholds are kept for: from 0.5 in steps of half a point."""

SAMPLE: Final = 500
"""Texts of the training that the ranges for 8 bits are measured on."""


def calibrate_checkpoint(folder: Path, held: Sequence[Conversation], learned: Sequence[Conversation]) -> SemConfig:
    """Fit temperature and thresholds on `held`, the domain's limits and the ranges inside on `learned`; store them.

    Args:
        folder: the checkpoint; its `config.json` is rewritten.
        held: conversations that nothing was trained on.
        learned: those of the training.

    Raises:
        HefCheckpointError: the checkpoint cannot be used.
        HefInputError: nothing to calibrate on, or emotions that the SEM does not know.
    """
    cpu = torch.device("cpu")
    model, vocabulary = load_checkpoint(folder, cpu)
    config = model.config
    tokenizer = DialogueTokenizer(
        vocabulary, max_tokens=config.max_tokens, decoder_vocab_size=config.decoder_vocab_size
    )
    examples = emotion_examples(labelled_texts(held), tokenizer, config.labels)
    if not examples:
        raise HefInputError("there is no text to calibrate on; give more conversations that nothing was trained on")
    logits, labels = predict_logits(model, examples, cpu)
    logits = logits * config.temperature
    temperature = fit_temperature(logits, labels)
    right = torch.softmax(logits.double() / temperature, dim=-1).gather(1, labels[:, None])[:, 0]
    texts = [tokenizer.encode(as_turns(context.turns)) for context in labelled_texts(learned)]
    calibrated = replace(
        config,
        temperature=temperature,
        thresholds=conformal_thresholds(right.tolist(), COVERAGES),
        rarity=fit_limits(vocabulary, [text.spoken for text in texts]),
        activation_ranges=measure_ranges(model, texts[:: max(1, len(texts) // SAMPLE)][:SAMPLE]),
    )
    save_config(folder, calibrated)
    return calibrated


def measure_ranges(model: EmpatheticModel, texts: Sequence[EncodedDialogue]) -> tuple[ActivationRange, ...]:
    """What the encoder's linear layers and the heads are given: medians, over the texts, of the least and the greatest.

    Medians, because a single text's outlier would make the steps coarse for all others. None without a text.
    """
    if not texts:
        return ()
    measured = [linear for layer in model.encoder.layers for linear in _measured(layer)] + [model.pooling.projection]
    seen: dict[nn.Module, list[ActivationRange]] = {linear: [] for linear in measured}
    hooks = [
        linear.register_forward_pre_hook(lambda module, given: seen[module].append(_span(given[0])))
        for linear in measured
    ]
    with torch.inference_mode():
        for text in texts:
            model(*collate_dialogues([text]))
    for hook in hooks:
        hook.remove()
    spans = [zip(*seen[linear], strict=True) for linear in measured]
    return tuple((_median(least), _median(greatest)) for least, greatest in spans)


def _measured(layer: Any) -> list[nn.Linear]:
    """Of an `EncoderLayer`, a linear layer for each of `LAYER_RANGES`; keys and values are given what queries are."""
    return [layer.attention.query, layer.attention.output, layer.feed_forward.inner, layer.feed_forward.outer]


def _span(given: Tensor) -> ActivationRange:
    return float(given.min()), float(given.max())


def _median(values: Sequence[float]) -> float:
    return round(median(values), 4)


def conformal_thresholds(right: Sequence[float], coverages: Sequence[float]) -> CoverageThresholds:
    """Thresholds from the probabilities of the right emotion in calibration cases (split conformal prediction).

    For coverage c of n cases the threshold is the floor((1 - c)(n + 1))-th smallest probability (0 if that is none),
    which covers a new, exchangeable case with probability c at least, and c + 1/(n + 1) at most without ties.
    """
    ordered = sorted(right)
    pairs: list[tuple[float, float]] = []
    for coverage in sorted(coverages):
        missed = math.floor((1 - coverage) * (len(ordered) + 1) + 1e-9)
        pairs.append((coverage, _round_down(ordered[missed - 1]) if missed else 0.0))
    return tuple(pairs)


def _round_down(probability: float) -> float:
    """To six digits, never above: the case that set the threshold stays covered."""
    return math.floor(probability * 1e6) / 1e6


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The temperature that makes `labels` `(cases,)` most likely under `logits / temperature` `(cases, labels)`.

    Found to three digits by golden-section search on the log scale; the loss has one minimum.
    """
    low, high = -3.0, 3.0
    ratio = (5**0.5 - 1) / 2
    while high - low > 1e-3:  # noqa: PLR2004  three digits
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if _loss(logits, labels, left) < _loss(logits, labels, right):
            high = right
        else:
            low = left
    return round(float(torch.exp(torch.tensor((low + high) / 2))), 3)


def _loss(logits: Tensor, labels: Tensor, log_temperature: float) -> float:
    scaled = logits / torch.exp(torch.tensor(log_temperature))
    return float(functional.cross_entropy(scaled, labels))
