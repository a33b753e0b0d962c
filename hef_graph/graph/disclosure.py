"""The notice that an AI answers: at a conversation's start, and again every few hours of it.

The clock is in the state, so it survives trimming and restarts. The application shows the notice; it is never part of a
reply.
"""

from dataclasses import dataclass
from typing import Final

from hef_graph.errors import HefInputError

AI_NOTICE: Final = "You are talking with an AI. It can be wrong, and it does not replace people or professional help."
THREE_HOURS: Final = 3 * 60 * 60.0


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What is said, and how often."""

    text: str = AI_NOTICE
    every: float = THREE_HOURS
    """Seconds of the conversation after which it is said again."""

    def __post_init__(self) -> None:
        timed = isinstance(self.every, int | float) and self.every > 0
        if not isinstance(self.text, str) or not self.text.strip() or not timed:
            raise HefInputError(f"a disclosure needs a text and seconds above 0, got {self.text!r} and {self.every!r}")

    def due(self, now: float, last: float | None, *, first: bool) -> bool:
        """Whether to say it at `now`, having said it at `last`; both `time.time()`.

        A conversation that began elsewhere (`last` is None, yet it is not the first turn) starts its clock now.
        """
        return first or (last is not None and now - last >= self.every)
