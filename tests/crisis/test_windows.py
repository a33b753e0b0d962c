"""What the classifier reads of a message."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.crisis.rules import Hit, split_sentences
from hef_graph.crisis.windows import MOST_WINDOWS, WINDOW, choose_windows

SHORT: Final = "I went home. It was dark. I lost my keys. "
LONG: Final = SHORT * 2000

TEXTS: Final = st.text(st.sampled_from("ab c.!?\n。"), max_size=3000)


def hit_at(place: int) -> Hit:
    return Hit("abuse", place, place + 5, framed=True)


@given(TEXTS.filter(bool))
@settings(max_examples=200, deadline=None)
def test_the_windows_of_a_text_that_needs_few_cover_it(text: str) -> None:
    windows = choose_windows(text, [])
    if len(windows) < MOST_WINDOWS:
        covered = {place for window in windows for place in range(window.start, window.end)}
        assert covered == set(range(len(text)))


@given(TEXTS, st.lists(st.integers(0, 2990), max_size=5))
@settings(max_examples=200, deadline=None)
def test_windows_are_few_in_order_and_of_whole_sentences(text: str, places: list[int]) -> None:
    windows = choose_windows(text, [hit_at(place) for place in places])
    ends = {edge for sentence in split_sentences(text) for edge in (sentence.start, sentence.end)}
    assert len(windows) <= MOST_WINDOWS
    assert windows == sorted(windows, key=lambda window: window.start)
    assert {edge for window in windows for edge in (window.start, window.end)} <= ends
    assert len(set(windows)) == len(windows)


@given(TEXTS)
@settings(max_examples=100, deadline=None)
def test_a_window_of_several_sentences_is_no_longer_than_it_may_be(text: str) -> None:
    for window in choose_windows(text, []):
        inside = [each for each in split_sentences(text) if window.start <= each.start < window.end]
        assert window.end - window.start <= WINDOW or len(inside) <= 2


def test_a_short_text_is_one_window() -> None:
    [window] = choose_windows(SHORT, [])
    assert SHORT[window.start : window.end] == SHORT


def test_an_empty_text_has_none() -> None:
    assert choose_windows("", []) == []


def test_a_window_begins_with_the_last_sentence_of_the_one_before() -> None:
    first, second, *_ = choose_windows(SHORT * 20, [])
    assert first.start < second.start < first.end


def test_of_a_long_text_the_beginning_and_the_end_are_read() -> None:
    windows = choose_windows(LONG, [])
    assert (windows[0].start, windows[-1].end) == (0, len(LONG))
    assert len(windows) == MOST_WINDOWS


@pytest.mark.parametrize("place", [0, 20_000, 41_000, 60_001, len(LONG) - 10])
def test_of_a_long_text_the_window_around_a_phrase_is_read(place: int) -> None:
    windows = choose_windows(LONG, [hit_at(place)])
    assert any(window.start <= place < window.end for window in windows)
    assert (windows[0].start, windows[-1].end) == (0, len(LONG))


def test_of_many_phrases_the_first_and_the_last_are_read() -> None:
    places = range(5000, 80_000, 1000)
    windows = choose_windows(LONG, [hit_at(place) for place in places])
    for place in (places[0], places[-1]):
        assert any(window.start <= place < window.end for window in windows)
