import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.evaluation.bootstrap import Estimate
from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cases import Case
from hef_graph.evaluation.study.judge import SAMPLE, JudgeReport, judge_duels, pair_responses
from hef_graph.evaluation.study.opinions import ASPECTS, Duel, Judge, Place
from tests.fakes import Answer as Said
from tests.fakes import ScriptedModel

PLACES = ("first", "second", "tie")


def make_cases(count: int) -> list[Case]:
    return [Case(f"c{n}#1", f"c{n}", (f"My cat number {n} ran away.",), "sad", "Oh.") for n in range(count)]


def make_duels(count: int) -> list[Duel]:
    return [Duel(case, "How sad. Where did you see it last?", "Ok.") for case in make_cases(count)]


def verdict(empathy: Place, relevance: Place = "tie", fluency: Place = "tie") -> str:
    """What an obedient judge writes."""
    return json.dumps({"empathy": empathy, "relevance": relevance, "fluency": fluency})


async def run(duels: Sequence[Duel], *said: Said) -> JudgeReport:
    """Let a scripted judge answer one question after the other."""
    return await judge_duels(Judge(ScriptedModel(answers=list(said)), "scripted", concurrency=1), duels, seed=0)


@pytest.mark.parametrize(
    ("there", "back", "result"),
    [
        ("first", "second", "win"),
        ("second", "first", "lose"),
        ("tie", "tie", "tie"),
        ("first", "first", "tie"),
        ("second", "second", "tie"),
        ("first", "tie", "tie"),
        ("tie", "first", "tie"),
    ],
)
async def test_a_response_wins_only_from_both_places(there: Place, back: Place, result: str) -> None:
    found = (await run(make_duels(1), verdict(there), verdict(back))).aspects["empathy"]
    assert {name: getattr(found, name).value for name in ("win", "tie", "lose")} == {
        **dict.fromkeys(("win", "tie", "lose"), 0.0),
        result: 100.0,
    }


@pytest.mark.parametrize(
    ("there", "back", "agreement"),
    [("first", "second", 100.0), ("tie", "tie", 100.0), ("first", "first", 0.0), ("tie", "second", 0.0)],
)
async def test_agreement_is_that_of_the_two_orders(there: Place, back: Place, agreement: float) -> None:
    found = (await run(make_duels(1), verdict(there), verdict(back))).aspects["empathy"].agreement
    assert found == Estimate(agreement, agreement, agreement)


async def test_aspects_are_told_apart() -> None:
    report = await run(make_duels(1), verdict("first", "second", "tie"), verdict("second", "first", "tie"))
    assert list(report.aspects) == list(ASPECTS)
    assert [(each.win.value, each.lose.value) for each in report.aspects.values()] == [(100, 0), (0, 100), (0, 0)]


async def test_single_questions_are_counted_from_the_first_systems_side() -> None:
    said = [verdict("first"), verdict("first"), verdict("first"), verdict("second"), verdict("tie"), verdict("first")]
    found = (await run(make_duels(3), *said)).aspects["empathy"]
    assert found.raw == {"win": 3, "tie": 1, "lose": 2}
    assert found.first_place == 4


async def test_a_judge_that_always_takes_the_first_place_prefers_nobody() -> None:
    found = (await run(make_duels(10), *[verdict("first")] * 20)).aspects["empathy"]
    assert (found.tie.value, found.gain.value, found.verdict) == (100.0, 0.0, "not significant")
    assert (found.first_place, found.agreement) == (20, Estimate(0, 0, 0))


@pytest.mark.parametrize(
    ("wins", "losses", "result"),
    [(14, 2, "better"), (2, 14, "worse"), (8, 8, "not significant"), (5, 0, "not significant")],
)
async def test_a_preference_beyond_chance_is_called_so(wins: int, losses: int, result: str) -> None:
    said = [verdict("first"), verdict("second")] * wins + [verdict("second"), verdict("first")] * losses
    found = (await run(make_duels(wins + losses), *said)).aspects["empathy"]
    assert found.verdict == result
    assert found.gain.low <= found.gain.value == pytest.approx(100 * (wins - losses) / (wins + losses))


async def test_a_dialogue_counts_only_with_a_verdict_in_both_orders() -> None:
    report = await run(make_duels(2), verdict("first"), "I like both.", verdict("first"), verdict("second"))
    assert (report.dialogues, report.judged, report.no_verdict) == (2, 1, {"prose": 1})
    assert report.aspects["empathy"].raw == {"win": 2, "tie": 0, "lose": 0}


async def test_a_judge_that_never_answers_leaves_no_result_and_no_error() -> None:
    report = await run(make_duels(2), *["No."] * 4)
    assert (report.judged, report.aspects, report.no_verdict) == (0, {}, {"prose": 4})


async def test_equal_responses_are_a_tie_that_nobody_is_asked_about() -> None:
    [other, same] = make_duels(2)
    report = await run([other, Duel(same.case, "Ok.", "Ok.")], verdict("first"), verdict("first"))
    assert (report.judged, report.identical) == (2, 1)
    assert report.aspects["empathy"].tie.value == 100.0
    assert report.aspects["empathy"].agreement == Estimate(0, 0, 0)
    assert report.aspects["empathy"].raw == {"win": 1, "tie": 0, "lose": 1}


@pytest.mark.parametrize(("first", "second"), [("", "Ok."), ("Ok.", ""), ("", "")])
async def test_a_missing_response_is_counted_and_not_judged(first: str, second: str) -> None:
    report = await run([Duel(make_cases(1)[0], first, second)])
    assert (report.dialogues, report.without_response, report.judged, report.aspects) == (1, 1, 0, {})


async def test_only_equal_responses_have_no_agreement_to_tell() -> None:
    report = await run([Duel(make_cases(1)[0], "Ok.", "Ok.")])
    assert report.aspects["fluency"].agreement is None


def test_the_sample_is_the_same_for_every_two_systems() -> None:
    cases = make_cases(150)
    answers = [Answer(case.case_id, "sad", response=f" To {case.case_id} ") for case in cases]
    one, two = pair_responses(cases, answers, answers, seed=1), pair_responses(cases[::-1], answers, [], seed=1)
    assert len(one) == SAMPLE == 100
    assert {duel.case.case_id for duel in one} == {duel.case.case_id for duel in two}
    assert all(duel.first == f"To {duel.case.case_id}" for duel in one)
    assert {duel.second for duel in two} == {""}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(PLACES)), min_size=1, max_size=8))
async def test_the_shares_sum_to_all_and_swapping_the_systems_mirrors_them(said: list[tuple[Place, Place]]) -> None:
    mine = [verdict(place) for pair in said for place in pair]
    theirs = [verdict(place) for pair in said for place in reversed(pair)]
    duels = make_duels(len(said))
    found = (await run(duels, *mine)).aspects["empathy"]
    mirrored = (await run([duel.swapped for duel in duels], *theirs)).aspects["empathy"]
    assert found.win.value + found.tie.value + found.lose.value == pytest.approx(100)
    assert (found.win, found.tie, found.agreement) == (mirrored.lose, mirrored.tie, mirrored.agreement)
    assert found.first_place == mirrored.first_place


async def test_a_report_is_plain_json_with_its_verdicts() -> None:
    report = await run(make_duels(1), verdict("first"), verdict("second"))
    values = json.loads(json.dumps(report.to_json()))
    assert values["aspects"]["empathy"]["win"]["value"] == 100.0
    assert values["aspects"]["empathy"]["verdict"] == "not significant"
