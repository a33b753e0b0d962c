import json
from collections.abc import Sequence

import pytest

from hef_graph.corpus import Context
from hef_graph.errors import HefInputError
from hef_graph.evaluation.candidate_report import CandidateReport, fixed_k_at, report_candidates
from hef_graph.types import Dialogue, EmotionAnalysis, EmotionScore, turns_from_dialogue

SCORES = {
    "clear": {"joyful": 0.9, "sad": 0.06, "angry": 0.03, "afraid": 0.01},
    "mixed": {"angry": 0.5, "sad": 0.3, "joyful": 0.1, "afraid": 0.1},
}
"""What the model reads in a text that holds the word."""

THRESHOLDS = ((0.8, 0.5), (0.9, 0.25), (0.95, 0.06), (0.99, 0.001))


class TwoMoodSem:
    """Reads one of two distributions; satisfies `SmallEmpatheticModel`."""

    name = "two moods"
    labels = ("afraid", "angry", "joyful", "sad")

    def __init__(
        self, thresholds: tuple[tuple[float, float], ...] = THRESHOLDS, confidence: float | None = None
    ) -> None:
        self._thresholds, self._confidence = thresholds, confidence

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        return [self._read(turns_from_dialogue(dialogue)[-1].text) for dialogue in dialogues]

    def _read(self, text: str) -> EmotionAnalysis:
        scores = tuple(EmotionScore(label, p) for label, p in SCORES[text].items())
        return EmotionAnalysis(scores, (), self._confidence, thresholds=self._thresholds)


def contexts(*wanted: tuple[str, str]) -> list[Context]:
    return [Context(f"c{number}", emotion, (text,), "") for number, (text, emotion) in enumerate(wanted)]


FOUR = contexts(("clear", "joyful"), ("clear", "sad"), ("mixed", "sad"), ("mixed", "afraid"))


def report(*coverages: float, sem: TwoMoodSem | None = None, of: Sequence[Context] = FOUR) -> CandidateReport:
    return report_candidates(sem or TwoMoodSem(), of, coverages=coverages)


@pytest.mark.parametrize(
    ("promised", "measured", "size"), [(0.8, 25.0, 1.0), (0.9, 50.0, 1.5), (0.95, 100.0, 3.0), (0.99, 100.0, 4.0)]
)
def test_the_thresholds_of_the_model_make_the_sets(promised: float, measured: float, size: float) -> None:
    [row] = report(promised).coverages
    assert (row.promised, row.measured.value, row.mean_size.value) == pytest.approx((100 * promised, measured, size))


def test_without_thresholds_the_sets_are_sums_of_probabilities() -> None:
    found = report(0.8, sem=TwoMoodSem(thresholds=()))
    assert not found.calibrated
    assert found.coverages[0].mean_size.value == 1.5


@pytest.mark.parametrize(
    ("hits", "ranks", "k"),
    [
        (0, [1, 2], 0.0),
        (1, [1, 2], 1.0),
        (2, [1, 2], 2.0),
        (3, [1, 1, 4, 4], 3.5),
        (1, [1, 1], 0.5),
        (2, [3, 1, 9], 3.0),
    ],
)
def test_the_fixed_number_is_interpolated_between_whole_ones(hits: int, ranks: list[int], k: float) -> None:
    assert fixed_k_at(hits, ranks) == pytest.approx(k)


def test_the_saving_is_against_the_fixed_number_of_the_same_coverage() -> None:
    [row] = report(0.95).coverages  # ranks 1, 2, 2, 4: all four need k = 4
    assert (row.fixed_k, row.fixed_k_whole, row.saving) == (4.0, 4, 25.0)


def test_a_broken_fixed_number_is_reported_whole_too() -> None:
    [row] = report(0.9).coverages  # two of ranks 1, 2, 2, 4
    assert (row.fixed_k, row.fixed_k_whole) == (1.5, 2)
    assert (row.saving, row.saving_whole) == (0.0, 25.0)


def test_a_label_that_the_model_does_not_know_is_never_covered() -> None:
    [row] = report(0.99, of=contexts(("clear", "joyful"), ("clear", "proud"))).coverages
    assert (row.measured.value, row.fixed_k) == (50.0, 1.0)


def test_families_are_those_of_the_predicted_emotion_with_the_worst_first() -> None:
    [row] = report(0.8).coverages
    assert [(g.group, g.contexts, g.coverage) for g in row.by_family] == [("anger", 2, 0.0), ("joy", 2, 50.0)]


def test_coverage_is_told_by_the_size_of_the_set() -> None:
    [row] = report(0.9).coverages
    assert [(g.group, g.contexts, g.coverage) for g in row.by_size] == [("1", 2, 50.0), ("2 to 3", 2, 50.0)]


def test_reliability_compares_probability_and_accuracy_bin_by_bin() -> None:
    filled = [each for each in report(0.9).probability.bins if each.contexts]
    assert [each.confidence for each in filled] == pytest.approx([50.0, 90.0])
    assert [each.accuracy for each in filled] == [0.0, 50.0]
    assert len(report(0.9).probability.bins) == 15


def test_the_calibration_error_is_the_mean_gap_within_its_interval() -> None:
    error = report(0.9).probability.error
    assert error.value == pytest.approx((2 * 0.5 + 2 * 0.4) / 4)
    assert error.low <= error.value <= error.high


def test_the_models_own_confidence_is_measured_where_it_gives_one() -> None:
    confidence = report(0.9, sem=TwoMoodSem(confidence=0.25)).confidence
    assert confidence
    assert confidence.error.value == pytest.approx(0.0)
    assert report(0.9).confidence is None


def test_intervals_are_over_conversations() -> None:
    one = [Context("same", context.emotion, context.turns, "") for context in FOUR]
    [row] = report(0.9, of=one).coverages
    assert (row.measured.low, row.measured.high) == (50.0, 50.0)


def test_the_report_is_plain_json() -> None:
    assert json.loads(json.dumps(report(0.9).to_json()))["coverages"][0]["promised"] == 90.0


def test_no_contexts_are_refused() -> None:
    with pytest.raises(HefInputError, match="give at least one case"):
        report(0.9, of=[])
