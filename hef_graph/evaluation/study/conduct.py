"""A study from request to result: everyone is asked, judged and scored, once each."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from hef_graph.chat.models import build_model
from hef_graph.corpus import Context
from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cases import Case, cases_of, sample_cases
from hef_graph.evaluation.study.command import StudyRequest
from hef_graph.evaluation.study.figure import write_picture
from hef_graph.evaluation.study.judge import JudgeReport, pair_responses
from hef_graph.evaluation.study.judging import judge_pairs, make_judge
from hef_graph.evaluation.study.opinions import Judge
from hef_graph.evaluation.study.prices import Price
from hef_graph.evaluation.study.prompts import ImportedAnswers, export_prompts, import_answers
from hef_graph.evaluation.study.published import PublishedAnswers, read_published
from hef_graph.evaluation.study.report import report_study, study_json, tabulate_study, write_report
from hef_graph.evaluation.study.runner import find_price, run_system
from hef_graph.evaluation.study.scores import Known, score
from hef_graph.evaluation.study.spending import Budget
from hef_graph.evaluation.study.studies import Arm, Measured, Pair, Study, arms_of, judged_pairs, needed_cases
from hef_graph.evaluation.study.systems import HefSystem, System
from hef_graph.evaluation.study.workshop import BuildModel, Workshop, silent_model, word_perplexity
from hef_graph.types import SmallEmpatheticModel

WRITTEN: Final = 2
"""The table that scores what the SEM's decoder writes."""


def run_study(
    request: StudyRequest, sem: SmallEmpatheticModel, contexts: Sequence[Context], *, console: Console
) -> dict[str, Any]:
    """The whole study: asked, printed to the console, written to the files of the request; as plain values.

    Raises:
        HefInputError: as in `conduct` and `export`.
        HefModelError: as in `conduct`.
    """
    if request.export:
        lines = export(request, sem, contexts)
        console.print(*map(Text, lines), sep="\n")
        return {"exported": lines}
    found = conduct(request, sem, contexts)
    told = report_study(found, request.tables, figure=request.figure)
    for table in told.tables:
        console.print(tabulate_study(table), "")
    if request.report:
        write_report(told, request.report)
    if request.picture and told.picture:
        write_picture(told.picture.png, request.picture)
    written = [path for path in (request.report, request.picture) if path]
    console.print(*(Text(f"written: {path}") for path in written), sep="\n")
    return study_json(found, told)


def conduct(
    request: StudyRequest, sem: SmallEmpatheticModel, contexts: Sequence[Context], *, build: BuildModel = build_model
) -> Study:
    """Ask everyone that the tables need, and score them; what earlier runs have answered is not asked again.

    Raises:
        HefInputError: a file that cannot be read, or a cost limit without a price.
        HefModelError: a model that cannot be set up.
    """
    cases, entrants = _choose(request, contexts), request.entrants(sem.name)
    arms = arms_of(entrants, request.tables, figure=request.figure)
    imported = _import(request, arms, cases, sem.labels)
    workshop = Workshop(sem, build, dict(request.answers), writes=WRITTEN in request.tables)
    systems = {arm: workshop.system(arm) for arm in arms if arm not in imported}
    for system in systems.values():
        find_price(system, request.run)
    run = _Run(request, cases, systems, {arm: found.answers for arm, found in imported.items()})
    run.remarks += [f"{arm.name}: imported, {found.show()}" for arm, found in imported.items()]
    asyncio.run(run.answer_and_judge(make_judge(request, build), judged_pairs(entrants, request.tables)))
    measured = {arm: run.measure(arm, sem) for arm in arms if arm in run.answers}
    return Study(request.data, request.seed, tuple(cases), entrants, measured, run.verdicts, tuple(run.remarks))


