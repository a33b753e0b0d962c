import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.emotions import EMOTIONS
from hef_graph.errors import HefInputError
from hef_graph.evaluation.import_predictions import (
    SYSTEMS,
    Entry,
    complete_emotions,
    import_predictions,
    rank_shares,
    read_cases,
)
from hef_graph.sem.plugins.predictions import load_predictions

RULE = "-" * 63

ESCM = f"""EVAL\tLoss\tPPL\tAccuracy
3.5000\t33.1000\t1.9000\t0.4100
Emotion: proud
Pred Emotions: joyful, proud, hopeful
x_intent:['to fly', 'to win']
x_react:['happy']
Context:['my kite flew over the barn !', 'wow , how high ?', "it did not stop : i 'm amazed"]
Greedy:that is great !
Ref:lovely
{RULE}
Emotion: sad
Pred Emotions: sad, lonely, sentimental
x_intent:['none']
Context:['the old barn is gone .']
Beam:i am sorry
Greedy:oh no
Ref:Emotion runs high
{RULE}
"""

KEMP = """Emotion:proud \nContext:['my kite flew .'] \nConcept:[[['kite', ['toy']]]] \nPred:nice \nRef:ok \n"""


def run(folder: Path, text: str, system: str = "escm", *, data: Path | None = None) -> list[dict[str, Any]]:
    """Import the text; the lines of the file that is written."""
    (folder / "results.txt").write_text(text)
    import_predictions(system, folder / "results.txt", folder / "out.jsonl", data=data)
    return [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]


def block(emotions: str, context: str = "['my kite flew']", *more: str) -> str:
    """One case of a plain file."""
    return "\n".join([f"Pred Emotions: {emotions}", f"Context: {context}", *more, RULE]) + "\n"


def test_each_case_becomes_a_line_with_all_32_emotions(tmp_path: Path) -> None:
    first, second = run(tmp_path, ESCM)
    assert first["dialogue"] == [
        "my kite flew over the barn !",
        "wow , how high ?",
        "it did not stop : i 'm amazed",
    ]
    assert set(first["emotions"]) == set(EMOTIONS)
    assert sorted(second["emotions"], key=second["emotions"].get, reverse=True)[:3] == ["sad", "lonely", "sentimental"]


def test_the_gold_label_is_never_taken_for_a_prediction(tmp_path: Path) -> None:
    [first, _] = run(tmp_path, ESCM)
    assert max(first["emotions"], key=first["emotions"].get) == "joyful"


def test_what_is_written_can_be_loaded_as_a_sem(tmp_path: Path) -> None:
    run(tmp_path, ESCM)
    [analysis] = load_predictions(tmp_path / "out.jsonl").analyze([["the old  barn is gone ."]])
    assert analysis.emotions[0].label == "sad"
    assert {word.weight for word in analysis.words} == {1 / 5}


@pytest.mark.parametrize("system", ["kemp", "case"])
def test_a_system_that_prints_no_prediction_is_told_so(system: str, tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match=f"case 1 has no line Pred Emotions: .*{system} prints the gold label only"):
        run(tmp_path, KEMP, system)


@pytest.mark.parametrize("system", SYSTEMS)
def test_with_the_line_added_every_system_is_read(system: str, tmp_path: Path) -> None:
    patched = KEMP.replace("Context:", "Pred Emotions: proud, joyful\nContext:")
    other = patched.replace("my kite", "our kite")
    assert len(run(tmp_path, patched + other, system)) == 2


def test_ranks_get_the_published_share_of_their_rank_and_the_rest_is_shared() -> None:
    given_ = complete_emotions([Entry("sad", None), Entry("lonely", None)], EMOTIONS, where="case 1")
    assert given_["sad"] == pytest.approx(0.4202)
    assert given_["lonely"] == pytest.approx((0.6639 - 0.4202) / 2)
    assert given_["proud"] == pytest.approx((1 - given_["sad"] - given_["lonely"]) / 30)


@given(st.integers(1, 60))
@settings(deadline=None)
def test_shares_of_ranks_fall_and_sum_to_1(count: int) -> None:
    shares = rank_shares(count)
    assert len(shares) == count
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)


