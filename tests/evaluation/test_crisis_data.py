from pathlib import Path

import pytest

from hef_graph.corpus import Conversation, write_conversations
from hef_graph.crisis.examples import Example, Label
from hef_graph.errors import HefInputError
from hef_graph.evaluation.crisis_data import ordinary_talk, set_families_aside

MANY = [Example((f"Text {n}.",), Label(None, kind="other"), f"file/{n // 3}") for n in range(90)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    talk = ("I lost my cat.", "Oh no.", "I want to kill myself.", "Please stay.", "She came home!")
    write_conversations([Conversation("1", "sad", "", talk)], tmp_path / "talk.jsonl")
    return tmp_path / "talk.jsonl"


def test_no_family_is_both_learned_from_and_set_aside() -> None:
    kept, aside = set_families_aside(MANY)
    assert {each.family for each in kept}.isdisjoint(each.family for each in aside)
    assert (len(kept), len(aside)) == (87, 3)


def test_another_seed_sets_other_families_aside() -> None:
    assert set_families_aside(MANY, seed=1)[1] != set_families_aside(MANY)[1] == set_families_aside(MANY)[1]


def test_ordinary_talk_is_the_speakers_with_what_was_said_before(data: Path) -> None:
    assert ordinary_talk(data) == [
        ("I lost my cat.",),
        ("I want to kill myself.", "Please stay.", "She came home!"),
    ]


def test_remarks_are_added_without_their_other_columns(data: Path, tmp_path: Path) -> None:
    remarks = tmp_path / "remarks.tsv"
    remarks.write_text("Nice one.\t3\tx\nI want to die.\t1\ty\n\n", "utf-8")
    assert ordinary_talk(data, remarks)[2:] == [("Nice one.",)]


def test_missing_remarks_are_a_named_error(data: Path, tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match=r"no\.tsv is no file of remarks"):
        ordinary_talk(data, tmp_path / "no.tsv")
