import json
import sys
from typing import Any, Final

import numpy as np
import pytest
import torch
from llguidance import LLMatcher
from tokenizers import Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

from hef_graph.chat.deadline import Deadline
from hef_graph.chat.grammar import Bounds, ReplyWriter, Vocabulary, read_vocabulary, reply_grammar
from hef_graph.errors import HefModelError, HefReplyError
from hef_graph.reply import parse_reply
from tests.tiny_llms import llama_tokenizer, qwen_tokenizer

LABELS: Final = ("sad", "joyful", 'übel "gelaunt"')
OPENING: Final = '{"emotion": "sad", "response": "'


@pytest.fixture(scope="module")
def qwen() -> Vocabulary:
    """A byte-level vocabulary."""
    return read_vocabulary(qwen_tokenizer())


@pytest.fixture(scope="module")
def llama() -> Vocabulary:
    """A vocabulary with single bytes beside whole pieces."""
    return read_vocabulary(llama_tokenizer())


def accepts(vocabulary: Vocabulary, text: str | bytes) -> bool:
    matcher = LLMatcher(vocabulary.tokens, reply_grammar(LABELS), log_level=0)
    tokens = vocabulary.tokens.tokenize_bytes(text.encode() if isinstance(text, str) else text)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


class Writing:
    """A writer that is fed as `generate` would."""

    def __init__(self, vocabulary: Vocabulary, **bounds: Any) -> None:
        self.pieces: list[str] = []
        self.writer = ReplyWriter(vocabulary, LABELS, Bounds(**{"response_tokens": 100, **bounds}), self.pieces.append)
        self._vocabulary = vocabulary
        self._ids = [0, 0, 0]

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def feed(self, text: str | bytes) -> bool:
        """Write the text byte by byte; whether generation ends with one of them."""
        tokens = [self._single(byte) for byte in (text.encode() if isinstance(text, str) else text)]
        ended = [self.feed_token(token) for token in tokens]
        return any(ended)

    def feed_token(self, token: int) -> bool:
        self._ids.append(token)
        return self.writer.watch(torch.tensor([self._ids]), None)

    def rule(self, scores: torch.Tensor) -> torch.Tensor:
        ruled: torch.Tensor = self.writer.rule(torch.tensor([self._ids]), scores)
        return ruled

    def _single(self, byte: int) -> int:
        tokens = self._vocabulary.tokens
        return next(token for token in range(tokens.vocab_size) if tokens.decode_bytes([token]) == bytes([byte]))


@pytest.mark.parametrize(
    "response",
    [
        "hi",
        "Ça va? 你好 😀👍🏽",
        r"\"Oh\", she said",
        r"one\ntwo",
        r"a\\b",
        "…",
        "é" * 300,
        "👩\u200d🚒 too   many spaces",
    ],
)
def test_a_response_may_be_any_text_that_shows(qwen: Vocabulary, response: str) -> None:
    text = OPENING + response + '"}'
    assert accepts(qwen, text)
    assert parse_reply(text, LABELS).repair is None


@pytest.mark.parametrize(
    "response", ["", " ", "  hi", "\u00a0", "\u3000", r"\n", r"\n hi", "\u200b", "\u0301", "\ufeff"]
)
def test_a_response_that_begins_with_nothing_to_see_is_impossible(qwen: Vocabulary, response: str) -> None:
    assert not accepts(qwen, OPENING + response + '"}')


@pytest.mark.parametrize("escape", [r"\ud83d", r"\ud83d\ude00", r"\u0000", r"\u00e9", r"\t", r"\/", "\\"])
def test_no_escape_is_possible_that_is_not_needed(qwen: Vocabulary, escape: str) -> None:
    assert not accepts(qwen, OPENING + "a" + escape + '"}')


@pytest.mark.parametrize("letter", "\x00\x07\n\x7f\u009b\ue000\uffff\U000fbea3")
def test_what_is_no_character_is_impossible(qwen: Vocabulary, letter: str) -> None:
    assert not accepts(qwen, OPENING + "a" + letter + '"}')


@pytest.mark.parametrize("part", [b"\xed\xa0\xbd", b"\xff", b"\xc3"])
def test_bytes_that_are_no_text_are_impossible(qwen: Vocabulary, part: bytes) -> None:
    assert not accepts(qwen, OPENING.encode() + b"a" + part + b'"}')


