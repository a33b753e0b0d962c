from pathlib import Path

import pytest

from hef_graph.errors import HefInputError
from hef_graph.profiles import PRESETS, load_profile
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


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("k3 = 1", "unknown key 'k3'; known are k1, k2, coverage, two_stage, cause_perception"),
        ("k2 = 0", "k2 is 0; allowed are"),
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
