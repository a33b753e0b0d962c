"""A short answer says what the question asked."""

import pytest

from hef_graph.crisis.answers import admitted
from hef_graph.crisis.signals import Category

ASKED: dict[str, Category] = {
    "are you thinking of killing yourself?": "suicidal_active",
    "do you have a plan?": "suicidal_active",
    "have you thought about suicide?": "suicidal_active",
    "¿piensas en el suicidio?": "suicidal_active",
    "penses-tu a te tuer?": "suicidal_active",
    "denkst du daran, dich umzubringen?": "suicidal_active",
    "voce pensa em tirar a sua vida?": "suicidal_active",
    "你想自杀吗？": "suicidal_active",
    "do you wish you were dead?": "suicidal_passive",
    "do you want to die?": "suicidal_passive",
    "do you hurt yourself?": "self_harm",
    "is this about self-harm?": "self_harm",
    "does he hit you?": "abuse",
    "did somebody touch you?": "abuse",
    "do you want to hurt him?": "harm_to_others",
}


@pytest.mark.parametrize(("question", "category"), ASKED.items())
def test_yes_admits_to_what_was_asked(question: str, category: Category) -> None:
    assert admitted(question, "yes") == category


@pytest.mark.parametrize(
    "answer",
    [
        "yeah. tonight",
        "i do",
        "sometimes, at night",
        "kind of",
        "i guess so",
        "maybe",
        "si",
        "oui",
        "ja",
        "sim",
        "是的",
        "有",
    ],
)
def test_many_words_say_yes(answer: str) -> None:
    assert admitted("are you thinking of suicide?", answer) == "suicidal_active"


@pytest.mark.parametrize(
    "answer", ["no", "never", "of course not", "what?", "why do you ask", "nein", "不", "hello", ""]
)
def test_other_answers_admit_to_nothing(answer: str) -> None:
    assert admitted("are you thinking of suicide?", answer) is None


@pytest.mark.parametrize(
    "answer", ["yeah no", "yes, years ago", "yes but only in the past", "yes lol kidding", "i do not"]
)
def test_a_yes_that_turns_round_admits_to_nothing(answer: str) -> None:
    assert admitted("are you thinking of suicide?", answer) is None


@pytest.mark.parametrize("question", ["are you safe where you are?", "do you feel safe?", "are you somewhere safe?"])
@pytest.mark.parametrize("answer", ["no", "not really", "i don't think so"])
def test_who_does_not_feel_safe_needs_help(question: str, answer: str) -> None:
    assert admitted(question, answer) == "suicidal_passive"


def test_who_is_not_safe_from_what_was_asked_needs_help_for_that() -> None:
    assert admitted("does he hit you? are you safe?", "no") == "abuse"


def test_who_feels_safe_admits_to_nothing() -> None:
    assert admitted("are you safe?", "yes") is None


@pytest.mark.parametrize("said", ["you may hurt yourself.", "suicide is a hard word", ""])
def test_what_is_no_question_cannot_be_admitted_to(said: str) -> None:
    assert admitted(said, "yes") is None


def test_a_question_after_something_else_admits_to_nothing() -> None:
    assert admitted("do you like tea?", "yes") is None


def test_a_long_answer_says_itself_what_it_is_about() -> None:
    assert admitted("are you thinking of suicide?", "yes I think the weather in april is quite nice here") is None
