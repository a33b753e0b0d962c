"""Training of the crisis classifier's n-gram votes: a logistic regression over hashed n-grams."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hef_graph.crisis.encoder import Array
from hef_graph.crisis.examples import Example, Label
from hef_graph.crisis.ngrams import BIAS, BUCKETS, WEIGHT, hash_ngrams
from hef_graph.crisis.normalisation import normalise

BATCH: Final = 256
SMOOTHING: Final = 0.05
ORDINARY: Final = 15_000
"""So many dialogues of everyday talk count as no signal."""


@dataclass(frozen=True, slots=True)
class VotesConfig:
    """How the votes are learned and weighed."""

    share: float = 0.3
    """What they count beside the encoder's logit."""
    epochs: int = 4
    learning_rate: float = 0.4


VOTES: Final = VotesConfig()


def train_votes(
    examples: Sequence[Example], ordinary: Sequence[tuple[str, ...]], config: VotesConfig = VOTES, *, seed: int = 0
) -> dict[str, Array]:
    """The votes' weights, times their share, under the names that a checkpoint keeps them by."""
    torch.manual_seed(seed)
    everyday = [Example(turns, Label(None), "") for turns in islice(ordinary, ORDINARY)]
    texts = [*examples, *everyday]
    hashed = [_hash(each) for each in texts]
    wanted = torch.tensor([float(each.label.category is not None) for each in texts])
    table, bias = nn.EmbeddingBag(BUCKETS, 1, mode="sum"), nn.Parameter(torch.zeros(1))
    nn.init.zeros_(table.weight)
    optimizer = torch.optim.Adagrad([*table.parameters(), bias], lr=config.learning_rate)
    for _ in range(config.epochs):
        for chosen in torch.split(torch.randperm(len(texts)), BATCH):
            logits = bias + _vote(table, [hashed[index] for index in chosen.tolist()])
            target = wanted[chosen] * (1 - SMOOTHING) + SMOOTHING / 2
            optimizer.zero_grad()
            functional.binary_cross_entropy_with_logits(logits, target).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    weights = config.share * table.weight.detach().T
    return {WEIGHT: weights.numpy().astype(np.float32), BIAS: (config.share * bias.detach()).numpy()}


def _hash(example: Example) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    *before, newest = [normalise(turn).text for turn in example.turns]
    return hash_ngrams(newest, before[-1:])


def _vote(table: nn.EmbeddingBag, hashed: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> Tensor:
    """`(texts,)`, as `NgramVotes.vote` without its bias."""
    parts = [part for pair in hashed for part in pair]
    sizes = torch.tensor([len(part) for part in parts])
    starts = torch.cat([torch.zeros(1, dtype=torch.long), sizes.cumsum(0)[:-1]])
    shares = (1 / sizes.clamp(min=1).sqrt()).repeat_interleave(sizes)
    votes: Tensor = table(torch.from_numpy(np.concatenate(parts)), starts, per_sample_weights=shares)
    return votes.view(len(hashed), 2).sum(dim=1)
