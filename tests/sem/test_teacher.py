import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from hef_graph.corpus import Context, contexts_of, set_aside, write_conversations
from hef_graph.emotions import EMOTIONS
from hef_graph.errors import HefCheckpointError, HefInputError
from hef_graph.sem import teacher
from hef_graph.sem.soft_labels import read_soft_labels
from hef_graph.sem.teacher import FILE, Teacher, TeacherExample, TeacherPhase, TeacherRecipe, train_teacher
from hef_graph.sem.training import train
from tests.sem.encoders import SPECIAL, build_tokenizer, write_encoder
from tests.sem.tiny import CONVERSATIONS, FAST, LABELS, PIECES

KEPT, ASIDE = set_aside(CONVERSATIONS)
QUICK = replace(FAST, epochs=1)


@pytest.fixture(params=["bert", "mpnet"])
def encoder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with a tiny random encoder."""
    return write_encoder(tmp_path / "encoder", request.param)


@pytest.fixture
def plan(tmp_path: Path) -> TeacherRecipe:
    write_conversations(CONVERSATIONS, tmp_path / "data.jsonl")
    folder = write_encoder(tmp_path / "encoder")
    return TeacherRecipe(tmp_path / "data.jsonl", folder, tmp_path / "run", QUICK, frozen_layers=1)


def build_teacher(folder: Path) -> Teacher:
    torch.manual_seed(0)
    return Teacher(teacher._load_encoder(folder)[0], len(LABELS)).eval()


def encode(*contexts: Context, max_tokens: int = 96) -> list[TeacherExample]:
    return teacher._encode(contexts, build_tokenizer(), LABELS, max_tokens)


def say(*turns: str, emotion: str = "sad") -> Context:
    return Context("made-up", emotion, turns, "")


def build_phase(folder: Path, **changes: Any) -> TeacherPhase:
    examples = encode(*contexts_of(CONVERSATIONS))
    return TeacherPhase(build_teacher(folder), replace(FAST, **changes), examples, examples, 0)


def read(example: TeacherExample) -> list[str]:
    return [[*SPECIAL, *PIECES][index] for index in example.ids]


def test_turns_stand_between_separators() -> None:
    [example] = encode(say("my dog", "oh no", "yes"))
    assert read(example) == "<s> my dog </s> </s> oh no </s> </s> yes </s>".split()
    assert example.label == LABELS.index("sad")


def test_a_text_that_is_too_long_keeps_its_start_token_and_its_end() -> None:
    [example] = encode(say("my dog died", "oh no", "yes"), max_tokens=5)
    assert read(example) == "<s> </s> </s> yes </s>".split()


def test_padding_does_not_change_the_logits(encoder: Path) -> None:
    phase = build_phase(encoder)
    alone = torch.cat([phase.predict([example]) for example in phase._examples])
    torch.testing.assert_close(phase.predict(phase._examples), alone, rtol=0, atol=1e-5)


def test_predictions_come_in_the_order_given(encoder: Path) -> None:
    phase = build_phase(encoder)
    forwards, backwards = phase.predict(phase._examples), phase.predict(phase._examples[::-1])
    torch.testing.assert_close(forwards, backwards.flip(0), rtol=0, atol=1e-5)
    assert len({tuple(row) for row in forwards.tolist()}) == len(phase._examples)


def test_the_embeddings_and_the_lowest_layers_can_be_frozen(encoder: Path) -> None:
    student = build_teacher(encoder)
    student.freeze(1)
    frozen = {name for name, parameter in student.encoder.named_parameters() if not parameter.requires_grad}
    assert any(name.startswith("embeddings.word_embeddings") for name in frozen)
    assert {name.split(".")[2] for name in frozen if name.startswith("encoder.layer.")} == {"0"}
    assert all(parameter.requires_grad for parameter in student.output.parameters())


def test_frozen_layers_are_not_learned_and_the_others_are(encoder: Path, tmp_path: Path) -> None:
    phase, before = build_phase(encoder), build_teacher(encoder).state_dict()
    phase.module.freeze(1)
    train(phase, FAST, tmp_path)
    changed = {name for name, new in phase.module.state_dict().items() if not new.equal(before[name])}
    assert not any("embeddings" in name or "layer.0." in name for name in changed)
    assert any("layer.1." in name for name in changed)
    assert "output.weight" in changed


def test_the_labels_of_a_handful_of_texts_can_be_learned_by_heart(encoder: Path, tmp_path: Path) -> None:
    phase = build_phase(encoder)
    history = train(phase, replace(FAST, epochs=40, patience=40, learning_rate=1e-2, new_learning_rate=2e-2), tmp_path)
    assert max(measures["acc_1"] for measures in history) >= 90


def test_every_kept_context_and_situation_gets_a_soft_label_and_nothing_set_aside_does(plan: TeacherRecipe) -> None:
    [measures] = train_teacher(plan)
    known = read_soft_labels(plan.output / FILE, EMOTIONS)
    assert all(known.of(context.turns) is not None for context in contexts_of(KEPT))
    assert all(known.of((conversation.situation,)) is not None for conversation in KEPT)
    assert all(known.of(context.turns) is None for context in contexts_of(ASIDE))
    assert {"acc_1", "score"} <= measures.keys()


def test_long_contexts_are_predicted_but_not_learned(plan: TeacherRecipe, monkeypatch: pytest.MonkeyPatch) -> None:
    learned: list[TeacherExample] = []

    def note(phase: TeacherPhase, *_: object, **__: object) -> list[object]:
        learned.extend(phase._examples)
        return []

    monkeypatch.setattr(teacher, "train", note)
    plan.output.mkdir()
    train_teacher(replace(plan, longest=1))
    assert {len(example.turns) for example in learned} == {1}
    longest = max(contexts_of(KEPT), key=lambda context: len(context.turns))
    assert read_soft_labels(plan.output / FILE, EMOTIONS).of(longest.turns) is not None


def test_the_soft_labels_are_those_of_the_best_epoch(plan: TeacherRecipe) -> None:
    train_teacher(plan)
    state = torch.load(plan.output / "teacher.best.pt", weights_only=True)
    best = Teacher(teacher._load_encoder(plan.encoder)[0], len(EMOTIONS))
    best.load_state_dict(state)
    context = contexts_of(KEPT)[0]
    phase = TeacherPhase(best, QUICK, [], [], 0)
    found = read_soft_labels(plan.output / FILE, EMOTIONS).of(context.turns)
    [expected] = phase.predict(teacher._encode([context], build_tokenizer(), EMOTIONS, 96))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("change", [{"max_tokens": 50}, {"longest": 1}, {"frozen_layers": 0}])
def test_other_settings_in_the_same_folder_are_refused(plan: TeacherRecipe, change: dict[str, int]) -> None:
    train_teacher(plan)
    with pytest.raises(HefInputError, match="is of a run with other data"):
        train_teacher(replace(plan, **change))  # type: ignore[arg-type]  # whole numbers


def test_one_label_is_refused(plan: TeacherRecipe) -> None:
    write_conversations([replace(conversation, emotion="sad") for conversation in CONVERSATIONS], plan.data)
    with pytest.raises(HefInputError, match="all conversations have the label 'sad'"):
        train_teacher(plan)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_file_of_the_encoder_is_named(plan: TeacherRecipe, name: str) -> None:
    (plan.encoder / name).unlink()
    with pytest.raises(HefCheckpointError, match=rf"no {name} in .*encoder; give the folder of a Hugging Face encoder"):
        train_teacher(plan)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_damaged_file_of_the_encoder_is_refused(plan: TeacherRecipe, name: str) -> None:
    (plan.encoder / name).write_bytes(b"{}" if name != "model.safetensors" else b"pickle")
    with pytest.raises(HefCheckpointError, match="encoder cannot be read as a Hugging Face encoder"):
        train_teacher(plan)


def test_a_tokenizer_without_separator_is_refused(plan: TeacherRecipe) -> None:
    path = plan.encoder / "tokenizer_config.json"
    kept = {key: value for key, value in json.loads(path.read_text()).items() if key != "sep_token"}
    path.write_text(json.dumps(kept))
    with pytest.raises(HefCheckpointError, match="lacks a token to start, end or pad with"):
        train_teacher(plan)
