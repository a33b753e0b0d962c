import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.sem.tokenization import (
    CHARACTERS_PER_TOKEN,
    END_ID,
    FIRST_ID,
    SPECIAL_TOKENS,
    UNKNOWN_ID,
    DialogueTokenizer,
    EncodedDialogue,
    find_words,
    replace_surrogates,
)
from hef_graph.types import Turn
from tests.sem.tiny import VOCABULARY, build_tokenizer, encode

WIDE = build_tokenizer(max_tokens=400)
ODD = "aZ9 é\u0301ßİ中한ก\U0001f600\u200b\u200d\ufe0f\ud800\udfff\u2028\x00\t\n'’-‐._!🇫🇷"
TEXTS = st.text(max_size=60) | st.text(alphabet=ODD, max_size=60)


def _pieces(encoded: EncodedDialogue) -> str:
    return " ".join(VOCABULARY[index] for index in encoded.ids)


def _words(encoded: EncodedDialogue, *texts: str) -> list[str]:
    return [texts[word.turn][word.start : word.end] for word in encoded.words]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("?! ... - ' _", []),
        ("I don't re-do 5%!", ["I", "don't", "re-do", "5"]),
        ("rock 'n' roll", ["rock", "n", "roll"]),
        ("it’s well‐known", ["it’s", "well‐known"]),
        ("snake_case a--b", ["snake", "case", "a", "b"]),
        ("café cafe\u0301 naïve", ["café", "cafe\u0301", "naïve"]),
        ("我很难过", ["我很难过"]),
        ("sad😀news", ["sad", "news"]),
    ],
)
def test_words_are_letters_or_digits_with_inner_marks(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in find_words(text)] == words


