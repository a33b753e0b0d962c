"""Let systems answer a study's cases: many at a time, within a cost limit, each answer kept on disk as it arrives."""

import asyncio
import contextlib
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, NoReturn, TypeAlias

from tqdm import tqdm

from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cache import AnswerCache
from hef_graph.evaluation.study.cases import Case
from hef_graph.evaluation.study.prices import NO_PRICE, Price, PriceTable, load_prices, show_cost
from hef_graph.evaluation.study.spending import Budget, Estimate, Forecast, forecast
from hef_graph.evaluation.study.systems import BATCH, AskingSystem, BatchSystem, System

Stopped: TypeAlias = Literal["cost", "failing", "interrupted"]

PASSING: Final = frozenset(
    {"auth", "not_found", "bad_request", "rate_limit", "server", "connection", "malformed", "error"}
)
"""Reasons of an empty answer for which the model cannot be blamed: it is not kept, the next run asks again."""

MOST_FAILURES: Final = 20
"""So many of them in a row stop a run: the provider does not want to, or the key is wrong."""

_WHY: Final = {
    "cost": "the cost limit is reached",
    "failing": f"{MOST_FAILURES} calls in a row have failed",
    "interrupted": "interrupted",
}


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a study is run."""

    cache_dir: Path
    concurrency: int = 8
    """Calls at a time."""
    max_cost: float | None = None
    """US dollars for all systems of a run together, what was paid earlier apart; None for no limit."""
    progress: bool = True
    """Whether estimate, progress and end are written to standard error."""
    prices: PriceTable = field(default_factory=load_prices)

    def __post_init__(self) -> None:
        if not isinstance(self.concurrency, int) or self.concurrency < 1:
            raise HefInputError(f"concurrency is {self.concurrency!r}; allowed are whole numbers from 1 on")
        if self.max_cost is not None and not self.max_cost >= 0:
            raise HefInputError(f"max_cost is {self.max_cost!r}; allowed are US dollars from 0 on, or None")


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a system's run came to."""

    system: str
    key: str
    cases: int
    answers: list[Answer]
    """In the cases' order; fewer than the cases if the run was stopped."""
    cached: int
    """Answers that were there before."""
    cost: float | None
    """US dollars of this run; None without a known price."""
    stopped: Stopped | None = None
    estimate: Estimate | None = None
    """None for a run that was interrupted before there was one."""
    uncounted: int = 0
    """New answers whose tokens the provider did not count: they are taken at their estimate."""

    @property
    def done(self) -> int:
        """Cases that are answered."""
        return len(self.answers)

    def show(self) -> str:
        """For people, in one line."""
        new = self.done - self.cached
        head = f"{self.system}: {self.done:,} of {self.cases:,} cases answered, {new:,} of them new"
        end = f"; stopped: {_WHY[self.stopped]}; run again to go on" if self.stopped else ""
        return f"{head}, {show_cost(self.cost)}{end}"


def run_systems(systems: Sequence[System], cases: Sequence[Case], options: RunOptions) -> list[RunResult]:
    """Each system's answers, one system after the other, within one cost limit.

    Ctrl-C ends the run: what is finished is kept and returned.

    Raises:
        HefInputError: as in `run_system`, before anything is asked.
    """
    for system in systems:
        find_price(system, options)
    results: list[RunResult] = []
    budget = Budget(options.max_cost)
    try:
        asyncio.run(_run_each(systems, cases, options, budget, results))
    except KeyboardInterrupt:
        results += [_interrupted(system, cases, options, budget) for system in systems[len(results) :]]
    return results


async def _run_each(
    systems: Sequence[System], cases: Sequence[Case], options: RunOptions, budget: Budget, results: list[RunResult]
) -> None:
    for system in systems:
        result = await run_system(system, cases, options, budget=budget)
        results.append(result)


async def run_system(
    system: System, cases: Sequence[Case], options: RunOptions, *, budget: Budget | None = None
) -> RunResult:
    """The system's answers: those of earlier runs from the cache, the rest now.

    Args:
        system: who answers.
        cases: what is asked.
        options: where answers are kept, how many calls at a time, the cost limit.
        budget: shared with other runs; None makes one of `options.max_cost`.

    Raises:
        HefInputError: there is a cost limit, and no price for the system's model.
    """
    price = find_price(system, options)
    cache = AnswerCache(options.cache_dir, system.key)
    async with cache.alone(lambda: _say(options, f"{system.name}: waiting for another run that asks the same")):
        known = cache.read(cases)
        todo = [case for case in cases if case.case_id not in known]
        if isinstance(system, AskingSystem) and todo:
            _say(options, f"{system.name}: preparing {len(todo):,} prompts")
            await system.prepare(todo)
        ahead = await asyncio.to_thread(forecast, system, cases, known, price)
        _say(options, ahead.estimate.show())
        run = _Run(system, cache, price, ahead, budget or Budget(options.max_cost), dict(known))
        await run.answer_all(todo, options)
    result = run.result(cases, len(known))
    _say(options, result.show())
    return result


