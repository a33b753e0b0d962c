"""What a small empathetic model (SEM) is trained for: to read emotions, then, the encoder frozen, to reply."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from hef_graph.sem.dataset import (
    IGNORED,
    DialogueBatch,
    EmotionExample,
    ReplyExample,
    bucket_batches,
    collate_emotions,
    collate_replies,
)
from hef_graph.sem.modeling import EmpatheticModel
from hef_graph.sem.soft_labels import distillation_loss
from hef_graph.sem.tokenization import FIRST_ID
from hef_graph.sem.training import Phase, TrainingConfig

EMOTION_DEFAULTS = TrainingConfig(epochs=2, learning_rate=1.2e-4, new_learning_rate=1e-3)
DISTILLATION_DEFAULTS = TrainingConfig(
    epochs=3, learning_rate=1.2e-4, new_learning_rate=4e-4, label_smoothing=0.0, teacher_weight=0.7
)
"""For the emotion phase with a teacher's soft labels."""
REPLY_DEFAULTS = TrainingConfig(
    epochs=5, batch_size=64, learning_rate=4e-4, new_learning_rate=8e-4, label_smoothing=0.0
)
REPLY_ADAPTATION_DEFAULTS = replace(REPLY_DEFAULTS, epochs=2, learning_rate=3e-4, new_learning_rate=5e-4)
"""For a trained decoder that gets used to another encoder."""


class EmotionPhase(Phase):
    """Encoder, pooling and head learn the 32 labels."""

    name = "emotion"

    def __init__(
        self,
        model: EmpatheticModel,
        config: TrainingConfig,
        examples: Sequence[EmotionExample],
        aside: Sequence[EmotionExample],
    ) -> None:
        self._model, self._config, self._examples, self._aside = model, config, examples, aside
        self.module: nn.Module = nn.ModuleList([model.encoder, model.pooling, model.head])

    @override
    def pretrained(self) -> set[int]:
        return {id(parameter) for parameter in self._model.encoder.parameters()}

    @override
    def batches(self, epoch: int) -> list[list[int]]:
        lengths = [(len(example.dialogue.ids),) for example in self._examples]
        return bucket_batches(lengths, batch_size=self._config.batch_size, seed=self._config.seed * 1000 + epoch)

    @override
    def loss(self, batch: Sequence[int]) -> Tensor:
        examples = [self._examples[index] for index in batch]
        dialogues, labels = collate_emotions(examples)
        device = torch.device(self._config.device)
        logits = self.logits(dialogues.to(device))
        hard = functional.cross_entropy(logits, labels.to(device), label_smoothing=self._config.label_smoothing)
        share = self._config.teacher_weight
        return (1 - share) * hard + share * self._teacher_loss(logits, examples) if share else hard

    def logits(self, dialogues: DialogueBatch) -> Tensor:
        """What is compared with the labels, `(batch, labels)`."""
        read: Tensor = self._model(*dialogues).logits
        return read

    def _teacher_loss(self, logits: Tensor, examples: Sequence[EmotionExample]) -> Tensor:
        """Over the examples that the teacher has seen."""
        seen = [row for row, example in enumerate(examples) if example.teacher is not None]
        if not seen:
            return logits.sum() * 0.0
        teacher = torch.stack([example.teacher for example in examples if example.teacher is not None])
        return distillation_loss(logits[seen], teacher.to(logits.device), self._config.teacher_temperature)

    @override
    def evaluate(self) -> dict[str, float]:
        logits, labels = predict_logits(self._model, self._aside, torch.device(self._config.device))
        return measure_logits(logits, labels)


