import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from hef_graph.cli.analyze import CHUNK, parse_line
from hef_graph.errors import HefInputError

Hef: TypeAlias = Callable[..., tuple[int, str, str]]


def test_a_message_is_shown_with_its_marked_words_and_bars(hef: Hef) -> None:
    code, out, _ = hef("analyze", "I lost my ring.")
    assert code == 0
    assert "lost*" in out
    assert out.splitlines()[1].split()[0] == "sad"


def test_json_holds_every_emotion_and_word(hef: Hef) -> None:
    read = json.loads(hef("analyze", "--json", "I lost my ring.")[1])
    assert read["emotions"][0]["label"] == "sad"
    assert [word["word"] for word in read["words"]] == ["I", "lost", "my", "ring"]


@pytest.mark.parametrize(
    ("line", "dialogue"),
    [
        ('"I won."', ["I won."]),
        ('["I won.", "How?"]', ["I won.", "How?"]),
        ('{"text": "I won."}', ["I won."]),
        ('{"id": 7, "dialogue": ["I won."]}', ["I won."]),
    ],
)
def test_a_line_holds_a_text_or_a_dialogue(line: str, dialogue: list[str]) -> None:
    assert parse_line(line) == dialogue


@pytest.mark.parametrize("line", ["{", "7", "[]", "[1]", '{"words": []}', '"  "', '{"dialogue": null}'])
def test_another_line_is_refused(line: str) -> None:
    with pytest.raises(HefInputError):
        parse_line(line)


def test_a_file_gives_one_result_per_line_in_order(hef: Hef, tmp_path: Path) -> None:
    texts = ["I won a prize.", "It is dark here."] * CHUNK
    (tmp_path / "in.jsonl").write_text("\n".join(json.dumps(text) for text in texts))
    assert hef("analyze", "--input", "in.jsonl", "--output", "out.jsonl")[0] == 0
    results = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [result["line"] for result in results] == list(range(1, len(texts) + 1))
    assert [result["emotions"][0]["label"] for result in results] == ["joyful", "afraid"] * CHUNK


def test_a_bad_line_is_named_and_the_others_are_done(hef: Hef, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('"I won."\n{broken\n\n"It is dark."\n')
    code, out, err = hef("analyze", "--input", "in.jsonl")
    assert [json.loads(line)["line"] for line in out.splitlines()] == [1, 4]
    assert "in.jsonl, line 2: not JSON" in err
    assert code == 2


@pytest.mark.parametrize(("content", "problem"), [(b"", "is empty"), (b'"\xff"\n', "not UTF-8")])
def test_an_unreadable_file_is_bad_input(content: bytes, problem: str, hef: Hef, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(content)
    code, _, err = hef("analyze", "--input", "in.jsonl")
    assert code == 2
    assert problem in err


def test_an_output_that_cannot_be_written_is_bad_input(hef: Hef, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('"I won."\n')
    code, _, err = hef("analyze", "--input", "in.jsonl", "--output", "no/such/folder/out.jsonl")
    assert code == 2
    assert "cannot write no/such/folder/out.jsonl" in err
