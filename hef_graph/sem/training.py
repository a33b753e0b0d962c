"""Training of the small empathetic model (SEM): first to read emotions, then, the encoder frozen, to reply.

A run can be stopped at any time: its folder keeps the latest state, and the same call goes on from there.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from tqdm import tqdm
from typing_extensions import override

from hef_graph.sem.dataset import (
    IGNORED,
    EmotionExample,
    ReplyExample,
    bucket_batches,
    collate_emotions,
    collate_replies,
)
from hef_graph.sem.modeling import EmpatheticModel
from hef_graph.sem.tokenization import FIRST_ID

SAVE_EVERY = 300
"""Steps between two saved states."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How one phase is trained."""

    epochs: int
    learning_rate: float
    new_learning_rate: float
    """For the parts that were not pretrained."""
    batch_size: int = 32
    warmup: float = 0.06
    """Share of all steps in which the rate rises; then it falls linearly to zero."""
    weight_decay: float = 0.01
    label_smoothing: float = 0.1
    max_gradient_norm: float = 1.0
    patience: int = 1
    """Stop after so many epochs without a better score on the conversations set aside."""
    precision: Literal["bf16", "fp32"] = "bf16"
    device: str = "cpu"
    seed: int = 0


EMOTION_DEFAULTS = TrainingConfig(epochs=2, learning_rate=1.2e-4, new_learning_rate=1e-3)
REPLY_DEFAULTS = TrainingConfig(
    epochs=5, batch_size=64, learning_rate=4e-4, new_learning_rate=8e-4, label_smoothing=0.0
)


class Phase(Protocol):
    """What is learned: batches, a loss, and a score to choose the best epoch by."""

    name: str
    module: nn.Module
    """The part whose weights change."""

    def pretrained(self) -> set[int]:
        """`id`s of the parameters that were pretrained."""
        ...

    def batches(self, epoch: int) -> list[list[int]]:
        """Example indices of each batch, the same for the same epoch."""
        ...

    def loss(self, batch: Sequence[int]) -> Tensor:
        """Mean loss of a batch of training examples."""
        ...

    def evaluate(self) -> dict[str, float]:
        """Measures on the conversations set aside; `score` (higher is better) decides."""
        ...


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
        self.module = nn.ModuleList([model.encoder, model.pooling, model.head])

    @override
    def pretrained(self) -> set[int]:
        return {id(parameter) for parameter in self._model.encoder.parameters()}

    @override
    def batches(self, epoch: int) -> list[list[int]]:
        lengths = [(len(example.dialogue.ids),) for example in self._examples]
        return bucket_batches(lengths, batch_size=self._config.batch_size, seed=self._config.seed * 1000 + epoch)

    @override
    def loss(self, batch: Sequence[int]) -> Tensor:
        dialogues, labels = collate_emotions([self._examples[index] for index in batch])
        device = torch.device(self._config.device)
        logits = self._model(*dialogues.to(device)).logits
        return functional.cross_entropy(logits, labels.to(device), label_smoothing=self._config.label_smoothing)

    @override
    def evaluate(self) -> dict[str, float]:
        logits, labels = predict_logits(self._model, self._aside, torch.device(self._config.device))
        ranks = (logits > logits.gather(1, labels[:, None])).sum(dim=1)
        measures = {f"acc_{k}": float((ranks < k).float().mean() * 100) for k in (1, 3, 10, 20)}
        measures["nll"] = float(functional.cross_entropy(logits, labels))
        return {**measures, "score": measures["acc_1"]}


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
        losses = self._token_losses([self._examples[index] for index in batch], hide=self.HIDDEN)
        return losses.sum() / (losses != 0).sum()

    @override
    def evaluate(self) -> dict[str, float]:
        self._model.eval()
        total, count = 0.0, 0
        with torch.inference_mode():
            for start in range(0, len(self._aside), 64):
                losses = self._token_losses(self._aside[start : start + 64], hide=0.0)
                total += float(losses.sum())
                count += int((losses != 0).sum())
        nll = total / count
        return {"nll": nll, "token_perplexity": math.exp(nll), "score": -nll}

    def _token_losses(self, examples: Sequence[ReplyExample], *, hide: float) -> Tensor:
        batch = collate_replies(examples).to(torch.device(self._config.device))
        ids, roles, mask, _ = batch.dialogues
        if hide:
            hidden = (torch.rand(len(examples), 1, generator=self._random) < hide).to(ids.device)
            mask = mask & ~(hidden & (ids != FIRST_ID))
        with torch.no_grad():
            states = self._model.encoder.eval()(ids, roles, mask)
        logits, _ = self._decoder(batch.inputs, batch.emotions, self._decoder.start(states), mask)
        return functional.cross_entropy(
            logits.flatten(0, 1).float(), batch.targets.flatten(), ignore_index=IGNORED, reduction="none"
        )


@torch.inference_mode()
def predict_logits(
    model: EmpatheticModel, examples: Sequence[EmotionExample], device: torch.device, *, batch_size: int = 64
) -> tuple[Tensor, Tensor]:
    """Emotion logits `(examples, labels)` and gold labels `(examples,)`, in the order given."""
    model.eval()
    order = sorted(range(len(examples)), key=lambda index: len(examples[index].dialogue.ids))
    logits: list[Tensor] = []
    for start in range(0, len(order), batch_size):
        dialogues, _ = collate_emotions([examples[index] for index in order[start : start + batch_size]])
        logits.append(model(*dialogues.to(device)).logits.float().cpu())
    restored = torch.empty(len(order), dtype=torch.long)
    restored[torch.tensor(order)] = torch.arange(len(order))
    return torch.cat(logits)[restored], torch.tensor([example.label for example in examples])


