import json
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from hef_graph.chat.failures import name_failure
from hef_graph.chat.outcome import Outcome
from hef_graph.chat.progress import Progress
from hef_graph.chat.release import release
from hef_graph.reply import printable
from tests.fakes import LABELS, reply_json


def cut(text: str, places: list[int]) -> list[str]:
    """The text, cut at the places."""
    marks = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:end] for start, end in pairwise(marks)]


RESPONSES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(str.strip).filter(bool)


def plain_json(emotion: str, response: str) -> str:
    """As `reply_json`, but without escapes for what is not ASCII."""
    return json.dumps({"emotion": emotion, "response": response}, ensure_ascii=False)


@settings(deadline=None)
@given(RESPONSES, st.lists(st.integers(min_value=0)), st.sampled_from([reply_json, plain_json]))
def test_however_the_json_is_cut_exactly_what_may_be_shown_of_the_response_is_shown(
    response: str, places: list[int], write: Callable[[str, str], str]
) -> None:
    progress, shown = Progress(LABELS), ""
    for piece in cut(write("sad", response), places):
        shown += "".join(str(chunk.text) for chunk in progress.add(AIMessageChunk(content=piece)))
    left = release(printable(response).strip()).text
    shown += "".join(str(chunk.text) for chunk in progress.finish(Outcome("sad", left).to_message()))
    assert shown == left


@settings(deadline=None)
@given(RESPONSES, st.integers(min_value=1, max_value=60))
def test_what_is_shown_is_always_a_beginning_of_what_may_be_shown(response: str, length: int) -> None:
    progress = Progress(LABELS)
    for piece in cut(reply_json("sad", response)[:length], list(range(60))):
        progress.add(AIMessageChunk(content=piece))
    assert release(printable(response).strip()).text.startswith(progress.attempt().shown)


def test_a_sentence_is_shown_when_the_next_one_begins() -> None:
    progress = Progress(LABELS)
    assert feed(progress, '{"emotion": "sad", "response": "Oh no. ') == ""
    assert feed(progress, "W") == "Oh no."
    assert feed(progress, "hat happened? It") == " What happened?"


def test_a_sentence_that_claims_a_life_is_never_shown() -> None:
    progress = Progress(LABELS)
    assert feed(progress, '{"emotion": "sad", "response": "Oh no. I lost mine too. What happened? It') == (
        "Oh no. What happened?"
    )


def test_a_number_is_shown_only_where_it_is_known() -> None:
    written = '{"emotion": "sad", "response": "Call 988. Now'
    assert feed(Progress(LABELS), written) == ""
    assert feed(Progress(LABELS, known=frozenset({"988"})), written) == "Call 988."


def test_nothing_is_shown_before_the_label_is_whole() -> None:
    progress = Progress(("sad",))
    written = '{"response": "Oh no.", "emotion": "saddened"}'
    assert not any(progress.add(AIMessageChunk(content=letter)) for letter in written)


@settings(deadline=None)
@given(RESPONSES, st.lists(st.integers(min_value=0)))
def test_nothing_is_shown_of_an_answer_with_a_wrong_label(response: str, places: list[int]) -> None:
    progress = Progress(LABELS)
    shown = [progress.add(AIMessageChunk(content=piece)) for piece in cut(reply_json("blue", response), places)]
    assert not any(shown)


def feed(progress: Progress, text: str, size: int = 3) -> str:
    """Everything that is shown of the text, which comes in small pieces."""
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    return "".join(str(shown.text) for piece in pieces for shown in progress.add(AIMessageChunk(content=piece)))


def test_the_emotion_is_told_when_it_is_settled_and_only_then() -> None:
    told: list[str] = []
    progress = Progress(LABELS, told.append)
    feed(progress, '{"emotion": "sad"')
    assert told == []
    feed(progress, ', "response": "Oh no.')
    assert told == ["sad"]


def test_what_came_is_an_attempt_with_the_failure_that_ended_it() -> None:
    progress = Progress(LABELS)
    feed(progress, '{"emotion": "sad", "response": "Oh no. W')
    progress.failure = name_failure(ConnectionError())
    attempt = progress.attempt()
    assert (attempt.text, attempt.shown) == ('{"emotion": "sad", "response": "Oh no. W', "Oh no.")
    assert attempt.failure is progress.failure


def test_nothing_received_is_an_empty_attempt() -> None:
    assert Progress(LABELS).attempt().text == ""


def test_a_length_limit_that_the_last_chunk_tells_of_is_a_failure() -> None:
    progress = Progress(LABELS)
    progress.add(AIMessageChunk(content='{"emotion": "sad", ', response_metadata={"finish_reason": "length"}))
    failure = progress.attempt().failure
    assert failure is not None
    assert failure.cause == "truncated"


@pytest.mark.parametrize(("written", "rest"), [("Oh no. W", " Why?"), ("Oh n", "Oh no. Why?")])
def test_the_last_chunk_holds_what_was_not_shown_and_the_outcome(written: str, rest: str) -> None:
    progress = Progress(LABELS)
    feed(progress, f'{{"emotion": "sad", "response": "{written}')
    [last] = progress.finish(Outcome("sad", "Oh no. Why?", "timeout").to_message())
    assert last.text == rest
    assert last.message.response_metadata["hef"] == {"emotion": "sad", "degraded_reason": "timeout"}


def test_an_answer_in_one_piece_is_shown_in_two_the_last_sentence_at_the_end() -> None:
    progress = Progress(LABELS)
    [shown] = progress.add(AIMessage(reply_json("sad", "Oh no. Oh dear. Why?")))
    [last] = progress.finish(Outcome("sad", "Oh no. Oh dear. Why?").to_message())
    assert (shown.text, last.text) == ("Oh no. Oh dear.", " Why?")
