"""Emotions as events: what streams of mode `custom` hear before the first word of a reply."""

from collections.abc import Callable, Mapping
from typing import Any


class Announcer:
    """Writes `{"type": "emotion", "emotion", "settled", "emotion_candidates", "cause_words"}`.

    The small empathetic model's (SEM's) best guess comes first, with `settled` false; then what the model settles on,
    said once.
    """

    def __init__(self, write: Callable[[Any], None], state: Mapping[str, Any]) -> None:
        self._write = write
        self._evidence = {key: state[key] for key in ("emotion_candidates", "cause_words")}
        self._settled: str | None = None

    def guess(self, emotion: str | None) -> None:
        """Tell the SEM's best guess; None where it has none."""
        self._tell(emotion, settled=False)

    def settle(self, emotion: str | None) -> None:
        """Tell what was settled on, unless that has been told."""
        if emotion and emotion != self._settled:
            self._settled = emotion
            self._tell(emotion, settled=True)

    def _tell(self, emotion: str | None, *, settled: bool) -> None:
        self._write({"type": "emotion", "emotion": emotion, "settled": settled, **self._evidence})
