import json
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata

from hef_graph.chat.ladder import Attempt, Case, settle, whole_sentences
from hef_graph.chat.outcome import Outcome
from hef_graph.errors import HefReplyError
from tests.fakes import LABELS, reply_json

CASE = Case([HumanMessage("I lost my cat.")], LABELS, "angry")

SEEN_USAGE: UsageMetadata = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}


@dataclass(frozen=True, slots=True)
class Settled:
    """What the ladder came to."""

    prompts: list[Sequence[BaseMessage]]
    result: Outcome | HefReplyError

    @property
    def outcome(self) -> Outcome:
        assert isinstance(self.result, Outcome)
        return self.result


def climb(*attempts: Attempt | str) -> Settled:
    """Play the attempts against the ladder."""
    settling, prompts = settle(CASE), []
    prompts.append(next(settling))
    for attempt in attempts:
        try:
            prompts.append(settling.send(Attempt(attempt) if isinstance(attempt, str) else attempt))
        except StopIteration as end:
            return Settled(prompts, end.value)
    raise AssertionError(f"the ladder asks for more than {len(attempts)} answers")


def failed(cause: str, text: str = "") -> Attempt:
    return Attempt(text, HefReplyError(cause, "it failed"))


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
    assert "'blue'" in str(request.text)
    assert ", ".join(LABELS) in str(request.text)


def test_a_label_that_stays_wrong_is_replaced_by_the_best_candidate() -> None:
    settled = climb(reply_json("blue", "First."), reply_json("purple", "Second."))
    assert settled.result == Outcome("angry", "Second.", "label")


def test_a_second_answer_that_fails_leaves_the_first_ones_response() -> None:
    assert climb(reply_json("blue", "First."), failed("server")).result == Outcome("angry", "First.", "label")


def test_a_label_in_another_case_is_mended_without_asking() -> None:
    settled = climb(reply_json(" Sad.", "Oh no."))
    assert settled.result == Outcome("sad", "Oh no.", "repaired:label")


@pytest.mark.parametrize("first", ["", "  ", "[]", '{"emotion": "sad"}', "Just prose.", reply_json("sad", " ")])
def test_an_answer_that_does_not_fit_is_asked_for_again(first: str) -> None:
    outcome = climb(first, reply_json("sad", "Oh no.")).outcome
    assert (outcome.emotion, outcome.response) == ("sad", "Oh no.")
    assert str(outcome.degraded_reason).startswith("repaired:")


@pytest.mark.parametrize(
    "cause", ["refusal", "truncated", "filter", "timeout", "auth", "rate_limit", "server", "error"]
)
def test_what_a_second_look_cannot_mend_goes_down_at_once(cause: str) -> None:
    result = climb(failed(cause)).result
    assert isinstance(result, HefReplyError)
    assert result.cause == cause


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


def test_an_error_names_the_first_cause() -> None:
    result = climb("", failed("server")).result
    assert isinstance(result, HefReplyError)
    assert result.cause == "empty"


def test_what_was_shown_is_kept_without_asking_again() -> None:
    shown = Attempt('{"emotion": "sad", "response": "Oh n', HefReplyError("timeout", "too slow"), shown="Oh n")
    assert climb(shown).result == Outcome("sad", "Oh n", "timeout")


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
