import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.errors import HefInputError
from hef_graph.sem.plugins.predictions import FileSem, key_of, load_predictions
from hef_graph.types import SmallEmpatheticModel, Turn

DIALOGUE = ["My kite broke.", "How?", "It hit a tree!"]
WORDS = [
    {"word": "broke", "turn": 0, "start": 8, "end": 13, "weight": 3},
    {"word": "tree", "turn": 2, "start": 9, "end": 13, "weight": 1},
]


def line(**changes: Any) -> dict[str, Any]:
    """A good line, with some fields changed."""
    return {"dialogue": DIALOGUE, "emotions": {"sad": 0.75, "angry": 0.25}} | changes


def write(folder: Path, *lines: Any) -> Path:
    path = folder / "predictions.jsonl"
    path.write_text("\n\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines))
    return path


def load(folder: Path, *lines: Any) -> FileSem:
    return load_predictions(write(folder, *lines))


def test_it_is_a_sem_that_tells_its_file_and_size(tmp_path: Path) -> None:
    sem = load(tmp_path, line())
    assert isinstance(sem, SmallEmpatheticModel)
    assert sem.name == "predictions.jsonl (1 predictions)"


def test_a_dialogue_gets_the_prediction_of_its_line(tmp_path: Path) -> None:
    [analysis] = load(tmp_path, line(words=WORDS)).analyze([DIALOGUE])
    assert [(e.label, e.probability) for e in analysis.emotions] == [("sad", 0.75), ("angry", 0.25)]
    assert [(w.word, w.turn, w.start, w.end, w.weight) for w in analysis.words] == [
        ("broke", 0, 8, 13, 0.75),
        ("tree", 2, 9, 13, 0.25),
    ]


def test_turns_are_found_as_texts_are(tmp_path: Path) -> None:
    sem = load(tmp_path, line())
    assert sem.analyze([[Turn("speaker", text) for text in DIALOGUE]]) == sem.analyze([DIALOGUE])


def test_without_words_every_word_weighs_the_same(tmp_path: Path) -> None:
    [analysis] = load(tmp_path, line()).analyze([DIALOGUE])
    assert [word.word for word in analysis.words] == ["My", "kite", "broke", "How", "It", "hit", "a", "tree"]
    assert {word.weight for word in analysis.words} == {1 / 8}


def test_the_labels_are_those_of_all_lines_and_missing_ones_get_nothing(tmp_path: Path) -> None:
    other = line(dialogue=["Hooray"], emotions={"glad": 1.0})
    sem = load(tmp_path, line(), other)
    assert sem.labels == ("sad", "angry", "glad")
    [analysis] = sem.analyze([["Hooray"]])
    assert [(e.label, e.probability) for e in analysis.emotions] == [("glad", 1.0), ("sad", 0.0), ("angry", 0.0)]


spaces = st.text(" \t\n\u00a0\u2003", min_size=1, max_size=3)


@settings(deadline=None)
@given(spaces, spaces, spaces)
def test_white_space_does_not_matter_and_offsets_fit_the_text_as_asked(
    tmp_path_factory: pytest.TempPathFactory, a: str, b: str, c: str
) -> None:
    sem = load(tmp_path_factory.getbasetemp(), line(words=WORDS))
    asked = [f"{a}My{b}kite{c}broke.{a}", f"How?{b}", f"It{a}hit{b}a{c}tree!"]
    [analysis] = sem.analyze([asked])
    assert [asked[word.turn][word.start : word.end] for word in analysis.words] == ["broke", "tree"]


@pytest.mark.parametrize("asked", [["My kite broke."], ["my kite broke.", "How?", "It hit a tree!"], DIALOGUE[::-1]])
def test_another_dialogue_is_refused_without_its_text(asked: list[str], tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match=r"is not among the 1 that predictions.jsonl predicts") as caught:
        load(tmp_path, line()).analyze([asked])
    assert "kite" not in str(caught.value)


def test_the_same_prediction_may_come_twice(tmp_path: Path) -> None:
    again = line(dialogue=[f" {text} " for text in DIALOGUE])
    assert load(tmp_path, line(), again).name == "predictions.jsonl (1 predictions)"


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (line(emotions={"sad": 1.0}), "an earlier line predicts another thing for this dialogue"),
        (line(words=WORDS), "an earlier line predicts another thing for this dialogue"),
        ("{broken", "not JSON"),
        ("[]", "the line is a list; expected an object"),
        (line(dialogue="secret"), "dialogue is a text; expected a list"),
        (line(dialogue=[{"role": "speaker", "text": "secret"}]), "dialogue holds objects; expected texts"),
        (line(emotions={}), "emotions are missing or a label is empty"),
        (line(emotions=None), "emotions is missing or null; expected an object"),
        (line(emotions={"sad": 0.5}), "the probabilities in emotions sum to 0.5"),
        (line(emotions={"sad": 1.1, "angry": -0.1}), "the probability of label 1 is 1.1"),
        ('{"dialogue": ["a"], "emotions": {"sad": NaN}}', "holds NaN"),
        (line(words=[WORDS[0] | {"start": 7}]), r"words\[0\].word is not what turn 0 holds"),
        (line(words=[WORDS[0] | {"weight": -3}]), r"words\[0\].weight is -3"),
        (line(words=[WORDS[0] | {"word": "kite broke", "start": 3}]), "a word holds white space"),
    ],
)
def test_a_bad_line_is_named_by_file_and_number(bad: Any, problem: str, tmp_path: Path) -> None:
    path = write(tmp_path, line(), bad)
    with pytest.raises(HefInputError, match=problem) as caught:
        load_predictions(path)
    assert str(caught.value).startswith(f"{path}, line 3: ")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("content", "problem"), [(b"", "holds no predictions"), (b'["\xff"]', "not UTF-8")])
def test_a_file_without_predictions_is_bad_input(content: bytes, problem: str, tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_bytes(content)
    with pytest.raises(HefInputError, match=problem):
        load_predictions(tmp_path / "p.jsonl")


def test_a_missing_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match="no such file"):
        load_predictions(str(tmp_path / "nowhere.jsonl"))


@pytest.mark.parametrize("dialogues", ["text", [[]], ["text"], [[1]]])
def test_a_dialogue_that_cannot_be_read_is_bad_input(dialogues: Any, tmp_path: Path) -> None:
    with pytest.raises(HefInputError):
        load(tmp_path, line()).analyze(dialogues)


def test_the_example_in_the_docstring_is_a_good_line(tmp_path: Path) -> None:
    from hef_graph.sem.plugins import predictions  # noqa: PLC0415  its docstring is the point

    shown = str(predictions.__doc__).split("line:\n", 1)[1].split("\n\n- ", 1)[0]
    sem = load(tmp_path, json.loads(shown))
    assert sem.labels == ("sad", "anxious", "angry")


def test_predictions_need_no_torch() -> None:
    code = (
        "import sys, hef_graph.sem.plugins.predictions, hef_graph.sem.plugins.remote, hef_graph.sem.batching;"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_key_leaves_plain_text_alone() -> None:
    assert key_of(["a  b\n", " c"]) == ("a b", "c")
