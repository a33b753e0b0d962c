"""`CrisisPolicy`: what is a crisis, what is said then, which help lines are shown, who is told; each can be replaced.

```python
class OurPolicy(CrisisPolicy):
    def resources(self, locale, category=None):
        return (Resource("Campus counselling", call="…"), *super().resources(locale, category)[:2])

graph = create_hef_graph(options=HefOptions(crisis_policy=OurPolicy()))
```
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from langchain_core.messages import BaseMessage

from hef_graph.crisis.detector import load_detector
from hef_graph.crisis.normalisation import normalise
from hef_graph.crisis.resources import SHIPPED, Resource, load_resources
from hef_graph.crisis.response import compose_response, guess_language
from hef_graph.crisis.signals import Category, CrisisSignal, Time, Who
from hef_graph.messages import turns_from_messages


@dataclass(frozen=True, slots=True)
class CrisisEvent:
    """That a signal was answered: nothing of what was said, and nobody's name."""

    category: Category
    time: Time
    who: Who
    locale: str | None = None


class CrisisPolicy:
    """The shipped policy; override a method to replace a part.

    Args:
        resources_file: help lines of your own, in the form of `hef_graph/crisis/resources.json`.
        hand_over: after the fixed message, wait for a human (`interrupt`); needs a checkpointer. Resume with
            `Command(resume="what the human says")`, or `Command(resume="")` to let the conversation go on.
        on_event: told of every answered signal, on top of the counts that this object keeps.
    """

    def __init__(
        self,
        *,
        resources_file: Path = SHIPPED,
        hand_over: bool = False,
        on_event: Callable[[CrisisEvent], None] | None = None,
    ) -> None:
        self.directory = load_resources(resources_file)
        self.hand_over = hand_over
        self._tell = on_event
        self._counts: Counter[CrisisEvent] = Counter()
        self._lock = threading.Lock()

    def detect(self, messages: Sequence[BaseMessage]) -> CrisisSignal | None:
        """The signal in the newest user message, read with the messages before it; None if there is none.

        Raises:
            HefInputError: the newest message is not the user's, or holds no text.
        """
        return load_detector().detect(turns_from_messages(messages))

    def resources(self, locale: str | None, category: Category | None = None) -> tuple[Resource, ...]:
        """At most three help lines for a country and a need."""
        return self.directory.find(locale, category)

    def respond(self, signal: CrisisSignal, locale: str | None = None) -> str:
        """The fixed message: acknowledges, shows the help lines word for word, asks an open question."""
        lines = self.resources(locale, signal.category)
        neutral = self.directory.neutral_text if lines == self.directory.directories[: len(lines)] else ""
        language = guess_language(normalise(signal.evidence).text)
        return compose_response(signal, lines, neutral, language=language)

    def on_event(self, event: CrisisEvent) -> None:
        """Count the event, and tell whoever wanted to know."""
        with self._lock:
            self._counts[event] += 1
        if self._tell:
            self._tell(event)

    @property
    def counts(self) -> dict[CrisisEvent, int]:
        """How many signals of each kind this process has answered."""
        with self._lock:
            return dict(self._counts)


DEFAULT_POLICY: Final = CrisisPolicy()
"""The shipped policy as it is."""
