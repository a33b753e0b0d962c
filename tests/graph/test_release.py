"""Whatever a model writes, and however it comes, no sentence that claims a human life is shown; in all ways to run."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from typing_extensions import override

from hef_graph.chat.release import release
from hef_graph.chat.sentences import cut_sentences
from hef_graph.errors import HefReplyError
from hef_graph.graph import HefOptions, create_hef_graph
from tests.fakes import REPLIES, ScriptedModel, SpeakingStubSem, reply_json
from tests.runs import MODES, Mode, run_turn

SAID = "I lost my cat."

TABLE = Path(__file__).parents[1] / "claim_sentences"
CLAIMS = (TABLE / "seen_claims.txt").read_text("utf-8").splitlines()
HARMLESS = (TABLE / "seen_harmless.txt").read_text("utf-8").splitlines()

every_mode = pytest.mark.parametrize("mode", MODES)


class CutModel(ScriptedModel):
    """Streams its answers in pieces of any sizes."""

    places: list[int]
    """Where a text is cut, as remainders of its length."""

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        text = str(self._next(messages))
        marks = sorted({0, len(text), *(place % (len(text) + 1) for place in self.places)})
        for start, end in pairwise(marks):
            yield ChatGenerationChunk(message=AIMessageChunk(content=text[start:end]))


@every_mode
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    sentences=st.lists(st.sampled_from(CLAIMS) | st.sampled_from(HARMLESS), min_size=1, max_size=4),
    blank=st.sampled_from([" ", "\n\n"]),
    places=st.lists(st.integers(min_value=0), max_size=40),
)
async def test_every_way_to_run_gives_what_may_be_shown_and_no_claim(
    mode: Mode, sentences: list[str], blank: str, places: list[int]
) -> None:
    written = blank.join(sentences)
    model = CutModel(answers=[reply_json("sad", written)] * 2, places=places)
    run = await run_turn(create_hef_graph(model, sem=SpeakingStubSem()), mode, SAID)
    shown = run.out["messages"][-1].text
    assert shown == run.out["structured_response"]["response"] == (release(written).text or REPLIES[0].text)
    assert mode in {"invoke", "ainvoke"} or "".join(run.tokens) == shown
    assert not set(CLAIMS) & {sentence.strip() for sentence in cut_sentences(shown, ended=True)}


@every_mode
@pytest.mark.parametrize(
    ("answers", "response", "reason"),
    [
        (["Oh no. I've been there. Where was it?"], "Oh no. Where was it?", "repaired:claim"),
        (["Oh no. Call 555-0199."], "Oh no.", "repaired:claim"),
        (["Me too!", "Oh no."], "Oh no.", "repaired:claim"),
        (["Me too!", "Same here!"], REPLIES[0].text, "claim"),
    ],
)
async def test_what_was_left_out_is_said_in_the_reason(
    answers: list[str], response: str, reason: str, mode: Mode
) -> None:
    model = ScriptedModel(answers=[reply_json("lonely", answer) for answer in answers])
    out = (await run_turn(create_hef_graph(model, sem=SpeakingStubSem()), mode, SAID)).out
    assert (out["messages"][-1].text, out["degraded_reason"]) == (response, reason)


@every_mode
async def test_strict_raises_when_nothing_but_claims_is_left(mode: Mode) -> None:
    model = ScriptedModel(answers=[reply_json("sad", "Me too!")] * 2)
    graph = create_hef_graph(model, sem=SpeakingStubSem(), options=HefOptions(strict=True))
    with pytest.raises(HefReplyError) as raised:
        await run_turn(graph, mode, SAID)
    assert raised.value.cause == "claim"


@every_mode
async def test_a_number_of_the_applications_own_may_be_repeated(mode: Mode) -> None:
    model = ScriptedModel(answers=[reply_json("sad", "Oh no. Our line is 0800 111 0 111.")])
    graph = create_hef_graph(model, sem=SpeakingStubSem(), system_prompt="Pet line: 0800/1110111")
    out = (await run_turn(graph, mode, SAID)).out
    assert (out["messages"][-1].text, out["degraded_reason"]) == ("Oh no. Our line is 0800 111 0 111.", None)
