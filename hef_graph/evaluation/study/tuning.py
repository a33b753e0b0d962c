"""How much evidence helps a given large language model (LLM): tuned by measurement, within a cost limit.

`hef_graph.evaluation.study.selection` holds the rules; here the model is asked. "Off", the model alone, takes part in
every round and stays unless a profile is established to be better: HEF must never make a model worse.
"""

import contextlib
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NoReturn

from langchain_core.language_models import BaseChatModel
from tqdm import tqdm

from hef_graph.errors import HefModelError
from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cases import Case, sample_cases
from hef_graph.evaluation.study.models import RememberedSem
from hef_graph.evaluation.study.prices import show_cost
from hef_graph.evaluation.study.runner import RunOptions, find_price, is_passing, run_system
from hef_graph.evaluation.study.selection import (
    OFF,
    Finalist,
    Grid,
    Parts,
    Standing,
    Step,
    choose,
    count_calls,
    halve,
    judge_finalists,
    leaders,
    measure_standing,
    plan_rounds,
    split_cases,
)
from hef_graph.evaluation.study.spending import Budget, forecast
from hef_graph.evaluation.study.studies import settings_of
from hef_graph.evaluation.study.systems import HefSystem
from hef_graph.turn import ReadingOptions
from hef_graph.types import SmallEmpatheticModel

COUNT: Final = 300
"""Cases of a tuning unless said otherwise."""


@dataclass(frozen=True, slots=True)
class TuneRequest:
    """What is tuned, on how much, at what cost."""

    model: str
    """The model's name for people, such as `openai:gpt-4.1-mini`."""
    data: str
    """What the cases are called, such as `valid`."""
    run: RunOptions
    count: int = COUNT
    """Cases drawn; all if there are fewer."""
    seed: int = 0
    grid: Grid = field(default_factory=Grid)