def test_written_probabilities_are_taken_and_the_rest_is_shared(tmp_path: Path) -> None:
    rows = run(tmp_path, block("sad=0.7, calm=0.2") + block("glad=1", "['hooray']"), "plain")
    assert rows[0]["emotions"] == pytest.approx({"sad": 0.7, "calm": 0.2, "glad": 0.1})


def test_written_words_are_placed_in_the_dialogue_and_a_repeated_one_twice(tmp_path: Path) -> None:
    text = block("sad=1", "['a kite, a barn']", "Words: Kite=0.5, a=0.3, a=0.1, missing=0.1")
    [row] = run(tmp_path, text, "plain")
    placed = [(word["word"], word["start"], word["weight"]) for word in row["words"]]
    assert placed == [("a", 0, 0.3), ("kite", 2, 0.5), ("a", 8, 0.1), ("barn", 10, 0.0)]


def test_a_dialogue_that_comes_again_keeps_its_first_prediction(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text(block("sad=1, glad=0") * 2 + block("glad=1, sad=0"))
    report = import_predictions("plain", tmp_path / "r.txt", tmp_path / "out.jsonl")
    assert (report.cases, report.written, report.repeated, report.differing) == (3, 1, 1, 1)
    assert '"sad": 1.0' in (tmp_path / "out.jsonl").read_text()


def test_with_the_data_predictions_are_filed_under_the_original_texts(tmp_path: Path) -> None:
    original = ["My kite flew over the barn!", "Wow, how high?", "It didn't stop: I'm amazed"]
    (tmp_path / "data.jsonl").write_text(json.dumps({"dialogue": original}))
    (tmp_path / "results.txt").write_text(ESCM)
    report = import_predictions("escm", tmp_path / "results.txt", tmp_path / "out.jsonl", data=tmp_path / "data.jsonl")
    assert (report.written, report.without_data) == (1, 1)
    assert json.loads((tmp_path / "out.jsonl").read_text())["dialogue"] == original


def test_data_without_any_of_the_contexts_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text('{"dialogue": ["Something else."]}')
    with pytest.raises(HefInputError, match="none of the 2 contexts"):
        run(tmp_path, ESCM, data=tmp_path / "data.jsonl")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no case"),
        (block("sad", "my kite"), "case 1 has no Context: that is a list"),
        (block("sad", "__import__('os').getcwd()"), "case 1 has no Context: that is a list"),
        (block("sad", "[]"), "case 1 has no Context: that is a list"),
        (block("sad", "[1]"), "case 1 has no Context: that is a list"),
        (block("sad") + block("  "), "case 2 has no line Pred Emotions:"),
        (block("sad, sad"), "case 1: a label twice"),
        (block("sad=0.5, glad"), "case 1: 1 of 2 labels have a probability; write all or none"),
        (block("sad=0.9, glad=0.9"), "case 1: the probabilities sum to 1.8"),
        (block("sad=0.5"), "case 1: the probabilities sum to 0.5"),
        (block("sad=-1"), "case 1, Pred Emotions: an entry is not name=number"),
        (block("sad=nan"), "case 1, Pred Emotions: an entry is not name=number"),
        (block("sad", "['a']", "Words: a"), "case 1, Words: a word has no weight"),
    ],
)
def test_a_case_that_cannot_be_read_is_named(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match=problem):
        run(tmp_path, text, "plain")


def test_a_label_that_the_system_does_not_know_is_named(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match="case 1: gleeful; allowed are the known labels"):
        run(tmp_path, block("gleeful, sad"))


def test_an_unknown_system_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match="system is 'moel'; allowed are kemp, cem"):
        run(tmp_path, ESCM, "moel")


def test_files_that_cannot_be_read_or_written_are_bad_input(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match="cannot read"):
        import_predictions("cem", tmp_path / "none", tmp_path / "out.jsonl")
    (tmp_path / "bad").write_bytes(b"\xff")
    with pytest.raises(HefInputError, match="not UTF-8"):
        import_predictions("cem", tmp_path / "bad", tmp_path / "out.jsonl")
    (tmp_path / "good").write_text(ESCM)
    with pytest.raises(HefInputError, match="cannot write"):
        import_predictions("cem", tmp_path / "good", tmp_path / "no" / "out.jsonl")


def test_replies_that_look_like_fields_do_not_end_a_case() -> None:
    [first, second] = read_cases(ESCM, "escm")
    assert (len(first.turns), len(second.turns)) == (3, 1)
