import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.corpus import contexts_of, read_conversations, set_aside
from hef_graph.sem import load_sem
from tools import train_heads

TEXTS = ["my friend lied about the bike", "a wolf broke my window", "the storm stole the baby", "we lost the old ring"]


@pytest.fixture
def reccon(tmp_path: Path) -> Path:
    """Made-up dialogues in RECCON's form: a plain turn, then one whose last two words are marked."""
    path = tmp_path / "reccon.jsonl"
    rows = []
    for number, text in enumerate(TEXTS * 2):
        plain = {"speaker": "B", "text": "who did that ?", "emotion": "neutral", "cause_turns": [], "cause_spans": []}
        span = " ".join(text.split()[-2:])
        felt = {"speaker": "A", "text": text, "emotion": "anger", "cause_turns": [2], "cause_spans": [span]}
        rows.append(json.dumps({"dialogue_id": f"made-up-{number}", "turns": [plain, felt]}))
    path.write_text("\n".join(rows))
    return path


@pytest.fixture
def comments(tmp_path: Path) -> Path:
    path = tmp_path / "comments.tsv"
    path.write_text("What a lovely day!\t17\tc1\nIt is at the old window.\t27\tc2\n")
    return path


@pytest.fixture
def run(
    tmp_path: Path, sem_folder: Path, data_file: Path, reccon: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    fixed = ["--sem", sem_folder, "--data", data_file, "--reccon", reccon, "--output", tmp_path / "out"]

    def call(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["train_heads", *map(str, [*fixed, *arguments])])
        return end_in_one_line("train_heads", train_heads.main)

    return call


def test_the_sem_gets_both_heads_and_reads_the_same_emotions(
    run: Callable[..., int], tmp_path: Path, sem_folder: Path, comments: Path
) -> None:
    assert run("--comments", comments, "--unmarked", 5) == 0
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (config["cause_head"], config["presence_head"]) == (True, True)
    [before], [after] = (
        load_sem(folder, device="cpu").analyze([["my dog died"]]) for folder in (sem_folder, tmp_path / "out")
    )
    assert [score.label for score in after.emotions] == [score.label for score in before.emotions]
    assert [word.weight for word in after.words] != [word.weight for word in before.words]


def test_every_text_with_and_without_emotion_is_counted(
    run: Callable[..., int], data_file: Path, comments: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--comments", comments, "--unmarked", 5)
    printed = json.loads(capsys.readouterr().out)
    learned = contexts_of(set_aside(read_conversations(data_file))[0])
    assert printed == {"causes": None, "presence_texts": 2 * len(TEXTS) * 2 + 2 + len(learned)}


def test_with_folds_the_cause_head_is_measured_out_of_fold(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--folds", "--unmarked", 5) == 0
    causes = json.loads(capsys.readouterr().out)["causes"]
    assert [row["method"] for row in causes["rows"]] == ["random", "IDF", "cause head, out of fold"]
    assert causes["dialogues"] == 2 * len(TEXTS)


def test_dialogues_that_are_all_emotional_end_in_one_line(
    run: Callable[..., int], reccon: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reccon.write_text(reccon.read_text().replace("neutral", "anger"))
    assert run("--unmarked", 5) == 2
    assert "are all of one kind; give some with emotion and some without" in capsys.readouterr().err


def test_comments_of_another_form_end_in_one_line(
    run: Callable[..., int], comments: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    comments.write_text("no labels here\n")
    assert run("--comments", comments) == 2
    assert capsys.readouterr().err.startswith("train_heads: ")
