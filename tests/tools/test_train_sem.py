import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from hef_graph import create_hef_graph, load_sem
from hef_graph.cli.terminal import end_in_one_line
from hef_graph.corpus import Conversation, contexts_of, set_aside, write_conversations
from hef_graph.sem import TransformerSem, recipe
from hef_graph.types import ReplyGenerator
from tests.fakes import ScriptedModel, reply_json
from tests.runs import say
from tests.sem import tiny
from tests.sem.encoders import write_encoder
from tools import train_sem, train_teacher

OWN = {"afraid": "seasick", "angry": "grumpy", "joyful": "cosy", "sad": "homesick"}
"""Labels that are none of the 32 emotions."""

TALKS = [
    replace(talk, conv_id=f"{number}-{talk.conv_id}", emotion=OWN[talk.emotion])
    for number in range(4)
    for talk in tiny.CONVERSATIONS
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Made-up conversations with labels of their own."""
    write_conversations(TALKS, tmp_path / "my.jsonl")
    return tmp_path / "my.jsonl"


@pytest.fixture
def run(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run the tool on the data and a tiny pretrained encoder, into the folder `run`."""
    tiny.write_minilm(tmp_path / "minilm")
    monkeypatch.setattr(recipe, "SemConfig", tiny.build_recipe_config)
    fixed = ["--data", data, "--output", tmp_path / "run", "--pretrained", tmp_path / "minilm", "--precision", "fp32"]

    def call(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["train_sem", *map(str, [*fixed, *arguments])])
        return end_in_one_line("train_sem", train_sem.main)

    return call


def refused(run: Callable[..., int], capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What the tool says in one line, with code 2."""
    assert run(*arguments) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("train_sem: ")
    return error


def unanswered(talks: Iterable[Conversation]) -> list[Conversation]:
    return [replace(talk, utterances=talk.utterances[:1]) for talk in talks]


def test_a_sem_of_your_own_labels_reads_speaks_and_brings_them_to_the_reply(
    run: Callable[..., int], tmp_path: Path
) -> None:
    assert run("--emotion-epochs", 1, "--reply-epochs", 1) == 0
    sem = load_sem(tmp_path / "run", device="cpu")
    assert sem.labels == tuple(sorted(OWN.values()))
    assert isinstance(sem, ReplyGenerator)
    model = ScriptedModel(answers=[reply_json("homesick", "That is far away.")])
    out = create_hef_graph(model, sem=sem).invoke(say("My dog died."))
    assert out["structured_response"] == {"emotion": "homesick", "response": "That is far away."}
    assert out["degraded_reason"] is None
    assert "one of [cosy, grumpy, homesick, seasick]" in str(model.prompts[0][0].text)
    assert {candidate["label"] for candidate in out["emotion_candidates"]} == set(OWN.values())


def test_an_emotion_that_is_none_of_your_labels_does_not_pass(run: Callable[..., int], tmp_path: Path) -> None:
    run("--emotion-epochs", 1, "--reply-epochs", 0)
    sem = load_sem(tmp_path / "run", device="cpu")
    graph = create_hef_graph(ScriptedModel(answers=[reply_json("sad", "Oh.")] * 3), sem=sem)
    assert graph.invoke(say("My dog died."))["emotion"] in OWN.values()


def test_settings_and_measures_are_printed_and_written(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--emotion-epochs", 2, "--reply-epochs", 0)
    written = json.loads((tmp_path / "run" / "training.json").read_text())
    assert json.loads(capsys.readouterr().out) == written
    assert len(written["history"]["emotion"]) == 2
    assert written["recipe"]["emotion"]["learning_rate"] == pytest.approx(1.2e-4)


def test_labelled_texts_without_answers_are_enough_for_a_sem_that_only_reads(
    run: Callable[..., int], data: Path, tmp_path: Path
) -> None:
    write_conversations(unanswered(TALKS), data)
    assert run("--emotion-epochs", 1, "--reply-epochs", 0) == 0
    sem = load_sem(tmp_path / "run", device="cpu")
    assert not isinstance(sem, TransformerSem) or sem._model.decoder is None
    assert sem.analyze([["my dog died"]])[0].emotions[0].label in OWN.values()


def test_texts_without_answers_say_how_to_go_on(
    run: Callable[..., int], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_conversations(unanswered(TALKS), data)
    assert refused(run, capsys).endswith("give more of them, or --reply-epochs 0 for a SEM that only reads")


def test_a_label_only_among_those_set_aside_can_be_named(run: Callable[..., int], data: Path, tmp_path: Path) -> None:
    kept, aside = set_aside(TALKS)
    write_conversations([*kept, *(replace(talk, emotion="wistful") for talk in aside)], data)
    assert run("--emotion-epochs", 1, "--reply-epochs", 0) == 0
    assert "wistful" in load_sem(tmp_path / "run", device="cpu").labels


def test_two_conversations_are_enough(run: Callable[..., int], data: Path) -> None:
    write_conversations(TALKS[2:4], data)
    assert run("--emotion-epochs", 1, "--reply-epochs", 1) == 0


@pytest.mark.parametrize(
    ("talks", "message"),
    [
        ([replace(talk, emotion="grumpy") for talk in TALKS], "all conversations have the label 'grumpy'"),
        (TALKS[:1], "1 conversations cannot be split"),
        ([replace(talk, utterances=()) for talk in TALKS], "has a text"),
        ([], "holds no conversations"),
    ],
)
def test_data_that_teach_nothing_are_refused_in_one_line(
    run: Callable[..., int],
    data: Path,
    capsys: pytest.CaptureFixture[str],
    talks: list[Conversation],
    message: str,
) -> None:
    write_conversations(talks, data)
    assert message in refused(run, capsys)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--emotion-epochs", 0), "give at least 1, or --start"),
        (("--emotion-epochs", 0, "--reply-epochs", 0), "there is nothing to train"),
        (("--start", "nowhere"), "no such file: nowhere/config.json"),
        (("--teacher", "nowhere"), "nowhere cannot be read as a teacher's soft labels"),
        (("--pretrained", "nowhere"), "no model.safetensors in nowhere"),
        (("--device", "toaster"), "device is 'toaster'"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused_in_one_line(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...], message: str
) -> None:
    assert message in refused(run, capsys, *arguments)


@pytest.mark.parametrize("epochs", ["-1", "1.5", "many"])
def test_epochs_are_whole_numbers(run: Callable[..., int], epochs: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--emotion-epochs", epochs)
    assert f"'{epochs}' is not a whole number from 0 on" in capsys.readouterr().err


def test_the_folder_of_a_run_with_other_data_is_refused_in_one_line(
    run: Callable[..., int], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--emotion-epochs", 1, "--reply-epochs", 0)
    write_conversations(TALKS[:-1], data)
    message = refused(run, capsys, "--emotion-epochs", 1, "--reply-epochs", 0)
    assert message.endswith("emotion.latest.pt is of a run with other data; give another folder or delete it")


def test_a_run_with_other_settings_is_refused_in_one_line(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    run("--emotion-epochs", 1, "--reply-epochs", 0)
    assert "other settings" in refused(run, capsys, "--emotion-epochs", 2, "--reply-epochs", 0)


def test_a_sem_goes_on_from_a_checkpoint_with_a_teacher(
    run: Callable[..., int], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("--emotion-epochs", 1, "--reply-epochs", 1) == 0
    flags = ["--data", data, "--encoder", write_encoder(tmp_path / "encoder"), "--output", tmp_path / "teacher"]
    monkeypatch.setattr(sys, "argv", ["train_teacher", *map(str, flags), "--precision", "fp32"])
    assert train_teacher.main() == 0
    better = ["--start", tmp_path / "run", "--teacher", tmp_path / "teacher" / "soft_labels.safetensors"]
    assert run(*better, "--output", tmp_path / "better", "--reply-epochs", 1) == 0
    report = json.loads((tmp_path / "better" / "training.json").read_text())
    assert report["recipe"]["emotion"]["teacher_weight"] == pytest.approx(0.7)
    assert [len(report["history"][phase]) for phase in ("emotion", "reply")] == [3, 1]
    first, second = (load_sem(tmp_path / folder, device="cpu") for folder in ("run", "better"))
    assert first.labels == second.labels
    texts = [context.turns for context in contexts_of(TALKS[:3])]
    assert first.analyze(texts) != second.analyze(texts)


def test_replies_alone_can_be_learned_anew_from_a_checkpoint(run: Callable[..., int], tmp_path: Path) -> None:
    run("--emotion-epochs", 1, "--reply-epochs", 1)
    again = ["--start", tmp_path / "run", "--output", tmp_path / "again", "--emotion-epochs", 0, "--reply-epochs", 1]
    assert run(*again) == 0
    first, second = (load_sem(tmp_path / folder, device="cpu") for folder in ("run", "again"))
    assert first.analyze([["my dog died"]]) == second.analyze([["my dog died"]])
