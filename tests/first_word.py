"""How long a user waits for the first words, a whole sentence, of a model that takes 20 ms a token.

python -m tests.first_word      prints the times, streamed and in one piece
"""

import time
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Any, Final

from tests.fakes import reply_json
from tests.faults import SAID, graph_on
from tests.runs import say
from tests.servers import Completion, OpenAIServer

PACE: Final = 0.02
"""Seconds a token."""

TOKEN: Final = 4
"""Characters."""

RESPONSE: Final = (
    "I'm so sorry that your cat has not come home. Not knowing where a friend like that is must make every sound at "
    "the door hard to bear. When did you last see it, and does anybody in the street know that it is missing?"
)

SECOND: Final = "Not knowing"

ANSWER: Final = Completion(reply_json("sad", RESPONSE), piece=TOKEN, pace=PACE)

RUNS: Final = 7


@dataclass(frozen=True, slots=True)
class Waiting:
    """Seconds from the turn's beginning."""

    first_event: float
    """The emotion and its candidates."""
    first_word: float
    whole: float
    """The whole reply, streamed."""


def written(words: str) -> float:
    """When the model has written the token that the words begin in."""
    before = ANSWER.text.index(words)
    return PACE * (1 + ceil((before + 1) / TOKEN))


def due() -> float:
    """When the second sentence begins: no stream can show a word before, as the first is checked when it is over."""
    return written(SECOND)


def wait_streamed() -> Waiting:
    """Stream one turn."""
    seen: dict[str, float] = {}
    with OpenAIServer(ANSWER) as server:
        modes: Any = ["custom", "messages"]
        graph, start = graph_on(server), time.monotonic()
        for kind, data in graph.stream(say(SAID), stream_mode=modes):
            event: Any = data
            if kind == "custom" or event[0].text:
                seen.setdefault(kind, time.monotonic() - start)
        return Waiting(seen["custom"], seen["messages"], time.monotonic() - start)


def wait_whole() -> float:
    """Seconds until a turn in one piece is there."""
    with OpenAIServer(ANSWER) as server:
        graph, start = graph_on(server), time.monotonic()
        graph.invoke(say(SAID))
        return time.monotonic() - start


def main() -> None:
    """Print medians."""
    streamed = [wait_streamed() for _ in range(RUNS)]
    print(f"{len(ANSWER.text)} characters of JSON, {TOKEN} a token, {PACE * 1000:.0f} ms a token; {RUNS} runs, medians")  # noqa: T201  a command
    for name, seconds in {
        "emotion and candidates, as an event": median(each.first_event for each in streamed),
        "the model's first token of the response": written(RESPONSE[:10]),
        "its first token of the second sentence": due(),
        "first visible words": median(each.first_word for each in streamed),
        "whole reply, streamed": median(each.whole for each in streamed),
        "whole reply, in one piece": median(wait_whole() for _ in range(RUNS)),
    }.items():
        print(f"{name:<42} {seconds:6.3f} s")  # noqa: T201  a command


if __name__ == "__main__":
    main()
