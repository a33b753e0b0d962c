"""Short answers that say it all to whoever knows the question: "yes", "tonight", "not really"."""

import re
from typing import Final

from hef_graph.crisis.patterns import load_pattern
from hef_graph.crisis.signals import CATEGORIES, Category

_QUESTION: Final = re.compile(r"[?？]")
_ASKED: Final = tuple(category for category in CATEGORIES if category not in {"medical_emergency", "child_at_risk"})
"""What a listener asks about."""

_LONGEST_ANSWER: Final = 9
"""Words: whoever says more says what it is about."""


def admitted(question: str, answer: str) -> Category | None:
    """What a short answer admits to, given the listener's last words; both normalised.

    >>> admitted("are you thinking of killing yourself?", "yeah. tonight")
    'suicidal_active'
    >>> admitted("are you safe where you are?", "not really")
    'suicidal_passive'
    """
    if not _QUESTION.search(question) or len(answer.split()) > _LONGEST_ANSWER:
        return None
    asked = next((category for category in _ASKED if _said(f"asked {category}").search(question)), None)
    if asked and _said("agrees").match(answer) and not _said("turns round").search(answer):
        return asked
    refused = _said("asked safety").search(question) and _said("refuses").match(answer)
    return (asked or "suicidal_passive") if refused else None


def _said(name: str) -> re.Pattern[str]:
    return load_pattern("answers", name)