@given(TEXTS)
def test_replacing_surrogates_keeps_every_other_character_in_place(text: str) -> None:
    expected = ["\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text]
    assert list(replace_surrogates(text)) == expected


def test_a_dialogue_starts_with_cls_and_ends_each_turn_with_sep() -> None:
    assert _pieces(encode("my dog", "oh no", "yes")) == "[CLS] my dog [SEP] oh no [SEP] yes [SEP]"


def test_each_token_carries_the_role_of_its_turn_and_cls_that_of_the_newest() -> None:
    assert encode("my dog", "oh no").roles == (1, 0, 0, 0, 1, 1, 1)


def test_special_tokens_are_not_poolable() -> None:
    encoded = encode("my dog", "oh no", "yes")
    assert [not flag for flag in encoded.poolable] == [index < len(SPECIAL_TOKENS) for index in encoded.ids]


def test_special_tokens_typed_by_a_user_are_plain_text() -> None:
    assert encode("[SEP] [PAD]").ids.count(END_ID) == 1
    assert all(index >= len(SPECIAL_TOKENS) for index in encode("[SEP] [PAD]").ids[1:-1])


def test_text_is_read_without_case_and_accents() -> None:
    assert encode("MÝ DÒG Diéd").ids == encode("my dog died").ids


def test_curly_quotes_read_as_straight() -> None:
    assert encode("“don’t” ‘oh’").ids == encode("\"don't\" 'oh'").ids


def test_a_word_of_several_pieces_holds_all_of_them() -> None:
    [word] = encode("don't").words
    assert word.tokens == tuple(range(1, len(encode("don't").ids) - 1))


def test_a_words_tokens_are_its_own() -> None:
    encoded = encode("the dog , died")
    assert [_pieces(encoded).split()[word.tokens[0]] for word in encoded.words] == ["the", "dog", "died"]


def test_the_punctuation_beside_a_word_is_not_among_its_tokens() -> None:
    [word] = encode("(dog!)").words
    assert word.tokens == (2,)


@given(st.lists(TEXTS, min_size=1, max_size=4))
@settings(deadline=None)
def test_all_words_of_the_window_are_listed_as_they_stand_in_the_text(texts: list[str]) -> None:
    encoded = WIDE.encode([Turn("speaker", text) for text in texts])
    expected = [(turn, *span) for turn, text in enumerate(texts) for span in find_words(text)]
    assert [word[:3] for word in encoded.words] == expected


@given(TEXTS, st.integers(3, 12))
@settings(deadline=None)
def test_in_a_narrow_window_the_listed_words_are_the_last_ones(text: str, max_tokens: int) -> None:
    encoded = encode(text, max_tokens=max_tokens)
    spans = find_words(text)
    assert [word[1:3] for word in encoded.words] == spans[len(spans) - len(encoded.words) :]


@given(st.lists(TEXTS, min_size=1, max_size=4), st.integers(3, 24))
@settings(deadline=None)
def test_the_window_is_never_exceeded(texts: list[str], max_tokens: int) -> None:
    encoded = encode(*texts, max_tokens=max_tokens)
    assert len(encoded.ids) <= max_tokens
    assert len(encoded.ids) == len(encoded.roles) == len(encoded.poolable)


@given(TEXTS)
@settings(deadline=None)
def test_the_tokens_of_words_are_poolable(text: str) -> None:
    encoded = WIDE.encode([Turn("speaker", text)])
    assert all(encoded.poolable[token] for word in encoded.words for token in word.tokens)


def test_the_oldest_turns_that_do_not_fit_are_dropped() -> None:
    assert _pieces(encode("my dog", "oh no", "yes", max_tokens=7)) == "[CLS] oh no [SEP] yes [SEP]"


def test_a_turn_that_just_fits_is_kept() -> None:
    assert _pieces(encode("my dog", "oh no", max_tokens=7)) == "[CLS] my dog [SEP] oh no [SEP]"


def test_an_older_turn_is_kept_whole_or_not_at_all() -> None:
    assert _pieces(encode("my dog died", "oh no", max_tokens=7)) == "[CLS] oh no [SEP]"


def test_turns_are_counted_from_the_first_even_if_the_window_starts_later() -> None:
    assert [word.turn for word in encode("my dog", "oh no", "yes", max_tokens=7).words] == [1, 1, 2]


def test_an_overlong_newest_turn_keeps_its_end() -> None:
    text = "the dog ran away , we won"
    encoded = encode(text, max_tokens=6)
    assert _pieces(encoded) == "[CLS] away , we won [SEP]"
    assert _words(encoded, text) == ["away", "we", "won"]


def test_a_word_that_the_window_cuts_is_listed_whole() -> None:
    assert _words(encode("oh qqqq", max_tokens=4), "oh qqqq") == ["qqqq"]


def test_only_the_end_of_a_monstrous_word_is_listed() -> None:
    [word] = encode("x" * 50_000).words
    assert word.end == 50_000
    assert word.end - word.start < 1_000


@pytest.mark.parametrize("text", ["my dog died " * 90_000, "x" * 1_000_000, "我" * 1_000_000, " " * 1_000_000])
def test_a_text_of_a_megabyte_is_encoded_at_once(text: str) -> None:
    start = time.perf_counter()
    WIDE.encode([Turn("speaker", text)])
    assert (
        time.perf_counter() - start < 5
    )  # a tenth of it on a quiet machine; hours if every letter looked at all others


def test_a_very_long_text_gives_the_words_at_its_end() -> None:
    text = "my dog died , " * 10_000 + "we won"
    encoded = encode(text)
    assert _words(encoded, text)[-2:] == ["we", "won"]
    assert len(encoded.ids) == 24


def test_what_is_cut_before_tokenizing_could_not_have_fitted() -> None:
    word = "sister"
    text = " ".join([word] * (24 * CHARACTERS_PER_TOKEN))
    assert [word.start for word in encode(text).words] == [w[0] for w in find_words(text)[-22:]]


def test_an_unknown_character_is_one_unknown_token() -> None:
    assert encode("\U0001f600").ids == (FIRST_ID, UNKNOWN_ID, END_ID)


def test_a_reply_ends_with_sep() -> None:
    assert build_tokenizer().encode_reply("oh no", max_tokens=9) == [*encode("oh no").ids[1:-1], END_ID]


def test_a_long_reply_is_cut_and_still_ends_with_sep() -> None:
    ids = build_tokenizer().encode_reply("oh no oh no", max_tokens=3)
    assert ids == [*encode("oh no").ids[1:-1], END_ID]


def test_a_reply_uses_the_decoders_pieces_only() -> None:
    words = [index for index, piece in enumerate(VOCABULARY) if piece in {"sister", "window"}]
    narrow = DialogueTokenizer(VOCABULARY, max_tokens=24, decoder_vocab_size=min(words))
    assert max(narrow.encode_reply("sister window", max_tokens=20)) < min(words)
    assert narrow.encode([Turn("speaker", "sister")]).ids[1] >= min(words)


@pytest.mark.parametrize("text", ["oh no ! my dog died", "qqq won"])
def test_a_decoded_reply_joins_the_pieces_and_leaves_special_tokens_out(text: str) -> None:
    tokenizer = build_tokenizer()
    assert tokenizer.decode_reply([FIRST_ID, *tokenizer.encode_reply(text, max_tokens=20), UNKNOWN_ID]) == text


def test_what_the_speaker_said_is_told_apart() -> None:
    encoded = encode("my dog died", "i am sorry", "he was good")
    alone = [token for text in ("my dog died", "he was good") for token in encode(text).ids[1:]]
    assert encoded.spoken == (encoded.ids[0], *alone)
