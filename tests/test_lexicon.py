import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.errors import HefInputError
from hef_graph.lexicon import SHIPPED, Lexicon, WordAverages, WordEntry, build_lexicon, load_lexicon, write_lexicon

LEXICON = Lexicon(
    1000,
    {"funeral": WordEntry(10, 0.9, 8), "kettle": WordEntry(2, 0.1, 0), "mum's": WordEntry(100, 0.5, 4)},
)

LABELLED = [
    (["The", "grave", "was", "cold"], "sad"),
    (["a", "grave", "day", "was", "ending"], "sad"),
    (["grave", "grave", "was", "it"], "sad"),
    (["the", "balloon", "was", "up"], "joyful"),
    (["a", "balloon", "it", "was"], "joyful"),
    (["was", "it", "fun"], "joyful"),
]

words = st.from_regex(r"[a-zà-ÿ0-9]+(?:['-][a-z]+)?", fullmatch=True)
four_digits = st.integers(0, 10_000).map(lambda number: number / 10_000)
entries = st.builds(WordEntry, st.integers(1, 9999), four_digits, st.integers(0, 99))


def test_idf_is_the_logarithm_of_contexts_by_frequency() -> None:
    assert LEXICON.idf("funeral") == pytest.approx(math.log(100))


def test_an_unknown_word_counts_as_held_by_one_context() -> None:
    assert LEXICON.idf("zeppelin") == pytest.approx(math.log(1000))


def test_an_unknown_word_has_no_intensity() -> None:
    assert LEXICON.intensity("zeppelin") == 0.0


@pytest.mark.parametrize("word", ["mum's", "Mum's", "MUM’S"])
def test_words_are_found_in_any_case_and_with_either_apostrophe(word: str) -> None:
    assert LEXICON.intensity(word) == 0.5
    assert LEXICON.idf(word) == pytest.approx(math.log(10))


def test_averages_weigh_each_word_by_how_often_it_was_heavy() -> None:
    expected = WordAverages((8 * 0.9 + 4 * 0.5) / 12, (8 * math.log(100) + 4 * math.log(10)) / 12)
    assert LEXICON.averages == pytest.approx(expected)


def test_averages_over_given_words_count_each_of_them() -> None:
    averages = LEXICON.averages_over(["kettle", "zeppelin"])
    assert averages == pytest.approx(WordAverages(0.05, (math.log(500) + math.log(1000)) / 2))


def test_averages_over_no_words_are_zero() -> None:
    assert LEXICON.averages_over([]) == WordAverages(0.0, 0.0)


def test_a_word_counts_once_a_context_whatever_its_case() -> None:
    built = build_lexicon(LABELLED, [[]] * 6)
    assert (built.entries["grave"].document_frequency, built.entries["the"].document_frequency) == (3, 2)


def test_the_contexts_are_counted() -> None:
    assert build_lexicon(LABELLED, [[]] * 6).contexts == 6


def test_words_in_fewer_contexts_than_the_minimum_are_left_out() -> None:
    assert set(build_lexicon(LABELLED, [[]] * 6, minimum=3).entries) == {"grave", "was", "it"}


def test_two_contexts_are_enough_by_default() -> None:
    assert set(build_lexicon(LABELLED, [[]] * 6).entries) == {"the", "a", "grave", "balloon", "was", "it"}


def test_a_word_of_every_context_says_nothing_about_the_emotion() -> None:
    assert build_lexicon(LABELLED, [[]] * 6).intensity("was") == pytest.approx(0.0)


def test_the_word_that_moves_the_emotions_most_has_intensity_one() -> None:
    built = build_lexicon(LABELLED, [[]] * 6)
    assert built.intensity("grave") == 1.0
    assert max(entry.intensity for entry in built.entries.values()) == 1.0


def test_the_rarer_of_two_equally_one_sided_words_moves_less() -> None:
    built = build_lexicon(LABELLED, [[]] * 6)
    assert 0 < built.intensity("balloon") < built.intensity("grave")


def test_contexts_of_a_single_emotion_give_no_word_intensity() -> None:
    built = build_lexicon([(["rain"], "sad"), (["rain"], "sad")], [[], []])
    assert built.entries["rain"] == WordEntry(2, 0.0, 0)


def test_a_word_is_heavy_once_a_context_whatever_its_case() -> None:
    built = build_lexicon(LABELLED, [["Grave", "grave"], ["grave"], [], [], [], []])
    assert (built.entries["grave"].heavy, built.entries["balloon"].heavy) == (2, 0)


@given(st.integers(1, 99_999), st.dictionaries(words, entries, max_size=20))
@settings(deadline=None)
def test_a_written_table_reads_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, contexts: int, table: dict[str, WordEntry]
) -> None:
    path = tmp_path_factory.mktemp("lexicon") / "table.tsv"
    write_lexicon(Lexicon(contexts, table), path)
    assert load_lexicon(path) == Lexicon(contexts, table)


