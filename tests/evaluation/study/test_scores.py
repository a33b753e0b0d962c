import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.errors import HefInputError
from hef_graph.evaluation.bootstrap import Estimate
from hef_graph.evaluation.metrics import calibration_error, distinct, macro_f1
from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cases import Case
from hef_graph.evaluation.study.confusion import NO_LABEL
from hef_graph.evaluation.study.scores import Known, Scores, score

LABELS = ("afraid", "angry", "prepared", "sad")


def make_cases(*gold: str) -> list[Case]:
    return [Case(f"c{n}#1", f"c{n}", ("Hm.",), emotion, "Oh no, oh no!") for n, emotion in enumerate(gold)]


def score_emotions(gold: str, named: str, *, seed: int = 0) -> Scores:
    """Score labels written as words; `-` stands for none."""
    cases = make_cases(*gold.split())
    emotions = [None if name == "-" else name for name in named.split()]
    answers = [Answer(case.case_id, emotion) for case, emotion in zip(cases, emotions, strict=True)]
    return score(cases, answers, LABELS, seed=seed)


def score_answers(*answers: Answer, gold: str = "sad", known: Known | None = None) -> Scores:
    """Score answers to cases of one label each; their ids are set here."""
    cases = make_cases(*[gold] * len(answers))
    given_ids = [replace(answer, case_id=case.case_id) for case, answer in zip(cases, answers, strict=True)]
    return score(cases, given_ids, LABELS, seed=0, known=known)


def value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.value


def test_accuracy_is_exact() -> None:
    assert score_emotions("sad sad angry afraid", "sad angry angry -").accuracy.value == 50.0


@pytest.mark.parametrize(
    ("written", "hit"),
    [("I would say Sad.", 100.0), ("sadness", 100.0), ("sa d", 0.0), ("furious", 0.0)],
)
def test_the_substring_measure_looks_for_the_gold_label_in_what_was_written(written: str, hit: float) -> None:
    found = score_answers(Answer("", "angry", written))
    assert (found.accuracy.value, found.substring.value) == (0.0, hit)


def test_a_system_that_wrote_nothing_is_taken_at_its_label() -> None:
    found = score_answers(Answer("", "sad"), Answer("", "angry"), Answer("", None))
    assert [found.substring.value, value(found.invalid)] == pytest.approx([100 / 3, 100 / 3])


@pytest.mark.parametrize(
    ("written", "share"), [("sad", 0), (" Sad.\n", 0), ('"sad"', 0), ("sad or angry", 100), ("gloomy", 100)]
)
def test_a_label_is_invalid_if_what_was_written_is_none_of_the_labels(written: str, share: float) -> None:
    assert value(score_answers(Answer("", "sad", written)).invalid) == share


def test_a_case_without_an_answer_is_wrong_and_missing() -> None:
    cases = make_cases("sad", "sad", "sad", "sad")
    found = score(cases, [Answer("c1#1", "sad", response="Oh.")], LABELS, seed=0)
    assert (found.missing, found.accuracy.value, found.response_coverage.value) == (3, 25.0, 25.0)
    assert found.macro_f1.value == pytest.approx(100 * 2 * 1 / (1 + 4))


def test_without_any_answer_only_what_is_about_cases_is_known() -> None:
    found = score(make_cases("sad", "angry"), [], LABELS, seed=0)
    assert (found.missing, found.accuracy) == (2, Estimate(0, 0, 0))
    assert [found.invalid, found.accuracy_at, found.mean_words, found.seconds, found.degraded] == [None] * 5


def test_of_two_answers_the_later_counts_and_strangers_are_passed_over() -> None:
    answers = [Answer("c0#1", "angry"), Answer("c0#1", "sad"), Answer("c9#1", "sad", response="Oh.")]
    found = score(make_cases("sad"), answers, LABELS, seed=0)
    assert (found.accuracy.value, found.response_coverage.value) == (100.0, 0.0)


def test_no_cases_are_refused() -> None:
    with pytest.raises(HefInputError, match="no cases"):
        score([], [], LABELS, seed=0)


def test_accuracy_at_k_looks_among_the_first_k() -> None:
    ranked = ("afraid", "angry", "prepared", "sad")
    found = score_answers(Answer("", "afraid", ranked=ranked), Answer("", "sad", ranked=ranked[::-1])).accuracy_at
    assert found is not None
    assert {k: at.value for k, at in found.items()} == {1: 50.0, 3: 50.0, 10: 100.0, 20: 100.0}


def test_a_case_without_a_ranking_is_wrong_at_every_k_where_others_have_one() -> None:
    found = score_answers(Answer("", "sad"), Answer("", "sad", ranked=("sad", "angry", "afraid"))).accuracy_at
    assert found is not None
    assert {k: at.value for k, at in found.items()} == {1: 50.0, 3: 50.0}  # of three nothing is known about the tenth


def test_a_system_that_names_one_emotion_has_no_accuracy_at_k() -> None:
    assert score_emotions("sad", "sad").accuracy_at is None


def test_macro_f1_weighs_labels_alike() -> None:
    found = score_emotions("sad sad sad angry", "sad sad angry angry").macro_f1
    assert found.value == pytest.approx(100 * (2 * 2 / (2 + 3) + 2 * 1 / (2 + 1)) / 2)
    assert 0 <= found.low < found.value < found.high <= 100


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from([*LABELS, "-"])), min_size=1, max_size=30))
def test_the_measures_are_those_of_the_plain_definitions(pairs: list[tuple[str, str]]) -> None:
    gold, named = [first for first, _ in pairs], [second for _, second in pairs]
    found = score_emotions(" ".join(gold), " ".join(named))
    assert found.macro_f1.value == pytest.approx(macro_f1(named, gold))
    assert found.accuracy.value == pytest.approx(100 * sum(a == b for a, b in pairs) / len(pairs))
    assert value(found.invalid) == pytest.approx(100 * named.count("-") / len(pairs))


