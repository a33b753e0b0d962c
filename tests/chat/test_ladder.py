import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata

from hef_graph.chat.ladder import FIRST_WAIT, MAX_CALLS, Attempt, Call, Case, CutReply, settle, whole_sentences
from hef_graph.chat.methods import Method
from hef_graph.chat.outcome import Outcome
from hef_graph.errors import HefReplyError
from tests.fakes import LABELS, reply_json

CASE = Case([HumanMessage("I lost my cat.")], LABELS, "angry")

SEEN_USAGE: UsageMetadata = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}


@dataclass(frozen=True, slots=True)
class Settled:
    """What the ladder came to."""

    calls: list[Call]
    result: Outcome | CutReply | HefReplyError

    @property
    def prompts(self) -> list[Sequence[BaseMessage]]:
        return [call.prompt for call in self.calls]

    @property
    def outcome(self) -> Outcome:
        assert isinstance(self.result, Outcome)
        return self.result

    @property
    def cause(self) -> str:
        assert isinstance(self.result, HefReplyError)
        return self.result.cause


def climb(*attempts: Attempt | str, case: Case = CASE) -> Settled:
    """Play the attempts against the ladder."""
    settling, calls = settle(case), []
    calls.append(next(settling))
    for attempt in attempts:
        try:
            calls.append(settling.send(Attempt(attempt) if isinstance(attempt, str) else attempt))
        except StopIteration as end:
            return Settled(calls, end.value)
    raise AssertionError(f"the ladder asks for more than {len(attempts)} answers")


def failed(cause: str, text: str = "", **details: Any) -> Attempt:
    return Attempt(text, HefReplyError(cause, "it failed", **details))


REFUSED = failed("bad_request", refused_method=True)

GOOD = reply_json("sad", "Oh no.")


def test_a_valid_first_answer_is_not_degraded() -> None:
    assert climb(reply_json("sad", "Oh no.")).result == Outcome("sad", "Oh no.", None)


def test_the_first_prompt_is_sent_as_it_is() -> None:
    assert climb(reply_json("sad", "Oh no.")).prompts == [CASE.prompt]


def test_a_label_outside_the_set_is_asked_for_again() -> None:
    settled = climb(reply_json("blue", "Oh."), reply_json("sad", "Oh no."))
    assert settled.result == Outcome("sad", "Oh no.", "repaired:label")


def test_the_second_prompt_shows_the_answer_the_problem_and_the_labels() -> None:
    wrong = reply_json("blue", "Oh.")
    *conversation, answer, request = climb(wrong, reply_json("sad", "Oh no.")).prompts[1]
    assert conversation == CASE.prompt
    assert answer == AIMessage(wrong)
    assert "the field 'emotion' is not one of the labels" in str(request.text)
    assert ", ".join(LABELS) in str(request.text)


def test_what_the_model_repeats_of_our_delimiters_is_made_harmless_before_it_is_shown_again() -> None:
    prompt = climb("</evidence> Oh.", reply_json("sad", "Oh no.")).prompts[1]
    assert prompt[-2] == AIMessage("(/evidence) Oh.")


def test_a_label_that_stays_wrong_is_replaced_by_the_best_candidate() -> None:
    settled = climb(reply_json("blue", "First."), reply_json("purple", "Second."))
    assert settled.result == Outcome("angry", "Second.", "label")


def test_a_second_answer_that_fails_leaves_the_first_ones_response() -> None:
    assert climb(reply_json("blue", "First."), failed("auth")).result == Outcome("angry", "First.", "label")


def test_a_label_in_another_case_is_mended_without_asking() -> None:
    settled = climb(reply_json(" Sad.", "Oh no."))
    assert settled.result == Outcome("sad", "Oh no.", "repaired:label")


@pytest.mark.parametrize("first", ["", "  ", "[]", '{"emotion": "sad"}', "Just prose.", reply_json("sad", " ")])
def test_an_answer_that_does_not_fit_is_asked_for_again(first: str) -> None:
    outcome = climb(first, reply_json("sad", "Oh no.")).outcome
    assert (outcome.emotion, outcome.response) == ("sad", "Oh no.")
    assert str(outcome.degraded_reason).startswith("repaired:")


@pytest.mark.parametrize("cause", ["refusal", "truncated", "filter", "auth", "not_found", "bad_request", "error"])
def test_what_a_second_call_cannot_mend_goes_down_at_once(cause: str) -> None:
    assert climb(failed(cause)).cause == cause


PASSING = ["rate_limit", "server", "connection", "malformed", "timeout"]


@pytest.mark.parametrize("cause", PASSING)
def test_what_may_pass_is_asked_for_again_with_the_same_prompt(cause: str) -> None:
    settled = climb(failed(cause), GOOD)
    assert settled.result == Outcome("sad", "Oh no.", f"repaired:{cause}")
    assert settled.prompts == [CASE.prompt] * 2


@pytest.mark.parametrize("cause", PASSING)
def test_a_turn_has_three_calls_and_no_more(cause: str) -> None:
    settled = climb(*[failed(cause)] * MAX_CALLS)
    assert (settled.cause, len(settled.calls), MAX_CALLS) == (cause, 3, 3)


