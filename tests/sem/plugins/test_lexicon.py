import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.emotions import EMOTIONS
from hef_graph.errors import HefCheckpointError, HefInputError
from hef_graph.sem.plugins.lexicon import (
    TABLE,
    WINDOW,
    LexiconSem,
    WordEmotions,
    load_lexicon_sem,
    read_word_emotions,
    write_word_emotions,
)
from hef_graph.types import EmotionAnalysis, SmallEmpatheticModel, Turn

SMALL = WordEmotions(
    labels=("glad", "sad"),
    contexts=(30, 10),
    words={"i": (20, 8), "won": (8, 0), "cried": (1, 8), "don't": (4, 4)},
    smoothing=4.0,
    temperature=1.0,
)


def read(*texts: str, table: WordEmotions = SMALL) -> EmotionAnalysis:
    [analysis] = LexiconSem(table).analyze([texts])
    return analysis


def probability(analysis: EmotionAnalysis, label: str) -> float:
    return next(score.probability for score in analysis.emotions if score.label == label)


def test_the_lexicon_satisfies_the_protocol() -> None:
    assert isinstance(load_lexicon_sem(), SmallEmpatheticModel)


def test_the_shipped_table_knows_the_32_emotions() -> None:
    assert set(load_lexicon_sem().labels) == set(EMOTIONS)


def test_the_shipped_table_is_small() -> None:
    assert TABLE.stat().st_size < 700_000


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("I cried for days when grandma passed away.", "devastated"),
        ("There is a big spider in the basement and I ran away.", "terrified"),
        ("I cheated on the test and feel bad about it.", "guilty"),
    ],
)
def test_the_shipped_table_hears_plain_emotions(text: str, emotion: str) -> None:
    [analysis] = load_lexicon_sem().analyze([[text]])
    assert emotion in [score.label for score in analysis.emotions[:4]]


def test_a_words_log_odds_are_its_smoothed_counts_over_the_prior() -> None:
    assert SMALL.shifts("won") == pytest.approx([math.log(11 / 12 / 0.75), math.log(1 / 12 / 0.25)])


def test_the_odds_of_a_text_are_those_of_its_words_over_the_root_of_their_number() -> None:
    analysis = read("I won")
    shifts = [sum(pair) / math.sqrt(2) for pair in zip(SMALL.shifts("i"), SMALL.shifts("won"), strict=True)]
    odds = math.log(probability(analysis, "glad") / probability(analysis, "sad"))
    assert odds == pytest.approx(math.log(3) + shifts[0] - shifts[1])


def test_a_word_counts_once_however_often_it_is_said() -> None:
    assert read("cried cried cried").emotions == read("cried").emotions


def test_a_word_of_the_listener_alone_counts_half() -> None:
    analysis = read("I", "cried", "I")
    shifts = [i + c / 2 for i, c in zip(SMALL.shifts("i"), SMALL.shifts("cried"), strict=True)]
    odds = math.log(probability(analysis, "glad") / probability(analysis, "sad"))
    assert odds == pytest.approx(math.log(3) + (shifts[0] - shifts[1]) / math.sqrt(1.5))


def test_a_word_that_the_listener_repeats_counts_as_the_speakers() -> None:
    analysis = read("cried", "cried", "I")
    assert analysis.emotions == read("I cried").emotions
    assert [word.weight > 0 for word in analysis.words] == [True, False, True]


@pytest.mark.parametrize("text", ["DON'T", "don’t", "Don't"])
def test_case_and_apostrophe_do_not_matter(text: str) -> None:
    assert read(text).in_domain
    assert read(text).emotions == read("don't").emotions


def test_a_words_weight_is_how_far_it_moves_the_first_emotion() -> None:
    analysis = read("I don't, cried, cried")
    assert analysis.emotions[0].label == "sad"
    up = [SMALL.shifts(word)[1] for word in ("i", "don't", "cried")]
    wanted = [up[0], up[1], up[2] / 2, up[2] / 2]
    assert [word.weight for word in analysis.words] == pytest.approx([value / sum(up) for value in wanted])


def test_a_word_that_speaks_against_the_first_emotion_weighs_nothing() -> None:
    assert [word.weight for word in read("I won").words] == [0.0, 1.0]


def test_words_that_move_nothing_weigh_the_same() -> None:
    assert [word.weight for word in read("qqq zzz").words] == [0.5, 0.5]


