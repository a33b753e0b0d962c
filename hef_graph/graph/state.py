"""The graph's state: messages, and plain JSON that any checkpointer keeps and Studio shows."""

from typing import Annotated, Any, NotRequired

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict


class HefInput(TypedDict):
    """What a turn begins with."""

    messages: Annotated[list[AnyMessage], add_messages]


class HefState(TypedDict):
    """What a turn leaves behind; every key but `messages` is written anew each turn."""

    messages: Annotated[list[AnyMessage], add_messages]
    structured_response: NotRequired[dict[str, str | None] | None]
    """`{"emotion", "response"}`; None until the turn is answered."""
    emotion: NotRequired[str | None]
    """The SEM's best guess until the model has settled it."""
    emotion_candidates: NotRequired[list[dict[str, Any]]]
    """The prioritised emotions: `{"label", "probability"}`, most probable first."""
    cause_words: NotRequired[dict[str, list[str]]]
    """`{"high", "low"}`"""
    instruction: NotRequired[str]
    """What was said to the model beside the conversation and the schema of its reply."""
    emotion_history: NotRequired[list[str]]
    """Emotions of earlier turns, oldest first; bounded."""
    degraded_reason: NotRequired[str | None]
    """None if the model's first answer fitted the schema."""
    crisis: NotRequired[dict[str, Any] | None]
    """None, or `{"category", "time", "who", "evidence"}`: a signal in the newest message, answered with help lines."""
    disclosure: NotRequired[str | None]
    """A notice that the application should show, or None."""


class TurnState(HefState):
    """The state inside a turn."""

    started: NotRequired[float]
    """`time.time()` at which the turn began: its deadline counts from there."""
    emotion_confidence: NotRequired[float | None]
    """Estimated probability that the first candidate is right; None if the SEM does not estimate it."""
    in_domain: NotRequired[bool]
    """False for a text unlike anything the SEM was trained on: the instruction then says nothing of its reading."""
    disclosed_at: NotRequired[float | None]
    """`time.time()` of the last notice that an AI answers."""
    since_crisis: NotRequired[int | None]
    """Turns since the last crisis signal of the conversation; None if there was none: the instruction asks for care."""
    sem_failure: NotRequired[str | None]
    """Why the SEM could not read the turn; None if it did."""
