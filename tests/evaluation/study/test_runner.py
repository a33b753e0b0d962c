import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cache import AnswerCache
from hef_graph.evaluation.study.cases import Case
from hef_graph.evaluation.study.prices import Price, PriceTable
from hef_graph.evaluation.study.runner import MOST_FAILURES, RunOptions, run_system, run_systems
from hef_graph.evaluation.study.systems import SemSystem
from tests.evaluation.study.asked import CASES, MadeUpSystem, PromptingSystem, many_cases, sad
from tests.fakes import StubSem

PRICES = PriceTable((Price("made", 100.0, 1000.0),))
"""An answer of `sad` costs $0.20, three times what is expected."""

ENDLESS = """
import sys
from pathlib import Path
from hef_graph.evaluation.study.runner import RunOptions, run_systems
from tests.evaluation.study.asked import MadeUpSystem, many_cases
results = run_systems([MadeUpSystem(pause=0.05)], many_cases(400), RunOptions(Path(sys.argv[1]), concurrency=2))
print(results[0].stopped, results[0].done)
"""


@pytest.fixture
def options(tmp_path: Path) -> RunOptions:
    return RunOptions(tmp_path / "cache", progress=False, prices=PRICES)


def kept(options: RunOptions, cases: list[Case]) -> list[str]:
    return list(AnswerCache(options.cache_dir, "made-up").read(cases))


def ids(cases: list[Case]) -> list[str]:
    return [case.case_id for case in cases]


async def test_answers_come_in_the_cases_order_whoever_is_ready_first(options: RunOptions) -> None:
    system, cases = MadeUpSystem(), many_cases(20)

    async def later_first(case: Case) -> Answer:
        await asyncio.sleep(0.002 * (20 - cases.index(case)))
        return sad(case)

    system.answer = later_first  # type: ignore[method-assign]  # the pace is what this test is about
    assert [answer.case_id for answer in (await run_system(system, cases, options)).answers] == ids(cases)


async def test_no_more_calls_run_at_a_time_than_allowed(options: RunOptions) -> None:
    system = MadeUpSystem(pause=0.01)
    await run_system(system, many_cases(20), replace(options, concurrency=3))
    assert system.most_running == 3


async def test_what_was_answered_once_is_not_asked_again(options: RunOptions) -> None:
    await run_system(MadeUpSystem(), many_cases(5), options)
    again = MadeUpSystem()
    result = await run_system(again, many_cases(8), options)
    assert again.asked == ids(many_cases(8)[5:])
    assert (result.done, result.cached) == (8, 5)


async def test_two_systems_share_no_answers(options: RunOptions) -> None:
    await run_system(MadeUpSystem(), CASES, options)
    other = MadeUpSystem(key="other")
    await run_system(other, CASES, options)
    assert len(other.asked) == len(CASES)


async def test_two_runs_of_one_system_at_once_ask_each_case_once(options: RunOptions) -> None:
    system, cases = MadeUpSystem(pause=0.005), many_cases(12)
    first, second = await asyncio.gather(*(run_system(system, cases, options) for _ in range(2)))
    assert sorted(system.asked) == sorted(ids(cases))
    assert first.answers == second.answers


async def test_a_cancelled_run_goes_on_where_it_was(options: RunOptions) -> None:
    first, cases = MadeUpSystem(pause=0.01), many_cases(40)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(run_system(first, cases, replace(options, concurrency=4)), 0.06)
    done = kept(options, cases)
    assert 0 < len(done) < len(cases)
    second = MadeUpSystem()
    await run_system(second, cases, options)
    assert set(second.asked) == set(ids(cases)) - set(done)


async def test_an_error_in_a_system_is_raised_as_itself_and_loses_nothing(options: RunOptions) -> None:
    cases = many_cases(10)

    def break_at_the_sixth(case: Case) -> Answer:
        if case is cases[5]:
            raise ZeroDivisionError
        return sad(case)

    with pytest.raises(ZeroDivisionError):
        await run_system(MadeUpSystem(reply=break_at_the_sixth), cases, replace(options, concurrency=1))
    assert kept(options, cases) == ids(cases[:5])


