from collections.abc import Sequence

import pytest

from hef_graph.errors import HefInputError
from hef_graph.evaluation.cause_report import (
    CauseReport,
    CauseRow,
    report_causes,
    score_cases,
    share_marked,
    weigh_by_idf,
    weigh_by_sem,
    weigh_evenly,
)
from hef_graph.evaluation.reccon import CauseCase, CauseData, find_span
from hef_graph.lexicon import Lexicon, WordEntry
from hef_graph.types import Dialogue, EmotionAnalysis, EmotionScore, Turn, WordScore
from tests.fakes import StubSem


def case(number: int, text: str, span: str, before: str = "Hello there") -> CauseCase:
    found = find_span(text, span)
    assert found
    turns = (Turn("listener", before), Turn("speaker", text))
    return CauseCase(f"d{number}", "sadness", turns, (found,))


CASES = (
    case(0, "our old boat sank yesterday near Malta", "boat sank"),  # old boat sank near Malta: 2 of 5
    case(1, "sadly the kettle broke", "kettle broke"),  # 2 of 3
    case(1, "grandma visits Malta", "grandma visits"),  # 2 of 3
)
DATA = CauseData(CASES, 7, 2)
RANDOM_SHARE = 100 * (2 / 5 + 2 / 3 + 2 / 3) / 3


class PointingSem(StubSem):
    """Gives the words that a case marks the weight `inside`, and all others the weight `outside`."""

    def __init__(self, inside: float, outside: float) -> None:
        super().__init__()
        self._weights = {True: inside, False: outside}
        self._marked = {c.turns[-1].text: set(zip(c.words, c.marked, strict=True)) for c in CASES}

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        analyses = super().analyze(dialogues)
        return [self._point(analysis, dialogue) for analysis, dialogue in zip(analyses, dialogues, strict=True)]

    def _point(self, analysis: EmotionAnalysis, dialogue: Dialogue) -> EmotionAnalysis:
        newest = dialogue[-1]
        assert isinstance(newest, Turn)
        marked = {span for span, inside in self._marked[newest.text] if inside}
        words = [
            WordScore(w.word, w.turn, w.start, w.end, self._weights[w.turn == 1 and (w.start, w.end) in marked])
            for w in analysis.words
        ]
        return EmotionAnalysis((EmotionScore("sad", 1.0),), tuple(words))


def report(**methods: list[list[float]]) -> CauseReport:
    return report_causes(DATA, methods, lexicon=Lexicon(10, {}))


def values_of(row: CauseRow) -> list[float]:
    return [each.share.value for each in row.shares]


def test_random_words_reach_the_share_of_marked_content_words_at_every_k() -> None:
    row = report().rows[0]
    assert row.method == "random"
    assert values_of(row) == pytest.approx([RANDOM_SHARE] * 3)


def test_perfect_words_are_all_inside_until_the_spans_are_used_up() -> None:
    weights = weigh_by_sem(PointingSem(1.0, 0.1), CASES)
    expected = [100, 100 * (2 / 3 + 2 / 3 + 2 / 3) / 3, RANDOM_SHARE]
    assert values_of(report(perfect=weights).rows[-1]) == pytest.approx(expected)


def test_worst_words_are_outside_until_nothing_else_is_left() -> None:
    weights = weigh_by_sem(PointingSem(0.1, 1.0), CASES)
    expected = [0, 100 * (0 + 2 / 3 + 2 / 3) / 3, RANDOM_SHARE]
    assert values_of(report(worst=weights).rows[-1]) == pytest.approx(expected)


def test_the_ratio_is_to_random_words() -> None:
    first, _, fifth = report(perfect=weigh_by_sem(PointingSem(1.0, 0.1), CASES)).rows[-1].shares
    assert first.ratio
    assert fifth.ratio
    assert first.ratio.value == pytest.approx(100 / RANDOM_SHARE)
    assert (fifth.ratio.low, fifth.ratio.high) == pytest.approx((1.0, 1.0))


def test_intervals_are_over_dialogues() -> None:
    shares = report(first=[[0, 0, 0, 0, 1], [0, 1, 0], [0, 1, 0]]).rows[-1].shares
    assert (shares[0].share.low, shares[0].share.high) == (0.0, 100.0)


def test_the_report_counts_cases_dialogues_and_lost_spans() -> None:
    found = report()
    assert (found.cases, found.dialogues, found.found, found.spans_not_found) == (3, 2, 7, 2)


def test_methods_keep_their_order_after_the_baselines() -> None:
    even = weigh_evenly(CASES)
    assert [row.method for row in report(b=even, a=even).rows] == ["random", "IDF", "b", "a"]


def test_weights_of_other_words_than_the_cases_hold_are_refused() -> None:
    with pytest.raises(HefInputError, match="weights of 1 words in 1 cases, but there are 11 content words in 3"):
        score_cases([[1.0]], CASES, 1)


def test_a_report_on_no_cases_is_refused() -> None:
    with pytest.raises(HefInputError, match="give at least one case"):
        report_causes(CauseData((), 0, 0), {})


@pytest.mark.parametrize(
    ("weights", "k", "expected"),
    [
        ([3, 2, 1], 1, 100),
        ([3, 2, 1], 2, 50),
        ([1, 2, 3], 1, 0),
        ([1, 1, 1], 2, 100 / 3),
        ([2, 1, 1], 2, 50),
        ([1, 2, 1], 2, 25),
        ([3, 2, 1], 9, 100 / 3),
    ],
)
def test_words_of_one_weight_share_their_places(weights: list[float], k: int, expected: float) -> None:
    assert share_marked(weights, [True, False, False], k) == pytest.approx(expected)


def test_only_content_words_of_the_newest_turn_are_weighed() -> None:
    [weights] = weigh_by_sem(StubSem(), [case(0, "I lost the boat at noon", "boat", before="boat died")])
    assert len(weights) == 3
    assert weights[0] > weights[1] == weights[2]


def test_words_that_the_model_does_not_list_weigh_nothing() -> None:
    class Blind(StubSem):
        def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
            return [EmotionAnalysis(analysis.emotions, ()) for analysis in super().analyze(dialogues)]

    assert weigh_by_sem(Blind(), CASES[1:2]) == [[0.0, 0.0, 0.0]]


def test_the_rarest_words_are_the_heaviest_by_idf() -> None:
    lexicon = Lexicon(100, {"sadly": WordEntry(50, 0, 0), "kettle": WordEntry(5, 0, 0)})
    [weights] = weigh_by_idf(CASES[1:2], lexicon)
    assert weights[0] < weights[1] < weights[2]
