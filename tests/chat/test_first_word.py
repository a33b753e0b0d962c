"""A user waits for the first sentence of the response, not for the whole JSON."""

from tests.first_word import PACE, due, wait_streamed


def test_the_first_sentence_is_shown_when_the_model_begins_the_second() -> None:
    waiting = min((wait_streamed() for _ in range(3)), key=lambda each: each.first_word)
    assert due() - PACE <= waiting.first_word <= due() + 5 * PACE
    assert waiting.first_word < waiting.whole / 2


def test_the_emotion_is_there_before_the_models_first_token() -> None:
    assert min(wait_streamed().first_event for _ in range(3)) < 2 * PACE
