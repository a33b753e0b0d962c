"""Votes of n-grams: each counts once, wherever it stands, and texts of any length weigh alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hef_graph.crisis.ngrams import BUCKETS, NgramVotes, hash_ngrams


def votes(*texts: str, bias: float = 0.0) -> NgramVotes:
    """One for each bucket that the texts' words and letters fall into."""
    weights = np.zeros(BUCKETS, np.float32)
    for text in texts:
        weights[np.concatenate(hash_ngrams(text))] = 1
    return NgramVotes(weights, bias)


def test_the_same_words_give_the_same_buckets_in_every_process() -> None:
    words, letters = hash_ngrams("i am")
    assert words.tolist() == [13937, 22012, 157302]
    assert letters.tolist() == [14448, 63388, 142356, 205194]


def test_an_ngram_counts_once() -> None:
    once, again = hash_ngrams("no"), hash_ngrams("no, no, no")
    assert once[1].tolist() == again[1].tolist()
    assert len(once[0]) == 1
    assert len(again[0]) == 3  # one word, two, three


def test_what_is_known_votes_and_the_rest_does_not() -> None:
    ours = votes("the rope is ready", bias=-1.0)
    assert ours.vote("the rope is ready") == pytest.approx(
        -1 + sum(len(p) ** 0.5 for p in hash_ngrams("the rope is ready"))
    )
    assert ours.vote("a cat") == pytest.approx(-1.0)
    assert -1 < ours.vote("the rope") < ours.vote("the rope is ready")


def test_the_turn_before_counts_and_those_before_it_do_not() -> None:
    ours = votes("are you safe")
    assert ours.vote("no", ["are you safe"]) > ours.vote("no") == ours.vote("no", ["are you safe", ""])


@given(st.text(), st.lists(st.text(), max_size=2))
def test_any_text_has_a_vote(text: str, context: list[str]) -> None:
    assert np.isfinite(votes("i am").vote(text, context))
