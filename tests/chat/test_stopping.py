from collections.abc import Sequence

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from hef_graph.chat.stopping import StopSequences


def passed(pieces: Sequence[str], *stop: str) -> list[str]:
    """What is let through of a text that comes in these pieces."""
    stopping, ends = StopSequences(stop), {len(pieces) - 1: "last"}
    chunks = [AIMessageChunk(content=piece, chunk_position=ends.get(i)) for i, piece in enumerate(pieces)]  # type: ignore[arg-type]  # a literal
    return [str(stopping.pass_on(ChatGenerationChunk(message=chunk)).message.text) for chunk in chunks]


@pytest.mark.parametrize("size", [1, 2, 5, 40])
def test_a_stream_is_cut_where_the_whole_text_would_be(size: int) -> None:
    text, stop = "One. Two. Three.", ("Thr", "Two!", ". T")
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert "".join(passed(pieces, *stop)) == StopSequences(stop).cut(text) == "One"


def test_what_only_looked_like_the_beginning_of_one_is_let_through_later() -> None:
    assert passed(["ab", "c", "d"], "bcx") == ["a", "", "bcd"]


def test_at_the_end_nothing_is_held_back() -> None:
    assert passed(["One. Tw"], "Two") == ["One. Tw"]


def test_nothing_is_shown_behind_one() -> None:
    assert passed(["One", " STOP", " two", " three"], "STOP") == ["One", " ", "", ""]


@pytest.mark.parametrize("stop", [(), ("",)])
def test_without_one_all_passes(stop: tuple[str, ...]) -> None:
    assert passed(["One", " two"], *stop) == ["One", " two"]
