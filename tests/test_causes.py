from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.causes import STOP_WORDS, heaviest_words, is_content_word, paper_cause_words, select_cause_words
from hef_graph.lexicon import Lexicon, WordEntry
from hef_graph.types import CauseWords, Turn, WordScore
from tests.fakes import StubSem

LEXICON = Lexicon(
    1000,
    {
        "funeral": WordEntry(10, 0.9, 1),
        "happy": WordEntry(500, 0.9, 1),
        "kettle": WordEntry(10, 0.1, 1),
        "work": WordEntry(500, 0.1, 1),
    },
)
"""Average intensity 0.5; the average IDF lies between those of 10 and of 500 contexts."""

MIXED = [Turn("speaker", "one"), Turn("listener", "two"), Turn("speaker", "three")]


def score(word: str, weight: float, *, turn: int = 0) -> WordScore:
    return WordScore(word, turn, 0, len(word), weight)


def select(words: Sequence[WordScore], k1: int = 3) -> CauseWords:
    return select_cause_words(words, MIXED, LEXICON, k1=k1)


def test_a_rare_and_intense_word_is_high() -> None:
    assert select([score("funeral", 1.0)]) == CauseWords(high=("funeral",))


@pytest.mark.parametrize("word", ["happy", "kettle", "work", "zeppelin"])
def test_a_word_that_is_common_or_mild_is_low(word: str) -> None:
    assert select([score(word, 1.0)]) == CauseWords(low=(word,))


@pytest.mark.parametrize("other", [WordEntry(10, 0.1, 1), WordEntry(500, 0.9, 1)], ids=["IDF", "intensity"])
def test_a_word_that_is_only_average_in_one_measure_is_low(other: WordEntry) -> None:
    lexicon = Lexicon(1000, {"funeral": WordEntry(10, 0.9, 1), "other": other})
    assert select_cause_words([score("funeral", 1.0)], MIXED, lexicon, k1=1) == CauseWords(low=("funeral",))


def test_both_lists_have_their_heaviest_first() -> None:
    lexicon = Lexicon(1000, {**LEXICON.entries, "grave": WordEntry(5, 0.9, 0)})
    words = [score("kettle", 0.1), score("grave", 0.2), score("happy", 0.3), score("funeral", 0.4)]
    assert select_cause_words(words, MIXED, lexicon, k1=4) == CauseWords(("funeral", "grave"), ("happy", "kettle"))


def test_the_listeners_words_are_no_causes() -> None:
    words = [score("funeral", 0.1, turn=0), score("happy", 0.7, turn=1), score("kettle", 0.2, turn=2)]
    assert select(words) == CauseWords(("funeral",), ("kettle",))


@pytest.mark.parametrize("text", ["I don ' t", "They ' re", "it ’ s", "12 34"])
def test_halves_of_contractions_and_numbers_are_no_content_words(text: str) -> None:
    assert not any(map(is_content_word, text.split()))


@pytest.mark.parametrize(("k1", "expected"), [(0, []), (1, ["funeral"]), (2, ["funeral", "happy"])])
def test_the_k1_heaviest_are_taken(k1: int, expected: list[str]) -> None:
    words = [score("kettle", 0.1), score("happy", 0.4), score("funeral", 0.5)]
    assert heaviest_words(words, k1=k1) == expected


def test_words_of_equal_weight_come_in_reading_order() -> None:
    words = [score(word, 0.25) for word in ("work", "happy", "funeral")]
    assert heaviest_words(words, k1=2) == ["work", "happy"]


@pytest.mark.parametrize("word", ["the", "I", "Don't", "don’t", "DIDNT", "42", "2-3"])
def test_stop_words_and_numbers_name_no_cause(word: str) -> None:
    assert heaviest_words([score(word, 0.9), score("kettle", 0.1)], k1=2) == ["kettle"]


@pytest.mark.parametrize("word", ["5pm", "co-worker", "mum's", "Überraschung"])
def test_words_with_letters_may_name_a_cause(word: str) -> None:
    assert heaviest_words([score(word, 1.0)], k1=1) == [word]


def test_a_repeated_word_is_written_as_at_its_heaviest_occurrence() -> None:
    words = [score("funeral", 0.2), score("FUNERAL", 0.5), score("kettle", 0.3)]
    assert heaviest_words(words, k1=3) == ["FUNERAL", "kettle"]


def test_the_stop_list_holds_single_lower_case_words() -> None:
    assert all(word == word.lower().strip() and " " not in word for word in STOP_WORDS)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5), st.integers(0, 6))
@settings(deadline=None)
def test_cause_words_are_up_to_k1_different_pieces_of_what_the_speaker_wrote(texts: list[str], k1: int) -> None:
    turns = [Turn("listener" if index % 2 else "speaker", text) for index, text in enumerate(texts)]
    causes = select_cause_words(StubSem().analyze([turns])[0].words, turns, LEXICON, k1=k1)
    chosen = [*causes.high, *causes.low]
    assert len({word.lower() for word in chosen}) == len(chosen) <= k1
    assert all(any(word in turn.text for turn in turns if turn.role == "speaker") for word in chosen)


def test_as_printed_a_word_chosen_in_one_dialogue_is_marked_in_all() -> None:
    first = [score("funeral", 0.8), score("kettle", 0.2)]
    second = [score("work", 0.7), score("funeral", 0.3)]
    marked = paper_cause_words([first, second], LEXICON, k1=1)
    assert marked == [CauseWords(high=("funeral",)), CauseWords(high=("funeral",), low=("work",))]


def test_as_printed_the_averages_are_those_of_the_chosen_words_alone() -> None:
    entries = {"calm": WordEntry(100, 0.3, 0), "shore": WordEntry(50, 0.4, 0), "war": WordEntry(2, 0.9, 5)}
    words = [score("calm", 0.4), score("shore", 0.4), score("war", 0.2)]
    marked = paper_cause_words([words], Lexicon(1000, entries), k1=2)
    assert marked == [CauseWords(high=("shore",), low=("calm",))]


def test_as_printed_words_come_in_reading_order_and_once() -> None:
    words = [score("Kettle", 0.2), score("work", 0.5), score("kettle", 0.3)]
    assert paper_cause_words([words], LEXICON, k1=3) == [CauseWords(low=("kettle", "work"))]


def test_as_printed_stop_words_count_like_others() -> None:
    assert paper_cause_words([[score("the", 1.0)]], LEXICON, k1=1) == [CauseWords(low=("the",))]


def test_as_printed_a_dialogue_without_words_has_no_causes() -> None:
    assert paper_cause_words([[], [score("work", 1.0)]], LEXICON, k1=1)[0] == CauseWords()
