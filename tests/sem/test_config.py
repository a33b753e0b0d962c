import json
import re
from dataclasses import replace
from typing import Any

import pytest

from hef_graph.emotions import EMOTIONS
from hef_graph.errors import HefCheckpointError
from hef_graph.sem.config import FORMAT, SemConfig
from hef_graph.sem.modeling import EmpatheticModel
from tests.sem.tiny import CONFIG


def test_the_default_labels_are_the_32_emotions() -> None:
    assert SemConfig(vocab_size=10).labels == EMOTIONS


def test_a_config_survives_json() -> None:
    assert SemConfig.from_dict(json.loads(json.dumps(CONFIG.to_dict()))) == CONFIG


def test_the_written_config_names_its_format() -> None:
    assert CONFIG.to_dict()["format"] == FORMAT


@pytest.mark.parametrize("found", [None, 0, FORMAT + 1, str(FORMAT), True, [1]])
def test_another_format_is_refused_with_both_formats_named(found: object) -> None:
    with pytest.raises(
        HefCheckpointError, match=rf"format {re.escape(repr(found))}; this version reads up to {FORMAT}"
    ):
        SemConfig.from_dict({**CONFIG.to_dict(), "format": found})


def test_a_config_without_format_is_refused() -> None:
    values = {key: value for key, value in CONFIG.to_dict().items() if key != "format"}
    with pytest.raises(HefCheckpointError, match="format None"):
        SemConfig.from_dict(values)


@pytest.mark.parametrize("missing", ["vocab_size", "labels"])
def test_a_missing_value_is_named(missing: str) -> None:
    values = {key: value for key, value in CONFIG.to_dict().items() if key != missing}
    with pytest.raises(HefCheckpointError, match=missing):
        SemConfig.from_dict(values)


def test_an_unknown_value_is_named() -> None:
    with pytest.raises(HefCheckpointError, match="colour"):
        SemConfig.from_dict({**CONFIG.to_dict(), "colour": "red"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vocab_size", "189"),
        ("hidden_size", 16.0),
        ("hidden_size", -16),
        ("encoder_layers", None),
        ("decoder_layers", True),
        ("temperature", "hot"),
        ("temperature", 0),
        ("attention_heads", 0),
        ("attention_heads", 5),
        ("labels", ["sad", 1]),
    ],
)
def test_an_ill_typed_value_is_named(name: str, value: Any) -> None:
    with pytest.raises(HefCheckpointError, match=name):
        SemConfig.from_dict({**CONFIG.to_dict(), name: value})


@pytest.mark.parametrize("labels", [None, 5])
def test_labels_that_are_no_list_are_refused(labels: object) -> None:
    with pytest.raises(HefCheckpointError, match=r"config\.json cannot be used"):
        SemConfig.from_dict({**CONFIG.to_dict(), "labels": labels})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cause_head", 1),
        ("cause_head", None),
        ("presence_head", "yes"),
        ("rarity", None),
        ("rarity", 4.0),
        ("rarity", [4.0, 2.0, 0.1]),
        ("rarity", [4.0, 2.0, 0.1, "4"]),
        ("rarity", [4.0, 2.0, 0.1, True]),
        ("thresholds", {"0.9": 0.1}),
        ("thresholds", [0.9, 0.1]),
        ("thresholds", [[0.9]]),
        ("thresholds", [[0.9, "0.1"]]),
    ],
)
def test_an_ill_formed_head_limit_or_threshold_is_named(name: str, value: Any) -> None:
    with pytest.raises(HefCheckpointError, match=name):
        SemConfig.from_dict({**CONFIG.to_dict(), name: value})


def test_heads_limits_and_thresholds_survive_json() -> None:
    config = replace(CONFIG, cause_head=True, presence_head=True)
    config = replace(config, rarity=(4.0, 2.0, 0.0, 4.5), thresholds=((0.5, 0.4), (0.9, 0.01)))
    assert SemConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_a_config_of_the_first_format_has_no_heads_limits_or_thresholds() -> None:
    later = {"cause_head", "presence_head", "rarity", "thresholds"}
    first = {key: value for key, value in CONFIG.to_dict().items() if key not in later}
    assert SemConfig.from_dict({**first, "format": 1}) == CONFIG
    assert (CONFIG.cause_head, CONFIG.presence_head, CONFIG.rarity, CONFIG.thresholds) == (False, False, (), ())


def test_a_whole_number_may_stand_for_a_real_one() -> None:
    assert SemConfig.from_dict({**CONFIG.to_dict(), "temperature": 2}).temperature == 2


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("encoder_layers", 101, "0 to 100"),
        ("vocab_size", 5, "6 to 1048576"),
        ("max_tokens", 3, "4 to 32768"),
        ("dropout", 1.5, "0 to 1"),
        ("temperature", 0, "0.001 to 1000.0"),
        ("rarity", [1, 2, 3, float("nan")], "0 to 1048576"),
        ("thresholds", [[0.5, 1.5]], "0 to 1"),
    ],
)
def test_a_value_out_of_its_limits_is_named_with_them(name: str, value: Any, allowed: str) -> None:
    with pytest.raises(HefCheckpointError, match=rf"{name} is .*; allowed is {re.escape(allowed)}"):
        SemConfig.from_dict({**CONFIG.to_dict(), name: value})


@pytest.mark.parametrize(
    "labels", [[], ["sad", "sad"], ["sad", " "], ["sad", "a\nb"], ["sad", "\ud800"], ["sad"] * 1001]
)
def test_labels_must_be_different_and_printable(labels: list[str]) -> None:
    with pytest.raises(HefCheckpointError, match="labels is"):
        SemConfig.from_dict({**CONFIG.to_dict(), "labels": labels})


def test_an_endless_value_is_not_repeated() -> None:
    with pytest.raises(HefCheckpointError, match="hidden_size is an endless int; allowed is 1 to 8192"):
        SemConfig.from_dict({**CONFIG.to_dict(), "hidden_size": 10**5000})


@pytest.mark.parametrize(
    "config",
    [
        CONFIG,
        replace(CONFIG, decoder_layers=0),
        replace(CONFIG, ngram_buckets=64, cause_head=True, presence_head=True),
        SemConfig(vocab_size=500, encoder_layers=1),
    ],
)
def test_the_least_number_of_weights_is_less_than_the_true_one_but_not_by_much(config: SemConfig) -> None:
    true = sum(parameter.numel() for parameter in EmpatheticModel(config).parameters())
    assert true / 2 < config.least_weights <= true
