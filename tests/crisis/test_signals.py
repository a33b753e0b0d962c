import json
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from hef_graph.crisis import CATEGORIES, CrisisSignal
from hef_graph.errors import HefInputError


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_signal_is_of_a_category(category: Any) -> None:
    assert CrisisSignal(category).category == category


def test_a_signal_is_about_the_user_and_about_now_unless_it_says_otherwise() -> None:
    assert CrisisSignal("abuse") == CrisisSignal("abuse", time="current", who="self", evidence="")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("category", "low risk", "suicidal_active"),
        ("category", "", "child_at_risk"),
        ("category", None, "abuse"),
        ("time", "soon", "current, past"),
        ("who", "me", "self, other"),
    ],
)
def test_another_value_is_refused_with_those_allowed(name: str, value: Any, allowed: str) -> None:
    values: dict[str, Any] = {"category": "abuse", name: value}
    with pytest.raises(HefInputError, match=f"{name} is .*{value}.*allowed are .*{allowed}"):
        CrisisSignal(**values)


def test_the_state_gets_plain_json() -> None:
    signal = CrisisSignal("self_harm", "past", "other", "she cut herself")
    told = signal.to_json()
    assert told == {"category": "self_harm", "time": "past", "who": "other", "evidence": "she cut herself"}
    assert CrisisSignal(**json.loads(json.dumps(told))) == signal


def test_a_signal_holds_no_score() -> None:
    """NICE NG225: scales of risk do not predict harm."""
    assert set(CrisisSignal("abuse").to_json()) == {"category", "time", "who", "evidence"}


def test_a_signal_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        CrisisSignal("abuse").who = "other"  # type: ignore[misc]  # the point