class ReplyPhase(Phase):
    """The decoder learns to write; the encoder stays as it is.

    One history in ten is hidden, so that the decoder also knows how likely a reply is anywhere.
    """

    name = "reply"
    HIDDEN = 0.1

    def __init__(
        self,
        model: EmpatheticModel,
        config: TrainingConfig,
        examples: Sequence[ReplyExample],
        aside: Sequence[ReplyExample],
    ) -> None:
        assert model.decoder is not None, "a model without decoder cannot learn to reply"  # noqa: S101
        self._model, self._config, self._examples, self._aside = model, config, examples, aside
        self.module = self._decoder = model.decoder
        self._random = torch.Generator().manual_seed(config.seed)

    @override
    def pretrained(self) -> set[int]:
        return {id(parameter) for name, parameter in self.module.named_parameters() if "cross" not in name}

    @override
    def batches(self, epoch: int) -> list[list[int]]:
        lengths = [(len(example.reply) // 4, len(example.dialogue.ids)) for example in self._examples]
        return bucket_batches(lengths, batch_size=self._config.batch_size, seed=self._config.seed * 1000 + epoch)

    @override
    def loss(self, batch: Sequence[int]) -> Tensor:
        smoothing = self._config.label_smoothing
        return self._token_losses([self._examples[i] for i in batch], hide=self.HIDDEN, smoothing=smoothing).mean()

    @override
    def evaluate(self) -> dict[str, float]:
        self._model.eval()
        total, count = 0.0, 0
        with torch.inference_mode():
            for start in range(0, len(self._aside), 64):
                losses = self._token_losses(self._aside[start : start + 64], hide=0.0)
                total += float(losses.sum())
                count += len(losses)
        nll = total / count
        return {"nll": nll, "token_perplexity": math.exp(nll), "score": -nll}

    def _token_losses(self, examples: Sequence[ReplyExample], *, hide: float, smoothing: float = 0.0) -> Tensor:
        """Loss of every reply token `(tokens,)`; each dialogue is hidden with probability `hide`."""
        batch = collate_replies(examples).to(torch.device(self._config.device))
        ids, roles, mask, _ = batch.dialogues
        if hide:
            hidden = (torch.rand(len(examples), 1, generator=self._random) < hide).to(ids.device)
            mask = mask & ~(hidden & (ids != FIRST_ID))
        with torch.no_grad():
            states = self._model.encoder.eval()(ids, roles, mask)
        logits, _ = self._decoder(batch.inputs, batch.emotions, self._decoder.start(states), mask)
        real = batch.targets != IGNORED
        return functional.cross_entropy(
            logits[real].float(), batch.targets[real], label_smoothing=smoothing, reduction="none"
        )


def measure_logits(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Acc_k in per cent and the mean loss of `logits` `(cases, labels)` against `labels` `(cases,)`."""
    ranks = (logits > logits.gather(1, labels[:, None])).sum(dim=1)
    measures = {f"acc_{k}": float((ranks < k).float().mean() * 100) for k in (1, 3, 10, 20)}
    measures["nll"] = float(functional.cross_entropy(logits, labels))
    return {**measures, "score": measures["acc_1"]}


@torch.inference_mode()
def predict_logits(
    model: EmpatheticModel, examples: Sequence[EmotionExample], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Emotion logits `(examples, labels)` and gold labels `(examples,)`, in the order given."""
    model.eval()
    return gather_logits(lambda dialogues: model(*dialogues).logits, examples, device)


@torch.inference_mode()
def gather_logits(
    read: Callable[[DialogueBatch], Tensor],
    examples: Sequence[EmotionExample],
    device: torch.device,
    *,
    batch_size: int = 64,
) -> tuple[Tensor, Tensor]:
    """The same with the logits `(batch, labels)` that `read` finds for padded dialogues."""
    order = sorted(range(len(examples)), key=lambda index: len(examples[index].dialogue.ids))
    logits: list[Tensor] = []
    for start in range(0, len(order), batch_size):
        dialogues, _ = collate_emotions([examples[index] for index in order[start : start + batch_size]])
        logits.append(read(dialogues.to(device)).float().cpu())
    restored = torch.empty(len(order), dtype=torch.long)
    restored[torch.tensor(order)] = torch.arange(len(order))
    return torch.cat(logits)[restored], torch.tensor([example.label for example in examples])
