from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from hef_graph.errors import HefInputError
from hef_graph.sem import training
from hef_graph.sem.phases import EmotionPhase
from hef_graph.sem.training import Phase, fingerprint, train
from tests import bombs
from tests.sem.tiny import FAST, build_emotion_examples, build_model

EXAMPLES = build_emotion_examples()


def _emotion_phase(*, seed: int = 0) -> EmotionPhase:
    return EmotionPhase(build_model(seed=seed), FAST, EXAMPLES, EXAMPLES)


class _ScriptedPhase(Phase):
    """One weight that each step moves, and scores from a list."""

    name = "scripted"

    def __init__(self, *scores: float) -> None:
        self.module = self.layer = nn.Linear(1, 1, bias=False)
        self._scores = list(scores)
        self.weights: list[float] = []
        self.modes: list[tuple[bool, bool]] = []
        """Of each step: is the module in training mode, is autocast on."""

    @property
    def steps(self) -> int:
        return len(self.modes)

    def pretrained(self) -> set[int]:
        return set()

    def batches(self, epoch: int) -> list[list[int]]:
        return [[0], [1]]

    def loss(self, batch: Sequence[int]) -> Tensor:
        self.modes.append((self.module.training, torch.is_autocast_enabled("cpu")))
        return self.layer.weight.sum()

    def evaluate(self) -> dict[str, float]:
        self.module.eval()
        self.weights.append(self.layer.weight.item())
        return {"score": self._scores.pop(0)}


def _train_scripted(folder: Path, *scores: float, patience: int) -> tuple[_ScriptedPhase, list[float]]:
    phase = _ScriptedPhase(*scores)
    history = train(phase, replace(FAST, epochs=4, patience=patience), folder)
    return phase, [measures["score"] for measures in history]


def _interrupt(phase: Phase, *, at_step: int) -> None:
    """Let the loss of a step raise what Ctrl-C raises."""
    learn: Callable[[Sequence[int]], Tensor] = phase.loss
    steps = iter(range(1, at_step + 1))

    def loss(batch: Sequence[int]) -> Tensor:
        if next(steps) == at_step:
            raise KeyboardInterrupt
        return learn(batch)

    phase.loss = loss  # type: ignore[method-assign]


def test_the_rate_rises_to_its_peak_then_falls_to_zero() -> None:
    factor = training._warm_then_linear(100, 0.1)
    assert [factor(step) for step in (0, 4, 9, 10, 55, 100)] == pytest.approx([0.1, 0.5, 1.0, 1.0, 0.5, 0.0])


def test_steps_grow_smaller_towards_the_end(tmp_path: Path) -> None:
    phase = _ScriptedPhase(1, 2, 3, 4)
    train(phase, replace(FAST, epochs=4, weight_decay=0.0), tmp_path)
    first, second, third = (old - new for old, new in pairwise(phase.weights))
    assert [second / first, third / first] == pytest.approx([7 / 11, 3 / 11], rel=1e-3)


def test_training_stops_when_patience_runs_out(tmp_path: Path) -> None:
    assert _train_scripted(tmp_path, 1, 3, 2, 2.5, patience=0)[1] == [1, 3, 2]


def test_patience_waits_for_a_late_gain(tmp_path: Path) -> None:
    assert _train_scripted(tmp_path, 2, 1, 3, 2.5, patience=1)[1] == [2, 1, 3, 2.5]


@pytest.mark.parametrize(("scores", "best"), [((1, 3, 2, 2), 1), ((1, 2, 3, 4), 3), ((2, 2, 1, 1), 0)])
def test_the_weights_of_the_best_epoch_are_kept(tmp_path: Path, scores: tuple[float, ...], best: int) -> None:
    phase, _ = _train_scripted(tmp_path, *scores, patience=9)
    assert phase.layer.weight.item() == phase.weights[best]
    assert len(set(phase.weights)) == 4


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    first, history = _train_scripted(tmp_path, 1, 4, 3, 2, patience=9)
    again, same_history = _train_scripted(tmp_path, patience=9)
    assert again.steps == 0
    assert same_history == history
    assert torch.equal(again.layer.weight, first.layer.weight)


@pytest.mark.parametrize("at_step", [2, 5, 8])
def test_a_run_resumed_after_an_interruption_ends_like_an_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_step: int
) -> None:
    monkeypatch.setattr(training, "SAVE_EVERY", 1)
    whole, stopped, resumed = _emotion_phase(), _emotion_phase(), _emotion_phase(seed=9)
    history = train(whole, FAST, tmp_path / "whole")
    _interrupt(stopped, at_step=at_step)
    with pytest.raises(KeyboardInterrupt):
        train(stopped, FAST, tmp_path / "stopped")
    assert train(resumed, FAST, tmp_path / "stopped") == history
    torch.testing.assert_close(resumed.module.state_dict(), whole.module.state_dict(), rtol=0, atol=0)


