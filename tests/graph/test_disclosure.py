"""When the notice is due, and what it may be."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hef_graph.errors import HefInputError
from hef_graph.graph.disclosure import AI_NOTICE, THREE_HOURS, Disclosure

HOUR = 3600.0


def test_the_notice_says_that_an_ai_speaks_and_claims_nothing() -> None:
    assert "AI" in AI_NOTICE
    assert "does not replace" in AI_NOTICE


@pytest.mark.parametrize(
    ("hours", "due"), [(0.0, False), (1.0, False), (2.999, False), (3.0, True), (3.001, True), (48.0, True)]
)
def test_it_is_due_every_three_hours(hours: float, *, due: bool) -> None:
    assert Disclosure().due(1e9 + hours * HOUR, 1e9, first=False) is due


@pytest.mark.parametrize("last", [None, 0.0, 1e9])
def test_it_is_due_at_the_start_whatever_was_before(last: float | None) -> None:
    assert Disclosure().due(1e9, last, first=True)


def test_a_conversation_that_began_elsewhere_starts_its_clock() -> None:
    assert not Disclosure().due(1e9, None, first=False)


@pytest.mark.parametrize("every", [0.5, 60.0, HOUR, 24 * HOUR])
def test_an_application_sets_its_own_time(every: float) -> None:
    notice = Disclosure(every=every)
    assert not notice.due(1e9 + every * 0.9, 1e9, first=False)
    assert notice.due(1e9 + every, 1e9, first=False)


@given(st.floats(0, 1e10), st.floats(0, 1e6))
def test_a_clock_that_is_set_back_gives_no_notice(now: float, back: float) -> None:
    assert not Disclosure().due(now - back, now, first=False)


@pytest.mark.parametrize(
    "wrong", [{"text": ""}, {"text": " \n"}, {"every": 0}, {"every": -1.0}, {"every": float("nan")}], ids=repr
)
def test_a_notice_without_words_or_time_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(HefInputError, match="needs a text and seconds above 0"):
        Disclosure(**wrong)


@pytest.mark.parametrize("wrong", [{"text": None}, {"text": 5}, {"every": "3 h"}, {"every": None}], ids=repr)
def test_a_notice_of_another_kind_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(HefInputError):
        Disclosure(**wrong)


def test_the_defaults_are_the_laws() -> None:
    assert (Disclosure().text, Disclosure().every) == (AI_NOTICE, THREE_HOURS)
    assert THREE_HOURS == 3 * HOUR
