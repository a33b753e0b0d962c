import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hef_graph.errors import HefInputError
from hef_graph.evaluation.bootstrap import Estimate
from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cases import Case
from hef_graph.evaluation.study.comparison import Difference
from hef_graph.evaluation.study.selection import (
    FEWEST,
    FINALISTS,
    OFF,
    Finalist,
    Grid,
    Parts,
    Standing,
    choose,
    count_calls,
    halve,
    judge_finalists,
    leaders,
    measure_standing,
    plan_rounds,
    split_cases,
)
from hef_graph.turn import ReadingOptions
from tests.evaluation.study.asked import many_cases

PROFILES = Grid().profiles()


def standing(place: int, gain: float, error: float = 1.0) -> Standing:
    """A gain with its normal 95 % interval and p."""
    estimate = Estimate(gain, gain - 1.96 * error, gain + 1.96 * error)
    p = math.erfc(abs(gain) / error / math.sqrt(2))
    return Standing(PROFILES[place], 100, 50 + gain, 50, Difference(estimate, p))


def test_the_grid_holds_every_setting_and_off_is_not_among_them() -> None:
    assert OFF not in PROFILES
    assert len(PROFILES) == len(set(PROFILES)) == 2 + 3 * 3 * 3
    assert {p.k2 for p in PROFILES if p.two_stage} == {3, 10, "adaptive"}
    assert {(p.k1, p.two_stage) for p in PROFILES if p.cause_perception} == {(k, s) for k in (1, 3) for s in (0, 1)}
    assert {p.wording for p in PROFILES if not p.cause_perception} == {"doubt", "list", "probabilities"}


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"k1": (0,), "k2": (0,)}, "nothing to try"),
        ({"k1": (-1,)}, "k1 is -1"),
        ({"k2": ("all",)}, "k2 is 'all'"),
        ({"wordings": ("song",)}, "wording is 'song'; allowed are list"),
        ({"k1": (0,), "wordings": ()}, "nothing to try"),
    ],
)
def test_a_grid_that_cannot_be_tried_is_refused(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(HefInputError, match=complaint):
        Grid(**wrong)


@given(st.integers(1, 200), st.integers(1, 3000))
def test_rounds_halve_the_profiles_double_the_cases_and_end_with_all_cases_and_the_finalists(
    profiles: int, cases: int
) -> None:
    steps = plan_rounds(profiles, cases)
    assert (steps[0].profiles, steps[-1].cases) == (profiles, cases)
    assert steps[-1].keep == min(profiles, FINALISTS)
    assert len(steps) == 1 or steps[0].cases >= FEWEST
    for one, following in pairwise(steps):
        assert following.profiles == one.keep == max(FINALISTS, math.ceil(one.profiles / 2))
        assert 2 * one.cases - 1 <= following.cases <= 2 * one.cases


@given(st.integers(60, 120), st.integers(20, 60), st.integers(0, 5))
@settings(max_examples=40)
def test_search_and_confirmation_share_no_conversation_and_lose_no_case(count: int, groups: int, seed: int) -> None:
    cases = [Case(f"c{n % groups}#{n}", f"c{n % groups}", ("Hm.",), "sad", "") for n in range(count)]
    parts = split_cases(cases, seed=seed)
    assert not {case.conv_id for case in parts.search} & {case.conv_id for case in parts.confirmation}
    assert sorted(parts.all, key=cases.index) == cases
    assert FEWEST <= len(parts.search) <= count // 3
    assert split_cases(cases[::-1], seed=seed) == parts


@pytest.mark.parametrize("cases", [many_cases(29), [Case(f"a#{n}", "a", ("Hm.",), "sad", "") for n in range(90)], []])
def test_too_few_cases_or_conversations_are_refused(cases: list[Case]) -> None:
    with pytest.raises(HefInputError, match="too few to tune on; give at least 30"):
        split_cases(cases, seed=0)


def test_what_one_round_has_asked_the_next_does_not() -> None:
    parts = Parts(tuple(many_cases(100)), tuple(many_cases(200)))
    steps = plan_rounds(29, 100)
    assert count_calls(steps, parts) == (29 * 13 + 15 * 12 + 8 * 25 + 4 * 50) + 300 + 2 * 200


def test_a_standing_counts_the_cases_that_both_were_asked() -> None:
    cases = many_cases(4)
    mine = [Answer(case.case_id, "sad") for case in cases[:3]]
    off = [Answer(case.case_id, "joyful") for case in cases[1:]]
    found = measure_standing(PROFILES[0], cases, mine, off, seed=0)
    assert found is not None
    assert (found.cases, found.accuracy, found.off_accuracy, found.gain.estimate.value) == (2, 100, 0, 100)
    assert measure_standing(PROFILES[0], cases, mine, [], seed=0) is None


def test_an_answer_without_a_valid_emotion_is_wrong() -> None:
    cases = many_cases(2)
    invalid, sad = ([Answer(case.case_id, emotion) for case in cases] for emotion in (None, "sad"))
    found = measure_standing(PROFILES[0], cases, invalid, sad, seed=0)
    assert found is not None
    assert found.gain.estimate.value == -100


gains = st.lists(st.integers(-20, 20).map(float), min_size=1, max_size=len(PROFILES))


@given(gains, st.integers(1, 8))
def test_no_profile_that_goes_on_gains_less_than_one_that_does_not(found: list[float], keep: int) -> None:
    standings = [standing(place, gain) for place, gain in enumerate(found)]
    kept = halve(standings, keep)
    assert len(kept) == min(keep, len(found))
    gain_of = {each.profile: each.gain.estimate.value for each in standings}
    lost = [gain for profile, gain in gain_of.items() if profile not in kept]
    assert min(gain_of[profile] for profile in kept) >= max(lost, default=-100)


def test_of_equals_the_earlier_goes_on() -> None:
    assert halve([standing(place, 1.0) for place in range(4)], 2) == PROFILES[:2]


@given(gains)
def test_only_profiles_ahead_of_off_are_worth_a_confirmation(found: list[float]) -> None:
    standings = [standing(place, gain) for place, gain in enumerate(found)]
    assert len(leaders(standings, FINALISTS)) == min(FINALISTS, sum(gain > 0 for gain in found))


@given(gains, st.floats(0.5, 10))
def test_nothing_is_chosen_that_is_not_better_than_off_beyond_noise(found: list[float], error: float) -> None:
    standings = [standing(place, gain, error) for place, gain in enumerate(found)]
    chosen = choose(judge_finalists(standings, count=len(standings)))
    better = [each for each in standings if each.gain.estimate.low > 0 and each.gain.p * len(found) < 0.05]
    assert chosen is None or chosen.standing.gain.estimate.low > 0
    assert chosen or not better


def test_of_two_better_profiles_the_best_is_chosen() -> None:
    chosen = choose(judge_finalists([standing(0, 6.0), standing(1, 9.0)], count=2))
    assert chosen is not None
    assert chosen.standing.profile == PROFILES[1]


def test_a_finalist_that_was_measured_on_few_cases_needs_a_greater_gain() -> None:
    chosen = choose(judge_finalists([standing(0, 6.0), standing(1, 7.0, error=2.0)], count=2))
    assert chosen is not None
    assert chosen.standing.profile == PROFILES[0]


def test_a_finalist_that_was_not_measured_counts_in_the_family() -> None:
    [alone] = judge_finalists([standing(0, 2.1)], count=1)
    [of_two] = judge_finalists([standing(0, 2.1)], count=2)
    assert (alone.verdict, of_two.verdict) == ("better", "not significant")


REPETITIONS = 300
CASES = 300


def draw_gains(means: Sequence[float], *, seed: int, changed: float = 0.2, alike: float = 0.6) -> NDArray[np.int8]:
    """`(repetitions, profiles, cases)`: 1 where only the profile is right, -1 where only off is.

    Evidence changes one answer in five, and profiles change much the same ones.
    """
    lots = np.random.default_rng(seed)
    shared = lots.standard_normal((REPETITIONS, 1, CASES))
    own = lots.standard_normal((REPETITIONS, len(means), CASES))
    ranks = np.argsort(np.argsort((math.sqrt(alike) * shared + math.sqrt(1 - alike) * own).ravel()))
    share = (ranks.reshape(own.shape) + 0.5) / own.size
    mean = np.asarray(means)[None, :, None]
    return (share > 1 - (changed + mean) / 2).astype(np.int8) - (share < (changed - mean) / 2).astype(np.int8)


def decide(gains: NDArray[np.int8]) -> Finalist | None:
    """A whole tuning on one repetition's gains."""
    places = {profile: place for place, profile in enumerate(PROFILES)}

    def measure(profiles: Sequence[ReadingOptions], part: slice) -> list[Standing]:
        found = {places[profile]: 100.0 * gains[places[profile], part] for profile in profiles}
        return [standing(n, float(v.mean()), float(v.std()) / math.sqrt(len(v)) or 1.0) for n, v in found.items()]

    steps, left = plan_rounds(len(gains), CASES // 3), PROFILES[: len(gains)]
    for step in steps[:-1]:
        left = halve(measure(left, slice(step.cases)), step.keep)
    left = leaders(measure(left, slice(CASES // 3)), FINALISTS)
    return choose(judge_finalists(measure(left, slice(CASES // 3, None)), count=len(left)))


def decide_all(means: Sequence[float], *, seed: int) -> list[float | None]:
    """The true gain of what was chosen in each repetition; None for off."""
    chosen = [decide(gains) for gains in draw_gains(means, seed=seed)]
    return [means[PROFILES.index(each.standing.profile)] if each else None for each in chosen]


@pytest.mark.parametrize("profiles", [2, 8, 29])
def test_off_wins_where_no_profile_makes_a_difference(profiles: int) -> None:
    chosen = decide_all([0.0] * profiles, seed=profiles)
    assert chosen.count(None) >= 0.95 * REPETITIONS


def test_profiles_that_make_a_model_worse_are_not_chosen() -> None:
    chosen = decide_all([-0.02 * (place % 4) for place in range(len(PROFILES))], seed=1)
    assert sum(gain is not None and gain < 0 for gain in chosen) <= 0.02 * REPETITIONS


def test_profiles_that_gain_eight_points_are_mostly_found() -> None:
    means = [(0.0, 0.04, 0.08)[place % 3] for place in range(len(PROFILES))]
    chosen = decide_all(means, seed=2)
    assert sum(gain is not None and gain > 0 for gain in chosen) >= 0.65 * REPETITIONS


def test_one_profile_that_gains_a_lot_is_found_among_many_that_gain_nothing() -> None:
    chosen = decide_all([0.0] * 11 + [0.15] + [0.0] * 17, seed=3)
    assert chosen.count(0.15) >= 0.8 * REPETITIONS