def test_a_case_without_a_label_is_confused_with_none() -> None:
    found = score_emotions("sad angry", "sad -").confusion
    assert (found.gold, found.worst) == (LABELS, (("angry", NO_LABEL, 1),))


def test_diversity_and_length_are_of_the_responses_that_are_not_empty() -> None:
    found = score_answers(*(Answer("", "sad", response=text) for text in ("Oh no.", "Oh dear!", " ", "")))
    assert (found.response_coverage.value, value(found.mean_words)) == (50.0, 3.0)
    assert [found.distinct_1, found.distinct_2] == pytest.approx([100 * 5 / 6, 100.0])


def test_a_system_that_only_reads_has_no_diversity() -> None:
    found = score_emotions("sad", "sad")
    assert (found.response_coverage.value, found.distinct_1, found.mean_words) == (0.0, None, None)


def test_what_people_said_is_counted_beside() -> None:
    found = score(make_cases("sad", "sad"), [], LABELS, seed=0)
    references = ["Oh no, oh no!"] * 2
    assert (found.human_distinct_1, found.human_distinct_2) == (distinct(1, references), distinct(2, references))
    assert found.human_distinct_1 == pytest.approx(100 * 4 / 12)


def test_calibration_compares_the_first_of_the_ranking_with_its_probability() -> None:
    answers = [Answer("", "angry", ranked=("sad",), probability=0.9), Answer("", "sad", probability=0.9)]
    answers += [Answer("", "angry", probability=0.3), Answer("", "sad")]
    found = score_answers(*answers).calibration_error
    assert value(found) == pytest.approx(calibration_error([0.9, 0.9, 0.3], [True, True, False]))
    assert value(found) == pytest.approx((0.1 + 0.1 + 0.3) / 3)


def test_without_probabilities_there_is_no_calibration() -> None:
    assert score_emotions("sad", "sad").calibration_error is None


def test_candidate_sets_are_scored_where_a_case_has_one() -> None:
    known = Known(candidates={"c0#1": ("sad", "angry"), "c1#1": ("angry",)})
    found = score_answers(*[Answer("", "sad")] * 3, known=known).candidates
    assert found is not None
    assert (found.coverage.value, found.mean_size.value) == (50.0, 1.5)


def test_a_system_without_candidates_has_no_scores_of_them() -> None:
    assert score_emotions("sad", "sad").candidates is None


def test_degraded_answers_are_told_by_their_reason() -> None:
    reasons = [None, "timeout", "repaired:label", "timeout"]
    found = score_answers(*(Answer("", "sad", degraded_reason=reason) for reason in reasons))
    assert value(found.degraded) == 75.0
    assert {reason: share.value for reason, share in found.degraded_by_reason.items()} == {
        "timeout": 50.0,
        "repaired:label": 25.0,
    }


def test_effort_is_summed_and_seconds_are_told_by_median_and_tail() -> None:
    answers = [Answer("", "sad", input_tokens=10, output_tokens=2, seconds=float(second)) for second in range(101)]
    found = score_answers(*answers, known=Known(price=lambda answer: answer.output_tokens / 1000))
    assert [found.input_tokens, found.output_tokens, found.cost] == pytest.approx([1010, 202, 0.202])
    assert found.seconds is not None
    assert (found.seconds.median, found.seconds.p95) == (50.0, 95.0)


@pytest.mark.parametrize("known", [None, Known(), Known(price=lambda answer: 1.0 if answer.emotion else None)])
def test_a_cost_is_not_told_unless_every_answer_has_a_price(known: Known | None) -> None:
    assert score_answers(Answer("", "sad"), Answer("", None), known=known).cost is None


def score_conversations(conv_ids: Sequence[str]) -> Estimate:
    """Accuracy of a hundred cases, the first half right."""
    cases = [replace(case, conv_id=conv) for case, conv in zip(make_cases(*["sad"] * 100), conv_ids, strict=True)]
    return score(cases, [Answer(f"c{n}#1", "sad") for n in range(50)], LABELS, seed=0).accuracy


def test_intervals_draw_whole_conversations() -> None:
    apart = score_conversations([str(n) for n in range(100)])
    together = score_conversations([str(n // 25) for n in range(100)])
    assert apart.high - apart.low == pytest.approx(2 * 1.96 * 5, rel=0.15)
    assert together.high - together.low > 60


def test_a_seed_gives_one_score_whatever_the_order_of_the_answers() -> None:
    cases = make_cases(*["sad", "angry", "afraid"] * 8)
    answers = [Answer(case.case_id, "sad", probability=n / 24) for n, case in enumerate(cases)]
    assert score(cases, answers, LABELS, seed=3) == score(cases, answers[::-1], LABELS, seed=3)
    assert score(cases, answers, LABELS, seed=3) != score(cases, answers, LABELS, seed=4)


def test_scores_are_plain_json() -> None:
    answer = Answer("", "sad", response="Oh.", ranked=("sad",), probability=0.5, degraded_reason="timeout")
    found = score_answers(answer, known=Known(candidates={"c0#1": ("sad",)}))
    values = json.loads(json.dumps(found.to_json()))
    assert values["accuracy"] == {"value": 100.0, "low": 100.0, "high": 100.0}
    assert values["accuracy_at"]["1"]["value"] == 100.0
