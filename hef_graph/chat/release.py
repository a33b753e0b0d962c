"""What of a reply may be shown: whole sentences that claim no human life and give no number that was made up.

A shown word cannot be taken back, so a sentence is checked before any of it is shown. One gate for all ways to run:
a stream hands it the growing reply, anything else the whole.
"""

import re
from dataclasses import dataclass
from typing import Final

from hef_graph.chat.numbers import gives_other_number
from hef_graph.chat.sentences import cut_sentences
from hef_graph.claims import claims_to_be_human

LIVED: Final = "it claims to be human, or to have lived or felt something; you are an AI and say nothing of that kind"
NUMBER: Final = "it gives a phone number that nobody has named; you write no numbers of your own"
"""Why a sentence is left out, for a model that is asked again."""

_ITEM: Final = re.compile(r"\W*\n|\s*(?:[-*•+]|\d+[.)])\s")
"""An item of a list, or an empty line in it: what a line with a colon said still holds."""


@dataclass(frozen=True, slots=True)
class Released:
    """What is left of a reply."""

    text: str
    """Without blanks at its end; empty if nothing is left."""
    problem: str | None
    """Why something was left out; None if nothing was."""


class SentenceGate:
    """Lets one reply pass, sentence by sentence; what does not pass is left out with the blanks behind it."""

    def __init__(self, known: frozenset[str] = frozenset()) -> None:
        self.problem: str | None = None
        """Why the first sentence that did not pass was left out."""
        self._known = known
        self._checked = ""
        self._passed = ""
        self._lead = ""

    def let_through(self, reply: str, *, ended: bool = False) -> str:
        """All that may be shown of a reply that has grown to this; `ended` says that it is whole."""
        if reply.startswith(self._checked):
            for sentence in cut_sentences(reply[len(self._checked) :], ended=ended):
                self._check(sentence)
        return self._passed.rstrip()

    def _check(self, sentence: str) -> None:
        self._checked += sentence
        problem = self._problem_of(sentence)
        if problem is None:
            self._passed += sentence
        self.problem = self.problem or problem
        if sentence.rstrip().endswith(":"):
            self._lead = sentence
        elif not _ITEM.match(sentence):
            self._lead = ""

    def _problem_of(self, sentence: str) -> str | None:
        if claims_to_be_human(sentence):
            return LIVED
        return NUMBER if gives_other_number(sentence, self._known, lead=self._lead) else None


def release(reply: str, known: frozenset[str] = frozenset()) -> Released:
    """What may be shown of a whole reply; `known` holds the numbers that may be repeated (see `numbers_in`).

    >>> release("I'm so sorry. I lost my cat too. When did you see it last?").text
    "I'm so sorry. When did you see it last?"
    """
    gate = SentenceGate(known)
    return Released(gate.let_through(reply, ended=True), gate.problem)