@pytest.mark.parametrize(
    "text",
    [
        '{"emotion":"sad","response":"hi"}',
        '{"emotion": "sad", "response": "hi"}\n',
        ' {"emotion": "sad", "response": "hi"}',
        '{"emotion": "Sad", "response": "hi"}',
        '{"emotion": "furious", "response": "hi"}',
        '{"response": "hi", "emotion": "sad"}',
        '{"emotion": "sad", "response": "hi", "more": "no"}',
        '{"emotion": "sad"}',
    ],
)
def test_the_object_is_written_in_one_way_only(qwen: Vocabulary, text: str) -> None:
    assert not accepts(qwen, text)


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_written_as_json_writes_it(qwen: Vocabulary, label: str) -> None:
    text = json.dumps({"emotion": label, "response": "hi"}, ensure_ascii=False)
    assert accepts(qwen, text)
    assert parse_reply(text, LABELS).emotion == label


def test_a_piece_with_a_leading_space_does_not_begin_the_object(llama: Vocabulary) -> None:
    allowed = Writing(llama).rule(torch.zeros(1, len(llama.writable))).isfinite()[0].nonzero().flatten().tolist()
    assert {llama.tokens.decode_bytes([token])[:1] for token in allowed} == {b"{"}


def test_logits_that_are_no_token_are_never_chosen(qwen: Vocabulary) -> None:
    width = len(qwen.writable) + 200
    ruled = Writing(qwen).rule(torch.full((1, width), 5.0))
    assert ruled.shape == (1, width)
    assert ruled[0, -200:].isneginf().all()


def test_a_model_with_fewer_logits_than_tokens_is_ruled_too(qwen: Vocabulary) -> None:
    assert Writing(qwen).rule(torch.zeros(1, len(qwen.writable) - 3)).isfinite().any()


@pytest.mark.parametrize("score", [-np.inf, np.nan])
def test_the_grammar_wins_where_nothing_else_is_left(qwen: Vocabulary, score: float) -> None:
    ruled = Writing(qwen).rule(torch.full((1, len(qwen.writable)), score))
    assert (ruled[ruled.isfinite()] == 0).all()
    assert ruled.isfinite().any()


def test_the_models_preference_among_allowed_tokens_is_kept(qwen: Vocabulary) -> None:
    scores = torch.rand(1, len(qwen.writable))
    ruled = Writing(qwen).rule(scores)
    assert torch.equal(ruled[ruled.isfinite()], scores[ruled.isfinite()])


def test_parts_of_characters_are_no_tokens_where_some_bytes_are_missing(qwen: Vocabulary) -> None:
    tokenizer = qwen_tokenizer()
    model = json.loads(tokenizer.backend_tokenizer.to_str())
    kept = [piece for piece in model["model"]["vocab"] if piece != "Ģ"]  # the byte 0x80 as byte-level tokens write it
    model["model"]["vocab"] = {piece: index for index, piece in enumerate(kept)}
    model["model"]["merges"], model["added_tokens"] = [], []
    vocabulary = read_vocabulary(_load(json.dumps(model)))
    parts = [token for token in range(len(kept)) if not _is_text(vocabulary.tokens.decode_bytes([token]))]
    assert len(parts) > 64
    assert qwen.writable.all()
    assert not vocabulary.writable[parts].any()


def test_the_response_is_whole_at_its_closing_quote(qwen: Vocabulary) -> None:
    writing = Writing(qwen)
    assert not writing.feed(OPENING + r"She said \"yes\"")
    assert writing.feed('"')
    writing.writer.close()
    assert writing.text == OPENING + r"She said \"yes\"" + '"}'
    assert writing.writer.ending == "model"


@pytest.mark.parametrize(
    ("last", "kept"),
    [("r", "r"), ("\\", ""), ("\\\\", "\\\\"), ('\\"', '\\"'), (b"\xf0\x9f\x98", ""), (b"\xc3", ""), ("é", "é")],
)
def test_a_spent_budget_closes_the_text_wherever_it_is(llama: Vocabulary, last: str | bytes, kept: str) -> None:
    written = b"Oh " + (last.encode() if isinstance(last, str) else last)
    writing = Writing(llama, response_tokens=len(written))
    assert writing.feed(OPENING.encode() + written)
    writing.writer.close()
    assert writing.text == OPENING + "Oh " + kept + '"}'
    assert writing.writer.ending == "budget"