def find_price(system: System, options: RunOptions) -> Price | None:
    """The price of the system's tokens; None if it is not known.

    Raises:
        HefInputError: it is not known, and there is a cost limit to keep.
    """
    price = options.prices.price_of(system.model_name)
    if price is None and options.max_cost is not None:
        raise HefInputError(
            f"{NO_PRICE} for {system.model_name!r}, so that a cost limit of {show_cost(options.max_cost)} cannot be "
            "kept; give a file of prices that has one, or no limit"
        )
    return price


@dataclass(slots=True)
class _Run:
    """One system at work."""

    system: System
    cache: AnswerCache
    price: Price | None
    ahead: Forecast
    budget: Budget
    answers: dict[str, Answer]
    uncounted: int = 0
    failures: int = 0
    """In a row."""
    stopped: Stopped | None = None

    @property
    def cost(self) -> float | None:
        """So far; None without a known price."""
        return sum(self.budget.costs.get(self.system.key, ())) if self.price else None

    async def answer_all(self, cases: Sequence[Case], options: RunOptions) -> None:
        """Answer the cases; what is finished is on the disk, however this ends."""
        total = self.ahead.estimate.cases
        with tqdm(
            total=total,
            initial=total - len(cases),
            desc=self.system.name,
            unit="case",
            disable=not options.progress or not cases,
            file=sys.stderr,
        ) as bar:
            if isinstance(self.system, BatchSystem):
                await self._answer_in_batches(self.system, cases, bar)
                return
            waiting = deque(cases)
            with _own_error():
                async with asyncio.TaskGroup() as workers:
                    for _ in range(min(options.concurrency, len(cases))):
                        workers.create_task(self._work(waiting, bar))
            self.stopped = self.stopped or ("cost" if waiting else None)

    async def _answer_in_batches(self, system: BatchSystem, cases: Sequence[Case], bar: "tqdm[NoReturn]") -> None:
        for start in range(0, len(cases), BATCH):
            batch = cases[start : start + BATCH]
            answers = await asyncio.to_thread(system.answer_all, batch)
            self.cache.add_all(zip(batch, answers, strict=True))
            self.answers |= {answer.case_id: answer for answer in answers}
            bar.update(len(batch))

    async def _work(self, waiting: deque[Case], bar: "tqdm[NoReturn]") -> None:
        """Answer one case after the other; near the cost limit workers leave, the last when nothing is left."""
        while self.stopped is None and waiting:
            expected = self.ahead.by_case.get(waiting[0].case_id, 0.0)
            if (reserved := self.budget.reserve(self.system.key, expected)) is None:
                return
            case = waiting.popleft()
            cost: float | None = None
            try:
                answer = await self.system.answer(case)
                cost = self._cost_of(answer)
                self._keep(case, answer)
            finally:
                self.budget.settle(self.system.key, reserved, cost)
            bar.set_postfix_str(show_cost(self.cost), refresh=False)
            bar.update()

    def _cost_of(self, answer: Answer) -> float:
        """By the provider's count, else as estimated: what is not counted is still paid."""
        if self.price is None:
            return 0.0
        if answer.input_tokens or answer.output_tokens:
            return self.price.cost(answer.input_tokens, answer.output_tokens)
        if is_passing(answer):
            return 0.0
        self.uncounted += self.system.model_name is not None
        return self.ahead.by_case.get(answer.case_id, 0.0)

    def _keep(self, case: Case, answer: Answer) -> None:
        self.answers[case.case_id] = answer
        if not is_passing(answer):
            self.cache.add(case, answer)
            self.failures = 0
            return
        self.failures += 1
        if self.failures >= MOST_FAILURES:
            self.stopped = "failing"

    def result(self, cases: Sequence[Case], cached: int) -> RunResult:
        """What it came to."""
        return RunResult(
            self.system.name,
            self.system.key,
            len(cases),
            [self.answers[case.case_id] for case in cases if case.case_id in self.answers],
            cached,
            self.cost,
            self.stopped,
            self.ahead.estimate,
            self.uncounted,
        )


def is_passing(answer: Answer) -> bool:
    """Whether nothing came for a reason that may be gone in the next run, and nothing was paid for it."""
    return answer.degraded_reason in PASSING and not answer.response and not answer.output_tokens


def _interrupted(system: System, cases: Sequence[Case], options: RunOptions, budget: Budget) -> RunResult:
    """What is on the disk."""
    known = AnswerCache(options.cache_dir, system.key).read(cases)
    answers = [known[case.case_id] for case in cases if case.case_id in known]
    costs = budget.costs.get(system.key, [])
    cost = sum(costs) if find_price(system, options) else None
    cached = max(0, len(answers) - len(costs))
    result = RunResult(system.name, system.key, len(cases), answers, cached, cost, "interrupted")
    _say(options, result.show())
    return result


@contextlib.contextmanager
def _own_error() -> Iterator[None]:
    """The first error of a group of tasks as itself, for those who catch it by its kind."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group


def _say(options: RunOptions, text: str) -> None:
    if options.progress:
        with contextlib.suppress(OSError):  # nobody reads any more
            tqdm.write(text, file=sys.stderr)
