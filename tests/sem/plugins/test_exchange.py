import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.errors import HefInputError
from hef_graph.sem.plugins.exchange import (
    analysis_from_json,
    analysis_to_json,
    dialogue_from_json,
    dialogue_to_json,
    read_json,
    words_from_json,
    write_json,
)
from hef_graph.types import EmotionAnalysis, EmotionScore, Turn, WordScore
from tests.fakes import StubSem

TEXTS = ["I lost it.", "What?", "My ring!"]
SEM = StubSem()

texts = st.lists(st.text(st.characters(exclude_categories=[])), min_size=1, max_size=4)


def sent(**changes: Any) -> dict[str, Any]:
    """A good analysis of `TEXTS`, with some fields changed."""
    good = {
        "emotions": [{"label": "sad", "probability": 0.75}, {"label": "joyful", "probability": 0.25}],
        "words": [{"word": "lost", "turn": 0, "start": 2, "end": 6, "weight": 1.0}],
    }
    return good | changes


@st.composite
def analyses(draw: st.DrawFn) -> EmotionAnalysis:
    """What a SEM could say about `TEXTS`."""
    points = draw(st.lists(st.integers(1, 1000), min_size=1, max_size=40))
    shares = sorted((point / sum(points) for point in points), reverse=True)
    emotions = tuple(EmotionScore(f"label {index}", share) for index, share in enumerate(shares))
    words = (WordScore("lost", 0, 2, 6, 0.75), WordScore("ring", 2, 3, 7, 0.25))
    coverages = sorted(draw(st.sets(st.floats(0, 1), max_size=4)))
    thresholds = tuple((coverage, draw(st.floats(0, 1))) for coverage in coverages)
    confidence = draw(st.none() | st.floats(0, 1))
    return EmotionAnalysis(emotions, draw(st.sampled_from([words, ()])), confidence, draw(st.booleans()), thresholds)


@settings(deadline=None)
@given(analyses())
def test_an_analysis_reads_back_as_it_was_written(analysis: EmotionAnalysis) -> None:
    assert analysis_from_json(read_json(write_json(analysis_to_json(analysis))), TEXTS) == analysis


@settings(deadline=None)
@given(texts)
def test_every_dialogue_survives_the_journey_even_with_lone_surrogates(dialogue: list[str]) -> None:
    turns = [Turn("listener", text) for text in dialogue]
    assert dialogue_from_json(read_json(write_json(dialogue_to_json(dialogue)))) == dialogue
    assert dialogue_from_json(read_json(write_json(dialogue_to_json(turns)))) == turns


@settings(deadline=None)
@given(texts)
def test_an_analysis_of_any_text_keeps_its_words_in_place(dialogue: list[str]) -> None:
    [analysis] = SEM.analyze([dialogue])
    read = analysis_from_json(read_json(write_json(analysis_to_json(analysis))), dialogue)
    assert [(w.word, w.turn, w.start, w.end) for w in read.words] == [
        (w.word, w.turn, w.start, w.end) for w in analysis.words
    ]


def test_a_sum_that_is_a_little_off_is_rescaled() -> None:
    emotions = [{"label": "sad", "probability": 0.7505}, {"label": "joyful", "probability": 0.25}]
    read = analysis_from_json(sent(emotions=emotions), TEXTS)
    assert sum(score.probability for score in read.emotions) == pytest.approx(1, abs=1e-12)


def test_emotions_come_in_falling_order_and_words_in_reading_order() -> None:
    rising = [{"label": "joyful", "probability": 0.25}, {"label": "sad", "probability": 0.75}]
    words = [{"word": "ring", "turn": 2, "start": 3, "end": 7, "weight": 0.5}, sent()["words"][0] | {"weight": 0.5}]
    read = analysis_from_json(sent(emotions=rising, words=words), TEXTS)
    assert [score.label for score in read.emotions] == ["sad", "joyful"]
    assert [word.word for word in read.words] == ["lost", "ring"]


def word(**changes: Any) -> list[dict[str, Any]]:
    return [sent()["words"][0] | changes]


