from pathlib import Path
from typing import Any

import pytest

from hef_graph.evaluation.study.judging import OPINION_TOKENS, estimate_judging, judge_pairs
from hef_graph.evaluation.study.opinions import Duel, Judge
from hef_graph.evaluation.study.prices import Price
from hef_graph.evaluation.study.runner import RunOptions
from hef_graph.evaluation.study.spending import Budget
from hef_graph.evaluation.study.studies import Arm, Pair
from tests.evaluation.study.made_up import verdict
from tests.evaluation.study.test_opinions import CASE
from tests.fakes import ScriptedModel

PRICE = Price("scripted", 1.0, 1.0)

DUELS = [Duel(CASE, f"That stings, {n}.", "Ok.") for n in range(3)]

PAIR = Pair(Arm("LLM", "a"), Arm("LLM", "b"))


def judge(folder: Path | None = None) -> Judge:
    kept = folder / "kept.jsonl" if folder else None
    return Judge(ScriptedModel(answers=[verdict("first"), verdict("second")] * 9), "strict", concurrency=1, kept=kept)


async def judged(folder: Path, duels: list[Duel], *, progress: bool) -> Any:
    run = RunOptions(folder, progress=progress)
    return await judge_pairs(judge(folder), {PAIR: duels}, run, budget=Budget(), seed=0)


def test_the_estimate_counts_both_orders_and_says_how() -> None:
    line = estimate_judging(judge(), [DUELS], PRICE)
    assert line.startswith("judge strict: 6 of 6 questions to ask, about ")
    assert f"(characters / 4), {6 * OPINION_TOKENS} output tokens ({OPINION_TOKENS} each, assumed): $0.00" in line


def test_without_a_price_the_estimate_says_so() -> None:
    assert estimate_judging(judge(), [DUELS], None).endswith("no price known")


def test_equal_and_missing_responses_cost_nothing() -> None:
    line = estimate_judging(judge(), [[Duel(CASE, "Oh.", "Oh."), Duel(CASE, "", "Oh.")]], PRICE)
    assert line == "judge strict: 0 of 0 questions to ask"


async def test_what_was_asked_before_is_not_in_the_estimate(tmp_path: Path) -> None:
    await judged(tmp_path, DUELS[:1], progress=False)
    assert estimate_judging(judge(tmp_path), [DUELS], PRICE).startswith("judge strict: 4 of 6 questions to ask")


async def test_progress_is_told_with_the_estimate_before_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = await judged(tmp_path, DUELS, progress=True)
    told = capsys.readouterr().err
    assert found.verdicts[PAIR].judged == 3
    assert told.startswith("judge strict: 6 of 6 questions to ask")
    assert "6/6" in told


async def test_without_progress_nothing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await judged(tmp_path, DUELS, progress=False)
    assert capsys.readouterr().err == ""
