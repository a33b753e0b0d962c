import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch

from hef_graph.errors import HefBusyError, HefInputError, HefModelError
from hef_graph.sem.batching import BatchingSem
from hef_graph.sem.inference import TransformerSem
from hef_graph.types import Dialogue, EmotionAnalysis, ReplyGenerator, SmallEmpatheticModel, turns_from_dialogue
from tests.fakes import SpeakingStubSem, StubSem
from tests.sem.tiny import CONFIG, CONVERSATIONS, build_model, build_tokenizer

CALLS = 10_000
TASKS = 500
WORDS = ("alone", "won", "lost", "dark", "thanks", "unfair")


class GatedSem(StubSem):
    """Waits before each call until it is let through; refuses dialogues that say so."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.sizes: list[int] = []

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        self.sizes.append(len(dialogues))
        self.entered.release()
        self.gate.wait(10)
        texts = [turn.text for dialogue in dialogues for turn in turns_from_dialogue(dialogue)]
        if "refuse me" in texts:
            raise HefInputError("refused")
        if "crash" in texts:
            raise RuntimeError("out of memory")
        return super().analyze(dialogues)


@pytest.fixture
def gated() -> Iterator[GatedSem]:
    sem = GatedSem()
    yield sem
    sem.gate.set()


def until(condition: object) -> None:
    """Wait for a condition that another thread brings about."""
    assert callable(condition)
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_it_is_a_sem_and_passes_name_and_labels_through() -> None:
    inner = StubSem()
    with BatchingSem(inner) as sem:
        assert isinstance(sem, SmallEmpatheticModel)
        assert (sem.name, sem.labels) == (inner.name, inner.labels)


@pytest.mark.parametrize(("inner", "speaks"), [(StubSem(), False), (SpeakingStubSem(), True)])
def test_it_speaks_only_if_the_sem_inside_does(inner: StubSem, speaks: bool) -> None:
    assert isinstance(BatchingSem(inner), ReplyGenerator) is speaks


def test_replies_are_those_of_the_sem_inside() -> None:
    inner = SpeakingStubSem()
    sem = BatchingSem(inner)
    assert isinstance(sem, ReplyGenerator)
    assert sem.propose_replies(["I won."], "joyful", count=2) == inner.propose_replies(["I won."], "joyful", count=2)


def test_many_threads_get_what_each_would_get_alone() -> None:
    inner = StubSem()
    asked = [[[f"{WORDS[n % 6]} number {n}"], [f"again {WORDS[n // 6 % 6]}"]] for n in range(2000)]
    with BatchingSem(inner) as sem, ThreadPoolExecutor(64) as threads:
        given = list(threads.map(sem.analyze, asked))
    assert given == [StubSem().analyze(dialogues) for dialogues in asked]
    assert inner.analyze_calls < len(asked)


async def test_many_tasks_get_what_each_would_get_alone() -> None:
    asked = [[[f"{WORDS[n % 6]} number {n}"]] for n in range(500)]
    with BatchingSem(StubSem()) as sem:
        given = await asyncio.gather(*(sem.analyze_async(dialogues) for dialogues in asked))
    assert list(given) == [StubSem().analyze(dialogues) for dialogues in asked]


@pytest.mark.parametrize(("precision", "workers"), [("fp32", 1), ("int8", 1), ("int8", 3)])
async def test_ten_thousand_calls_of_threads_and_tasks_read_as_one_by_one(precision: str, workers: int) -> None:
    ranges = ((-4.0, 4.0),) * (4 * CONFIG.encoder_layers)
    model = build_model(replace(CONFIG, cause_head=True, activation_ranges=ranges))
    inner = TransformerSem("tiny", model, build_tokenizer(), torch.device("cpu"), precision=precision)
    said = [list(talk.utterances[: 1 + n % len(talk.utterances)]) for n, talk in enumerate(CONVERSATIONS)]
    alone = [numbers_of(inner.analyze([dialogue])[0]) for dialogue in said]
    places = [n * 7 % len(said) for n in range(CALLS)]
    with BatchingSem(inner, workers=workers, max_queue=CALLS) as sem, ThreadPoolExecutor(64) as threads:
        by_threads = [threads.submit(sem.analyze, [said[place]]) for place in places[TASKS:]]
        by_tasks = await asyncio.gather(*(sem.analyze_async([said[place]]) for place in places[:TASKS]))
        given = [*by_tasks, *(call.result() for call in by_threads)]
    for place, [analysis] in zip(places, given, strict=True):
        assert numbers_of(analysis) == pytest.approx(alone[place], abs=1e-5)


def numbers_of(analysis: EmotionAnalysis) -> list[float]:
    emotions = sorted(analysis.emotions, key=lambda score: score.label)
    return [*(score.probability for score in emotions), *(word.weight for word in analysis.words)]


def test_what_waits_is_read_in_one_call(gated: GatedSem) -> None:
    with BatchingSem(gated) as sem, ThreadPoolExecutor(9) as threads:
        first = threads.submit(sem.analyze, [["I won."]])
        gated.entered.acquire()
        others = [threads.submit(sem.analyze, [[f"dark {n}"]]) for n in range(8)]
        until(lambda: len(sem._waiting) == 8)
        gated.gate.set()
        assert [future.result() for future in [first, *others]]
    assert gated.sizes == [1, 8]


def test_a_batch_holds_no_more_than_allowed(gated: GatedSem) -> None:
    gated.gate.set()
    with BatchingSem(gated, max_batch=4) as sem:
        assert len(sem.analyze([[f"dark {n}"] for n in range(10)])) == 10
    assert max(gated.sizes) == 4


def test_several_workers_read_side_by_side(gated: GatedSem) -> None:
    with BatchingSem(gated, workers=3) as sem, ThreadPoolExecutor(3) as threads:
        calls = [threads.submit(sem.analyze, [[f"dark {n}"]]) for n in range(3)]
        for _ in range(3):
            assert gated.entered.acquire(timeout=10)
        gated.gate.set()
        assert [len(call.result()) for call in calls] == [1, 1, 1]
    assert gated.sizes == [1, 1, 1]


@pytest.mark.parametrize(("waiting", "share"), [(1, 1), (8, 1), (9, 4), (40, 20), (400, 64)])
def test_one_of_several_workers_takes_one_of_a_short_queue_and_its_share_of_a_long_one(
    waiting: int, share: int, gated: GatedSem
) -> None:
    with BatchingSem(gated, workers=2) as sem, ThreadPoolExecutor(3) as threads:
        held = [threads.submit(sem.analyze, [["I won."]]) for _ in range(2)]
        for _ in held:
            assert gated.entered.acquire(timeout=10)
        call = threads.submit(sem.analyze, [[f"dark {n}"] for n in range(waiting)])
        until(lambda: len(sem._waiting) == waiting)
        gated.gate.set()
        assert len(call.result()) == waiting
    assert gated.sizes[:3] == [1, 1, share]


def test_one_worker_serves_who_calls_alone() -> None:
    reading: set[str] = set()

    class Watched(StubSem):
        workers = 3

        def share_cores(self, workers: int) -> None:
            """The first worker is up last."""
            if threading.current_thread().name == "hef-sem-batching-0":
                time.sleep(0.1)

        def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
            reading.add(threading.current_thread().name)
            return super().analyze(dialogues)

    with BatchingSem(Watched()) as sem:
        for _ in range(50):
            sem.analyze([["I won."]])
            until(lambda: len(sem._idle) == 3)
    assert reading == {"hef-sem-batching-0"}


def test_a_sem_that_gains_by_it_is_read_by_as_many_threads_as_it_says() -> None:
    class Sharing(StubSem):
        def __init__(self) -> None:
            super().__init__()
            self.shares: list[int] = []
            self.asked: list[str] = []

        @property
        def workers(self) -> int:
            self.asked.append(threading.current_thread().name)
            return 2

        def share_cores(self, workers: int) -> None:
            self.shares.append(workers)

    inner = Sharing()
    with BatchingSem(inner) as sem:
        sem.analyze([["I won."]] * 8)
        until(lambda: inner.shares == [2, 2])
    with BatchingSem(inner, workers=1) as sem:
        sem.analyze([["I won."]] * 8)
    assert inner.shares == [2, 2]
    assert set(inner.asked) == {threading.current_thread().name}


def test_workers_that_get_no_share_of_the_cores_read_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    class Stubborn(StubSem):
        workers = 2

        def share_cores(self, workers: int) -> None:
            raise OSError("no")

    with BatchingSem(Stubborn()) as sem:
        assert len(sem.analyze([["I won."]])) == 1
    assert "without its share of the cores: OSError" in caplog.text


def test_a_lone_caller_does_not_wait_for_company() -> None:
    with BatchingSem(StubSem(), max_wait=5) as sem:
        started = time.monotonic()
        for _ in range(3):
            sem.analyze([["I won."]])
        assert time.monotonic() - started < 4


def test_after_a_crowd_the_next_caller_waits_for_company_but_not_for_ever() -> None:
    with BatchingSem(StubSem(), max_wait=0.05) as sem:
        sem.analyze([["I won."], ["I lost."]])
        assert len(sem.analyze([["dark"]])) == 1


def test_no_dialogues_give_no_analyses() -> None:
    with BatchingSem(StubSem()) as sem:
        assert sem.analyze([]) == []


def test_a_full_queue_refuses_with_a_typed_error(gated: GatedSem) -> None:
    with BatchingSem(gated, max_batch=1, max_queue=2) as sem, ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(sem.analyze, [["I won."]])]
        gated.entered.acquire()
        waiting += [threads.submit(sem.analyze, [["dark"]]) for _ in range(2)]
        until(lambda: len(sem._waiting) == 2)
        with pytest.raises(HefBusyError, match="2 dialogues wait for the SEM and 1 more exceed max_queue=2"):
            sem.analyze([["secret"]])
        gated.gate.set()
        assert all(len(future.result()) == 1 for future in waiting)
        assert len(sem.analyze([["unfair"]])) == 1


def test_a_call_larger_than_the_queue_is_served_when_nobody_waits() -> None:
    with BatchingSem(StubSem(), max_queue=2) as sem:
        assert len(sem.analyze([["I won."]] * 5)) == 5


@pytest.mark.parametrize(("text", "error"), [("refuse me", HefInputError), ("crash", RuntimeError)])
def test_a_dialogue_that_fails_fails_alone(text: str, error: type[Exception], gated: GatedSem) -> None:
    with BatchingSem(gated) as sem, ThreadPoolExecutor(4) as threads:
        first = threads.submit(sem.analyze, [["I won."]])
        gated.entered.acquire()
        bad, *good = [threads.submit(sem.analyze, [[each]]) for each in (text, "dark", "unfair")]
        until(lambda: len(sem._waiting) == 3)
        gated.gate.set()
        assert [len(future.result()) for future in [first, *good]] == [1, 1, 1]
        with pytest.raises(error):
            bad.result()


@pytest.mark.parametrize("dialogues", [[[]], ["text"], "text", [[1]], None])
def test_a_dialogue_that_cannot_be_read_never_waits(dialogues: list[list[str]]) -> None:
    inner = StubSem()
    with BatchingSem(inner) as sem, pytest.raises(HefInputError):
        sem.analyze(dialogues)
    assert inner.analyze_calls == 0


def test_a_sem_that_loses_a_dialogue_is_found_out() -> None:
    class Lossy(StubSem):
        def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
            return []

    with BatchingSem(Lossy()) as sem, pytest.raises(HefModelError, match="read 1 dialogues and returned 0"):
        sem.analyze([["I won."]])


async def test_a_cancelled_task_leaves_the_queue_and_harms_nobody(gated: GatedSem) -> None:
    with BatchingSem(gated) as sem:
        first = asyncio.create_task(sem.analyze_async([["I won."]]))
        await asyncio.to_thread(gated.entered.acquire)
        given_up, other = (asyncio.create_task(sem.analyze_async([[text]])) for text in ("dark", "unfair"))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        gated.gate.set()
        assert [len(each) for each in await asyncio.gather(first, other)] == [1, 1]
    assert gated.sizes == [1, 1]


def test_closing_finishes_what_waits_and_takes_no_more(gated: GatedSem) -> None:
    sem = BatchingSem(gated)
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(sem.analyze, [["I won."]])]
        gated.entered.acquire()
        waiting.append(threads.submit(sem.analyze, [["dark"]]))
        until(lambda: len(sem._waiting) == 1)
        gated.gate.set()
        sem.close()
        assert [len(future.result()) for future in waiting] == [1, 1]
    with pytest.raises(HefModelError, match="was closed"):
        sem.analyze([["I won."]])
    sem.close()


@pytest.mark.parametrize(
    "limits",
    [{"workers": 0}, {"max_batch": 0}, {"max_batch": True}, {"max_queue": -1}, {"max_queue": 1.5}, {"max_wait": -1}],
)
def test_a_limit_out_of_range_is_named(limits: dict[str, int]) -> None:
    [name] = limits
    with pytest.raises(HefInputError, match=f"{name} is "):
        BatchingSem(StubSem(), **limits)


def test_a_worker_that_still_works_does_not_keep_the_process_alive() -> None:
    code = (
        "import threading, time\n"
        "from hef_graph.sem.batching import BatchingSem\n"
        "class Slow:\n"
        "    def analyze(self, dialogues): started.set(); time.sleep(600)\n"
        "started = threading.Event()\n"
        "threading.Thread(target=BatchingSem(Slow()).analyze, args=([['hello']],), daemon=True).start()\n"
        "started.wait()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