def export(request: StudyRequest, sem: SmallEmpatheticModel, contexts: Sequence[Context]) -> list[str]:
    """Write the prompts of every system that would ask a model, a file each; a line about each file.

    Raises:
        HefInputError: no system would ask a model.
    """
    cases, folder = _choose(request, contexts), request.export
    arms = arms_of(request.entrants(sem.name), request.tables, figure=request.figure)
    workshop = Workshop(sem, silent_model, dict(request.answers), writes=False)
    asking = [arm for arm in arms if arm.kind in {"LLM", "HEF"}]
    if not asking or folder is None:
        raise HefInputError("there are no prompts to write; name an LLM with --model, any name will do")
    lines = []
    for arm in asking:
        path = folder / f"{file_name(arm.name)}.jsonl"
        count = export_prompts(workshop.system(arm), cases, path)
        lines.append(f"{path}: {count:,} prompts; bring answers back with --import-answers '{arm.name}=FILE'")
    return lines


def file_name(name: str) -> str:
    """A system's name as a file's.

    >>> file_name("openai:gpt-4.1-mini c10,w3")
    'openai_gpt-4.1-mini_c10,w3'
    """
    return "".join(c if c.isalnum() or c in "-.,()" else "_" for c in name)


def _choose(request: StudyRequest, contexts: Sequence[Context]) -> list[Case]:
    drawn = sample_cases(cases_of(contexts), count=request.sample, seed=request.seed)
    return needed_cases(drawn, request.tables, figure=request.figure, seed=request.seed)


def _import(
    request: StudyRequest, arms: Sequence[Arm], cases: Sequence[Case], labels: Sequence[str]
) -> dict[Arm, ImportedAnswers | PublishedAnswers]:
    files = {arm: request.imported[arm.name] for arm in arms if arm.name in request.imported}
    printed = {arm: request.published[arm.name] for arm in arms if arm.name in request.published}
    found: dict[Arm, ImportedAnswers | PublishedAnswers] = {
        arm: read_published(file, cases, labels=labels) for arm, file in printed.items()
    }
    return found | {arm: import_answers(path, cases, labels) for arm, path in files.items()}


@dataclass
class _Run:
    """A study at work."""

    request: StudyRequest
    cases: Sequence[Case]
    systems: Mapping[Arm, System]
    answers: dict[Arm, Sequence[Answer]]
    """Those that were imported; the others join them."""
    verdicts: dict[Pair, JudgeReport] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    async def answer_and_judge(self, judge: Judge | None, pairs: Sequence[Pair]) -> None:
        """One loop for everything: clients keep connections that belong to a loop."""
        budget = Budget(self.request.run.max_cost)
        for arm, system in self.systems.items():
            result = await run_system(system, self.cases, self.request.run, budget=budget)
            if result.stopped:
                self.remarks.append(result.show())
            else:
                self.answers[arm] = result.answers
        if judge:
            await self._judge(judge, [pair for pair in pairs if set(pair) <= set(self.answers)], budget)

    async def _judge(self, judge: Judge, pairs: Sequence[Pair], budget: Budget) -> None:
        seed, answers = self.request.seed, self.answers
        duels = {
            pair: pair_responses(self.cases, answers[pair.first], answers[pair.second], seed=seed) for pair in pairs
        }
        judging = await judge_pairs(judge, duels, self.request.run, budget=budget, seed=seed)
        self.verdicts |= judging.verdicts
        self.remarks += [judging.stopped] if judging.stopped else []

    def _candidates(self, system: System | None) -> dict[str, tuple[str, ...]] | None:
        """The sets of prioritised emotions of a system that has them: their size and coverage are measured too."""
        if not isinstance(system, HefSystem) or not system.reading.two_stage:
            return None
        return {case.case_id: system.candidates(case) for case in self.cases}

    def measure(self, arm: Arm, sem: SmallEmpatheticModel) -> Measured:
        """Score an arm's answers."""
        answers = self.answers[arm]
        price = self.request.run.prices.price_of(self.systems[arm].model_name) if arm in self.systems else None
        known = Known(lambda answer: _cost(answer, price), self._candidates(self.systems.get(arm)))
        scores = score(self.cases, answers, sem.labels, seed=self.request.seed, known=known)
        perplexity = word_perplexity(sem, self.cases) if _writes(self.request, arm) else None
        return Measured(tuple(answers), scores, perplexity)


def _cost(answer: Answer, price: Price | None) -> float | None:
    return price.cost(answer.input_tokens, answer.output_tokens) if price else None


def _writes(request: StudyRequest, arm: Arm) -> bool:
    return arm.kind == "SEM" and WRITTEN in request.tables
