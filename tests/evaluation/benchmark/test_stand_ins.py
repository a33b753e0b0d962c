import json

import pytest
from langchain_core.messages import HumanMessage

from hef_graph.emotions import EMOTIONS
from hef_graph.evaluation.benchmark.stand_ins import ANSWER, ConstantSem, InstantModel
from hef_graph.reply import reply_schema
from hef_graph.types import SmallEmpatheticModel, Turn

SAID = [HumanMessage("I won!")]


def test_the_constant_model_is_a_sem() -> None:
    sem: object = ConstantSem()
    assert isinstance(sem, SmallEmpatheticModel)


@pytest.mark.parametrize("dialogue", [["I won!"], [Turn("speaker", "I won!")]])
def test_it_always_sees_the_same(dialogue: list[str]) -> None:
    [analysis] = ConstantSem().analyze([dialogue])
    assert {score.probability for score in analysis.emotions} == {1 / len(EMOTIONS)}
    assert [word.word for word in analysis.words] == ["I"]


def test_the_instant_model_answers_with_json() -> None:
    assert json.loads(str(InstantModel().invoke(SAID).text)) == ANSWER


def test_given_tools_it_calls_the_first() -> None:
    answer = InstantModel().with_structured_output(reply_schema(EMOTIONS)).invoke(SAID)
    assert dict(answer) == ANSWER


def test_streamed_it_says_the_same_piece_by_piece() -> None:
    pieces = [str(chunk.text) for chunk in InstantModel().stream(SAID)]
    assert len(pieces) > 10
    assert json.loads("".join(pieces)) == ANSWER


def test_streamed_to_tools_the_pieces_are_the_arguments() -> None:
    chunks = list(InstantModel().bind_tools([reply_schema(EMOTIONS)]).stream(SAID))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk  # type: ignore[assignment]
    assert [call["args"] for call in whole.tool_calls] == [ANSWER]
