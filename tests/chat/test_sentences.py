import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.chat.sentences import cut_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One. ", "Two! ", "Three?"]),
        ("No way?! Yes.", ["No way?! ", "Yes."]),
        ('"Why?" you asked. (Really.) So', ['"Why?" ', "you asked. ", "(Really.) ", "So"]),
        ("She said „nein“. Dann «non». Fin", ["She said „nein“. ", "Dann «non». ", "Fin"]),
        ("One\n\nTwo", ["One\n\n", "Two"]),
        ("- one\n- two", ["- one\n", "- two"]),
        ("残念です。そうですか？はい。", ["残念です。", "そうですか？", "はい。"]),
        ("「大変。」と言った。", ["「大変。」", "と言った。"]),
        ("Oh no! 😢 Why?", ["Oh no! ", "😢 Why?"]),
        ("**Oh no.** Why?", ["**Oh no.** ", "Why?"]),
        ("no end", ["no end"]),
        ("", []),
    ],
)
def test_a_text_is_cut_behind_marks_quotation_marks_and_line_breaks(text: str, sentences: list[str]) -> None:
    assert cut_sentences(text, ended=True) == sentences


@pytest.mark.parametrize(
    "sentence",
    [
        "Dr. Lee and Mrs. Kim came.",
        "It took 3.5 weeks.",
        "Small things, e.g. a walk, help.",
        "At 3 p.m. on Friday it rained.",
        "Well... that hurts.",
        "And… then nothing.",
        "J. R. Ewing left.",
        "1. Breathe in.",
        "Call 1. 800. 555.",
        "Das ist z. B. so und ca. drei Tage her.",
        "See example.com for it.",
    ],
)
def test_a_full_stop_inside_a_sentence_does_not_end_it(sentence: str) -> None:
    assert cut_sentences(sentence, ended=True) == [sentence]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Work, school, etc. That is a lot.", "Work, school, etc. "),
        ("It ended at 3 p.m. Then it rained.", "It ended at 3 p.m. "),
        ("Oh... Really?", "Oh... "),
        ("That was in 2019. And now?", "That was in 2019. "),
        ("He left you and I. Why?", "He left you and I. "),
        ("Oh no. What now?", "Oh no. "),
    ],
)
def test_what_looks_shortened_may_still_end_a_sentence(text: str, first: str) -> None:
    assert cut_sentences(text, ended=True)[0] == first


@pytest.mark.parametrize("text", ["Oh no.", "Oh no. ", "Oh no", "It is 3.", "Oh no.\n"])
def test_an_end_is_sure_only_when_the_next_word_begins(text: str) -> None:
    assert cut_sentences(text, ended=False) == []
    assert cut_sentences(text, ended=True) == [text]


TEXTS = st.text(st.sampled_from("ab I3.!?…。\n\t \"')😢e:;") | st.characters(exclude_categories=["Cs"]), max_size=60)


@settings(deadline=None)
@given(TEXTS)
def test_joined_the_sentences_are_the_text(text: str) -> None:
    assert "".join(cut_sentences(text, ended=True)) == text


@settings(deadline=None)
@given(TEXTS, st.integers(min_value=0))
def test_what_is_added_to_a_text_changes_none_of_its_sentences(text: str, place: int) -> None:
    beginning = text[: place % (len(text) + 1)]
    sure = cut_sentences(beginning, ended=False)
    assert cut_sentences(text, ended=True)[: len(sure)] == sure


@settings(deadline=None)
@given(TEXTS)
def test_cutting_can_go_on_from_any_sentences_end(text: str) -> None:
    first, *others = cut_sentences(text, ended=True) or [""]
    assert cut_sentences(text[len(first) :], ended=True) == others
