from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from hef_graph.errors import HefInputError
from hef_graph.graph import HefContext, HefOptions
from hef_graph.turn import ReadingOptions


def test_the_defaults_are_those_of_the_contract() -> None:
    context = HefContext()
    assert (context.k1, context.k2, context.deadline, context.model) == (3, 10, 30.0, None)
    assert (context.two_stage, context.cause_perception) == (True, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"deadline": 0},
        {"deadline": -1},
        {"deadline": float("nan")},
        {"k1": -1},
        {"k1": 1.5},
        {"k2": 0},
        {"k2": "all"},
        {"k2": True},
        {"coverage": 0},
        {"coverage": 1.1},
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_used_is_refused_by_name(wrong: dict[str, Any]) -> None:
    [(name, _)] = wrong.items()
    with pytest.raises(HefInputError, match=name):
        HefContext(**wrong)


@pytest.mark.parametrize(
    "right", [{"k1": 0}, {"k2": 1}, {"k2": 1000}, {"k2": "adaptive"}, {"coverage": 1.0}, {"deadline": 0.01}], ids=str
)
def test_a_setting_at_its_limit_is_taken(right: dict[str, Any]) -> None:
    [(name, value)] = right.items()
    assert getattr(HefContext(**right), name) == value


def test_the_steps_get_their_part_of_the_settings() -> None:
    context = HefContext(k1=1, k2="adaptive", coverage=0.5, two_stage=False, cause_perception=False)
    expected = ReadingOptions(k1=1, k2="adaptive", coverage=0.5, two_stage=False, cause_perception=False)
    assert context.reading == expected


@pytest.mark.parametrize("settings", [HefContext(), HefOptions()], ids=["context", "options"])
def test_settings_cannot_be_changed(settings: HefContext | HefOptions) -> None:
    with pytest.raises(FrozenInstanceError):
        settings.k2 = 5  # type: ignore[union-attr,misc]  # the point


@pytest.mark.parametrize("kept", [1, 0, -3])
def test_fewer_than_two_kept_messages_are_refused(kept: int) -> None:
    with pytest.raises(HefInputError, match=str(kept)):
        HefOptions(keep_messages=kept)


@pytest.mark.parametrize("kept", [2, 1000, None])
def test_two_kept_messages_or_all_are_allowed(kept: int | None) -> None:
    assert HefOptions(keep_messages=kept).keep_messages == kept


def test_a_profile_holds_where_the_call_says_nothing_else() -> None:
    profile = HefOptions(profile="mistral-7b").profile_reading
    assert HefContext().reading_over(profile) == profile
    assert HefContext(k2=5).reading_over(profile) == replace(profile, k2=5)


def test_a_profiles_wording_holds_whatever_the_call_says() -> None:
    profile = ReadingOptions(wording="probabilities")
    assert HefContext(k1=1, k2=5, two_stage=False).reading_over(profile).wording == "probabilities"


def test_without_a_profile_the_call_decides() -> None:
    context = HefContext(k1=1, two_stage=False)
    assert context.reading_over(HefOptions().profile_reading) == context.reading


def test_a_profile_that_is_not_there_is_refused_at_once() -> None:
    with pytest.raises(HefInputError, match="'gpt-9' is not known"):
        HefOptions(profile="gpt-9")


def test_each_setting_of_the_form_says_what_it_is() -> None:
    fields = TypeAdapter(HefContext).json_schema()["properties"]
    assert [name for name, field in fields.items() if not field.get("description")] == []
