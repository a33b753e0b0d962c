import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cache import AnswerCache
from tests.evaluation.study.asked import CASES, sad

BARN, QUIZ, *_ = CASES


@pytest.fixture
def cache(tmp_path: Path) -> AnswerCache:
    return AnswerCache(tmp_path, "key")


def test_an_answer_is_found_again(cache: AnswerCache, tmp_path: Path) -> None:
    cache.add(BARN, sad(BARN))
    assert AnswerCache(tmp_path, "key").read(CASES) == {BARN.case_id: sad(BARN)}


def test_another_systems_answers_are_not_found(cache: AnswerCache, tmp_path: Path) -> None:
    cache.add(BARN, sad(BARN))
    assert AnswerCache(tmp_path, "other").read(CASES) == {}


def test_an_answer_to_other_turns_of_the_same_id_does_not_count(cache: AnswerCache) -> None:
    cache.add(BARN, sad(BARN))
    assert cache.read([replace(BARN, turns=("Somebody returned my bicycle.",))]) == {}


def test_of_two_answers_the_later_counts(cache: AnswerCache) -> None:
    cache.add_all([(BARN, sad(BARN)), (BARN, Answer(BARN.case_id, "angry"))])
    assert cache.read(CASES)[BARN.case_id].emotion == "angry"


@pytest.mark.parametrize("kept", [1, 10, 60])
def test_a_torn_line_is_passed_over_and_the_next_answer_survives_it(kept: int, cache: AnswerCache) -> None:
    cache.add(BARN, sad(BARN))
    whole = cache.path.read_bytes()
    cache.path.write_bytes(whole + whole[:kept])
    assert list(cache.read(CASES)) == [BARN.case_id]
    cache.add(QUIZ, sad(QUIZ))
    assert list(cache.read(CASES)) == [BARN.case_id, QUIZ.case_id]


@pytest.mark.parametrize("line", [b"[1]\n", b'{"case_id": "barn#1"}\n', b"\xff\xfe\n", b"null\n"])
def test_a_line_of_another_make_is_passed_over(line: bytes, cache: AnswerCache) -> None:
    cache.path.write_bytes(line)
    assert cache.read(CASES) == {}


def test_a_text_with_odd_line_ends_stays_one_answer(cache: AnswerCache) -> None:
    odd = replace(sad(BARN), response="Oh.\u2028No.\r\nReally\x85?")
    cache.add(BARN, odd)
    assert cache.read(CASES) == {BARN.case_id: odd}


def test_half_an_emoji_does_not_stop_a_run(cache: AnswerCache) -> None:
    cache.add(BARN, replace(sad(BARN), response="Oh \ud83d"))
    assert cache.read(CASES)[BARN.case_id].response == "Oh ?"


async def test_a_second_run_waits_for_the_first(cache: AnswerCache, tmp_path: Path) -> None:
    order: list[str] = []

    async def hold(name: str) -> None:
        async with AnswerCache(tmp_path, "key").alone(lambda: order.append(f"{name} waits")):
            order.append(f"{name} in")
            await asyncio.sleep(0.05)
            order.append(f"{name} out")

    await asyncio.gather(hold("a"), hold("b"))
    assert order == ["a in", "b waits", "a out", "b in", "b out"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HefInputError, match="cannot be made"):
        AnswerCache(tmp_path / "file" / "cache", "key")
