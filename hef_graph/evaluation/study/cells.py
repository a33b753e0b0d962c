"""What stands in the cells of a study's tables: figures with their intervals, or "not measured"."""

from typing import Final

from hef_graph.evaluation.bootstrap import Estimate
from hef_graph.evaluation.study.comparison import Comparison
from hef_graph.evaluation.study.judge import AspectReport, JudgeReport
from hef_graph.evaluation.study.prices import show_cost
from hef_graph.evaluation.study.scores import RANKS, Scores
from hef_graph.evaluation.study.studies import Measured, Pair

NOT_MEASURED: Final = "not measured"


def show(value: Estimate | float | None, digits: int = 1) -> str:
    """A figure for people.

    >>> show(Estimate(49.62, 48.2, 51.0)), show(None), show(3.456, 2)
    ('49.6 (48.2 to 51.0)', 'not measured', '3.46')
    """
    if value is None:
        return NOT_MEASURED
    return value.show(digits) if isinstance(value, Estimate) else f"{value:.{digits}f}"


def accuracy_cells(measured: Measured | None) -> list[str]:
    """Table 1: Acc_k."""
    at = (measured.scores.accuracy_at if measured else None) or {}
    return [show(at.get(k)) for k in RANKS]


def main_cells(measured: Measured | None) -> list[str]:
    """Table 2: accuracies, perplexity, Distinct, and how many responses of what length stand behind Distinct."""
    if measured is None:
        return [NOT_MEASURED] * 7
    scores = measured.scores
    perplexity = show(measured.perplexity, 2)
    lengths = [show(scores.response_coverage), show(scores.mean_words)]
    accuracies = [show(scores.accuracy), show(scores.substring)] if _reads(measured) else [NOT_MEASURED] * 2
    return [*accuracies, perplexity, *_distinct(scores), *lengths]


def short_cells(measured: Measured | None) -> list[str]:
    """Tables 4 and 6: accuracy and Distinct."""
    if measured is None:
        return [NOT_MEASURED] * 3
    return [show(measured.scores.accuracy) if _reads(measured) else NOT_MEASURED, *_distinct(measured.scores)]


def all_cells(measured: Measured) -> list[str]:
    """Everything else that one line can hold."""
    scores = measured.scores
    emotions = [scores.accuracy, scores.substring, scores.macro_f1, scores.invalid]
    shares = [*(emotions if _reads(measured) else [None] * 4), scores.degraded]
    tokens = f"{scores.input_tokens:,} / {scores.output_tokens:,}"
    seconds = f"{scores.seconds.median:.2f} / {scores.seconds.p95:.2f}" if scores.seconds else NOT_MEASURED
    return [*map(show, shares), tokens, seconds, show_cost(scores.cost), str(scores.missing)]


def _reads(measured: Measured) -> bool:
    """Whether emotions were asked for: published outputs may hold responses alone, which is not an accuracy of 0."""
    return any(each.emotion or each.written_emotion or each.degraded_reason for each in measured.answers)


def _distinct(scores: Scores) -> list[str]:
    return [show(scores.distinct_1, 2), show(scores.distinct_2, 2)]


def tell_comparison(pair: Pair, found: Comparison) -> str:
    """A comparison as a sentence, its verdict last."""
    adjusted = f", adjusted for {found.family} comparisons" if found.family > 1 else ""
    p = found.p if found.adjusted_p is None else found.adjusted_p
    return (
        f"{pair.first.name} against {pair.second.name}: accuracy {found.difference.value:+.1f} points "
        f"({found.difference.low:+.1f} to {found.difference.high:+.1f}), p = {p:.3f} by paired bootstrap{adjusted}; "
        f"McNemar p = {found.mcnemar.p:.3f}: {found.verdict}"
    )


def verdict_cells(report: JudgeReport | None, aspect: str) -> list[str]:
    """Tables 3 and 5, one aspect: win, tie, lose, agreement of the two orders, and whether it is more than noise."""
    found = report.aspects.get(aspect.lower()) if report else None
    return _aspect_cells(found) if found else [NOT_MEASURED] * 5


def tell_judging(pair: Pair, report: JudgeReport) -> str:
    """What a comparison rests on."""
    causes = sum(report.no_verdict.values())
    return (
        f"{pair.first.name} against {pair.second.name}: judged by {report.judge}, {report.judged} of "
        f"{report.dialogues} dialogues, each in both orders; a win or a loss counts if both orders agree; "
        f"{report.without_response} without a response, {report.identical} with equal ones, {causes} questions open"
    )


def _aspect_cells(found: AspectReport) -> list[str]:
    return [show(each) for each in (found.win, found.tie, found.lose, found.agreement)] + [found.verdict]