def train(phase: Phase, config: TrainingConfig, folder: Path) -> list[dict[str, float]]:
    """Train `phase`, leave its module with the best epoch's weights, and return each epoch's measures.

    Args:
        phase: what to learn.
        config: how.
        folder: where the run keeps its state; a run found there goes on where it stopped.
    """
    torch.manual_seed(config.seed)
    steps = len(phase.batches(0)) * config.epochs
    optimizer = AdamW(_parameter_groups(phase, config))
    run = _Run(phase, optimizer, LambdaLR(optimizer, _warm_then_linear(steps, config.warmup)), folder, config)
    for epoch in range(run.epoch, config.epochs):
        if run.epochs_without_gain() > config.patience:
            break
        for _ in run.train_epoch(epoch):
            pass
        run.end_epoch(phase.evaluate())
    run.restore_best()
    return run.history


class _Run:
    """The state of one run, saved every `SAVE_EVERY` steps and after each epoch."""

    def __init__(
        self, phase: Phase, optimizer: AdamW, schedule: LambdaLR, folder: Path, config: TrainingConfig
    ) -> None:
        self._phase, self._optimizer, self._schedule, self._config = phase, optimizer, schedule, config
        self._latest = folder / f"{phase.name}.latest.pt"
        self._best = folder / f"{phase.name}.best.pt"
        self.epoch, self._step = 0, 0
        self.history: list[dict[str, float]] = []
        folder.mkdir(parents=True, exist_ok=True)
        if self._latest.exists():
            self._resume()

    def train_epoch(self, epoch: int) -> Iterator[None]:
        """Train on the batches of one epoch that are still to come."""
        batches = self._phase.batches(epoch)
        bar = tqdm(total=len(batches), initial=self._step, desc=f"{self._phase.name} epoch {epoch + 1}", mininterval=5)
        running = float("nan")
        while self._step < len(batches):
            loss = self._update(batches[self._step])
            running = loss if math.isnan(running) else 0.98 * running + 0.02 * loss
            self._step += 1
            bar.update()
            bar.set_postfix(loss=f"{running:.3f}", refresh=False)
            if self._step % SAVE_EVERY == 0:
                self._save()
            yield
        bar.close()

    def end_epoch(self, measures: dict[str, float]) -> None:
        """Note the epoch's measures; keep its weights if they are the best so far."""
        tqdm.write(f"{self._phase.name} epoch {self.epoch + 1}: {measures}")
        if not self.history or measures["score"] > max(past["score"] for past in self.history):
            torch.save(self._phase.module.state_dict(), self._best)
        self.history.append(measures)
        self.epoch, self._step = self.epoch + 1, 0
        self._save()

    def epochs_without_gain(self) -> int:
        scores = [past["score"] for past in self.history]
        return len(scores) - 1 - scores.index(max(scores)) if scores else 0

    def restore_best(self) -> None:
        self._phase.module.load_state_dict(torch.load(self._best, weights_only=True))

    def _update(self, batch: list[int]) -> float:
        self._phase.module.train()
        kind = torch.device(self._config.device).type
        with torch.autocast(kind, torch.bfloat16, enabled=self._config.precision == "bf16"):
            loss = self._phase.loss(batch)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        nn.utils.clip_grad_norm_(self._phase.module.parameters(), self._config.max_gradient_norm)
        self._optimizer.step()
        self._schedule.step()
        return float(loss.detach())

    def _save(self) -> None:
        partial = self._latest.with_suffix(".partial")
        torch.save(self._state(), partial)
        partial.replace(self._latest)

    def _state(self) -> dict[str, Any]:
        return {
            "config": asdict(self._config),
            "epoch": self.epoch,
            "step": self._step,
            "history": self.history,
            "module": self._phase.module.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
        }

    def _resume(self) -> None:
        state = torch.load(self._latest, weights_only=True, map_location=self._config.device)
        if state["config"] != asdict(self._config):
            raise ValueError(f"{self._latest} is of a run with other settings; give another folder or delete it")
        self.epoch, self._step, self.history = state["epoch"], state["step"], state["history"]
        self._phase.module.load_state_dict(state["module"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])


def _parameter_groups(phase: Phase, config: TrainingConfig) -> list[dict[str, Any]]:
    """Four groups: pretrained or new, with weight decay (matrices) or without (biases, norms)."""
    pretrained = phase.pretrained()
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for parameter in phase.module.parameters():
        groups.setdefault((id(parameter) in pretrained, parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": config.learning_rate if old else config.new_learning_rate,
            "weight_decay": config.weight_decay if matrix else 0.0,
        }
        for (old, matrix), parameters in groups.items()
    ]


def _warm_then_linear(steps: int, warmup: float) -> Callable[[int], float]:
    warm = max(1, int(steps * warmup))

    def factor(step: int) -> float:
        return min((step + 1) / warm, max(0.0, (steps - step) / max(1, steps - warm)))

    return factor
