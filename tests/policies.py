"""Crisis policies shared by the tests: one hears a marked word, so that no test depends on how a crisis is found."""

from collections.abc import Sequence
from typing import Any, Final

from langchain_core.messages import BaseMessage
from typing_extensions import override

from hef_graph.crisis import CrisisEvent, CrisisPolicy, CrisisSignal

MARK: Final = "umbrella"
CRISIS: Final = f"My {MARK} is gone."
SIGNAL: Final = CrisisSignal("suicidal_active", evidence=MARK)


class MarkedPolicy(CrisisPolicy):
    """Finds a signal in every newest message that holds `MARK`; keeps the events that it is told."""

    def __init__(self, signal: CrisisSignal = SIGNAL, **settings: Any) -> None:
        self.told: list[CrisisEvent] = []
        super().__init__(on_event=self.told.append, **settings)
        self.signal = signal

    @override
    def detect(self, messages: Sequence[BaseMessage]) -> CrisisSignal | None:
        return self.signal if MARK in str(messages[-1].text) else None


class Broken(MarkedPolicy):
    """A policy one of whose methods fails, and tells of the user in its error."""

    def __init__(self, method: str) -> None:
        super().__init__()
        self.method = method

    @override
    def detect(self, messages: Sequence[BaseMessage]) -> CrisisSignal | None:
        self._fail_in("detect", str(messages[-1].text))
        return super().detect(messages)

    @override
    def respond(self, signal: CrisisSignal, locale: str | None = None) -> str:
        self._fail_in("respond", signal.evidence)
        return super().respond(signal, locale)

    @override
    def on_event(self, event: CrisisEvent) -> None:
        self._fail_in("on_event", "down")
        super().on_event(event)

    def _fail_in(self, method: str, said: str) -> None:
        if method == self.method:
            raise ConnectionError(f"no route for {said!r}")
