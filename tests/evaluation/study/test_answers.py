from pathlib import Path

import pytest

from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.answers import Answer, read_answers, write_answers

FULL = Answer("hill#1", "proud", "Proud!", "You climbed it…", ("proud", "sad"), 0.7, "repaired:label", 210, 34, 1.5)


def test_answers_come_back_from_disk_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "new" / "answers.jsonl"
    write_answers([FULL, Answer("hill#3", None)], path)
    assert read_answers(path) == [FULL, Answer("hill#3", None)]


def test_of_two_answers_to_one_case_the_later_counts(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    write_answers([FULL, Answer("hill#1", "sad")], path)
    assert read_answers(path) == [Answer("hill#1", "sad")]


def test_keys_that_are_not_known_are_passed_over() -> None:
    assert Answer.from_json({"case_id": "hill#1", "emotion": "sad", "note": "by Ann"}) == Answer("hill#1", "sad")


@pytest.mark.parametrize("line", ['{"emotion": "sad"}', "[1]", "half a lin"])
def test_a_line_that_is_no_answer_is_named_by_file_and_number(line: str, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('{"case_id": "hill#1", "emotion": "sad"}\n\n' + line)
    with pytest.raises(HefInputError, match=r"answers\.jsonl, line 3: "):
        read_answers(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match=r"no such file: .*none\.jsonl"):
        read_answers(tmp_path / "none.jsonl")