@dataclass(frozen=True, slots=True)
class Round:
    """What a round of the search came to."""

    cases: int
    standings: tuple[Standing, ...]
    """Of fewer profiles than took part if the money ran out."""
    kept: tuple[ReadingOptions, ...]
    """Those that went on; the last round's are the finalists."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """What was measured, and what follows from it."""

    request: TuneRequest
    sem: str
    parts: Parts
    rounds: tuple[Round, ...]
    finalists: tuple[Finalist, ...]
    """On the cases of the confirmation, which took no part in the search."""
    calls: int
    """Turns asked now; those that earlier runs had asked apart."""
    cost: float | None
    """US dollars of this run; None without a known price."""
    out_of_money: bool
    """Whether the cost limit ended it."""

    @property
    def winner(self) -> Finalist | None:
        """The profile that was found better than "off"; None where "off" wins."""
        return choose(self.finalists)

    @property
    def profile(self) -> ReadingOptions:
        """What the model should be shown."""
        return self.winner.standing.profile if self.winner else OFF

    @property
    def reason(self) -> str:
        """Why, in a sentence or two for people."""
        short = f" The cost limit of {show_cost(self.request.run.max_cost)} is reached; with more money, run again."
        return self._decided() + (short if self.out_of_money else "")

    def _decided(self) -> str:
        if winner := self.winner:
            gain = winner.standing.gain.estimate.show()
            return f"{settings_of(self.profile)}: {gain} points better than off on cases that the search did not see."
        if self.finalists:
            return "off: no finalist is better beyond noise on cases that the search did not see."
        if self.out_of_money:
            return "off: no profile could be confirmed."
        return "off: no profile was ahead of it at the end of the search, so that there was none to confirm."


async def tune(model: BaseChatModel, sem: SmallEmpatheticModel, cases: Sequence[Case], request: TuneRequest) -> Tuning:
    """Search, confirm, decide; what earlier runs have answered is not asked again.

    Raises:
        HefInputError: too few cases, or a cost limit without a price; before anything is asked.
        HefModelError: the provider answers nothing.
    """
    parts = split_cases(sample_cases(cases, count=request.count, seed=request.seed), seed=request.seed)
    profiles = request.grid.profiles()
    steps, tuner = plan_rounds(len(profiles), len(parts.search)), _Tuner(model, RememberedSem(sem), request)
    calls = count_calls(steps, parts)
    await tuner.forecast(profiles[-1], parts.search[: steps[0].cases], calls)
    with tqdm(total=calls, desc=request.model, unit="call", disable=not request.run.progress, file=sys.stderr) as bar:
        tuner.bar = bar
        finalists = await tuner.search(profiles, steps, parts.search)
        confirmed = await tuner.confirm(finalists, parts.confirmation)
    rounds, judged = tuple(tuner.rounds), judge_finalists(confirmed, count=len(finalists))
    return Tuning(request, sem.name, parts, rounds, judged, tuner.calls, tuner.cost, tuner.out_of_money)


@dataclass
class _Tuner:
    """A tuning at work."""

    model: BaseChatModel
    sem: RememberedSem
    request: TuneRequest
    budget: Budget = field(init=False)
    rounds: list[Round] = field(default_factory=list)
    calls: int = 0
    out_of_money: bool = False
    bar: "tqdm[NoReturn] | None" = None
    _asked: set[tuple[ReadingOptions, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.budget = Budget(self.request.run.max_cost)
        self._priced = find_price(self._system(OFF), self.request.run) is not None

    @property
    def cost(self) -> float | None:
        """So far; None without a known price."""
        return self.budget.spent if self._priced else None

    async def forecast(self, dearest: ReadingOptions, cases: Sequence[Case], calls: int) -> None:
        """Say what all of it is going to cost, by the prompts of the first round with the most evidence."""
        system, run = self._system(dearest), self.request.run
        await system.prepare(cases)
        expected = list(forecast(system, cases, {}, find_price(system, run)).by_case.values())
        cost = calls * sum(expected) / len(expected) if expected else None
        short = cost is not None and run.max_cost is not None and cost > run.max_cost
        limit = f"; the limit of {show_cost(run.max_cost)} may end it early, and then off stays" if short else ""
        self._say(f"{self.request.model}: up to {calls:,} calls, about {show_cost(cost)}{limit}")

    async def search(
        self, profiles: Sequence[ReadingOptions], steps: Sequence[Step], cases: Sequence[Case]
    ) -> tuple[ReadingOptions, ...]:
        """The finalists, best first; none if the money ran out."""
        for number, step in enumerate(steps, start=1):
            self._say(f"round {number} of {len(steps)}: {step.profiles} profiles and off, {step.cases} cases")
            standings = await self._measure(profiles, cases[: step.cases])
            choosing = leaders if number == len(steps) else halve
            profiles = () if self.out_of_money else choosing(standings, step.keep)
            self.rounds.append(Round(step.cases, tuple(standings), tuple(profiles)))
            if not profiles:
                break
        return tuple(profiles)

    async def confirm(self, finalists: Sequence[ReadingOptions], cases: Sequence[Case]) -> list[Standing]:
        """The finalists' standings, as far as the money goes: the best of the search comes first."""
        if not finalists:
            return []
        names = ", ".join(map(settings_of, finalists))
        self._say(f"confirmation: {names} against off, {len(cases)} other cases")
        return await self._measure(finalists, cases, to_the_end=True)

    async def _measure(
        self, profiles: Sequence[ReadingOptions], cases: Sequence[Case], *, to_the_end: bool = False
    ) -> list[Standing]:
        """Everyone's standing; when the money runs out, that of the one who was asked last only if `to_the_end`."""
        off, standings = await self._ask(OFF, cases), list[Standing]()
        for profile in profiles:
            if self.out_of_money:
                break
            answers = await self._ask(profile, cases)
            standing = measure_standing(profile, cases, answers, off, seed=self.request.seed)
            if standing and (to_the_end or not self.out_of_money):
                standings.append(standing)
        return standings

    async def _ask(self, profile: ReadingOptions, cases: Sequence[Case]) -> list[Answer]:
        """The answers that count: a call that was lost on its way says nothing about the profile."""
        quiet = replace(self.request.run, progress=False)
        result = await run_system(self._system(profile), cases, quiet, budget=self.budget)
        self.calls += result.done - result.cached
        self.out_of_money = self.out_of_money or result.stopped == "cost"
        self._show_progress(profile, result.answers)
        counting = [answer for answer in result.answers if not is_passing(answer)]
        if result.stopped == "failing" or (result.answers and not counting):
            raise self._failure(result.answers)
        return counting

    def _failure(self, answers: Sequence[Answer]) -> HefModelError:
        [(reason, _)] = Counter(answer.degraded_reason for answer in answers if is_passing(answer)).most_common(1)
        return HefModelError(
            f"{self.request.model} answers nothing ({reason}), so nothing is decided; run again to go on"
        )

    def _system(self, profile: ReadingOptions) -> HefSystem:
        return HefSystem(self.model, self.sem, profile, name=settings_of(profile))

    def _show_progress(self, profile: ReadingOptions, answers: Sequence[Answer]) -> None:
        new = {(profile, answer.case_id) for answer in answers} - self._asked
        self._asked.update(new)
        if self.bar is not None:
            self.bar.set_postfix_str(show_cost(self.cost), refresh=False)
            self.bar.update(len(new))

    def _say(self, text: str) -> None:
        if self.request.run.progress:
            with contextlib.suppress(OSError):  # nobody reads any more
                tqdm.write(text, file=sys.stderr)
