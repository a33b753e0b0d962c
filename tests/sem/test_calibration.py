from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from hef_graph.corpus import Conversation, contexts_of
from hef_graph.errors import HefInputError
from hef_graph.sem.calibration import (
    COVERAGES,
    calibrate_checkpoint,
    conformal_thresholds,
    fit_temperature,
    measure_ranges,
)
from hef_graph.sem.checkpoint import load_checkpoint
from hef_graph.sem.config import LAYER_RANGES, SemConfig
from hef_graph.sem.dataset import as_turns
from hef_graph.sem.domain import fit_limits
from hef_graph.sem.inference import TransformerSem, load_transformer_sem
from hef_graph.sem.modeling import EmpatheticModel
from hef_graph.sem.quantization import can_quantise
from tests.sem.tiny import CONVERSATIONS, VOCABULARY, build_tokenizer

CPU = torch.device("cpu")
MANY = [replace(c, conv_id=f"{n}-{c.conv_id}") for n in range(9) for c in CONVERSATIONS]


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


def test_a_threshold_is_a_probability_that_few_right_emotions_fall_below() -> None:
    right = [number / 100 for number in range(1, 100)]
    assert conformal_thresholds(right, (0.9, 0.5, 0.999)) == ((0.5, 0.5), (0.9, 0.1), (0.999, 0.0))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200), st.floats(0.01, 0.99))
def test_a_threshold_leaves_out_no_more_calibration_cases_than_promised(right: list[float], coverage: float) -> None:
    [(_, least)] = conformal_thresholds(right, [coverage])
    missed = sum(probability < least for probability in right)
    assert missed <= (1 - coverage) * (len(right) + 1) + 1e-9


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50, unique_by=lambda number: round(number, 5)))
def test_without_ties_a_higher_threshold_would_leave_out_too_many(right: list[float]) -> None:
    [(_, least)] = conformal_thresholds(right, [0.8])
    missed = sum(probability <= least + 1e-6 for probability in right)
    assert missed > 0.2 * (len(right) + 1) - 1


def test_thresholds_fall_as_coverage_rises() -> None:
    right = torch.rand(500, generator=torch.Generator().manual_seed(2)).tolist()
    pairs = conformal_thresholds(right, COVERAGES[::-1])
    assert [coverage for coverage, _ in pairs] == list(COVERAGES)
    assert [least for _, least in pairs] == sorted((least for _, least in pairs), reverse=True)


def test_new_cases_are_covered_as_promised() -> None:
    random = torch.Generator().manual_seed(3)
    covered = []
    for _ in range(300):
        known, new = torch.rand(40, generator=random).tolist(), float(torch.rand(1, generator=random))
        covered.append(new >= conformal_thresholds(known, [0.9])[0][1])
    assert sum(covered) / len(covered) == pytest.approx(0.9, abs=0.05)


@pytest.fixture
def calibrated(checkpoint: Path) -> SemConfig:
    """What an untrained SEM's config says after calibration; the folder holds the same."""
    return calibrate_checkpoint(checkpoint, MANY, CONVERSATIONS)


def test_a_checkpoint_keeps_its_weights_and_gets_temperature_thresholds_and_limits(
    checkpoint: Path, model: EmpatheticModel, calibrated: SemConfig
) -> None:
    loaded = load_checkpoint(checkpoint, CPU)[0]
    assert loaded.config == calibrated
    assert calibrated.temperature != model.config.temperature
    assert [coverage for coverage, _ in calibrated.thresholds] == list(COVERAGES)
    assert torch.equal(loaded.head.output.weight, model.head.output.weight.half().float())


def test_the_limits_are_those_of_the_learned_texts_and_their_vocabulary(calibrated: SemConfig) -> None:
    texts = [build_tokenizer().encode(as_turns(context.turns)).spoken for context in contexts_of(CONVERSATIONS)]
    assert calibrated.rarity == fit_limits(VOCABULARY, texts)
    assert len(calibrated.rarity) == 4


def test_thresholds_are_of_the_probabilities_after_the_temperature(checkpoint: Path, calibrated: SemConfig) -> None:
    sem = TransformerSem("tiny", load_checkpoint(checkpoint, CPU)[0], build_tokenizer(), CPU)
    contexts = contexts_of(MANY)
    analyses = sem.analyze([as_turns(context.turns) for context in contexts])
    right = [
        next(score.probability for score in analysis.emotions if score.label == context.emotion)
        for analysis, context in zip(analyses, contexts, strict=True)
    ]
    found, expected = calibrated.thresholds, conformal_thresholds(right, COVERAGES)
    assert [least for _, least in found] == pytest.approx([least for _, least in expected], abs=1e-4)


def test_calibrating_twice_gives_the_same_temperature_and_thresholds(checkpoint: Path, calibrated: SemConfig) -> None:
    again = calibrate_checkpoint(checkpoint, MANY, CONVERSATIONS)
    assert again.temperature == pytest.approx(calibrated.temperature, rel=0.01)
    for (_, found), (_, expected) in zip(again.thresholds, calibrated.thresholds, strict=True):
        assert found == pytest.approx(expected, abs=5e-3)


def test_texts_that_nobody_answered_can_be_calibrated_on(checkpoint: Path) -> None:
    alone = [replace(conversation, utterances=conversation.utterances[:1]) for conversation in CONVERSATIONS]
    config = calibrate_checkpoint(checkpoint, alone, alone)
    assert len(config.thresholds) == len(COVERAGES)
    assert config.rarity


def test_the_ranges_for_8_bits_are_measured_and_let_the_sem_be_read_in_them(
    checkpoint: Path, calibrated: SemConfig
) -> None:
    assert len(calibrated.activation_ranges) == LAYER_RANGES * calibrated.encoder_layers + 1
    assert all(least < greatest for least, greatest in calibrated.activation_ranges)
    assert load_transformer_sem(checkpoint, "cpu").precision == ("int8" if can_quantise() else "fp32")


def test_a_range_is_what_most_texts_stay_within(model: EmpatheticModel) -> None:
    texts = [build_tokenizer().encode(as_turns(context.turns)) for context in contexts_of(CONVERSATIONS)]
    seen: list[float] = []
    layer: Any = model.encoder.layers[0]
    hook = layer.attention.query.register_forward_pre_hook(lambda _, given: seen.append(float(given[0].max())))
    (_, greatest), *_ = measure_ranges(model.eval(), texts)
    hook.remove()
    assert len(seen) == len(texts)
    assert greatest == pytest.approx(median(seen), abs=1e-3)
    assert not layer.attention.query._forward_pre_hooks


@pytest.mark.parametrize("held", [[], [Conversation("made-up", "sad", "", ())]])
def test_nothing_to_calibrate_on_is_refused(checkpoint: Path, held: list[Conversation]) -> None:
    before = (checkpoint / "config.json").read_text()
    with pytest.raises(HefInputError, match="no text to calibrate on"):
        calibrate_checkpoint(checkpoint, held, CONVERSATIONS)
    assert (checkpoint / "config.json").read_text() == before


def test_emotions_that_the_sem_does_not_know_are_refused(checkpoint: Path) -> None:
    with pytest.raises(HefInputError, match=r"does not know: \['bored'\]"):
        calibrate_checkpoint(checkpoint, [Conversation("made-up", "bored", "", ("nothing to do",))], [])


def test_without_learned_texts_every_text_is_in_domain(checkpoint: Path) -> None:
    assert calibrate_checkpoint(checkpoint, MANY, []).rarity == ()