def emotion(**changes: Any) -> list[dict[str, Any]]:
    return [{"label": "sad", "probability": 1.0} | changes]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "analysis is missing or null; expected an object"),
        ([], "analysis is a list; expected an object"),
        (sent(emotions=None), "analysis.emotions is missing or null; expected a list"),
        (sent(emotions=[]), "the probabilities in analysis.emotions sum to 0"),
        (sent(emotions=emotion(probability=0.9)), "sum to 0.9; allowed is 1 ± 0.001"),
        (sent(emotions=emotion(probability=-0.1)), r"emotions\[0\].probability is -0.1; allowed is a number from 0"),
        (sent(emotions=emotion(probability=float("nan"))), r"emotions\[0\].probability is nan"),
        (sent(emotions=emotion(probability=True)), r"emotions\[0\].probability is true or false; expected a number"),
        (sent(emotions=emotion(probability=10**400)), r"emotions\[0\].probability is too large"),
        (sent(emotions=emotion(label="")), r"emotions\[0\].label is a text; expected a text that is not empty"),
        (sent(emotions=emotion(probability=0.5) * 2), "analysis.emotions names a label twice"),
        (sent(words=word(end=7)), r"words\[0\].word is not what turn 0 holds from 2 to 7"),
        (sent(words=word(turn=3)), r"words\[0\].turn is out of range; allowed are whole numbers from 0 to 2"),
        (sent(words=word(start=-1)), r"words\[0\].start is out of range; allowed are whole numbers from 0 to 6"),
        (sent(words=word(end=2.0)), r"words\[0\].end is a number; expected a whole number"),
        (sent(words=word(weight=0.5)), "the weights in analysis.words sum to 0.5"),
        (sent(confidence=1.5), "analysis.confidence is 1.5; allowed is a number from 0 to 1"),
        (sent(in_domain="yes"), "analysis.in_domain is a text; expected true or false"),
        (sent(thresholds=[[0.9, 0.1], [0.8, 0.2]]), "analysis.thresholds are not in rising order"),
        (sent(thresholds=[[0.9]]), r"analysis.thresholds\[0\] holds 1 numbers"),
    ],
)
def test_an_error_names_the_field_and_the_number(value: Any, problem: str) -> None:
    with pytest.raises(HefInputError, match=problem):
        analysis_from_json(value, TEXTS)


def test_words_that_weigh_nothing_at_all_are_allowed() -> None:
    assert words_from_json(word(weight=0), TEXTS, where="words")[0].weight == 0


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("secret", "dialogue is a text; expected a list"),
        ([], "dialogue is empty"),
        (["secret", {"role": "speaker", "text": "secret"}], r"dialogue\[0\] is a text; expected an object"),
        ([{"role": "secret", "text": "secret"}], r"dialogue\[0\].role is a text; expected speaker or listener"),
        ([{"role": ["speaker"], "text": "secret"}], r"dialogue\[0\].role is a list"),
        ([{"role": "speaker", "text": 7}], r"dialogue\[0\].text is a number; expected a text"),
        (7, "dialogue is a number; expected a list"),
    ],
)
def test_a_dialogue_that_cannot_be_read_is_told_without_its_text(value: Any, problem: str) -> None:
    with pytest.raises(HefInputError, match=problem) as caught:
        dialogue_from_json(value)
    assert "secret" not in str(caught.value)


def test_no_error_about_a_word_shows_it() -> None:
    with pytest.raises(HefInputError) as caught:
        analysis_from_json(sent(words=word(word="secret")), TEXTS)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not JSON"),
        (b"\xff\xff", "not UTF-8"),
        ("[NaN]", "holds NaN"),
        ("[-Infinity]", "holds -Infinity"),
        ("[" * 100_000, "nested too deeply"),
        ("1" * 5000, "a number that cannot be read"),
    ],
)
def test_what_is_not_json_is_bad_input(text: str | bytes, problem: str) -> None:
    with pytest.raises(HefInputError, match=problem):
        read_json(text)


def test_nan_is_never_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(float("nan"))


def test_what_is_written_is_ascii() -> None:
    assert json.loads(write_json(["naïve \ud800"]).decode("ascii")) == ["naïve \ud800"]
