"""Micro-batching: what many threads and tasks ask of one small empathetic model (SEM) becomes few large calls.

A worker is a thread that takes what waits, oldest first, and hands it to the SEM in one call. Before that it waits for
as many dialogues as the last call held, at most `max_wait` seconds: a lone caller is served at once, a crowd gathered.

On a GPU one worker takes all that waits. On a CPU there is one for each core: calls side by side on one core each get
more done than one call on all of them, and a dialogue waits for nobody while a core is free. There a worker takes one
dialogue of a short queue, and its share of a long one.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Protocol, Self, runtime_checkable

from hef_graph.errors import HefBusyError, HefInputError, HefModelError
from hef_graph.types import (
    Dialogue,
    EmotionAnalysis,
    ReplyCandidate,
    ReplyGenerator,
    SmallEmpatheticModel,
    Turn,
    turns_from_dialogues,
)

_log = logging.getLogger(__name__)

JOIN_SECONDS: Final = 5.0
"""How long `close` waits for the last call to end."""
SHORT_QUEUE: Final = 4
"""As long as no more wait for each of several workers, they take one at a time: in company it would be done later."""


@runtime_checkable
class ParallelSem(Protocol):
    """A SEM that gets more done when several threads ask at once."""

    @property
    def workers(self) -> int:
        """So many threads."""
        ...

    def share_cores(self, workers: int) -> None:
        """Told by each of these threads, before it first asks, how many they are."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """One dialogue that waits for its analysis."""

    turns: list[Turn]
    result: "Future[EmotionAnalysis]" = field(default_factory=Future)


class BatchingSem:
    """A SEM for many threads and tasks at once, as a context manager or until `close`; satisfies the same protocol.

    It also proposes replies, one call at a time, where the SEM inside does.

    Args:
        sem: reads the batches.
        workers: threads that read side by side; None takes what suits the SEM, one if it does not say.
        max_batch: dialogues in one call.
        max_wait: seconds that a dialogue may wait for company; 0 takes what is there.
        max_queue: dialogues that may wait; a call that would exceed it is refused with `HefBusyError`.

    Raises:
        HefInputError: a limit that is out of range.
    """

    def __init__(
        self,
        sem: SmallEmpatheticModel,
        *,
        workers: int | None = None,
        max_batch: int = 64,
        max_wait: float = 0.002,
        max_queue: int = 1024,
    ) -> None:
        parallel = sem if isinstance(sem, ParallelSem) else None
        if workers is None:
            workers = parallel.workers if parallel else 1
        for name, value in {"workers": workers, "max_batch": max_batch, "max_queue": max_queue}.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise HefInputError(f"{name} is {value!r}; allowed are whole numbers from 1 on")
        if not 0 <= max_wait <= threading.TIMEOUT_MAX:
            raise HefInputError(f"max_wait is {max_wait!r}; allowed are seconds from 0 on")
        self._sem, self._max_batch, self._max_wait, self._max_queue = sem, max_batch, max_wait, max_queue
        self._sharing = parallel if workers > 1 else None
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._expected = 1
        self._workers: list[threading.Thread | None] = [None] * workers
        self._idle: set[int] = set()
        self._speaking = threading.Lock()
        if isinstance(sem, ReplyGenerator):
            self.propose_replies = self._speaker(sem)

    @property
    def name(self) -> str:
        """The name of the SEM inside."""
        return self._sem.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the SEM inside."""
        return self._sem.labels

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        """Read each dialogue, in company with other callers; the results come in the order given.

        Raises:
            HefInputError: one of these dialogues cannot be read; other callers are not affected.
            HefBusyError: too many dialogues wait; try again in a moment.
            HefModelError: this SEM was closed.
        """
        jobs = self._enqueue(dialogues)
        try:
            return [job.result.result() for job in jobs]
        finally:
            _cancel(jobs)

    async def analyze_async(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        """As `analyze`, without a thread for each caller; the waiting dialogues of a cancelled task are not read.

        Raises:
            HefInputError, HefBusyError, HefModelError: as in `analyze`.
        """
        jobs = self._enqueue(dialogues)
        try:
            return list(await asyncio.gather(*(asyncio.wrap_future(job.result) for job in jobs)))
        finally:
            _cancel(jobs)

    def close(self) -> None:
        """Take no more dialogues, finish those that wait, and end the workers."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            workers = [worker for worker in self._workers if worker not in {None, threading.current_thread()}]
        for worker in workers:
            worker.join(JOIN_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _enqueue(self, dialogues: Sequence[Dialogue]) -> list[Job]:
        """Checked before they wait: a dialogue that is wrong on its face never reaches a batch."""
        jobs = [Job(turns) for turns in turns_from_dialogues(dialogues)]
        with self._changed:
            if self._closed:
                raise HefModelError("this SEM was closed; create another one")
            if self._waiting and len(self._waiting) + len(jobs) > self._max_queue:
                raise HefBusyError(
                    f"{len(self._waiting)} dialogues wait for the SEM and {len(jobs)} more exceed max_queue="
                    f"{self._max_queue}; try again in a moment"
                )
            self._waiting.extend(jobs)
            self._start_workers()
            self._changed.notify_all()
        return jobs

    def _start_workers(self) -> None:
        """Started by the first call, and again in a process that was forked from one with workers.

        They count as idle from then on: who is up first does not take the first worker's call.
        """
        for number, worker in enumerate(self._workers):
            if worker is None or not worker.is_alive():
                name = f"hef-sem-batching-{number}"
                started = threading.Thread(target=self._run, args=(number,), name=name, daemon=True)
                self._workers[number] = started
                started.start()
                self._idle.add(number)

    def _run(self, number: int) -> None:
        if self._sharing:
            try:
                self._sharing.share_cores(len(self._workers))
            except Exception as error:  # noqa: BLE001  a SEM of any make; whoever waits must not wait for ever
                _log.warning("a worker reads without its share of the cores: %s", type(error).__name__)
        while (batch := self._next_batch(number)) is not None:
            self._answer(batch)

    def _next_batch(self, number: int) -> list[Job] | None:
        """What waits, oldest first; None once closed and done."""
        with self._changed:
            self._idle.add(number)
            self._await_company(number)
            while not self._waiting:  # another worker took it
                if self._closed:
                    return None
                self._await_company(number)
            self._idle.discard(number)
            batch = [self._waiting.popleft() for _ in range(self._share())]
            self._expected = len(batch)
        return [job for job in batch if job.result.set_running_or_notify_cancel()]

    def _await_company(self, number: int) -> None:
        self._changed.wait_for(lambda: self._closed or self._needs(number))
        self._changed.wait_for(lambda: self._closed or len(self._waiting) >= self._expected, self._max_wait)

    def _needs(self, number: int) -> bool:
        """Whether more wait than the idle workers before this one take: these go first, their caches are warm."""
        return len(self._waiting) > sum(other < number for other in self._idle)

    def _share(self) -> int:
        """How many of those that wait one call takes."""
        waiting, workers = len(self._waiting), len(self._workers)
        if workers > 1 and waiting <= SHORT_QUEUE * workers:
            return 1
        return min(self._max_batch, waiting // workers)

    def _answer(self, batch: list[Job]) -> None:
        """One call for all; if it fails, one call each, so that a dialogue fails alone."""
        if not batch:
            return
        try:
            analyses = self._read(batch)
        except BaseException as error:  # noqa: BLE001  whoever waits must hear of it, and the worker must live on
            if len(batch) == 1:
                batch[0].result.set_exception(error)
            else:
                for job in batch:
                    self._answer([job])
            return
        for job, analysis in zip(batch, analyses, strict=True):
            job.result.set_result(analysis)

    def _read(self, batch: list[Job]) -> list[EmotionAnalysis]:
        analyses = self._sem.analyze([job.turns for job in batch])
        if len(analyses) != len(batch):
            raise HefModelError(f"the SEM {self.name} read {len(batch)} dialogues and returned {len(analyses)} results")
        return analyses

    def _speaker(self, sem: ReplyGenerator) -> Callable[..., list[ReplyCandidate]]:
        def propose_replies(dialogue: Dialogue, emotion: str, *, count: int = 24) -> list[ReplyCandidate]:
            with self._speaking:
                return sem.propose_replies(dialogue, emotion, count=count)

        return propose_replies


def _cancel(jobs: Sequence[Job]) -> None:
    """Dialogues that nobody waits for any more are skipped; nothing happens to those that are done."""
    for job in jobs:
        job.result.cancel()
