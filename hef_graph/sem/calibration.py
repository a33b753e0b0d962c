"""Honest probabilities: one temperature, fitted on conversations set aside (Guo et al. 2017)."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from hef_graph.corpus import contexts_of, read_conversations, set_aside
from hef_graph.sem.checkpoint import load_checkpoint, save_config
from hef_graph.sem.dataset import emotion_examples
from hef_graph.sem.phases import predict_logits
from hef_graph.sem.tokenization import DialogueTokenizer


def calibrate_checkpoint(folder: Path, data: Path) -> float:
    """Fit the temperature of a checkpoint on the conversations of `data` that training set aside, and store it."""
    cpu = torch.device("cpu")
    model, vocabulary = load_checkpoint(folder, cpu)
    config = model.config
    tokenizer = DialogueTokenizer(
        vocabulary, max_tokens=config.max_tokens, decoder_vocab_size=config.decoder_vocab_size
    )
    _, aside = set_aside(read_conversations(data))
    logits, labels = predict_logits(model, emotion_examples(contexts_of(aside), tokenizer, config.labels), cpu)
    temperature = fit_temperature(logits * config.temperature, labels)
    save_config(folder, replace(config, temperature=temperature))
    return temperature


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
