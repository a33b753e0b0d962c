"""Masked and misspelt words become plain ones, and each plain character knows where it came from."""

# ruff: noqa: RUF001  look-alikes are the point

import time
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hef_graph.crisis.normalisation import KEYWORDS, SPELLINGS, normalise, unmask


def plain(text: str) -> str:
    return normalise(text).text


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("s*icide", "suicide"),
        ("su*c*de", "suicide"),
        ("k#ll", "kill"),
        ("k_ll", "kill"),
        ("d•e", "die"),
        ("r·pe", "rape"),
    ],
)
def test_a_masked_letter_is_filled_in(written: str, meant: str) -> None:
    assert plain(f"I think of {written} now") == f"i think of {meant} now"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("k1ll", "kill"),
        ("K!LL", "kill"),
        ("k|ll", "kill"),
        ("$uicide", "suicide"),
        ("5u1c1d3", "suicide"),
        ("d13", "die"),
        ("cu77ing", "cutting"),
        ("r@pe", "rape"),
        ("8leeding", "bleeding"),
        ("su*c1de", "suicide"),
    ],
)
def test_digits_and_signs_are_read_as_the_letters_they_look_like(written: str, meant: str) -> None:
    assert plain(f"I think of {written} now") == f"i think of {meant} now"


@pytest.mark.parametrize("word", sorted(KEYWORDS))
def test_a_keyword_is_recognised_with_any_one_letter_inside_it_masked(word: str) -> None:
    for index in range(1, len(word) - 1):
        read = unmask(f"{word[:index]}*{word[index + 1 :]}")
        assert len(read) == len(word)
        assert read in KEYWORDS


@pytest.mark.parametrize(
    "token", ["h8", "gr8", "mp3", "b4", "covid19", "a1b2c3", "user_name", "c#", "2nd", "***", "50/50"]
)
def test_other_tokens_with_digits_and_signs_stay_as_they_are(token: str) -> None:
    assert plain(f"see {token} now") == f"see {token} now"


@pytest.mark.parametrize("token", ["****", "d***", "k###", "*i**"])
def test_a_word_that_is_mostly_mask_is_not_guessed(token: str) -> None:
    assert unmask(token) == token


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("d i e", "die"),
        ("d.i.e", "die"),
        ("d-i-e", "die"),
        ("d*i*e", "die"),
        ("k_i_l_l", "kill"),
        ("k i l l  m y s e l f", "kill myself"),
    ],
)
def test_spaced_out_letters_are_joined(written: str, meant: str) -> None:
    assert plain(f"to {written}") == f"to {meant}"


@pytest.mark.parametrize("hidden", ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\u034f"])
def test_characters_that_nobody_sees_are_left_out(hidden: str) -> None:
    assert plain(f"ki{hidden}ll my{hidden}self") == "kill myself"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ｋｉｌｌ　ｍｙｓｅｌｆ", "kill myself"),
        ("𝓴𝓲𝓵𝓵 𝐦𝐲𝐬𝐞𝐥𝐟", "kill myself"),
        ("ⓚⓘⓛⓛ", "kill"),
        ("kíll mýself", "kill myself"),
        ("k\u0336i\u0336l\u0336l", "kill"),
        ("KILL", "kill"),
        ("mañana würde ça", "manana wurde ca"),
    ],
)
def test_width_case_accents_and_fonts_do_not_count(written: str, meant: str) -> None:
    assert plain(written) == meant


@pytest.mark.parametrize("written", ["kіll", "kiӏl", "кill", "κill"])
def test_look_alikes_of_other_scripts_become_latin_in_a_mixed_word(written: str) -> None:
    assert not written.isascii()
    assert plain(written) == "kill"


@pytest.mark.parametrize("word", ["мама", "όχι", "сон"])
def test_a_word_of_one_other_script_is_left_in_it(word: str) -> None:
    assert not plain(word).isascii()


@pytest.mark.parametrize(("written", "meant"), [("dieeeee", "die"), ("killll", "kill"), ("soooo", "soo")])
def test_stretched_words_are_shortened(written: str, meant: str) -> None:
    assert plain(written) == meant


@pytest.mark.parametrize(("written", "meant"), sorted(SPELLINGS.items()))
def test_chat_spellings_are_written_out(written: str, meant: str) -> None:
    assert plain(f"so {written} now") == f"so {meant} now"