def test_a_table_says_what_it_holds_and_lists_frequent_words_first(tmp_path: Path) -> None:
    write_lexicon(LEXICON, tmp_path / "table.tsv")
    assert (tmp_path / "table.tsv").read_text("utf-8").splitlines() == [
        "# contexts: 1000",
        "# word\tdocument_frequency\tintensity\theavy",
        "mum's\t100\t0.5000\t4",
        "funeral\t10\t0.9000\t8",
        "kettle\t2\t0.1000\t0",
    ]


def test_a_table_is_read_once(tmp_path: Path) -> None:
    write_lexicon(LEXICON, tmp_path / "table.tsv")
    assert load_lexicon(tmp_path / "table.tsv") is load_lexicon(tmp_path / "table.tsv")


@pytest.mark.parametrize(
    "content",
    ["", "word\tcount\nfuneral\t10", "# contexts: 9\n# word\nfuneral\t10\n", "# contexts: 9\n# word\na\tb\tc\td\n"],
)
def test_a_file_that_is_no_word_table_is_refused_by_its_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "other.tsv").write_text(content)
    with pytest.raises(HefInputError, match=r"other\.tsv is not a word table"):
        load_lexicon(tmp_path / "other.tsv")


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match=r"gone\.tsv is not a word table"):
        load_lexicon(tmp_path / "gone.tsv")


def write_vad(folder: Path, *lines: str) -> Path:
    path = folder / "NRC-VAD-Lexicon.txt"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.mark.parametrize(
    ("valence", "arousal", "intensity"),
    [(0.5, 0.12934, 0.0), (1.172138, 0.0, 1.0), (-0.172138, 0.0, 1.0), (0.8, 0.8, 0.716630)],
)
def test_the_papers_intensity_is_the_scaled_distance_from_calm(
    tmp_path: Path, valence: float, arousal: float, intensity: float
) -> None:
    path = write_vad(tmp_path, "Word\tValence\tArousal\tDominance", f"Storm\t{valence}\t{arousal}\t0.2", "")
    assert LEXICON.with_vad(path).intensity("sTORM") == pytest.approx(intensity, abs=1e-6)


def test_with_vad_words_outside_the_file_have_no_intensity(tmp_path: Path) -> None:
    lexicon = LEXICON.with_vad(write_vad(tmp_path, "storm\t0.1\t0.9\t0.2"))
    assert lexicon.intensity("funeral") == 0.0


def test_with_vad_the_idf_stays(tmp_path: Path) -> None:
    lexicon = LEXICON.with_vad(write_vad(tmp_path, "storm\t0.1\t0.9\t0.2"))
    assert lexicon.idf("funeral") == LEXICON.idf("funeral")


def test_with_vad_the_averages_are_those_of_the_new_intensity(tmp_path: Path) -> None:
    assert LEXICON.averages.intensity == pytest.approx(9.2 / 12)
    lexicon = LEXICON.with_vad(write_vad(tmp_path, "Funeral\t1.172138\t0\t0.2"))
    assert lexicon.averages.intensity == pytest.approx(8 / 12)


def test_a_vad_file_without_a_usable_line_is_refused_with_the_form(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match="no line of the form word<TAB>valence<TAB>arousal"):
        LEXICON.with_vad(write_vad(tmp_path, "Word\tValence\tArousal\tDominance", "storm,0.1,0.9,0.2"))


def test_a_missing_vad_file_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match=r"cannot read the NRC-VAD file .*gone\.txt"):
        LEXICON.with_vad(tmp_path / "gone.txt")


def test_a_vad_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vad.txt").write_bytes("café\t0.1\t0.9\t0.2".encode("latin-1"))
    with pytest.raises(HefInputError, match="cannot read the NRC-VAD file"):
        LEXICON.with_vad(tmp_path / "vad.txt")


def test_the_shipped_table_is_the_default() -> None:
    assert load_lexicon() == load_lexicon(SHIPPED)


def test_the_shipped_table_holds_plausible_counts() -> None:
    lexicon = load_lexicon()
    assert len(lexicon.entries) > 3000
    assert all(2 <= entry.document_frequency <= lexicon.contexts for entry in lexicon.entries.values())
    assert all(0 <= entry.heavy <= entry.document_frequency for entry in lexicon.entries.values())


def test_the_shipped_table_gives_intensities_from_zero_to_one() -> None:
    intensities = [entry.intensity for entry in load_lexicon().entries.values()]
    assert 0 <= min(intensities) < max(intensities) == 1


@pytest.mark.parametrize(("moving", "plain"), [("jealous", "the"), ("died", "went"), ("lonely", "table")])
def test_the_shipped_table_finds_words_of_feeling_more_intense(moving: str, plain: str) -> None:
    assert load_lexicon().intensity(moving) > load_lexicon().intensity(plain)


def test_the_shipped_table_has_averages_between_common_and_rare_words() -> None:
    lexicon = load_lexicon()
    assert lexicon.idf("the") < lexicon.averages.idf < lexicon.idf("zeppelins")
    assert 0 < lexicon.averages.intensity < 1
