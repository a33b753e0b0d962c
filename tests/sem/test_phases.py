from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hef_graph.sem import phases
from hef_graph.sem.modeling import EmpatheticModel
from hef_graph.sem.phases import EmotionPhase, ReplyPhase, gather_logits, predict_logits
from hef_graph.sem.soft_labels import distillation_loss
from hef_graph.sem.tokenization import NOTHING
from hef_graph.sem.training import Phase, TrainingConfig, train
from tests.sem.tiny import CONFIG, FAST, build_emotion_examples, build_model, build_reply_examples

EMOTION_EXAMPLES = build_emotion_examples()
REPLY_EXAMPLES = build_reply_examples()
CPU = torch.device("cpu")


def _emotion_phase(model: EmpatheticModel, config: TrainingConfig = FAST) -> EmotionPhase:
    return EmotionPhase(model, config, EMOTION_EXAMPLES, EMOTION_EXAMPLES)


def _reply_phase(model: EmpatheticModel, config: TrainingConfig = FAST) -> ReplyPhase:
    return ReplyPhase(model, config, REPLY_EXAMPLES, REPLY_EXAMPLES)


def test_emotions_of_a_handful_of_dialogues_can_be_learned_by_heart(tmp_path: Path) -> None:
    history = train(_emotion_phase(build_model()), replace(FAST, epochs=12, patience=12), tmp_path)
    assert max(measures["acc_1"] for measures in history) == 100


def test_replies_of_a_handful_of_dialogues_can_be_learned_by_heart(tmp_path: Path) -> None:
    history = train(_reply_phase(build_model()), replace(FAST, epochs=25, patience=25), tmp_path)
    assert min(measures["nll"] for measures in history) < history[0]["nll"] / 2


def test_learning_to_reply_leaves_the_encoder_as_it_is(tmp_path: Path) -> None:
    model, untouched = build_model(), build_model()
    train(_reply_phase(model), FAST, tmp_path)
    torch.testing.assert_close(model.encoder.state_dict(), untouched.encoder.state_dict(), rtol=0, atol=0)


def test_learning_emotions_leaves_the_decoder_as_it_is(tmp_path: Path) -> None:
    model, untouched = build_model(), build_model()
    train(_emotion_phase(model), FAST, tmp_path)
    before, after = untouched.state_dict(), model.state_dict()
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"encoder", "pooling", "head"}


def test_the_same_seed_gives_the_same_history_whatever_was_drawn_before(tmp_path: Path) -> None:
    histories = []
    for drawn in (1, 2):
        phase = _reply_phase(build_model(replace(CONFIG, dropout=0.5)))
        torch.manual_seed(drawn)
        histories.append(train(phase, replace(FAST, epochs=1), tmp_path / str(drawn)))
    assert histories[0] == histories[1]


def test_accuracy_counts_how_often_the_label_is_among_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    logits, labels = torch.tensor([[3.0, 2, 1, 0]] * 4), torch.tensor([0, 1, 2, 3])
    monkeypatch.setattr(phases, "predict_logits", lambda *arguments: (logits, labels))
    measures = _emotion_phase(build_model()).evaluate()
    assert [measures[name] for name in ("acc_1", "acc_3", "acc_10", "score")] == [25, 75, 100, 25]


def test_predictions_come_in_the_order_given(model: EmpatheticModel) -> None:
    logits, labels = gather_logits(lambda batch: model(*batch).logits, EMOTION_EXAMPLES, CPU, batch_size=3)
    alone = [predict_logits(model, [example], CPU)[0][0] for example in EMOTION_EXAMPLES]
    torch.testing.assert_close(logits, torch.stack(alone), rtol=0, atol=1e-5)
    assert labels.tolist() == [example.label for example in EMOTION_EXAMPLES]


@pytest.mark.parametrize("make", [_emotion_phase, _reply_phase])
def test_evaluation_is_without_dropout(make: Callable[[EmpatheticModel], Phase]) -> None:
    phase = make(build_model(replace(CONFIG, dropout=0.5)))
    phase.module.train()
    assert phase.evaluate() == phase.evaluate()


def test_a_hidden_history_reads_as_no_dialogue_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    first = [example for example in REPLY_EXAMPLES if sum(example.dialogue.roles) == 0]
    blank = [replace(example, dialogue=NOTHING) for example in first]
    batch, model = range(len(first)), build_model()
    monkeypatch.setattr(ReplyPhase, "HIDDEN", 1.0)
    hidden = ReplyPhase(model, FAST, first, first).loss(batch)
    monkeypatch.setattr(ReplyPhase, "HIDDEN", 0.0)
    torch.testing.assert_close(hidden, ReplyPhase(model, FAST, blank, blank).loss(batch))
    assert abs(hidden - ReplyPhase(model, FAST, first, first).loss(batch)) > 1e-3


