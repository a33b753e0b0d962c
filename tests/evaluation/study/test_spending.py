import pytest

from hef_graph.evaluation.study.prices import Price
from hef_graph.evaluation.study.spending import KNOWN_AFTER, OUTPUT_TOKENS, Budget, expected_output, forecast
from tests.evaluation.study.asked import CASES, MadeUpSystem, PromptingSystem, many_cases, sad

PRICE = Price("made", 1.0, 10.0)


def test_a_forecast_counts_the_prompts_that_are_still_to_be_answered() -> None:
    system = PromptingSystem(model_name="made")
    whole = forecast(system, CASES, {}, PRICE).estimate
    rest = forecast(system, CASES, {CASES[0].case_id: sad(CASES[0])}, PRICE).estimate
    assert (whole.cached, rest.cached) == (0, 1)
    assert 0 < rest.input_tokens < whole.input_tokens


def test_the_whole_forecast_is_what_its_cases_are_expected_to_cost() -> None:
    ahead = forecast(PromptingSystem(model_name="made"), CASES, {}, PRICE)
    assert ahead.estimate.cost == pytest.approx(sum(ahead.by_case.values()))
    assert ahead.by_case[CASES[2].case_id] > 10 * OUTPUT_TOKENS / 1e6


def test_a_forecast_says_how_it_was_counted_and_what_it_assumes() -> None:
    shown = forecast(PromptingSystem(model_name="made"), CASES, {}, PRICE).estimate.show()
    assert "4 of 4 cases to answer" in shown
    assert "(characters / 4)" in shown
    assert f"({OUTPUT_TOKENS} an answer, assumed)" in shown


def test_without_a_price_the_forecast_says_so() -> None:
    ahead = forecast(PromptingSystem(model_name="made"), CASES, {}, None)
    assert ahead.estimate.cost is None
    assert ahead.estimate.show().endswith("no price known")


def test_what_asks_no_chat_model_has_nothing_to_count() -> None:
    estimate = forecast(MadeUpSystem(), CASES, {}, PRICE).estimate
    assert (estimate.input_tokens, estimate.cost, estimate.counted) == (0, 0.0, None)


def test_answers_so_far_say_how_long_answers_are() -> None:
    assert expected_output([]) == (OUTPUT_TOKENS, "60 an answer, assumed")
    assert expected_output([sad(case) for case in many_cases(3)]) == (100.0, "mean of 3 answers")


def test_what_is_in_flight_counts_against_the_limit() -> None:
    budget = Budget(1.0)
    first = budget.reserve("a", 0.6)
    assert first == 0.6
    assert budget.reserve("b", 0.6) is None
    budget.settle("a", first, 0.1)
    assert budget.reserve("b", 0.6) == 0.6


def test_a_system_that_turned_out_dearer_is_expected_to_stay_so() -> None:
    budget = Budget(1.0)
    budget.settle("a", 0.0, 0.5)
    assert budget.reserve("a", 0.1) == 0.5
    assert budget.reserve("a", 0.1) is None
    assert Budget(1.0, costs={"a": [0.5]}).reserve("b", 0.1) == 0.1


def test_once_enough_calls_were_paid_they_say_what_the_next_will_cost() -> None:
    budget = Budget(9.0, costs={"a": [0.1] * (KNOWN_AFTER - 1)})
    assert budget.reserve("a", 0.5) == 0.5
    budget.settle("a", 0.5, 0.1)
    assert budget.reserve("a", 0.5) == 0.1


def test_a_call_that_came_to_nothing_is_given_back() -> None:
    budget = Budget(1.0)
    budget.settle("a", budget.reserve("a", 1.0) or 0.0, None)
    assert (budget.spent, budget.in_flight, budget.costs) == (0, 0, {})


def test_what_costs_nothing_is_never_too_much() -> None:
    assert Budget(0.0).reserve("a", 0.0) == 0.0