def start_endless(folder: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    path, deadline = folder / "made-up.jsonl", time.monotonic() + 60
    while not (path.is_file() and path.read_bytes().count(b"\n") > 5):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    return process


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(options: RunOptions) -> None:
    process, cases = start_endless(options.cache_dir), many_cases(400)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    done, second = kept(options, cases), MadeUpSystem()
    assert len(done) > 5
    [result] = run_systems([second], cases, options)
    assert set(second.asked) == set(ids(cases)) - set(done)
    assert (result.done, result.cached, result.stopped) == (400, len(done), None)


@pytest.mark.slow
def test_ctrl_c_ends_a_run_with_what_is_finished(options: RunOptions) -> None:
    process = start_endless(options.cache_dir)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out.split() == ["interrupted", str(len(kept(options, many_cases(400))))]
    assert "stopped: interrupted; run again to go on" in err
    assert "Traceback" not in err


def test_a_run_stops_before_it_costs_more_than_allowed(options: RunOptions) -> None:
    system = PromptingSystem(model_name="made", pause=0.002)
    [result] = run_systems([system], many_cases(50), replace(options, max_cost=2.1, concurrency=4))
    assert (result.stopped, result.done) == ("cost", len(system.asked))
    assert result.cost == pytest.approx(0.2 * result.done)
    assert 1.5 < 0.2 * result.done <= 2.1


def test_calls_that_are_cheaper_than_expected_use_the_limit_up(options: RunOptions) -> None:
    cheap = PromptingSystem(model_name="made", reply=lambda case: replace(sad(case), input_tokens=10, output_tokens=1))
    [result] = run_systems([cheap], many_cases(200), replace(options, max_cost=0.301))
    assert (result.stopped, result.done) == ("cost", 150)


def test_what_was_paid_earlier_does_not_count_against_the_limit(options: RunOptions) -> None:
    limited, cases = replace(options, max_cost=1.1, concurrency=1), many_cases(8)
    first, second = (run_systems([PromptingSystem(model_name="made")], cases, limited)[0] for _ in range(2))
    assert (first.done, first.stopped) == (5, "cost")
    assert (second.done, second.cached, second.stopped) == (8, 5, None)


def test_one_limit_holds_for_all_systems_of_a_run(options: RunOptions) -> None:
    systems = [PromptingSystem(key=key, model_name="made") for key in "ab"]
    first, second = run_systems(systems, many_cases(4), replace(options, max_cost=1.1, concurrency=1))
    assert (first.done, first.stopped) == (4, None)
    assert (second.done, second.stopped) == (1, "cost")


def test_a_limit_needs_a_price_before_anything_is_asked(options: RunOptions) -> None:
    known, unknown = MadeUpSystem(), MadeUpSystem(model_name="nobodys")
    with pytest.raises(HefInputError, match="no price known for 'nobodys', so that a cost limit of"):
        run_systems([known, unknown], CASES, replace(options, max_cost=1.0))
    assert known.asked == []


def test_without_a_limit_an_unknown_price_stays_unknown(options: RunOptions) -> None:
    [result] = run_systems([MadeUpSystem(model_name="nobodys")], CASES, options)
    assert (result.cost, result.done) == (None, len(CASES))
    assert "no price known" in result.show()


def test_tokens_that_a_provider_does_not_count_are_paid_as_estimated(options: RunOptions) -> None:
    system = PromptingSystem(model_name="made", reply=lambda case: Answer(case.case_id, "sad", response="Oh."))
    [result] = run_systems([system], CASES, options)
    assert result.estimate is not None
    assert result.cost == pytest.approx(result.estimate.cost)
    assert result.uncounted == len(CASES)


def failed(case: Case, reason: str = "connection") -> Answer:
    return Answer(case.case_id, None, degraded_reason=reason)


def test_an_answer_that_failed_on_the_way_is_asked_for_again(options: RunOptions) -> None:
    [result] = run_systems([MadeUpSystem(reply=failed)], CASES, options)
    assert [answer.degraded_reason for answer in result.answers] == ["connection"] * len(CASES)
    again = MadeUpSystem()
    run_systems([again], CASES, options)
    assert len(again.asked) == len(CASES)


@pytest.mark.parametrize("reason", ["refusal", "label", "timeout", "truncated"])
def test_an_answer_that_the_model_failed_is_kept(reason: str, options: RunOptions) -> None:
    run_systems([MadeUpSystem(reply=lambda case: failed(case, reason))], CASES, options)
    again = MadeUpSystem()
    run_systems([again], CASES, options)
    assert again.asked == []


def test_a_provider_that_answers_nothing_is_not_asked_for_ever(options: RunOptions) -> None:
    system = MadeUpSystem(reply=failed)
    [result] = run_systems([system], many_cases(100), replace(options, concurrency=1))
    assert (result.stopped, len(system.asked)) == ("failing", MOST_FAILURES)


def test_a_system_is_prepared_for_what_it_will_be_asked_and_no_more(options: RunOptions) -> None:
    run_systems([PromptingSystem()], many_cases(3), options)
    again = PromptingSystem()
    run_systems([again], many_cases(7), options)
    assert again.prepared == 4


def test_a_sem_answers_in_batches_and_once(options: RunOptions) -> None:
    sem = StubSem()
    first, second = (run_systems([SemSystem(sem)], CASES, options)[0] for _ in range(2))
    assert sem.analyze_calls == 1
    assert second.answers == first.answers
    assert (first.cost, second.cached) == (0.0, len(CASES))


def test_estimate_and_end_are_written_for_people(options: RunOptions, capsys: pytest.CaptureFixture[str]) -> None:
    run_systems([PromptingSystem(model_name="made")], CASES, replace(options, progress=True))
    written = capsys.readouterr()
    assert written.out == ""
    assert "made up: 4 of 4 cases to answer, about" in written.err
    assert "4/4" in written.err
    assert "made up: 4 of 4 cases answered, 4 of them new, $0.80" in written.err


def test_without_progress_nothing_is_written(options: RunOptions, capsys: pytest.CaptureFixture[str]) -> None:
    run_systems([PromptingSystem(model_name="made")], CASES, options)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "wrong", [{"concurrency": 0}, {"concurrency": 1.5}, {"max_cost": -1}, {"max_cost": float("nan")}]
)
def test_a_setting_that_cannot_be_used_is_refused_by_name(wrong: dict[str, float], tmp_path: Path) -> None:
    [name] = wrong
    with pytest.raises(HefInputError, match=f"{name} is .*; allowed are"):
        RunOptions(tmp_path, **wrong)  # type: ignore[arg-type]  # wrong on purpose