def test_a_resumed_run_repeats_no_saved_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "SAVE_EVERY", 1)
    stopped, resumed = _ScriptedPhase(1, 2, 3, 4), _ScriptedPhase(2, 3, 4)
    _interrupt(stopped, at_step=4)
    with pytest.raises(KeyboardInterrupt):
        train(stopped, replace(FAST, epochs=4), tmp_path)
    train(resumed, replace(FAST, epochs=4), tmp_path)
    assert stopped.steps + resumed.steps == 8


@pytest.mark.parametrize("change", [{"epochs": 3}, {"learning_rate": 1e-3}, {"seed": 1}, {"precision": "bf16"}])
def test_a_saved_run_with_other_settings_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    train(_ScriptedPhase(1, 2), FAST, tmp_path)
    with pytest.raises(HefInputError, match=r"scripted\.latest\.pt is of a run with other settings"):
        train(_ScriptedPhase(1, 2), replace(FAST, **change), tmp_path)  # type: ignore[arg-type]  # mixed values


def test_a_saved_run_with_other_data_is_refused(tmp_path: Path) -> None:
    train(_ScriptedPhase(1, 2), FAST, tmp_path, data="cats")
    with pytest.raises(HefInputError, match="is of a run with other data; give another folder or delete it"):
        train(_ScriptedPhase(1, 2), FAST, tmp_path, data="dogs")
    assert train(_ScriptedPhase(), FAST, tmp_path, data="cats") == [{"score": 1}, {"score": 2}]


def test_a_run_of_a_version_that_did_not_note_its_data_can_be_resumed(tmp_path: Path) -> None:
    train(_ScriptedPhase(1, 2), FAST, tmp_path)
    state = torch.load(tmp_path / "scripted.latest.pt", weights_only=True)
    del state["data"]
    torch.save(state, tmp_path / "scripted.latest.pt")
    assert train(_ScriptedPhase(), FAST, tmp_path, data="dogs") == [{"score": 1}, {"score": 2}]


values = st.lists(st.text() | st.integers() | st.binary() | st.tuples(st.text()), max_size=3)


@given(values, values)
def test_fingerprints_are_equal_for_equal_values_only(one: list[object], other: list[object]) -> None:
    assert (fingerprint(*one) == fingerprint(*other)) == (one == other)


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    assert fingerprint("made-up", ("sad", 1), b"bytes").startswith("3ac3cd8c")


def test_every_step_is_in_training_mode_though_evaluation_is_not(tmp_path: Path) -> None:
    phase, _ = _train_scripted(tmp_path, 1, 2, 3, 4, patience=9)
    assert [mode for mode, _ in phase.modes] == [True] * 8


@pytest.mark.parametrize(("precision", "autocast"), [("bf16", True), ("fp32", False)])
def test_half_precision_is_used_on_request(
    tmp_path: Path, precision: Literal["bf16", "fp32"], *, autocast: bool
) -> None:
    phase = _ScriptedPhase(1)
    train(phase, replace(FAST, epochs=1, precision=precision), tmp_path)
    assert {mode for _, mode in phase.modes} == {autocast}
    assert phase.layer.weight.dtype == torch.float32


def test_new_parts_learn_at_their_own_rate() -> None:
    phase, config = _emotion_phase(), replace(FAST, learning_rate=1.0, new_learning_rate=2.0)
    rates = {id(p): group["lr"] for group in training._parameter_groups(phase, config) for p in group["params"]}
    assert rates == {id(p): 1.0 if id(p) in phase.pretrained() else 2.0 for p in phase.module.parameters()}


def test_biases_and_norms_do_not_decay() -> None:
    groups = training._parameter_groups(_emotion_phase(), replace(FAST, weight_decay=0.5))
    decays = {(parameter.ndim > 1, group["weight_decay"]) for group in groups for parameter in group["params"]}
    assert decays == {(True, 0.5), (False, 0.0)}


@pytest.mark.parametrize("payload", [bombs.pickled, bombs.torch_saved])
@pytest.mark.parametrize("name", ["scripted.latest.pt", "scripted.best.pt"])
def test_a_pickle_in_the_place_of_a_saved_state_is_refused_and_not_run(
    name: str, payload: Callable[[Path], bytes], tmp_path: Path
) -> None:
    folder, marker = tmp_path / "run", tmp_path / "ran"
    train(_ScriptedPhase(1), replace(FAST, epochs=1), folder)
    (folder / name).write_bytes(payload(marker))
    with pytest.raises(HefInputError, match=rf"{name} is no state of a run .*give another folder or delete it"):
        train(_ScriptedPhase(1), replace(FAST, epochs=1), folder)
    assert not marker.exists()


@pytest.mark.parametrize("content", [b"", b"PK", bytes(1000)])
def test_a_damaged_state_says_what_to_do(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "scripted.latest.pt").write_bytes(content)
    with pytest.raises(HefInputError, match="give another folder or delete it"):
        train(_ScriptedPhase(1), FAST, tmp_path)


def test_a_state_of_another_form_says_what_to_do(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "scripted.latest.pt")
    with pytest.raises(HefInputError, match="is no state of a run; give another folder or delete it"):
        train(_ScriptedPhase(1), FAST, tmp_path)
