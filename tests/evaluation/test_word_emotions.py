import pytest

from hef_graph.corpus import Context
from hef_graph.evaluation.word_emotions import TEMPERATURES, calibrate_words, count_emotions
from hef_graph.sem.plugins.lexicon import LexiconSem

CONTEXTS = [
    Context("c1", "sad", ("I cried, I cried.",), "Oh no."),
    Context("c1", "sad", ("I cried, I cried.", "Oh no.", "Yes."), "I see."),
    Context("c2", "glad", ("We WON it",), "Nice one."),
]


def test_a_word_counts_once_in_each_context_that_holds_it() -> None:
    table = count_emotions(CONTEXTS, smoothing=2.0, minimum=1)
    assert (table.labels, table.contexts) == (("glad", "sad"), (1, 2))
    assert (table.words["cried"], table.words["won"], table.words["no"]) == ((0, 2), (1, 0), (0, 1))


def test_replies_are_not_counted() -> None:
    assert "nice" not in count_emotions(CONTEXTS, smoothing=2.0, minimum=1).words


def test_words_in_too_few_contexts_are_left_out() -> None:
    assert set(count_emotions(CONTEXTS, smoothing=2.0, minimum=2).words) == {"i", "cried"}


def test_the_temperature_makes_the_emotions_of_other_contexts_most_likely() -> None:
    table = count_emotions(CONTEXTS * 20, smoothing=2.0, minimum=1)
    half_wrong = [Context("a", "sad", ("cried",), ""), Context("b", "glad", ("cried",), "")]
    doubtful, sure = (calibrate_words(table, contexts).temperature for contexts in (half_wrong, CONTEXTS))
    assert doubtful > sure
    assert {doubtful, sure} <= set(TEMPERATURES)


def test_a_calibrated_table_is_as_sure_as_it_is_right() -> None:
    table = count_emotions(CONTEXTS * 20, smoothing=2.0, minimum=1)
    mixed = [Context("a", "sad", ("cried",), "")] * 8 + [Context("b", "glad", ("cried",), "")] * 2
    [analysis] = LexiconSem(calibrate_words(table, mixed)).analyze([["cried"]])
    assert analysis.emotions[0].probability == pytest.approx(0.8, abs=0.02)
