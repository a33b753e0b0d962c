import pytest

from hef_graph.corpus import Context
from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.cases import cases_of, sample_cases
from tests.evaluation.study.asked import many_cases

CONTEXTS = [
    Context("ferry", "afraid", ("The ferry was rocking.",), "Were you ill?"),
    Context("ferry", "afraid", ("The ferry was rocking.", "Were you ill?", "All night."), "Poor you."),
]


def test_a_case_is_named_by_its_conversation_and_the_turn_that_is_asked_for() -> None:
    assert [case.case_id for case in cases_of(CONTEXTS)] == ["ferry#1", "ferry#3"]
    assert {case.conv_id for case in cases_of(CONTEXTS)} == {"ferry"}


def test_a_case_keeps_what_people_said() -> None:
    [_, case] = cases_of(CONTEXTS)
    assert (case.turns, case.emotion, case.reference) == (CONTEXTS[1].turns, "afraid", "Poor you.")


def test_two_conversations_of_one_id_are_refused() -> None:
    with pytest.raises(HefInputError, match="'ferry#1' occurs 2 times; give each conversation a conv_id"):
        cases_of([*CONTEXTS, CONTEXTS[0]])


def test_no_contexts_make_no_cases() -> None:
    assert cases_of([]) == []


def test_a_sample_keeps_the_cases_order_and_has_the_wished_size() -> None:
    cases = many_cases(40)
    drawn = sample_cases(cases, count=12, seed=3)
    assert len(drawn) == 12
    assert [case for case in cases if case in drawn] == drawn


def test_a_sample_depends_on_the_seed_and_not_on_the_files_order() -> None:
    cases = many_cases(40)
    drawn = {case.case_id for case in sample_cases(cases, count=12, seed=3)}
    assert {case.case_id for case in sample_cases(cases[::-1], count=12, seed=3)} == drawn
    assert {case.case_id for case in sample_cases(cases, count=12, seed=4)} != drawn


@pytest.mark.parametrize("count", [None, 5, 6])
def test_a_sample_of_all_or_more_is_everything(count: int | None) -> None:
    cases = many_cases(5)
    assert sample_cases(cases, count=count, seed=0) == cases
