"""How a turn begins: what the last one left is cleared, the notice is given if due; and how a crisis turn ends it."""

from typing import Any, Final

from langchain_core.messages import AIMessage

from hef_graph.chat.crisis import turns_since_crisis
from hef_graph.crisis import CrisisSignal
from hef_graph.graph.disclosure import Disclosure
from hef_graph.graph.state import TurnState
from hef_graph.messages import turns_from_messages
from hef_graph.turn import Evidence
from hef_graph.types import CauseWords

HISTORY: Final = 50
"""So many earlier emotions are kept."""


def open_turn(state: TurnState, notice: Disclosure | None, now: float) -> dict[str, Any]:
    """The state's keys as a turn begins, at `now` (`time.time()`).

    Raises:
        HefInputError: there is nothing to answer.
    """
    turns = turns_from_messages(state["messages"])
    earlier, last = state.get("emotion_history") or [], (state.get("structured_response") or {}).get("emotion")
    kept = state.get("since_crisis")
    since = turns_since_crisis(state["messages"]) if kept is None else kept + 1
    first = not any(turn.role == "listener" for turn in turns)
    shown = state.get("disclosed_at")
    due = notice is not None and notice.due(now, shown, first=first)
    return {
        "started": now,
        "emotion": None,
        "structured_response": None,
        "crisis": None,
        "since_crisis": since,
        "disclosure": notice.text if notice and due else None,
        "disclosed_at": now if due or shown is None else shown,
        "emotion_history": [*earlier, *([last] if last else [])][-HISTORY:],
    }


def crisis_turn(signal: CrisisSignal, answer: AIMessage) -> dict[str, Any]:
    """The keys of a turn that ends with the fixed answer: no emotion was read, no model asked."""
    return {
        **Evidence((), CauseWords()).to_json(),
        "emotion": None,
        "structured_response": {"emotion": None, "response": str(answer.text)},
        "instruction": "",
        "degraded_reason": None,
        "crisis": signal.to_json(),
        "since_crisis": 0,
    }
