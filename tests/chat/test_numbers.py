import pytest

from hef_graph.chat.numbers import gives_other_number, numbers_in

NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    "sentence",
    [
        "You can reach them at 555-0199.",
        "Call 1-800-273-8255 any time.",
        "Call 1-800-273-TALK.",
        "Their office: (020) 7946 0991",
        "+49 30 1234567",
        "Appelle le 01.45.39.40.00.",
        "01 45 39 40 00",
        "Please call 988.",
        "Text HOME to 741741.",
        "Dial 911 now!",
        "The number is 116 123.",
        "The crisis line is 13 11 14.",
        "988 is the Suicide & Crisis Lifeline.",
        "Call nine-one-one.",
        "Call 988, 24/7.",
        "Call 988 24 hours a day.",
        "Llama al 024.",
        "Marca el 112 ahora.",
        "Tu peux appeler le 3114.",
        "Compose le 15 ou le 112.",
        "Ruf die 112 an.",
        "Die Nummer ist 116 111.",
        "Ligue 188.",
        "O número é o 188.",
        "- 988",
        "**988**",
        "Call \uff19\uff18\uff18.",
    ],
)
def test_a_phone_number_or_short_code_of_the_models_own_is_seen(sentence: str) -> None:
    assert gives_other_number(sentence, NONE)


@pytest.mark.parametrize(
    "sentence",
    [
        "It has been 365 days.",
        "You waited 3 years and 2 months for that call.",
        "Since 2019 you have called her every week.",
        "The years 2019-2023 were hard.",
        "She was born on 12.05.1990, or 1990-05-12.",
        "You lost $1,000,000 and 250 friends.",
        "That call cost 300 euros.",
        "The line was 500 people long.",
        "You sent him 300 texts.",
        "Call her at 10:30 or at 7 pm.",
        "One in 100 people feels that.",
        "He was number 1, and you were 12th.",
        "At 16 you ran 100 metres.",
        "Your score was 1234.",
        "You are there for her 24/7.",
        "One, two, three, and breathe.",
    ],
)
def test_other_numbers_may_stand(sentence: str) -> None:
    assert not gives_other_number(sentence, NONE)


@pytest.mark.parametrize(
    ("named", "given"),
    [
        ("Our line is 116 123.", "Call 116123."),
        ("0800 111 0 111", "Ruf 0800/1110111 an."),
        ("+1 (800) 273-8255", "Call 1-800-273-8255, or 800 273 8255."),
        ("1-800-273-8255", "Call 1-800-273-TALK."),
        ("Dial 911 in the US", "Call nine-one-one."),
        ("Call or text 988 (24/7)", "Call 988 24 hours a day."),
        ("Lines: 988 or 741741", "Text 741741, or call 988."),
    ],
)
def test_a_known_number_may_be_repeated_however_it_is_written(named: str, given: str) -> None:
    assert not gives_other_number(given, numbers_in([named]))


@pytest.mark.parametrize(
    ("named", "given"),
    [
        ("Our line is 116 123.", "Call 116 124."),
        ("988", "Call 988 or 911."),
        ("0800 111 0 111", "0800 111 0 222"),
        ("1990", "Call 199."),
    ],
)
def test_one_known_number_lets_no_other_pass(named: str, given: str) -> None:
    assert gives_other_number(given, numbers_in([named]))


def test_an_items_number_is_what_the_line_above_the_list_says() -> None:
    assert gives_other_number("- In the US: 988", NONE, lead="You can call:\n")
    assert not gives_other_number("- Years: 988", NONE, lead="What we know:\n")


def test_a_long_run_of_digits_is_read_in_no_time() -> None:
    assert len(numbers_in(["1 " * 100_000])) < 100
