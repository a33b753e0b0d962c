"""The linear part of a SEM, `NgramVotes`: learned by itself, then weighed against the deep part."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from hef_graph.sem.calibration import fit_temperature
from hef_graph.sem.dataset import DialogueBatch, EmotionExample
from hef_graph.sem.modeling import EmpatheticModel, NgramVotes
from hef_graph.sem.phases import EmotionPhase, gather_logits, measure_logits, predict_logits
from hef_graph.sem.training import TrainingConfig

VOTES_DEFAULTS: Final = TrainingConfig(
    epochs=4,
    learning_rate=0.02,
    new_learning_rate=0.02,
    batch_size=128,
    weight_decay=0.1,
    label_smoothing=0.0,
    teacher_weight=0.9,
    teacher_temperature=3.0,
)
"""With a teacher, whose soft labels count most."""

HARD_VOTES_DEFAULTS: Final = replace(VOTES_DEFAULTS, label_smoothing=0.1, teacher_weight=0.0)
"""Without one."""

SHARES: Final = tuple(number / 20 for number in range(31))
"""The weights of the votes that are tried; the deep part's is 1."""


BUCKETS: Final = 2**16
"""Rows for pairs: half or twice as many changed little (model card)."""


def add_votes(model: EmpatheticModel) -> EmpatheticModel:
    """Give the model a table of votes that say nothing yet."""
    model.config = replace(model.config, ngram_buckets=BUCKETS)
    device = next(model.parameters()).device
    model.votes = NgramVotes(model.config).to(device)
    torch.nn.init.zeros_(model.votes.table.weight)
    return model


class VotesPhase(EmotionPhase):
    """The votes learn the labels, the deep part aside."""

    name = "votes"

    def __init__(
        self,
        model: EmpatheticModel,
        config: TrainingConfig,
        examples: Sequence[EmotionExample],
        aside: Sequence[EmotionExample],
    ) -> None:
        assert model.votes is not None, "a model without votes cannot learn them"  # noqa: S101
        super().__init__(model, config, examples, aside)
        self.module = self._votes = model.votes

    @override
    def pretrained(self) -> set[int]:
        return set()

    @override
    def logits(self, dialogues: DialogueBatch) -> Tensor:
        votes: Tensor = self._votes(dialogues.ids, dialogues.roles, dialogues.poolable)
        return votes

    @override
    def evaluate(self) -> dict[str, float]:
        votes, labels = gather_logits(self.logits, self._aside, torch.device(self._config.device))
        return measure_logits(votes, labels)


def weigh_votes(model: EmpatheticModel, aside: Sequence[EmotionExample], device: torch.device) -> float:
    """Scale the votes by what makes the labels of `aside` most likely beside the deep part; returns the scale."""
    assert model.votes is not None, "a model without votes cannot weigh them"  # noqa: S101
    votes = model.votes
    both, labels = predict_logits(model, aside, device)
    wide, _ = gather_logits(lambda d: votes(d.ids, d.roles, d.poolable), aside, device)
    deep = both * model.config.temperature - wide
    best = min(SHARES, key=lambda share: _calibrated_loss(deep + share * wide, labels))
    with torch.no_grad():
        votes.table.weight.mul_(best)
    return best


def _calibrated_loss(logits: Tensor, labels: Tensor) -> float:
    """The loss under the temperature that suits these logits best."""
    return float(functional.cross_entropy(logits / fit_temperature(logits, labels), labels))
