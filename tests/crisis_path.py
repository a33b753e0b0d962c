"""How long a crisis turn takes with the small empathetic model (SEM) and the large language model (LLM) both down.

python -m tests.crisis_path      prints the median and the 95th percentile over 200 turns
"""

import time
from collections.abc import Sequence
from statistics import median, quantiles
from typing import Final

from typing_extensions import override

from hef_graph.graph import HefGraph, create_hef_graph
from hef_graph.types import Dialogue, EmotionAnalysis
from tests.fakes import ScriptedModel, SpeakingStubSem
from tests.runs import say

SAYINGS: Final = (
    "I want to kill myself.",
    "I bought everything that I need for it, and after Friday nobody has to worry about me any more.",
    "My husband hit me again last night, the children were watching.",
    (
        "I had a normal day at work, picked up the kids and made spaghetti. They are in bed now, my wife is reading. "
        "I am sitting in the garage and I have decided that tonight is the end of it. Nobody else knows."
    ),
)
TURNS: Final = 200


class DeadSem(SpeakingStubSem):
    """A SEM that fails at every reading."""

    @override
    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        raise RuntimeError("the SEM is down")


def broken_graph() -> HefGraph:
    """A graph whose SEM and whose model fail."""
    return create_hef_graph(ScriptedModel(answers=[ConnectionError("the model is down")]), sem=DeadSem())


def take_turns(graph: HefGraph, turns: int) -> tuple[list[float], int]:
    """Seconds of each turn, and how many were answered with help lines."""
    seconds: list[float] = []
    answered = 0
    for turn in range(turns):
        begun = time.perf_counter()
        out = graph.invoke(say(SAYINGS[turn % len(SAYINGS)]))
        seconds.append(time.perf_counter() - begun)
        answered += out["crisis"] is not None
    return seconds, answered


def main() -> None:
    """Measure and print."""
    graph = broken_graph()
    take_turns(graph, len(SAYINGS))  # the weights are read once
    seconds, answered = take_turns(graph, TURNS)
    p95 = quantiles(seconds, n=20)[-1]
    times = f"median {1000 * median(seconds):.0f} ms, p95 {1000 * p95:.0f} ms"
    print(f"{answered} of {TURNS} turns answered with help lines; {times}")  # noqa: T201  a command


if __name__ == "__main__":
    main()
