"""How long a crisis turn takes with the small empathetic model (SEM) and the large language model (LLM) both down.

python -m tests.crisis_path      prints the median and the 95th percentile over 200 turns, and the seconds of computing
                                 that the detector takes for a megabyte of each kind of text
"""

import random
import time
from collections.abc import Sequence
from statistics import median, quantiles
from typing import Final

from typing_extensions import override

from hef_graph.crisis.detector import load_detector
from hef_graph.graph import HefGraph, create_hef_graph
from hef_graph.messages import clean_text
from hef_graph.types import Dialogue, EmotionAnalysis, Turn
from tests.fakes import ScriptedModel, SpeakingStubSem
from tests.inputs import LARGE, MEGABYTE
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


def masked_words() -> str:
    """A megabyte of random words with digits and signs in them: each may stand for another."""
    drawing = random.Random(0)  # noqa: S311  drawing, not cryptography
    signs = "abcdeiklmnorstu*@$13450"
    words = ("".join(drawing.choices(signs, k=drawing.randrange(3, 9))) for _ in range(MEGABYTE // 6))
    return " ".join(words)[:MEGABYTE]


def rare_characters() -> str:
    """A megabyte of letters of all scripts."""
    drawing = random.Random(0)  # noqa: S311  as above
    return "".join(map(chr, drawing.choices([*range(97, 123), 32, *range(0x100, 0x2000)], k=MEGABYTE)))


def computing(text: str) -> float:
    """Seconds that the detector computes over a text."""
    detector, said = load_detector(), [Turn("speaker", clean_text(text))]
    begun = time.process_time()
    detector.detect(said)
    return time.process_time() - begun


def main() -> None:
    """Measure and print."""
    graph = broken_graph()
    take_turns(graph, len(SAYINGS))  # the weights are read once
    seconds, answered = take_turns(graph, TURNS)
    p95 = quantiles(seconds, n=20)[-1]
    times = f"median {1000 * median(seconds):.0f} ms, p95 {1000 * p95:.0f} ms"
    print(f"{answered} of {TURNS} turns answered with help lines; {times}")  # noqa: T201  a command
    for name, text in {**LARGE, "masked words": masked_words(), "rare characters": rare_characters()}.items():
        print(f"a megabyte, {name:<16} {computing(text):5.2f} s of computing")  # noqa: T201  as above


if __name__ == "__main__":
    main()
