"""The training loop of the small empathetic model (SEM), for any phase.

A run can be stopped at any time: its folder keeps the latest state, and the same call goes on from there.
"""

import hashlib
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from tqdm import tqdm

from hef_graph.errors import HefInputError

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
    teacher_weight: float = 0.0
    """Share of the teacher's soft labels in the loss of the emotion phase; the rest is the human label's."""
    teacher_temperature: float = 2.0
    """Softens teacher and student alike before they are compared."""
    max_gradient_norm: float = 1.0
    patience: int = 1
    """Stop after so many epochs without a better score on the conversations set aside."""
    precision: Literal["bf16", "fp32"] = "bf16"
    device: str = "cpu"
    seed: int = 0


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


def train(phase: Phase, config: TrainingConfig, folder: Path, *, data: str = "") -> list[dict[str, float]]:
    """Train `phase`, leave its module with the best epoch's weights, and return each epoch's measures.

    Args:
        phase: what to learn.
        config: how.
        folder: where the run keeps its state; a run found there goes on where it stopped.
        data: a fingerprint of what is learned from; a run found in the folder must have had the same.

    Raises:
        HefInputError: the folder holds a run with other settings or other data.
    """
    torch.manual_seed(config.seed)
    steps = len(phase.batches(0)) * config.epochs
    optimizer = AdamW(_parameter_groups(phase, config), fused=True)
    run = _Run(phase, optimizer, LambdaLR(optimizer, _warm_then_linear(steps, config.warmup)), folder, config)
    run.open(data)
    for epoch in range(run.epoch, config.epochs):
        if run.epochs_without_gain() > config.patience:
            break
        for _ in run.train_epoch(epoch):
            pass
        run.end_epoch(phase.evaluate())
    run.restore_best()
    return run.history


def fingerprint(*parts: object) -> str:
    """A hash of values and files' contents: equal for equal ones, whatever the process and the machine."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part if isinstance(part, bytes) else repr(part).encode()).digest())
    return digest.hexdigest()


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
        self._data = ""

    def open(self, data: str) -> None:
        """Go on from the folder's state, if there is one."""
        self._data = data
        self._latest.parent.mkdir(parents=True, exist_ok=True)
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
        tqdm.write(f"{self._phase.name} epoch {self.epoch + 1}: {measures}", file=sys.stderr)
        if not self.history or measures["score"] > max(past["score"] for past in self.history):
            torch.save(self._phase.module.state_dict(), self._best)
        self.history.append(measures)
        self.epoch, self._step = self.epoch + 1, 0
        self._save()

    def epochs_without_gain(self) -> int:
        scores = [past["score"] for past in self.history]
        return len(scores) - 1 - scores.index(max(scores)) if scores else 0

    def restore_best(self) -> None:
        self._phase.module.load_state_dict(_read_state(self._best))

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
            "data": self._data,
            "epoch": self.epoch,
            "step": self._step,
            "history": self.history,
            "module": self._phase.module.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
        }

    def _resume(self) -> None:
        state = _read_state(self._latest, self._config.device)
        for part, given in {"config": asdict(self._config), "data": self._data}.items():
            if state.get(part, given) != given:  # the first versions did not note their data
                other = {"config": "settings", "data": "data"}[part]
                raise HefInputError(f"{self._latest} is of a run with other {other}; give another folder or delete it")
        self.epoch, self._step, self.history = state["epoch"], state["step"], state["history"]
        self._phase.module.load_state_dict(state["module"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])


def _read_state(path: Path, device: str | None = None) -> dict[str, Any]:
    """What a run saved; tensors and plain values, as anything else might run code."""
    try:
        state = torch.load(path, weights_only=True, map_location=device)
    except Exception as error:  # pickle's, torch's or zip's, by what the file is
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise HefInputError(f"{path} is no state of a run ({reason}); give another folder or delete it") from error
    if not isinstance(state, dict):
        raise HefInputError(f"{path} is no state of a run; give another folder or delete it")
    return state


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