@pytest.mark.parametrize("word", ["kmsl", "rapid", "widow", "curb", "I'd", "you're"])
def test_a_spelling_inside_another_word_is_not_one(word: str) -> None:
    assert plain(word) == word.lower()


def test_typographic_quotes_become_plain_ones() -> None:
    assert plain("“I don’t,” «no» ‘yes’") == '"i don\'t," "no" \'yes\''


TROUBLE: Final = st.text(
    st.one_of(st.characters(), st.sampled_from("aeikl 1!*_•.-\u0301\u200bаіﷺｋŐß\n\"'@$")), max_size=80
)


@settings(max_examples=300, deadline=None)
@given(TROUBLE)
@example("\ud800")
@example("ﷺ" * 3)
@example("İ ŉ ß ǰ")
def test_every_plain_character_comes_from_a_place_in_the_original(text: str) -> None:
    read = normalise(text)
    assert len(read.origins) == len(read.text) + 1
    assert list(read.origins) == sorted(read.origins)
    assert read.origins[-1] == len(text)
    assert all(0 <= origin < len(text) for origin in read.origins[:-1])


@settings(max_examples=300, deadline=None)
@given(TROUBLE, st.data())
def test_a_span_lies_inside_the_original(text: str, data: st.DataObject) -> None:
    read = normalise(text)
    start = data.draw(st.integers(0, len(read.text)))
    end = data.draw(st.integers(start, len(read.text)))
    first, behind = read.span(start, end)
    assert 0 <= first <= behind <= len(text)


@settings(max_examples=200, deadline=None)
@given(TROUBLE, st.data())
def test_spans_ascend_with_the_places_in_the_plain_text(text: str, data: st.DataObject) -> None:
    read = normalise(text)
    a, b, c = sorted(data.draw(st.lists(st.integers(0, len(read.text)), min_size=3, max_size=3)))
    assert read.span(a, b)[0] <= read.span(b, c)[0]
    assert read.span(a, b)[1] <= read.span(b, c)[1] or b == c


@pytest.mark.parametrize("masked", ["s*icide", "K1LL", "d i e", "dieeee", "ki\u200bll", "ｋｉｌｌ", "kms", "5u1c1d3"])
def test_the_span_of_an_unmasked_word_is_the_masked_one(masked: str) -> None:
    text = f"Well, {masked} now."
    read = normalise(text)
    start, end = read.span(len("well, "), read.text.index(" now"))
    assert text[start:end] == masked


@settings(max_examples=100, deadline=None)
@given(st.text("abcdefghij klmnopq.,?'", max_size=60).filter(lambda text: "  " not in text))
def test_letters_alone_change_only_where_they_are_stretched_spaced_or_spelt(text: str) -> None:
    assert normalise(plain(text)).text == plain(text)


FLOODS: Final = {
    "letters": "a",
    "prose": "I went home. It was dark and I lost my keys again. ",
    "asterisks": "*",
    "one digit": "1",
    "spaces": " ",
    "spaced letters": "a ",
    "combining marks": "\u0301",
    "letters with marks": "a\u0301",
    "zero width": "\u200b",
    "full width": "ｋｉｌｌ ",
    "masked words": "k1ll ",
    "stretched words": "helloooo ",
}

HEAVY: Final = {
    "all digits": "0123456789",
    "letters and digits": "a1",
    "letters without an end": "abcdefgh",
    "letters and underscores": "a_",
    "full stops": ".",
    "quotation marks": '"',
    "cyrillic": "сон",
    "chinese": "我今天很好",
    "emoji": "😂",
    "surrogates": "\ud83d",
    "replacement characters": "\ufffd",
}


def seconds(flood: str, length: int) -> float:
    """Of computing, whatever else this machine does."""
    text = (flood * (length // len(flood) + 1))[:length]
    start = time.process_time()
    normalise(text)
    return time.process_time() - start


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_a_quarter_of_a_megabyte_is_plain_in_a_moment(flood: str) -> None:
    assert seconds(flood, 250_000) < 1.0


@pytest.mark.parametrize("flood", HEAVY.values(), ids=HEAVY)
def test_four_times_the_text_takes_about_four_times_the_time(flood: str) -> None:
    short, long = (min(seconds(flood, length) for _ in range(3)) for length in (1000, 4000))
    assert long < 8 * short + 0.01


def test_no_character_becomes_a_sentence() -> None:
    assert len(plain("\ufdfa" * 100)) <= 400
