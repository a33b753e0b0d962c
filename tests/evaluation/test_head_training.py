from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hef_graph.corpus import contexts_of
from hef_graph.errors import HefInputError
from hef_graph.evaluation import head_training
from hef_graph.evaluation.head_training import (
    marked_tasks,
    presence_tasks,
    read_comments,
    unmarked_tasks,
    weigh_out_of_fold,
)
from hef_graph.evaluation.reccon import CauseCase, folds
from hef_graph.sem.heads import HeadConfig, PresenceTask, TokenTask, WordTask, fit_cause_head, prepare_words
from hef_graph.sem.modeling import CauseHead, EmpatheticModel
from hef_graph.sem.tokenization import DialogueTokenizer
from hef_graph.types import Turn
from tests.sem.tiny import CONVERSATIONS, build_model, build_tokenizer

CONTEXTS = contexts_of(CONVERSATIONS)
CASES = [
    CauseCase(f"d{n}", "anger", (Turn("listener", "who did that ?"), Turn("speaker", text)), ((0, len(text) // 2),))
    for n, text in enumerate(["friend lied about bike", "wolf broke window", "storm stole baby", "dog lost ring"] * 3)
]
QUICK = HeadConfig(epochs=1)


def words_of(task: WordTask) -> list[str]:
    texts = [turn.text if isinstance(turn, Turn) else turn for turn in task.dialogue]
    return [texts[turn][start:end] for turn, start, end in task.words]


def test_a_marked_task_holds_the_content_words_of_the_newest_turn() -> None:
    [task] = marked_tasks(CASES[:1])
    assert words_of(task) == ["friend", "lied", "bike"]
    assert task.marked == (True, True, False)
    assert {turn for turn, _, _ in task.words} == {1}


def test_an_unmarked_task_holds_the_speakers_content_words() -> None:
    context = next(context for context in CONTEXTS if context.turns[-1] == "my rude friend")
    [task] = unmarked_tasks([context], 1)
    assert words_of(task) == ["broke", "window", "rude", "friend"]
    assert task.marked is None


@pytest.mark.parametrize(("count", "drawn"), [(0, 0), (5, 5), (1000, len(CONTEXTS))])
def test_so_many_contexts_are_drawn_as_there_are(count: int, drawn: int) -> None:
    assert len(unmarked_tasks(CONTEXTS, count)) == drawn


def test_the_same_seed_draws_the_same_contexts() -> None:
    first, again, other = (unmarked_tasks(CONTEXTS, 5, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_contexts_without_content_words_are_left_out() -> None:
    assert unmarked_tasks([replace(CONTEXTS[0], turns=("he did that to it",))], 1) == []


def test_presence_tasks_leave_out_empty_texts() -> None:
    assert presence_tasks([("so glad", True), ("  ", False), ("at noon", False)]) == [
        PresenceTask(("so glad",), emotional=True),
        PresenceTask(("at noon",), emotional=False),
    ]


def write_comments(folder: Path, *lines: str) -> Path:
    (folder / "comments.tsv").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return folder / "comments.tsv"


def test_a_comment_has_an_emotion_unless_it_is_neutral(tmp_path: Path) -> None:
    path = write_comments(tmp_path, "What a ride!\t3,17\tc1", "It opens at nine.\t27\tc2", "Lovely\t5\tc3")
    assert read_comments(path, 27) == [("What a ride!", True), ("It opens at nine.", False), ("Lovely", True)]


def test_a_comment_that_is_neutral_and_something_else_is_left_out(tmp_path: Path) -> None:
    assert read_comments(write_comments(tmp_path, "Hm.\t27,3\tc1"), 27) == []


def test_quotation_marks_belong_to_the_comment(tmp_path: Path) -> None:
    path = write_comments(tmp_path, '"Never again\t2\tc1', 'He said "no"\t27\tc2')
    assert [text for text, _ in read_comments(path, 27)] == ['"Never again', 'He said "no"']


@pytest.mark.parametrize("line", ["text only", "text\tjoy\tc1", "text\t\tc1"])
def test_a_file_of_another_form_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(HefInputError, match=r"comments\.tsv is no file of comments: .*expected text, labels, id"):
        read_comments(write_comments(tmp_path, line), 27)


def test_a_comment_longer_than_any_field_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match="is no file of comments"):
        read_comments(write_comments(tmp_path, "x" * 200_000 + "\t3\tc1"), 27)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match="is no file of comments"):
        read_comments(tmp_path / "nowhere.tsv", 27)


def test_no_dialogue_is_weighed_by_a_head_that_saw_it(monkeypatch: pytest.MonkeyPatch) -> None:
    dialogues: dict[int, int] = {}
    seen: list[set[int]] = []

    def prepare(model: EmpatheticModel, tokenizer: DialogueTokenizer, tasks: Sequence[WordTask]) -> list[TokenTask]:
        prepared = prepare_words(model, tokenizer, tasks)
        dialogues.update({id(ready): id(task.dialogue) for ready, task in zip(prepared, tasks, strict=True)})
        return prepared

    def fit(model: EmpatheticModel, prepared: Sequence[TokenTask], config: HeadConfig) -> CauseHead:
        seen.append({dialogues[id(task)] for task in prepared})
        return fit_cause_head(model, prepared, config)

    monkeypatch.setattr(head_training, "prepare_words", prepare)
    monkeypatch.setattr(head_training, "fit_cause_head", fit)
    others = unmarked_tasks(CONTEXTS, 2)
    weights = weigh_out_of_fold(build_model(), build_tokenizer(), CASES, others, QUICK)
    assert [len(each) for each in weights] == [len(case.words) for case in CASES]
    for learned, part in zip(seen, folds(CASES), strict=True):
        held = {id(case.turns) for case in part}
        assert learned == {id(case.turns) for case in CASES} - held | {id(task.dialogue) for task in others}


def test_weights_out_of_fold_come_in_the_order_given() -> None:
    untrained = HeadConfig(epochs=0)
    forwards = weigh_out_of_fold(build_model(), build_tokenizer(), CASES, [], untrained)
    backwards = weigh_out_of_fold(build_model(), build_tokenizer(), CASES[::-1], [], untrained)
    assert backwards[::-1] == [pytest.approx(weights) for weights in forwards]
    assert forwards[0] != pytest.approx(forwards[1])
