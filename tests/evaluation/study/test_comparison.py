import json
import sys
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.errors import HefInputError
from hef_graph.evaluation.bootstrap import Estimate
from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cases import Case
from hef_graph.evaluation.study.comparison import (
    Comparison,
    adjust_comparisons,
    compare,
    holm,
    mcnemar,
    measure_difference,
    settle,
)

P_VALUES = st.lists(st.floats(0, 1), max_size=12)


def make_cases(count: int, *, per_conversation: int = 1) -> list[Case]:
    """Cases whose label is always "sad"."""
    ids = [(number // per_conversation, number) for number in range(count)]
    return [Case(f"c{conv}#{number}", f"c{conv}", ("I miss her.",), "sad", "Oh.") for conv, number in ids]


def give(cases: Sequence[Case], right: Sequence[bool]) -> list[Answer]:
    """Answers that are right or not."""
    return [Answer(case.case_id, "sad" if hit else "angry") for case, hit in zip(cases, right, strict=True)]


def compare_counts(both: int, first: int, second: int, neither: int = 0, *, per_conversation: int = 1) -> Comparison:
    """Two systems of which so many cases are right by both, by the first alone, by the second alone, by neither."""
    cases = make_cases(both + first + second + neither, per_conversation=per_conversation)
    one = [True] * (both + first) + [False] * (second + neither)
    two = [True] * both + [False] * first + [True] * second + [False] * neither
    return compare(cases, give(cases, one), give(cases, two), seed=0)


def test_the_difference_is_that_of_the_accuracies() -> None:
    found = compare_counts(40, 30, 10, 20)
    assert (found.accuracy_first, found.accuracy_second, found.difference.value) == (70.0, 50.0, 20.0)
    assert (found.mcnemar.only_first, found.mcnemar.only_second) == (30, 10)


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [(30, 10, "better"), (10, 30, "worse"), (20, 20, "not significant"), (22, 18, "not significant")],
)
def test_the_verdict_is_of_the_first_system(first: int, second: int, verdict: str) -> None:
    assert compare_counts(40, first, second, 20).verdict == verdict


def test_the_interval_is_that_of_paired_proportions() -> None:
    found = compare_counts(400, 300, 100, 200).difference
    deviation = 100 * ((0.4 - 0.2**2) / 1000) ** 0.5
    assert found.high - found.low == pytest.approx(2 * 1.96 * deviation, rel=0.1)


def test_pairing_sees_what_two_intervals_would_not() -> None:
    found = compare_counts(500, 12, 0, 488)
    assert found.verdict == "better"
    assert found.difference.high < 3


def test_cases_of_one_conversation_are_not_as_many_proofs() -> None:
    apart, together = compare_counts(0, 24, 8), compare_counts(0, 24, 8, per_conversation=8)
    assert (apart.verdict, together.verdict) == ("better", "not significant")
    assert apart.mcnemar == together.mcnemar
    assert together.conversations == 4


@pytest.mark.parametrize(("count", "verdict"), [(1, "not significant"), (5, "not significant"), (6, "better")])
def test_fewer_than_six_conversations_that_differ_prove_nothing(count: int, verdict: str) -> None:
    assert compare_counts(0, count, 0).verdict == verdict


def test_one_long_conversation_proves_nothing() -> None:
    assert compare_counts(0, 50, 0, per_conversation=50).verdict == "not significant"


def test_systems_that_agree_everywhere_do_not_differ() -> None:
    found = compare_counts(5, 0, 0, 5)
    assert (found.p, found.mcnemar.p, found.verdict) == (1.0, 1.0, "not significant")
    assert found.mcnemar.test == "no discordant pairs"


def test_a_case_without_an_answer_is_wrong_and_counted() -> None:
    cases = make_cases(4)
    found = compare(cases, give(cases, [True] * 4)[:1], give(cases, [True] * 4), seed=0)
    assert (found.missing_first, found.missing_second) == (3, 0)
    assert (found.accuracy_first, found.mcnemar.only_second) == (25.0, 3)


def test_answers_to_other_cases_are_passed_over() -> None:
    cases = make_cases(8)
    one, two = give(cases, [True] * 8), give(cases, [False] * 8)
    assert compare(cases[:4], one, two, seed=0) == compare(cases[:4], one[:4], two[:4], seed=0)


def test_no_cases_are_refused() -> None:
    with pytest.raises(HefInputError, match="no cases"):
        compare([], [], [], seed=0)


def test_mcnemar_with_few_pairs_is_the_binomial_test() -> None:
    found = mcnemar(6, 16)
    assert (found.test, found.statistic) == ("exact binomial", None)
    assert found.p == pytest.approx(2 * (1 + 22 + 231 + 1540 + 7315 + 26334 + 74613) / 2**22)


def test_mcnemar_with_many_pairs_is_chi_squared_with_continuity_correction() -> None:
    found = mcnemar(121, 59)
    assert found.test == "chi-squared with continuity correction"
    assert found.statistic == pytest.approx(61**2 / 180)
    assert found.p == pytest.approx(5.45e-6, rel=0.01)


@pytest.mark.parametrize("counts", [(20, 20), (0, 0), (3, 3), (20, 21)])
def test_mcnemar_of_equal_counts_sees_nothing(counts: tuple[int, int]) -> None:
    assert mcnemar(*counts).p == pytest.approx(1.0)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_does_not_depend_on_who_is_first(first: int, second: int) -> None:
    one, two = mcnemar(first, second), mcnemar(second, first)
    assert one.p == pytest.approx(two.p)
    assert one.test == two.test
    assert 0 <= one.p <= 1


def test_without_scipy_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(HefInputError, match=r"pip install 'hef-graph\[eval\]'"):
        mcnemar(1, 2)


def test_holm_gives_the_values_of_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(P_VALUES)
def test_holm_keeps_the_order_and_lies_between_no_adjustment_and_bonferroni(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert sorted(adjusted) == [adjusted[index] for index in order]
    assert all(p <= new <= 1 for p, new in zip(p_values, adjusted, strict=True))
    assert all(adjusted[index] == min(1.0, len(p_values) * p_values[index]) for index in order[:1])


def test_what_is_significant_alone_may_not_be_among_many() -> None:
    close, clear = compare_counts(40, 21, 9, 30), compare_counts(40, 30, 0, 30)
    adjusted = adjust_comparisons([close, *[compare_counts(40, 15, 15, 30)] * 8, clear])
    assert close.verdict == "better"
    assert (adjusted[0].verdict, adjusted[0].family) == ("not significant", 10)
    assert adjusted[-1].verdict == "better"


def test_a_comparison_as_json_says_what_decided() -> None:
    values = json.loads(json.dumps(compare_counts(40, 30, 10, 20).to_json()))
    assert (values["verdict"], values["decided_by"]) == ("better", "paired cluster bootstrap")
    assert values["mcnemar"]["test"] == "chi-squared with continuity correction"


@pytest.mark.parametrize(
    ("difference", "p", "verdict"),
    [
        (Estimate(1.0, 0.1, 2.0), 0.049, "better"),
        (Estimate(-1.0, -2.0, -0.1), 0.049, "worse"),
        (Estimate(1.0, 0.1, 2.0), 0.05, "not significant"),
        (Estimate(1.0, -0.1, 2.0), 0.01, "not significant"),
        (Estimate(1.0, 0.0, 2.0), 0.01, "not significant"),
    ],
)
def test_a_difference_is_significant_if_p_and_interval_say_so(difference: Estimate, p: float, verdict: str) -> None:
    assert settle(difference, p) == verdict


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([-1, 0, 1]), st.integers(0, 9)), min_size=1, max_size=40))
def test_a_difference_mirrors_if_the_systems_change_places(cases: list[tuple[int, int]]) -> None:
    gains, groups = [gain for gain, _ in cases], [str(group) for _, group in cases]
    one = measure_difference(gains, groups, seed=0)
    two = measure_difference([-gain for gain in gains], groups, seed=0)
    assert one.p == two.p
    assert [one.estimate.value, one.estimate.low, one.estimate.high] == pytest.approx(
        [-two.estimate.value, -two.estimate.high, -two.estimate.low]
    )
    assert {one.verdict, two.verdict} in ({"better", "worse"}, {"not significant"})


def test_between_equal_systems_the_bootstrap_is_seldom_misled_and_mcnemar_more_often() -> None:
    rng = np.random.default_rng(0)
    groups = [str(number // 2) for number in range(120)]
    draws = [rng.choice([-1, 0, 1], p=[0.15, 0.7, 0.15], size=60).repeat(2) for _ in range(100)]
    bootstrap = [measure_difference(gains, groups, seed=1).verdict != "not significant" for gains in draws]
    by_cases = [mcnemar(int((gains > 0).sum()), int((gains < 0).sum())).p < 0.05 for gains in draws]
    assert sum(bootstrap) <= 10 < sum(by_cases)