def test_histories_are_hidden_in_training_but_not_in_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    phase, shown = _reply_phase(build_model()), _reply_phase(build_model()).evaluate()
    monkeypatch.setattr(ReplyPhase, "HIDDEN", 1.0)
    assert phase.evaluate() == shown


def test_the_nll_of_replies_is_a_mean_over_tokens(model: EmpatheticModel) -> None:
    short, long = sorted(REPLY_EXAMPLES, key=lambda example: len(example.reply))[:: len(REPLY_EXAMPLES) - 1]
    nll = {size: ReplyPhase(model, FAST, [], aside).evaluate()["nll"] for size, aside in ((1, [short]), (2, [long]))}
    tokens = (len(short.reply), len(long.reply))
    both = ReplyPhase(model, FAST, [], [short, long]).evaluate()["nll"]
    assert both == pytest.approx((nll[1] * tokens[0] + nll[2] * tokens[1]) / sum(tokens), rel=1e-4)


def test_a_model_without_decoder_cannot_learn_to_reply() -> None:
    with pytest.raises(AssertionError, match="without decoder"):
        _reply_phase(build_model(replace(CONFIG, decoder_layers=0)))


def test_each_epoch_shuffles_anew_and_each_time_alike() -> None:
    phase = _emotion_phase(build_model())
    assert phase.batches(0) == phase.batches(0)
    assert phase.batches(0) != phase.batches(1)


def test_only_the_encoder_is_pretrained_when_emotions_are_learned() -> None:
    model = build_model()
    assert _emotion_phase(model).pretrained() == {id(parameter) for parameter in model.encoder.parameters()}


def test_the_emotion_loss_smooths_its_labels() -> None:
    config = replace(FAST, label_smoothing=1.0)
    phase = _emotion_phase(build_model(), config)
    logits, _ = predict_logits(build_model(), EMOTION_EXAMPLES[:2], CPU)
    torch.testing.assert_close(phase.loss([0, 1]), -torch.log_softmax(logits, dim=-1).mean())


def _teach(share: float, *rows: int) -> EmotionPhase:
    """A phase whose examples `rows` know what a teacher thinks."""
    logits = torch.randn(len(EMOTION_EXAMPLES), 4, generator=torch.Generator().manual_seed(5))
    examples = [replace(e, teacher=logits[n] if n in rows else None) for n, e in enumerate(EMOTION_EXAMPLES)]
    config = replace(FAST, teacher_weight=share, teacher_temperature=3.0)
    return EmotionPhase(build_model(), config, examples, EMOTION_EXAMPLES)


def _teacher_loss(*rows: int) -> torch.Tensor:
    """What the student `build_model()` has to learn from the teacher of `_teach` on these examples."""
    logits, _ = predict_logits(build_model(), [EMOTION_EXAMPLES[row] for row in rows], CPU)
    teacher = torch.stack(
        [example.teacher for row in rows if (example := _teach(1, row)._examples[row]).teacher is not None]
    )
    return distillation_loss(logits, teacher, 3.0)


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_the_teacher_counts_for_its_share_and_the_label_for_the_rest(share: float) -> None:
    expected = share * _teacher_loss(0, 1, 2) + (1 - share) * _teach(0.0, 0, 1, 2).loss([0, 1, 2])
    torch.testing.assert_close(_teach(share, 0, 1, 2).loss([0, 1, 2]), expected)


def test_only_the_examples_that_the_teacher_saw_are_learned_from_it() -> None:
    torch.testing.assert_close(_teach(1.0, 1, 2).loss([0, 1, 2, 3]), _teacher_loss(1, 2))


def test_a_batch_that_the_teacher_did_not_see_has_no_teacher_loss_but_gradients() -> None:
    loss = _teach(1.0).loss([0, 1])
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert loss.item() == 0


def test_a_teacher_can_be_learned_by_heart_against_the_labels(tmp_path: Path) -> None:
    teacher = [torch.eye(4)[number % 4] * 9 for number in range(len(EMOTION_EXAMPLES))]
    examples = [replace(e, teacher=row) for e, row in zip(EMOTION_EXAMPLES, teacher, strict=True)]
    aside = [replace(e, label=number % 4) for number, e in enumerate(EMOTION_EXAMPLES)]
    config = replace(FAST, epochs=25, patience=25, teacher_weight=1.0)
    history = train(EmotionPhase(build_model(), config, examples, aside), config, tmp_path)
    assert max(measures["acc_1"] for measures in history) >= 90


def test_all_but_cross_attention_is_pretrained_when_replies_are_learned() -> None:
    phase = _reply_phase(build_model())
    old = phase.pretrained()
    assert {name.split(".")[2] for name, p in phase.module.named_parameters() if id(p) not in old} == {
        "cross_attention"
    }
