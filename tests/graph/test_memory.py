"""Memory across conversations: the module by itself on every store."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from langgraph.store.base import BaseStore, PutOp, SearchItem, TTLConfig
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite import SqliteStore

from hef_graph.errors import HefInputError
from hef_graph.graph import aforget_user, forget_user
from hef_graph.graph.memory import MOMENTS, PAGE, ROOT, THREADS, Moment, UserMemory
from tests.stores import KINDS, ON_DISK, DownStore, Place, open_store, place_for

pytest_plugins = ["tests.postgres"]

EXAM: Final = Moment("anxious", ("exam", "tomorrow"), 100.0)

ADA: Final = "ada@example.org"

HOSTILE = ["ada", "ada@example", "a/b", "a", "..", "*", "%", "_", "\x00", " ", "x" * 9999, "x" * 9998]
HOSTILE += ["'; DROP TABLE store; --", "é", "e\u0301", "😢", "\ud800", "\udfff", "?", "langgraph", "ADA@example.org"]
"""Ids that a plain namespace would refuse, mix up or cut."""

IDS = st.text(st.characters(), min_size=1) | st.sampled_from(HOSTILE)


@dataclass(frozen=True)
class Way:
    """A store, called or awaited."""

    store: BaseStore
    awaited: bool

    async def remember(self, *moments: Moment, thread: str = "old", user: str = ADA) -> None:
        memory = UserMemory(self.store, user, thread)
        for moment in moments:
            await memory.aremember(moment) if self.awaited else memory.remember(moment)

    async def recall(self, *, thread: str = "new", user: str = ADA) -> Moment | None:
        memory = UserMemory(self.store, user, thread)
        return await memory.arecall() if self.awaited else memory.recall()

    async def forget(self, user: str = ADA) -> int:
        return await aforget_user(self.store, user) if self.awaited else forget_user(self.store, user)

    async def found(self) -> list[SearchItem]:
        """All items."""
        return await self.store.asearch(ROOT, limit=999) if self.awaited else self.store.search(ROOT, limit=999)

    async def put_beside(self, values: Iterable[dict[str, Any]]) -> None:
        """Write items of another make into the one namespace there is."""
        [namespace] = {item.namespace for item in await self.found()}
        operations = [PutOp(namespace, str(number), value) for number, value in enumerate(values)]
        await self.store.abatch(operations) if self.awaited else self.store.batch(operations)


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest) -> Place:
    return place_for(request.param, request)


@pytest.fixture
async def way(place: Place) -> AsyncIterator[Way]:
    async with open_store(place) as store:
        yield Way(store, place.awaited)


async def test_a_moment_is_recalled_in_another_conversation(way: Way) -> None:
    await way.remember(EXAM)
    assert await way.recall() == EXAM


async def test_a_conversation_does_not_recall_itself(way: Way) -> None:
    await way.remember(EXAM, thread="one")
    assert await way.recall(thread="one") is None


@pytest.mark.parametrize("place", ON_DISK, indirect=True)
async def test_a_moment_outlives_the_connection(place: Place) -> None:
    async with open_store(place) as store:
        await Way(store, place.awaited).remember(EXAM)
    async with open_store(place) as store:
        assert await Way(store, place.awaited).recall() == EXAM


@pytest.mark.parametrize("times", [range(15), range(15)[::-1]], ids=["written last", "written first"])
async def test_the_newest_conversation_counts_whatever_the_store_finds_first(way: Way, times: range) -> None:
    for at in times:
        await way.remember(Moment(f"felt at {at}", ("word",), at), thread=str(at))
    assert await way.recall() == Moment("felt at 14", ("word",), 14)


COURSES: Final[dict[str, tuple[list[Moment], Moment]]] = {
    "the newest of one emotion": ([Moment("sad", ("cat",), 1), Moment("sad", ("vet",), 2)], Moment("sad", ("vet",), 2)),
    "not the thanks at the end": ([EXAM, Moment("grateful", ("thanks",), 200)], EXAM),
    "not the small talk before": ([Moment("content", ("fine",), 1), EXAM], EXAM),
    "of equals the newest": (
        [Moment("sad", ("cat",), 1), Moment("joyful", ("won",), 2)],
        Moment("joyful", ("won",), 2),
    ),
    "the one with words": ([EXAM, Moment("anxious", (), 200)], EXAM),
    "without words the newest": ([Moment("sad", (), 1), Moment("angry", (), 2)], Moment("angry", (), 2)),
}


@pytest.mark.parametrize(("course", "expected"), COURSES.values(), ids=COURSES)
async def test_what_most_was_said_of_is_recalled(course: list[Moment], expected: Moment) -> None:
    way = Way(InMemoryStore(), awaited=False)
    await way.remember(*course)
    assert await way.recall() == expected


async def test_a_newer_conversation_about_nothing_does_not_hide_an_older_one() -> None:
    way = Way(InMemoryStore(), awaited=False)
    await way.remember(EXAM, thread="monday")
    await way.remember(Moment("content", (), 200), thread="tuesday")
    assert await way.recall() == EXAM


async def test_a_conversation_keeps_its_newest_moments(way: Way) -> None:
    await way.remember(*[Moment("sad", (f"word{at}",), at) for at in range(MOMENTS + 5)])
    [item] = await way.found()
    assert [moment["at"] for moment in item.value["moments"]] == list(range(5, MOMENTS + 5))


async def test_a_user_keeps_the_newest_conversations(way: Way) -> None:
    for at in range(THREADS + 5):
        await way.remember(Moment("sad", ("word",), at), thread=str(at))
    await way.remember(EXAM, user="somebody else")
    assert sorted(item.value["updated"] for item in await way.found()) == [*range(5, THREADS + 5), 100]


async def test_the_running_conversation_stays_even_if_the_clock_was_turned_back(way: Way) -> None:
    for at in range(THREADS + 1):
        await way.remember(Moment("sad", ("word",), 1000 - at), thread=str(at))
    times = [item.value["updated"] for item in await way.found()]
    assert (len(times), min(times)) == (THREADS, 1000 - THREADS)


async def test_what_is_kept_is_plain_json_of_emotions_words_and_times(way: Way) -> None:
    await way.remember(EXAM)
    [item] = await way.found()
    moment = {"emotion": "anxious", "words": ["exam", "tomorrow"], "at": 100.0}
    assert json.loads(json.dumps(item.value)) == item.value == {"moments": [moment], "updated": 100.0}


WORDS_KEPT: Final = {
    "few": (("one", "two", "three", "four"), ["one", "two", "three"]),
    "short": (("a" * 999,), ["a" * 40]),
    "printable": (("nul\x00", "half\ud83d", "line\nbreak"), ["nul", "half", "linebreak"]),
}


@pytest.mark.parametrize(("words", "kept"), WORDS_KEPT.values(), ids=WORDS_KEPT)
async def test_few_short_printable_words_are_kept(way: Way, words: tuple[str, ...], kept: list[str]) -> None:
    await way.remember(Moment("sad", words, 1.0))
    [item] = await way.found()
    assert item.value["moments"][0]["words"] == kept


DAMAGED: Final[dict[str, dict[str, Any]]] = {
    "another version": {"version": 7, "course": ["sad"]},
    "moments of text": {"moments": "sad", "updated": 300},
    "no moments": {"moments": [], "updated": 300},
    "no time": {"moments": [EXAM.to_json()]},
    "a time of text": {"moments": [EXAM.to_json()], "updated": "today"},
    "moments of another make": {"moments": ["sad", None, 3, [], {}, {"emotion": "sad"}], "updated": 300},
    "words that are none": {"moments": [EXAM.to_json() | {"words": [1, None]}], "updated": 300},
    "an empty emotion": {"moments": [EXAM.to_json() | {"emotion": ""}], "updated": 300},
    "words in one text": {"moments": [EXAM.to_json() | {"words": "exam"}], "updated": 300},
}
damaged = pytest.mark.parametrize("value", DAMAGED.values(), ids=DAMAGED)


def put_into_thread(store: BaseStore, thread: str, value: dict[str, Any]) -> None:
    """Write what `UserMemory` would not."""
    UserMemory(store, ADA, thread).remember(EXAM)
    [item] = store.search(ROOT)
    store.put(item.namespace, item.key, value)


@damaged
def test_an_item_of_another_make_is_passed_over(value: dict[str, Any]) -> None:
    store = InMemoryStore()
    put_into_thread(store, "damaged", value)
    assert UserMemory(store, ADA, "new").recall() is None
    UserMemory(store, ADA, "older").remember(EXAM)
    assert UserMemory(store, ADA, "new").recall() == EXAM


@damaged
def test_a_conversation_goes_on_over_an_item_of_another_make(value: dict[str, Any]) -> None:
    store = InMemoryStore()
    put_into_thread(store, "damaged", value)
    UserMemory(store, ADA, "damaged").remember(EXAM)
    assert UserMemory(store, ADA, "new").recall() == EXAM


def test_the_readable_moments_of_a_damaged_item_count() -> None:
    store = InMemoryStore()
    put_into_thread(store, "damaged", {"moments": [None, EXAM.to_json(), {"emotion": 3}], "updated": 1, "more": "x"})
    assert UserMemory(store, ADA, "new").recall() == EXAM


def test_of_another_makes_words_few_are_recalled() -> None:
    store = InMemoryStore()
    put_into_thread(store, "odd", {"moments": [EXAM.to_json() | {"words": ["exam"] * 99}], "updated": 1})
    assert UserMemory(store, ADA, "new").recall() == Moment("anxious", ("exam",) * 3, 100.0)


async def test_items_of_another_make_are_the_first_to_go(way: Way) -> None:
    await way.remember(EXAM)
    await way.put_beside([{"odd": True}] * THREADS)
    await way.remember(EXAM, thread="another")
    assert ["odd" in item.value for item in await way.found()].count(False) == 2
    assert len(await way.found()) == THREADS


async def test_hostile_ids_neither_fail_nor_mix(way: Way) -> None:
    users = [ADA, *HOSTILE]
    for number, user in enumerate(users):
        await way.remember(Moment("sad", (f"word{number}",), 1.0), user=user, thread=user)
    recalled = [await way.recall(user=user) for user in users]
    assert [moment.words if moment else None for moment in recalled] == [(f"word{n}",) for n in range(len(users))]


async def test_forgetting_takes_all_of_one_user_and_nothing_of_others(way: Way) -> None:
    users = [ADA, *HOSTILE]
    for user in users:
        for thread in HOSTILE[:3]:
            await way.remember(EXAM, user=user, thread=thread)
    assert await way.forget(ADA) == 3
    assert [user for user in users if await way.recall(user=user) != EXAM] == [ADA]


@given(IDS, IDS)
def test_two_users_never_see_each_others_moments(one: str, other: str) -> None:
    assume(one != other)
    store = InMemoryStore()
    UserMemory(store, one, "thread").remember(EXAM)
    assert UserMemory(store, other, "new").recall() is None
    assert forget_user(store, other) == 0
    assert UserMemory(store, one, "new").recall() == EXAM
    assert forget_user(store, one) == 1


async def test_forgetting_reads_on_until_nothing_is_left(way: Way) -> None:
    await way.remember(EXAM)
    await way.put_beside([{}] * 2 * PAGE)
    assert await way.forget() == 2 * PAGE + 1
    assert await way.found() == []


async def test_a_forgotten_user_can_be_remembered_anew(way: Way) -> None:
    await way.remember(Moment("sad", ("cat",), 1.0))
    await way.forget()
    await way.remember(EXAM)
    assert (await way.recall(), await way.forget(), await way.forget()) == (EXAM, 1, 0)


@pytest.mark.parametrize("user_id", ["", None, 7])
def test_nobody_cannot_be_forgotten(user_id: Any) -> None:
    with pytest.raises(HefInputError, match="user_id is"):
        forget_user(InMemoryStore(), user_id)


@pytest.mark.parametrize("place", [kind for kind in KINDS if "async" in kind], indirect=True)
async def test_conversations_of_a_user_that_run_at_once_all_count(way: Way) -> None:
    await asyncio.gather(*[way.remember(EXAM, thread=str(number)) for number in range(8)])
    assert await way.forget() == 8


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize(("call", "given"), [("recall", []), ("remember", [EXAM]), ("forget", [])])
async def test_a_store_that_is_down_raises(call: str, given: list[Moment], awaited: bool) -> None:
    with pytest.raises(ConnectionError, match="down"):
        await getattr(Way(DownStore(), awaited), call)(*given)


@pytest.mark.parametrize("lifetime", [None, 30.0])
def test_moments_live_as_long_as_the_stores_items_do(tmp_path: Path, lifetime: float | None) -> None:
    config = TTLConfig(default_ttl=lifetime)
    with SqliteStore.from_conn_string(str(tmp_path / "store.sqlite"), ttl=config) as store:
        store.setup()
        UserMemory(store, ADA, "old").remember(EXAM)
        assert store.conn.execute("SELECT ttl_minutes FROM store").fetchall() == [(lifetime,)]


def test_moments_are_not_embedded() -> None:
    store = InMemoryStore(index={"dims": 2, "embed": lambda texts: pytest.fail(f"embedded {texts}")})
    UserMemory(store, ADA, "old").remember(EXAM)
    assert UserMemory(store, ADA, "new").recall() == EXAM
