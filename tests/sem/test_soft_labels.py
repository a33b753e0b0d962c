import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch.nn import functional

from hef_graph.errors import HefInputError
from hef_graph.sem.soft_labels import (
    SoftLabels,
    distillation_loss,
    read_soft_labels,
    text_key,
    write_soft_labels,
)

LABELS = ("calm", "cross")
TEXTS = [("the kettle sings",), ("the kettle sings", "nice", "it woke me"), ("who ate my soup ?",)]
LOGITS = torch.tensor([[1.0, -1.0], [0.5, 2.0], [-3.0, 4.0]])

dialogues = st.lists(st.text(st.characters(exclude_characters="\x1f")), min_size=1, max_size=4)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_soft_labels(tmp_path / "soft.safetensors", TEXTS, LOGITS, LABELS)
    return tmp_path / "soft.safetensors"


def test_every_text_finds_its_own_logits_in_any_order(file: Path) -> None:
    known = read_soft_labels(file, LABELS)
    found = [known.of(turns) for turns in reversed(TEXTS)]
    assert torch.equal(torch.stack([row for row in found if row is not None]), LOGITS.flip(0))
    assert len(known) == len(TEXTS)


def test_a_text_that_the_teacher_did_not_see_has_none(file: Path) -> None:
    assert read_soft_labels(file, LABELS).of(("the kettle sings", "nice")) is None


def test_of_equal_texts_the_last_one_counts(tmp_path: Path) -> None:
    write_soft_labels(tmp_path / "soft.safetensors", [TEXTS[0], TEXTS[0]], LOGITS[:2], LABELS)
    found = read_soft_labels(tmp_path / "soft.safetensors", LABELS).of(TEXTS[0])
    assert found is not None
    assert torch.equal(found, LOGITS[1])


def test_the_file_holds_no_text(file: Path) -> None:
    assert b"kettle" not in file.read_bytes()


def test_logits_are_kept_in_two_bytes_each(tmp_path: Path) -> None:
    sizes = []
    for count in (100, 200):
        path = tmp_path / f"{count}.safetensors"
        write_soft_labels(path, [(str(n),) for n in range(count)], torch.zeros(count, 2), LABELS)
        sizes.append(path.stat().st_size)
    assert sizes[1] - sizes[0] == pytest.approx(100 * (8 + 2 * 2), abs=8)


@given(dialogues, dialogues)
def test_dialogues_share_a_key_only_if_they_are_the_same(one: list[str], other: list[str]) -> None:
    assert (text_key(one) == text_key(other)) == (one == other)
    assert 0 <= text_key(one) < 2**63


@pytest.mark.parametrize("other", [("ab",), ("a b",), ("b", "a"), ("a", "b", "")])
def test_where_a_turn_ends_matters(other: tuple[str, ...]) -> None:
    assert text_key(("a", "b")) != text_key(other)


def test_a_lone_surrogate_has_a_key_too() -> None:
    assert text_key(("\ud800",)) != text_key(("\ud801",))


@pytest.mark.parametrize("labels", [("cross", "calm"), ("calm",), ("calm", "cross", "sad")])
def test_other_labels_are_refused(file: Path, labels: tuple[str, ...]) -> None:
    with pytest.raises(HefInputError, match=r"are for \['calm', 'cross'\], not for"):
        read_soft_labels(file, labels)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match=r"nowhere\.safetensors cannot be read as a teacher's soft labels"):
        read_soft_labels(tmp_path / "nowhere.safetensors", LABELS)


@pytest.mark.parametrize("content", [b"", b"not tensors at all, only text"])
def test_another_kind_of_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.safetensors").write_bytes(content)
    with pytest.raises(HefInputError, match="cannot be read as a teacher's soft labels"):
        read_soft_labels(tmp_path / "odd.safetensors", LABELS)


@pytest.mark.parametrize(
    ("tensors", "labels"),
    [
        ({"logits": LOGITS}, json.dumps(LABELS)),
        ({"keys": torch.zeros(3, dtype=torch.int64)}, json.dumps(LABELS)),
        ({"keys": torch.zeros(3, dtype=torch.int64), "logits": LOGITS}, "calm, cross"),
        ({"keys": torch.zeros(5, dtype=torch.int64), "logits": LOGITS}, json.dumps(LABELS)),
        ({"keys": torch.zeros(3, dtype=torch.int64), "logits": LOGITS.mT.contiguous()}, json.dumps(LABELS)),
    ],
)
def test_tensors_of_another_make_are_refused(tmp_path: Path, tensors: dict[str, torch.Tensor], labels: str) -> None:
    save_file(tensors, tmp_path / "odd.safetensors", metadata={"labels": labels})
    with pytest.raises(HefInputError, match=r"odd\.safetensors"):
        read_soft_labels(tmp_path / "odd.safetensors", LABELS)


def test_a_row_is_found_by_its_key() -> None:
    found = SoftLabels([text_key(("b",)), text_key(("a",))], LOGITS[:2]).of(("a",))
    assert found is not None
    assert torch.equal(found, LOGITS[1])


def test_a_teacher_that_is_certain_is_a_hard_label() -> None:
    teacher = torch.tensor([[0.0, 99.0], [99.0, 0.0]])
    torch.testing.assert_close(
        distillation_loss(LOGITS[:2], teacher, 1.0), functional.cross_entropy(LOGITS[:2], torch.tensor([1, 0]))
    )


@given(st.floats(0.5, 5), st.lists(st.floats(-5, 5), min_size=3, max_size=3))
def test_a_student_that_agrees_has_nothing_to_learn(temperature: float, logits: list[float]) -> None:
    student = torch.tensor([logits], dtype=torch.float64, requires_grad=True)
    loss = distillation_loss(student, student.detach().clone(), temperature)
    [gradient] = torch.autograd.grad(loss, student)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), atol=1e-8, rtol=0)


def test_a_constant_added_to_the_teachers_logits_changes_nothing() -> None:
    torch.testing.assert_close(
        distillation_loss(LOGITS, LOGITS.flip(0) + 7, 2.0), distillation_loss(LOGITS, LOGITS.flip(0), 2.0)
    )


def test_the_gradient_of_small_logits_does_not_depend_on_the_temperature() -> None:
    student, teacher = 0.01 * LOGITS, 0.01 * LOGITS.flip(0)
    gradients = []
    for temperature in (1.0, 4.0):
        source = student.clone().requires_grad_()
        gradients.append(torch.autograd.grad(distillation_loss(source, teacher, temperature), source)[0])
    torch.testing.assert_close(gradients[0], gradients[1], rtol=0.05, atol=1e-6)
