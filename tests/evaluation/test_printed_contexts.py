import json
from pathlib import Path

import pytest

from hef_graph.corpus import Conversation, write_conversations
from hef_graph.errors import HefInputError
from hef_graph.evaluation.printed_contexts import index_dialogues, letters_of, read_dialogues


@pytest.mark.parametrize(
    ("original", "printed"),
    [
        ("I can't believe it's over!", "i cannot believe it is over !"),
        ("I can't believe it's over!", "i ca n't believe it 's over !"),
        ("They won't; we've lost, haven't we?", "they will not ; we have lost , have n't we ?"),
        ("She'd go. I'd too. You'll see, they're late", "she 'd go . i would too . you will see , they are late"),
        ("That’s why I couldn’t", "that ’ s why i couldn ’ t"),
        ("The dog's bowl", "the dog 's bowl"),
        ("“Don’t,” he said_comma_ gonna rain", "`` do not , '' he said , gon na rain"),
    ],
)
def test_printed_and_original_form_have_the_same_letters(original: str, printed: str) -> None:
    assert letters_of([original]) == letters_of([printed])


def test_other_words_have_other_letters() -> None:
    assert letters_of(["I can sleep"]) != letters_of(["I can't sleep"])


def test_turns_are_kept_apart() -> None:
    assert letters_of(["ab", "c"]) != letters_of(["a", "bc"])


def test_dialogues_with_the_same_letters_are_all_found_and_a_repeated_one_once() -> None:
    index = index_dialogues([("Hi!",), ("hi",), ("Hi!",)])
    assert index == {("hi",): [("Hi!",), ("hi",)]}


def test_conversations_are_cut_into_contexts(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    write_conversations([Conversation("1", "sad", "", ("a", "b", "c", "d"))], path)
    assert read_dialogues(path) == [("a",), ("a", "b", "c")]


def test_lines_with_dialogues_are_taken_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text('{"dialogue": ["a"]}\n\n{"dialogue": ["b", "c"]}\n')
    assert read_dialogues(tmp_path / "data.jsonl") == [("a",), ("b", "c")]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{broken", "line 1: not JSON"),
        (b"\xff\n", "line 1: not UTF-8"),
        (json.dumps({"dialogue": [{"role": "speaker", "text": "a"}]}).encode(), "row 1: dialogue holds objects"),
        (b'{"dialogue": ["a"]}\n{"dialogue": 7}', "row 2, dialogue is a number"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(content: bytes, problem: str, tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_bytes(content)
    with pytest.raises(HefInputError, match=problem):
        read_dialogues(tmp_path / "data.jsonl")


def test_a_missing_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match="no such file"):
        read_dialogues(tmp_path / "data.jsonl")