def test_each_wait_is_twice_the_one_before() -> None:
    assert [call.wait for call in climb(*[failed("server")] * 3).calls] == [0.0, FIRST_WAIT, 2 * FIRST_WAIT]


def test_a_provider_that_names_a_time_is_asked_again_then() -> None:
    assert climb(failed("rate_limit", retry_after=7.0), GOOD).calls[1].wait == 7.0


@pytest.mark.parametrize(("retry_after", "calls"), [(4.9, 2), (5.1, 1)])
def test_a_wait_that_takes_half_of_what_is_left_is_not_worth_it(retry_after: float, calls: int) -> None:
    case = replace(CASE, remaining=lambda: 10.0)
    attempts: list[Attempt | str] = [failed("rate_limit", retry_after=retry_after), GOOD]
    assert len(climb(*attempts[:calls], case=case).calls) == calls


def test_past_the_deadline_nothing_is_asked_again() -> None:
    assert climb(failed("timeout"), case=replace(CASE, remaining=lambda: 0.0)).cause == "timeout"


def test_after_a_malformed_stream_the_answer_is_asked_for_in_one_piece() -> None:
    assert [call.streamed for call in climb(failed("malformed"), GOOD).calls] == [True, False]
    assert [call.streamed for call in climb(failed("server"), GOOD).calls] == [True, True]


def test_a_refused_method_moves_one_down_with_the_same_prompt() -> None:
    settled = climb(REFUSED, REFUSED, GOOD, case=replace(CASE, method="json_schema"))
    assert [call.method for call in settled.calls] == ["json_schema", "function_calling", "json_mode"]
    assert [call.wait for call in settled.calls] == [0.0] * 3
    assert settled.outcome.degraded_reason == "repaired:bad_request"


@pytest.mark.parametrize(
    ("method", "lower"), [("json_schema", "function_calling"), ("json_mode", "plain"), ("native", "plain")]
)
def test_each_method_has_the_one_below(method: Method, lower: Method) -> None:
    assert climb(REFUSED, GOOD, case=replace(CASE, method=method)).calls[1].method == lower


@pytest.mark.parametrize("method", ["plain", "grammar"])
def test_below_the_last_method_there_is_none(method: Method) -> None:
    assert climb(REFUSED, case=replace(CASE, method=method)).cause == "bad_request"


def test_three_refused_methods_are_three_calls() -> None:
    assert len(climb(REFUSED, REFUSED, REFUSED, case=replace(CASE, method="json_schema")).calls) == 3


def test_a_cut_answer_keeps_its_whole_sentences_and_the_models_label() -> None:
    cut = failed("truncated", '{"emotion": "sad", "response": "Oh no! What happ')
    assert climb(cut).result == Outcome("sad", "Oh no!", "truncated")


def test_a_cut_answer_without_a_usable_label_gets_the_best_candidate() -> None:
    cut = failed("truncated", '{"emotion": "blue", "response": "Oh no! What happ')
    assert climb(cut).result == Outcome("angry", "Oh no!", "truncated")


def test_less_than_a_sentence_is_not_kept() -> None:
    assert isinstance(climb(failed("truncated", '{"emotion": "sad", "response": "Oh n')).result, HefReplyError)


def test_prose_is_kept_if_prose_it_stays() -> None:
    assert climb("I am sorry", "So very sorry").result == Outcome("angry", "So very sorry", "prose")


def test_prose_after_an_empty_answer_is_kept() -> None:
    assert climb("", "I am sorry").outcome.response == "I am sorry"


def test_prose_is_kept_rather_than_a_later_cut_answer() -> None:
    cut = failed("truncated", '{"emotion": "sad", "response": "I am so so')
    assert climb("I am sorry.", cut).outcome.response == "I am sorry."


@pytest.mark.parametrize("broken", ['{"emotion": "sad", ', '{"response": }', "Here: {'response': 'Oh'}", '{"a": 1}'])
def test_broken_json_is_never_shown_as_prose(broken: str) -> None:
    assert isinstance(climb(broken, broken).result, HefReplyError)


def test_an_error_names_the_last_cause() -> None:
    assert climb("", failed("auth")).cause == "auth"


def test_an_answer_is_asked_to_be_mended_once() -> None:
    assert climb("", "").cause == "empty"


def test_what_was_shown_is_cut_without_asking_again() -> None:
    slow = HefReplyError("timeout", "too slow")
    shown = Attempt('{"emotion": "lonely", "response": "Oh n', slow, shown="Oh n", usage=SEEN_USAGE)
    assert climb(shown).result == CutReply("lonely", "Oh n", slow, SEEN_USAGE)


@pytest.mark.parametrize(
    ("shown", "closed", "has_sentence"),
    [("Oh n", "Oh n…", False), ("Oh. N", "Oh. N…", True), ("Oh.", "Oh.", True), ("Oh…", "Oh…", True)],
)
def test_a_cut_reply_is_closed_with_a_mark_unless_it_ends(shown: str, closed: str, has_sentence: bool) -> None:
    cut = CutReply("sad", shown, HefReplyError("timeout", "too slow"))
    assert (cut.closed, cut.has_sentence) == (closed, has_sentence)


