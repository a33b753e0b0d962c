"""The classifier's folder is read whole or refused; texts of any length are read."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from hef_graph.crisis import CATEGORIES
from hef_graph.crisis.classifier import (
    CONFIG,
    CONTEXT_TOKENS,
    MOST_POSITIONS,
    NEWEST_TOKENS,
    SHIPPED,
    TOKENIZER,
    WEIGHTS,
    CrisisClassifier,
    between,
    encode,
    load_classifier,
    save_classifier,
)
from hef_graph.crisis.ngrams import BIAS, BUCKETS, WEIGHT
from hef_graph.errors import HefCheckpointError
from tests.crisis.classifiers import HEADS, reading, save_tiny, tiny_tokenizer, tiny_weights

CLS, SEP = 2, 3
SETTINGS: Final = {"heads": HEADS, "threshold": 0.37}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_tiny(tmp_path / "tiny", threshold=0.37)


def rewrite(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")


class TestAFolder:
    def test_is_read_as_it_was_written(self, folder: Path) -> None:
        read = CrisisClassifier.load(folder)
        assert (read.threshold, read.encoder.heads) == (0.37, HEADS)
        assert read.tokenizer.get_vocab() == tiny_tokenizer().get_vocab()
        assert set(read.encoder.weights) == set(tiny_weights())

    def test_reads_alike_each_time(self, folder: Path) -> None:
        first, second = CrisisClassifier.load(folder), CrisisClassifier.load(folder)
        assert np.array_equal(first.read("i want").probabilities, second.read("i want").probabilities)

    def test_is_loaded_once(self, folder: Path) -> None:
        assert load_classifier(folder) is load_classifier(folder)

    @pytest.mark.parametrize(
        ("text", "known"), [("the cat", True), ("cat мяу", False), ("the cat мяу", True), ("мяу", False), ("", False)]
    )
    def test_knows_a_text_of_whose_pieces_it_knows_more_than_half(
        self, folder: Path, text: str, *, known: bool
    ) -> None:
        assert CrisisClassifier.load(folder).knows(text) is known

    @pytest.mark.parametrize("name", [WEIGHTS, CONFIG, TOKENIZER])
    def test_without_one_of_its_files_is_refused(self, folder: Path, name: str) -> None:
        (folder / name).unlink()
        with pytest.raises(HefCheckpointError, match=f"cannot be read: .*{name}"):
            CrisisClassifier.load(folder)

    @pytest.mark.parametrize("name", [WEIGHTS, TOKENIZER])
    def test_with_a_damaged_file_is_refused_and_says_what_to_do(self, folder: Path, name: str) -> None:
        damaged = bytearray((folder / name).read_bytes())
        damaged[len(damaged) // 2] ^= 1
        (folder / name).write_bytes(damaged)
        with pytest.raises(HefCheckpointError, match=rf"{name} is not the file .*SHA-256.*install it anew"):
            CrisisClassifier.load(folder)

    def test_with_an_exchanged_file_is_refused(self, folder: Path, tmp_path: Path) -> None:
        save_file({"a": np.zeros(3)}, folder / WEIGHTS)
        with pytest.raises(HefCheckpointError, match="exchanged"):
            CrisisClassifier.load(folder)

    def test_may_hold_votes_of_ngrams_that_the_encoder_is_told(self, folder: Path, tmp_path: Path) -> None:
        alone = CrisisClassifier.load(folder)
        votes = {WEIGHT: np.zeros((1, BUCKETS), np.float32), BIAS: np.array([2.0], np.float32)}
        save_classifier(tmp_path / "voted", {**tiny_weights(), **votes}, tiny_tokenizer(), SETTINGS)
        voted = CrisisClassifier.load(tmp_path / "voted")
        odds = [each.read("i want").signal / (1 - each.read("i want").signal) for each in (alone, voted)]
        assert odds[1] / odds[0] == pytest.approx(np.exp(2.0), rel=1e-4)

    def test_with_half_of_the_votes_is_refused(self, tmp_path: Path) -> None:
        half = {BIAS: np.array([2.0], np.float32)}
        save_classifier(tmp_path / "voted", {**tiny_weights(), **half}, tiny_tokenizer(), SETTINGS)
        with pytest.raises(HefCheckpointError, match=r"ngrams\.weight"):
            CrisisClassifier.load(tmp_path / "voted")

    @pytest.mark.parametrize(("size", "bias"), [(7, 0.0), (BUCKETS, np.nan)])
    def test_with_votes_of_another_form_is_refused(self, tmp_path: Path, size: int, bias: float) -> None:
        votes = {WEIGHT: np.ones((1, size), np.float32), BIAS: np.array([bias], np.float32)}
        save_classifier(tmp_path / "voted", {**tiny_weights(), **votes}, tiny_tokenizer(), SETTINGS)
        with pytest.raises(HefCheckpointError, match=r"ngrams\.weight is .* all finite"):
            CrisisClassifier.load(tmp_path / "voted")

    def test_of_another_format_is_refused(self, folder: Path) -> None:
        rewrite(folder / CONFIG, format=2)
        with pytest.raises(HefCheckpointError, match="format 2; this version reads 1"):
            CrisisClassifier.load(folder)

    @pytest.mark.parametrize(
        "written",
        ["", "{", "[]", "null", "{}", '{"sha256": {}}', '{"sha256": null}', '{"sha256": {"model.safetensors": 1}}'],
    )
    def test_with_a_config_of_another_form_is_refused(self, folder: Path, written: str) -> None:
        (folder / CONFIG).write_text(written, "utf-8")
        with pytest.raises(HefCheckpointError):
            CrisisClassifier.load(folder)

    @pytest.mark.parametrize("value", ["many", None])
    @pytest.mark.parametrize("key", ["heads", "threshold"])
    def test_with_a_setting_that_is_no_number_is_refused(self, folder: Path, key: str, value: Any) -> None:
        rewrite(folder / CONFIG, **{key: value})
        with pytest.raises(HefCheckpointError):
            CrisisClassifier.load(folder)

    def test_whose_tokenizer_is_no_tokenizer_is_refused(self, folder: Path) -> None:
        (folder / TOKENIZER).write_text("{}", "utf-8")
        self.sign(folder)
        with pytest.raises(HefCheckpointError, match="cannot be read"):
            CrisisClassifier.load(folder)

    def test_whose_weights_are_pickled_is_refused_unread(self, folder: Path, tmp_path: Path) -> None:
        marker = tmp_path / "ran"
        (folder / WEIGHTS).write_bytes(b"cos\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR.")
        self.sign(folder)
        with pytest.raises(HefCheckpointError, match="cannot be read"):
            CrisisClassifier.load(folder)
        assert not marker.exists()

    def test_holds_nothing_but_numbers_in_eight_bits_and_half_precision(self, folder: Path) -> None:
        kinds = {values.dtype.name for values in load_file(folder / WEIGHTS).values()}
        assert kinds == {"int8", "float16", "float32"}

    def sign(self, folder: Path) -> None:
        """Make the hashes fit again, as an attacker can."""
        import hashlib  # noqa: PLC0415  only here

        hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (WEIGHTS, TOKENIZER)}
        rewrite(folder / CONFIG, sha256=hashes)


class TestAReading:
    def test_holds_probabilities(self, folder: Path) -> None:
        read = CrisisClassifier.load(folder).read("i want the cat", ["the dog"])
        assert read.probabilities.shape == (len(CATEGORIES) + 1,)
        assert read.probabilities.sum() == pytest.approx(1)
        assert 0 <= read.other <= 1
        assert 0 <= read.past <= 1

    @pytest.mark.parametrize("text", ["", " ", "\ufffd", "😂" * 50, "x" * 100_000, "我" * 5000, "a b " * 30_000])
    def test_is_made_of_any_text(self, folder: Path, text: str) -> None:
        assert 0 <= CrisisClassifier.load(folder).read(text, [text, text]).signal <= 1

    def test_names_the_likeliest_category_whatever_none_is(self) -> None:
        assert reading("self_harm", 0.2).category == "self_harm"
        assert reading("self_harm", 0.2).signal == pytest.approx(0.2)

    @pytest.mark.parametrize(
        ("probability", "expected"), [(0.0, "self"), (0.49, "self"), (0.5, "other"), (1.0, "other")]
    )
    def test_says_who(self, probability: float, expected: str) -> None:
        assert reading("abuse", 0.9, other=probability).who == expected

    def test_of_harm_to_others_is_about_others(self) -> None:
        assert reading("harm_to_others", 0.9, other=0.0).who == "other"

    @pytest.mark.parametrize(("probability", "expected"), [(0.0, "current"), (0.49, "current"), (0.5, "past")])
    def test_says_when(self, probability: float, expected: str) -> None:
        assert reading("abuse", 0.9, past=probability).time == expected


class TestTokens:
    WORD: Final = tiny_tokenizer().token_to_id("cat")

    def ids(self, newest: str, *context: str) -> list[int]:
        ids, kinds = encode(tiny_tokenizer(), newest, context)
        assert len(ids) == len(kinds) <= MOST_POSITIONS
        return ids

    def test_of_the_newest_message_stand_between_marks(self) -> None:
        assert self.ids("cat cat") == [CLS, self.WORD, self.WORD, SEP]

    def test_of_the_context_come_behind_oldest_first(self) -> None:
        dog, the = (tiny_tokenizer().token_to_id(word) for word in ("dog", "the"))
        assert self.ids("cat", "the", "dog") == [CLS, self.WORD, SEP, the, SEP, dog, SEP]

    def test_are_told_apart_by_their_kind(self) -> None:
        assert encode(tiny_tokenizer(), "cat", ["the", "dog"])[1] == [0, 0, 0, 1, 1, 1, 1]

    def test_of_a_long_message_are_its_first(self) -> None:
        assert self.ids("dog " + "cat " * 500) == [CLS, self.ids("dog")[1], *[self.WORD] * (NEWEST_TOKENS - 1), SEP]

    def test_of_a_long_context_are_its_last(self) -> None:
        dog = self.ids("dog")[1]
        assert self.ids("cat", "cat " * 500 + "dog")[3:] == [*[self.WORD] * (CONTEXT_TOKENS - 1), dog, SEP]

    def test_are_no_more_than_there_are_positions(self) -> None:
        assert len(self.ids("cat " * 500, "cat " * 500)) == MOST_POSITIONS

    def test_that_the_user_writes_as_marks_are_none(self) -> None:
        assert {CLS, SEP} & set(self.ids("[CLS] [SEP] cat [SEP]")[1:-1]) == set()


@pytest.mark.skipif(not (SHIPPED / WEIGHTS).exists(), reason="the shipped weights are being trained")
def test_the_shipped_folder_is_whole() -> None:
    shipped = load_classifier()
    assert 0 < shipped.threshold < 1
    assert shipped.read("i want to kill myself").signal > shipped.threshold > shipped.read("i like tea").signal


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [(0.2, 0.8, 0.5), (0.5, 0.5, 0.5), (0.01, 0.99, 0.5), (0.1, 0.5, 0.25), (0.0, 1.0, 0.5)],
)
def test_between_two_readings_the_mean_of_the_log_odds_counts(one: float, other: float, expected: float) -> None:
    found = between(reading("abuse", one), reading("self_harm", other))
    assert found.signal == pytest.approx(expected, abs=1e-3)
    assert found.category == "self_harm"
    assert found.probabilities.sum() == pytest.approx(1)
