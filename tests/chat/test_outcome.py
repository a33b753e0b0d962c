import json

import pytest
from langchain_core.messages import AIMessage

from hef_graph.chat.outcome import Outcome, read_outcome

USAGE = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome("sad", "I'm sorry."),
        Outcome("sad", "I'm sorry.", "timeout"),
        Outcome("sad", "“Wirklich?” 😢", "repaired:label"),
    ],
)
def test_an_outcome_survives_its_message(outcome: Outcome) -> None:
    assert read_outcome(outcome.to_message()) == outcome


def test_the_count_of_tokens_rides_along() -> None:
    message = AIMessage("Oh.", response_metadata=Outcome("sad", "Oh.").metadata(), usage_metadata=USAGE)
    assert read_outcome(message).usage == USAGE


def test_the_message_shows_the_response_and_nothing_else() -> None:
    assert Outcome("sad", "Oh.", "timeout").to_message().content == "Oh."


def test_the_metadata_is_plain_json() -> None:
    metadata = Outcome("sad", "Oh.", "timeout").metadata()
    assert json.loads(json.dumps(metadata)) == metadata