def test_a_reply_that_was_cut_goes_on_to_its_last_whole_sentence() -> None:
    cut = Attempt('{"emotion": "sad", "response": "Oh no. What now? An', HefReplyError("timeout", ""), shown="Oh no.")
    result = climb(cut).result
    assert isinstance(result, CutReply)
    assert result.closed == "Oh no. What now?"


CLAIM = "I lost my cat too."


def test_a_claim_is_left_out_without_asking_again() -> None:
    assert climb(reply_json("sad", f"{CLAIM} Oh no.")).result == Outcome("sad", "Oh no.", "repaired:claim")


def test_a_reason_that_was_there_before_stays() -> None:
    settled = climb(reply_json("blue", "Oh."), reply_json("sad", f"{CLAIM} Oh no."))
    assert settled.result == Outcome("sad", "Oh no.", "repaired:label")
    assert climb(reply_json("Sad", f"{CLAIM} Oh no.")).outcome.degraded_reason == "repaired:label"


def test_nothing_but_claims_is_asked_for_again_once_with_the_reason() -> None:
    settled = climb(reply_json("sad", CLAIM), reply_json("sad", "Oh no."))
    assert settled.result == Outcome("sad", "Oh no.", "repaired:claim")
    assert "it claims to be human, or to have lived or felt something" in str(settled.prompts[1][-1].text)
    assert climb(reply_json("sad", CLAIM), reply_json("sad", CLAIM)).cause == "claim"


def test_a_number_that_was_made_up_is_left_out_unless_it_is_known() -> None:
    answer = reply_json("sad", "Oh no. Call 988.")
    assert climb(answer).result == Outcome("sad", "Oh no.", "repaired:claim")
    assert climb(answer, case=replace(CASE, known=frozenset({"988"}))).result == Outcome("sad", "Oh no. Call 988.")


@pytest.mark.parametrize(
    ("attempts", "left"),
    [
        (["Oh no. I lost mine too.", "Oh dear. I lost mine too."], Outcome("angry", "Oh dear.", "prose")),
        (["Oh no. I l\x00ost mine too.", failed("auth")], Outcome("angry", "Oh no.", "prose")),
        ([reply_json("blue", f"{CLAIM} Oh no."), failed("auth")], Outcome("angry", "Oh no.", "label")),
        (
            [failed("truncated", f'{{"emotion": "sad", "response": "Oh no! {CLAIM} What')],
            Outcome("sad", "Oh no!", "truncated"),
        ),
    ],
)
def test_what_is_salvaged_holds_no_claim_either(attempts: list[Attempt | str], left: Outcome) -> None:
    assert climb(*attempts).result == left


def test_a_salvage_of_nothing_but_claims_is_none() -> None:
    assert climb(reply_json("blue", CLAIM), failed("auth")).cause == "auth"


def test_the_tokens_of_both_answers_are_counted() -> None:
    wrong = Attempt(reply_json("blue", "Oh."), usage=SEEN_USAGE)
    usage = climb(wrong, Attempt(reply_json("sad", "Oh."), usage=SEEN_USAGE)).outcome.usage
    assert usage is not None
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (10, 4, 14)


def test_tokens_that_nobody_counted_are_not_given_as_none_used() -> None:
    assert climb(reply_json("blue", "Oh."), reply_json("sad", "Oh.")).outcome.usage is None


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("One. Two! Thr", "One. Two!"),
        ("One? Two", "One?"),
        ("Well… and th", "Well…"),
        ("そうですか。それ", "そうですか。"),
        ("Whole.", "Whole."),
        ("no end", ""),
        ("", ""),
    ],
)
def test_a_cut_text_ends_at_its_last_full_sentence(text: str, whole: str) -> None:
    assert whole_sentences(text) == whole


ANSWERS = st.one_of(
    st.text(max_size=40),
    st.builds(reply_json, st.sampled_from([*LABELS, "blue", "SAD"]), st.text(max_size=20)),
    st.builds(reply_json, st.sampled_from(LABELS), st.text(max_size=20)).map(lambda text: text[:-3]),
)


@settings(deadline=None)
@given(ANSWERS, ANSWERS)
def test_whatever_comes_the_ladder_ends_with_a_label_and_a_text_or_an_error(first: str, second: str) -> None:
    result = climb(first, second).result
    if isinstance(result, Outcome):
        assert result.emotion in LABELS
        assert result.response.strip()
        assert result.response == result.response.strip()


@settings(deadline=None)
@given(ANSWERS, ANSWERS)
def test_only_a_first_answer_that_fits_as_written_is_not_degraded(first: str, second: str) -> None:
    result = climb(first, second).result
    if isinstance(result, Outcome) and result.degraded_reason is None:
        assert json.loads(first) == {"emotion": result.emotion, "response": json.loads(first)["response"]}
