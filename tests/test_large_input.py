"""A megabyte of text is read, weighed, worded and answered within a second of computing."""

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
from tests.timing import computing

LIMIT: Final = 2.0
"""Seconds of computing: a free machine needs less than one, one that runs other tests beside may need twice as much."""


class InstantModel(ScriptedModel):
    """Always answers the same, at once."""

    @override
    def _next(self, messages: Any) -> str:
        return reply_json("joyful", "Yay!")


@pytest.mark.parametrize("sem", ["stub", "shipped", "lexicon"])
@each(LARGE)
def test_a_megabyte_is_answered_within_a_second_or_so(sem: str, given: str) -> None:
    reader = SpeakingStubSem() if sem == "stub" else load_sem(sem)
    graph = create_hef_graph(InstantModel(answers=[]), sem=reader, options=HefOptions(crisis_policy=None))
    context = HefContext(deadline=600.0)
    graph.invoke({"messages": [HumanMessage("I won!")]}, context=context)
    asked: Any = {"messages": [HumanMessage(given)]}
    assert computing(lambda: graph.invoke(asked, context=context), limit=LIMIT) < LIMIT


@each(LARGE)
def test_a_megabyte_is_looked_through_for_a_crisis_within_a_second_or_so(given: str) -> None:
    detector, said = load_detector(), clean_text(given)
    detector.detect([Turn("speaker", "Hello there.")])
    assert computing(lambda: detector.detect([Turn("speaker", said)]), limit=LIMIT) < LIMIT