def test_a_budget_of_one_token_waits_for_the_first_whole_character(llama: Vocabulary) -> None:
    writing = Writing(llama, response_tokens=1)
    assert not writing.feed(OPENING.encode() + b"\xf0\x9f\x98")
    assert writing.feed(b"\x80")
    writing.writer.close()
    assert writing.text == OPENING + '😀"}'


@pytest.mark.parametrize("sentence", ["Oh no.", "Oh no!", "Oh no?", r"\"Oh no.\"", "哦。"])
def test_in_the_last_part_of_the_budget_the_response_ends_with_a_sentence(qwen: Vocabulary, sentence: str) -> None:
    writing = Writing(qwen, response_tokens=len(sentence.encode()) + 2)
    assert writing.feed(OPENING + sentence)
    assert writing.writer.ending == "sentence"


def test_before_that_a_sentence_ends_nothing(qwen: Vocabulary) -> None:
    assert not Writing(qwen, response_tokens=100).feed(OPENING + "Oh no. What happened?")


def test_the_budget_counts_nothing_but_the_response(qwen: Vocabulary) -> None:
    writing = Writing(qwen, response_tokens=5)
    assert not writing.feed(OPENING + "abcd")
    assert writing.feed("e")


def test_prompt_and_reply_stay_within_the_models_context(qwen: Vocabulary) -> None:
    writing = Writing(qwen, context_tokens=3 + len(OPENING) + 4)
    assert not writing.feed(OPENING + "abc")
    assert writing.feed("d")


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("budget", [1, 4, 50])
def test_the_total_suffices_if_every_byte_is_a_token(label: str, budget: int) -> None:
    frame = json.dumps({"emotion": label, "response": ""}).encode()
    assert Bounds(budget).total_tokens(LABELS) > len(frame) - 2 + budget


def test_what_is_shown_is_never_taken_back(llama: Vocabulary) -> None:
    writing = Writing(llama)
    whole = OPENING + r"Ça \"va\" 😀\\ ok"
    for byte in whole.encode():
        writing.feed(bytes([byte]))
        assert whole.startswith(writing.text)
    assert writing.text == whole


def test_past_its_deadline_a_writer_ends_generation(qwen: Vocabulary) -> None:
    writing = Writing(qwen, deadline=Deadline.after(0))
    assert writing.feed("{")
    with pytest.raises(TimeoutError, match="deadline"):
        writing.writer.close()


def test_generation_that_stops_before_the_response_is_a_truncated_reply(qwen: Vocabulary) -> None:
    writing = Writing(qwen)
    writing.feed('{"emotion": "sad"')
    with pytest.raises(HefReplyError) as caught:
        writing.writer.close()
    assert caught.value.cause == "truncated"


def test_a_token_that_was_not_allowed_is_an_error(qwen: Vocabulary) -> None:
    with pytest.raises(HefModelError, match="outside of the reply's grammar"):
        Writing(qwen).feed("[")


def test_a_tokenizer_without_braces_is_an_error() -> None:
    words = Tokenizer(models.BPE({"<end>": 0, "a": 1, "b": 2}, []))
    words.decoder = decoders.ByteLevel()
    with pytest.raises(HefModelError, match="no tokens for"):
        read_vocabulary(_load(words.to_str()))


def test_a_tokenizer_that_is_not_a_fast_one_is_refused() -> None:
    class Slow:
        eos_token_id = 0

    with pytest.raises(HefModelError, match="a grammar cannot be put on Slow"):
        read_vocabulary(Slow())


@pytest.mark.parametrize("module", ["llguidance", "llguidance.hf"])
def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    build = reply_grammar if module == "llguidance" else read_vocabulary
    with pytest.raises(HefModelError, match=r"pip install 'hef-graph\[huggingface\]'"):
        build(LABELS)


def _load(described: str) -> PreTrainedTokenizerFast:
    kind: Any = PreTrainedTokenizerFast
    loaded: PreTrainedTokenizerFast = kind(tokenizer_object=Tokenizer.from_str(described))
    return loaded


def _is_text(token: bytes) -> bool:
    return token.decode(errors="replace").encode() == token
