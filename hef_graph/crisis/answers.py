"""Short answers that say it all to whoever knows the question: "yes", "tonight", "not really"."""

import re
from typing import Final

from hef_graph.crisis.patterns import load_pattern
from hef_graph.crisis.signals import CATEGORIES, Category

_QUESTION: Final = re.compile(r"[?？]")
_ASKED: Final = {
    category: load_pattern("answers", f"asked {category}")
    for category in CATEGORIES
    if category not in {"medical_emergency", "child_at_risk"}
}
_ASKED_SAFETY: Final = load_pattern("answers", "asked safety")
_AGREES: Final = load_pattern("answers", "agrees")
_REFUSES: Final = load_pattern("answers", "refuses")
_TURNS_ROUND: Final = load_pattern("answers", "turns round")

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
    asked = next((category for category, pattern in _ASKED.items() if pattern.search(question)), None)
    if asked and _AGREES.match(answer) and not _TURNS_ROUND.search(answer):
        return asked
    return (asked or "suicidal_passive") if _ASKED_SAFETY.search(question) and _REFUSES.match(answer) else None
