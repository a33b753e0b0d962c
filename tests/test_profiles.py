from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hef_graph.errors import HefInputError
from hef_graph.profiles import PRESETS, check_profile_path, load_profile, write_profile
from hef_graph.turn import ReadingOptions


@pytest.mark.parametrize(
    ("name", "k2", "words"),
    [
        ("chatgpt", 20, True),
        ("llama2-7b", 10, False),
        ("llama2-13b", 3, False),
        ("chatglm3-6b", 3, False),
        ("mistral-7b", 3, False),
    ],
)
def test_the_papers_models_are_shown_what_was_published(name: str, k2: int, *, words: bool) -> None:
    profile = load_profile(name)
    assert (profile.k1, profile.k2, profile.two_stage, profile.cause_perception) == (1, k2, True, words)


def test_there_are_no_other_presets() -> None:
    assert set(PRESETS) == {"chatgpt", "llama2-7b", "llama2-13b", "chatglm3-6b", "mistral-7b"}


def test_a_file_says_what_differs_from_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('k2 = "adaptive"\ncoverage = 0.9\ncause_perception = false\n')
    assert load_profile(path) == ReadingOptions(k2="adaptive", coverage=0.9, cause_perception=False)
    assert load_profile(str(path)) == load_profile(path)


@pytest.mark.parametrize("wording", ["list", "probabilities", "doubt"])
def test_a_file_says_how_the_evidence_is_worded(wording: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'wording = "{wording}"\n')
    assert load_profile(path).wording == wording


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("k3 = 1", "unknown key 'k3'; known are k1, k2, coverage, two_stage, cause_perception"),
        ("k2 = 0", "k2 is 0; allowed are"),
        ('wording = "off"', "wording is 'off'; allowed are list, probabilities, doubt"),
        ("k2 = ", "is not TOML"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(HefInputError, match=complaint):
        load_profile(path)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(HefInputError, match=r"'gpt-9' is not known; give a \.toml file or one of chatgpt, llama2-7b"):
        load_profile("gpt-9")


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match=r"none\.toml' cannot be read: No such file"):
        load_profile(tmp_path / "none.toml")


readings = st.builds(
    ReadingOptions,
    k1=st.integers(0, 99),
    k2=st.integers(1, 99) | st.just("adaptive"),
    coverage=st.floats(0, 1, exclude_min=True),
    two_stage=st.booleans(),
    cause_perception=st.booleans(),
    wording=st.sampled_from(["list", "probabilities", "doubt"]),
)


@given(readings, st.lists(st.text()))
def test_a_written_profile_is_read_as_it_was_whatever_its_notes_say(
    tmp_path_factory: pytest.TempPathFactory, reading: ReadingOptions, notes: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "written.toml"
    write_profile(reading, path, notes=notes)
    assert load_profile(path) == reading


def test_the_notes_stand_above_the_values_as_comments(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    write_profile(ReadingOptions(k2=3), path, notes=["of pine-1\n", "two\x00\nlines"])
    assert path.read_text().splitlines()[:5] == ["# of pine-1", "# two", "# lines", "k1 = 3", "k2 = 3"]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("mine.yaml", r"another ending; give a name in \.toml"),
        ("nowhere/mine.toml", "cannot be written: no such folder"),
    ],
)
def test_a_place_where_no_profile_can_be_written_is_refused(name: str, complaint: str, tmp_path: Path) -> None:
    for refuse in (check_profile_path, lambda path: write_profile(ReadingOptions(), path)):
        with pytest.raises(HefInputError, match=complaint):
            refuse(tmp_path / name)


def test_a_folder_in_the_place_of_the_profile_is_said(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").mkdir()
    with pytest.raises(HefInputError, match=r"mine\.toml' cannot be written: Is a directory"):
        write_profile(ReadingOptions(), tmp_path / "mine.toml")