@pytest.mark.parametrize("text", ["", "?!", "🎉", "qqq zzz"])
def test_a_text_without_known_words_gives_the_prior_and_is_out_of_domain(text: str) -> None:
    analysis = read(text, table=replace(SMALL, temperature=0.3))
    assert probability(analysis, "glad") == pytest.approx(0.75)
    assert (analysis.in_domain, analysis.confidence) == (False, 0.75)


def test_a_text_of_mostly_unknown_words_is_out_of_domain_and_worth_no_more_than_the_prior() -> None:
    analysis = read("yo won qqq")
    assert analysis.emotions[0].probability > 0.75
    assert (analysis.in_domain, analysis.confidence) == (False, 0.75)


def test_the_confidence_of_a_known_text_is_the_first_emotions_probability() -> None:
    analysis = read("I won")
    assert analysis.in_domain
    assert analysis.confidence == analysis.emotions[0].probability


@given(st.lists(st.text(max_size=30) | st.sampled_from(["I won’t", "🎉 cried", "\ud800 I"]), min_size=1, max_size=3))
@settings(deadline=None, max_examples=50)
def test_for_any_text_the_words_are_parts_of_it_and_all_sums_are_1(texts: list[str]) -> None:
    analysis = read(*texts)
    assert all(word.word == texts[word.turn][word.start : word.end] for word in analysis.words)
    assert sum(score.probability for score in analysis.emotions) == pytest.approx(1)
    assert sum(word.weight for word in analysis.words) == pytest.approx(1 if analysis.words else 0)


def test_only_the_latest_words_are_read() -> None:
    analysis = read("cried " * WINDOW, "I", "won " * (WINDOW - 1) + "won I")
    assert len(analysis.words) == WINDOW
    assert analysis.emotions == read("I won").emotions


def test_the_window_may_begin_inside_an_older_turn() -> None:
    analysis = read("cried won", "I", "I " * (WINDOW - 2))
    assert [(word.turn, word.word) for word in analysis.words[:2]] == [(0, "won"), (1, "I")]


def test_roles_are_read_from_turns() -> None:
    [analysis] = LexiconSem(SMALL).analyze([[Turn("listener", "cried"), Turn("speaker", "I")]])
    assert analysis.emotions == read("cried", "I").emotions


@pytest.mark.parametrize("dialogues", ["cried", ["cried"], [[]], 5])
def test_what_is_not_a_list_of_dialogues_is_refused(dialogues: Any) -> None:
    with pytest.raises(HefInputError):
        LexiconSem(SMALL).analyze(dialogues)


def test_a_table_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_word_emotions(SMALL, tmp_path / "words.tsv")
    assert read_word_emotions(tmp_path / "words.tsv") == SMALL


def test_a_table_has_the_most_frequent_words_first(tmp_path: Path) -> None:
    write_word_emotions(SMALL, tmp_path / "words.tsv")
    rows = [line.split("\t")[0] for line in (tmp_path / "words.tsv").read_text().splitlines()]
    assert rows[2:] == ["word", "# contexts", "i", "cried", "don't", "won"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("won\t8\t0", "won\t8", "the row 'won' must have 2 counts"),
        ("won\t8\t0", "won\t8\t-1", "the row 'won' must have 2 counts from 0 on"),
        ("won\t8\t0", "won\t8\tx", "invalid literal"),
        ("glad\tsad", "sad\tsad", "every label must be there once"),
        ("30\t10", "30\t0", "have a context"),
        ("temperature: 1.0", "temperature: 0", "must be above 0"),
        ("temperature: 1.0", "temperature: nan", "must be above 0"),
        ("# smoothing: 4.0\n", "", "could not convert"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "words.tsv"
    write_word_emotions(SMALL, path)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(HefCheckpointError, match=rf"words.tsv is not a table of words and emotions: .*{message}"):
        read_word_emotions(path)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(HefCheckpointError, match=r"nothing\.tsv is not a table"):
        read_word_emotions(tmp_path / "nothing.tsv")


def test_reading_with_the_lexicon_imports_neither_torch_nor_the_large_library() -> None:
    code = (
        "import sys; from hef_graph import load_sem; load_sem('lexicon').analyze([['I won']]);"
        "print([name for name in ('torch', 'transformers', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
