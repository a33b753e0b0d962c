from pathlib import Path

import pytest
import torch
from torch.nn import functional

from hef_graph.corpus import Conversation, write_conversations
from hef_graph.sem.calibration import calibrate_checkpoint, fit_temperature
from hef_graph.sem.checkpoint import load_checkpoint, save_checkpoint
from tests.sem.tiny import CONVERSATIONS, VOCABULARY, build_model


def claims(logit: float) -> tuple[torch.Tensor, torch.Tensor]:
    """A thousand claims of one confidence, of which 731 are right: what a logit of 1 says."""
    return torch.tensor([[logit, 0.0]] * 1000), torch.tensor([0] * 731 + [1] * 269)


@pytest.mark.parametrize("logit", [0.5, 1.0, 2.0])
def test_claims_are_scaled_to_what_is_right(logit: float) -> None:
    assert fit_temperature(*claims(logit)) == pytest.approx(logit, rel=0.01)


def test_no_temperature_nearby_makes_the_labels_likelier() -> None:
    logits, labels = torch.randn(200, 5, generator=torch.Generator().manual_seed(1)), torch.arange(200) % 5
    logits[torch.arange(200), labels] += 1
    best = fit_temperature(logits, labels)
    losses = [float(functional.cross_entropy(logits / t, labels)) for t in (best, 0.8 * best, 1.25 * best)]
    assert min(losses) == losses[0]


def test_a_checkpoint_keeps_its_temperature_and_its_weights(tmp_path: Path) -> None:
    many = [Conversation(f"{n}-{c.conv_id}", c.emotion, "", c.utterances) for n in range(9) for c in CONVERSATIONS]
    write_conversations(many, tmp_path / "data.jsonl")
    save_checkpoint(tmp_path / "sem", build_model(), VOCABULARY)
    before = load_checkpoint(tmp_path / "sem", torch.device("cpu"))[0]
    temperature = calibrate_checkpoint(tmp_path / "sem", tmp_path / "data.jsonl")
    after = load_checkpoint(tmp_path / "sem", torch.device("cpu"))[0]
    assert after.config.temperature == temperature != before.config.temperature
    assert torch.equal(after.head.output.weight, before.head.output.weight)


def test_calibrating_twice_gives_the_same_temperature(tmp_path: Path) -> None:
    many = [Conversation(f"{n}-{c.conv_id}", c.emotion, "", c.utterances) for n in range(9) for c in CONVERSATIONS]
    write_conversations(many, tmp_path / "data.jsonl")
    save_checkpoint(tmp_path / "sem", build_model(), VOCABULARY)
    first = calibrate_checkpoint(tmp_path / "sem", tmp_path / "data.jsonl")
    assert calibrate_checkpoint(tmp_path / "sem", tmp_path / "data.jsonl") == pytest.approx(first, rel=0.01)
