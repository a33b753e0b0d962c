"""A megabyte of text is read, weighed and worded within a second of computing, before the model is asked."""

import time
from collections.abc import Callable
from typing import Any, Final

import pytest
from langchain_core.messages import HumanMessage
from typing_extensions import override

from hef_graph.crisis.detector import load_detector
from hef_graph.graph import HefContext, HefOptions, create_hef_graph
from hef_graph.messages import clean_text
from hef_graph.sem import load_sem
from hef_graph.types import Turn
from tests.fakes import ScriptedModel, SpeakingStubSem, reply_json
from tests.inputs import LARGE, each

LIMIT: Final = 2.0
"""Seconds of computing: a free machine needs less than one, one that runs other tests beside may need twice as much."""


class Clocked(ScriptedModel):
    """Notes when it is asked, in seconds that this process has computed."""

    asked: list[float] = []  # noqa: RUF012  pydantic copies it

    @override
    def _next(self, messages: Any) -> str:
        self.asked.append(time.process_time())
        return reply_json("joyful", "Yay!")


@pytest.mark.parametrize("sem", ["stub", "shipped", "lexicon"])
@each(LARGE)
def test_a_megabyte_reaches_the_model_within_a_second_or_so(sem: str, given: str) -> None:
    model, reader = Clocked(answers=[]), SpeakingStubSem() if sem == "stub" else load_sem(sem)
    graph = create_hef_graph(model, sem=reader, options=HefOptions(crisis_policy=None))
    context = HefContext(deadline=600.0)
    graph.invoke({"messages": [HumanMessage("I won!")]}, context=context)

    def seconds() -> float:
        start = time.process_time()
        graph.invoke({"messages": [HumanMessage(given)]}, context=context)
        return model.asked[-1] - start

    assert least(seconds) < LIMIT


def least(seconds: Callable[[], float]) -> float:
    """Of up to three measurements: other work on the machine makes single ones longer."""
    taken: list[float] = []
    while len(taken) < 3 and not (taken and taken[-1] < LIMIT):
        taken.append(seconds())
    return min(taken)


@each(LARGE)
def test_a_megabyte_is_looked_through_for_a_crisis_within_a_second_or_so(given: str) -> None:
    detector, said = load_detector(), clean_text(given)
    detector.detect([Turn("speaker", "Hello there.")])

    def seconds() -> float:
        start = time.process_time()
        detector.detect([Turn("speaker", said)])
        return time.process_time() - start

    assert least(seconds) < LIMIT
