import math
from collections.abc import Sequence

import pytest

from hef_graph.corpus import Context
from hef_graph.evaluation.metrics import tokenize_words
from hef_graph.evaluation.sem_report import report_reading, report_writing, show_replies
from hef_graph.sem import TransformerSem
from hef_graph.types import Dialogue
from tests.fakes import SpeakingStubSem, StubSem

CONTEXTS = [
    Context("c1", "sad", ("I lost my ring.",), "Oh no."),
    Context("c2", "sad", ("I won a ring.",), "Nice one."),
]


class WritingStub(SpeakingStubSem):
    """Knows how likely replies are without a decoder."""

    def decode_replies(self, dialogues: Sequence[Dialogue]) -> list[str]:
        return ["Oh dear.", ""]

    def reply_log_likelihoods(self, dialogues: Sequence[Dialogue], replies: Sequence[str]) -> list[float]:
        return [-2.0 * len(tokenize_words(reply)) for reply in replies]


def writing_stub() -> TransformerSem:
    return WritingStub()  # type: ignore[return-value]  # has what the report calls


def test_a_reading_report_compares_with_the_gold_labels() -> None:
    report = report_reading(StubSem(), CONTEXTS)
    assert (report.contexts, report.acc_1, report.acc_20) == (2, 50.0, 100.0)
    assert report.worst_confusions == [("sad", "joyful", 1)]


def test_perplexity_is_normalised_by_the_words_of_the_human_replies() -> None:
    assert report_writing(writing_stub(), CONTEXTS).perplexity == pytest.approx(math.exp(2.0))


def test_a_writing_report_counts_empty_replies_against_the_coverage() -> None:
    report = report_writing(writing_stub(), CONTEXTS)
    assert (report.coverage, report.mean_words) == (50.0, 1.5)


def test_human_replies_are_scored_beside_ours() -> None:
    assert report_writing(writing_stub(), CONTEXTS).human_distinct_1 == pytest.approx(100 * 5 / 6)


def test_shown_replies_are_the_embedded_listeners() -> None:
    shown = show_replies(writing_stub(), CONTEXTS[:1])
    assert (shown[0].conv_id, shown[0].gold_emotion, shown[0].emotion) == ("c1", "sad", "sad")
    assert shown[0].reply == "That sounds hard. What happened then?"
