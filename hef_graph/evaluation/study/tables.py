"""The paper's tables and the data of its figure, ours beside the paper's own rows.

Every row says where it comes from: quoted, or ours. What did not run is "not measured"; no figure is ever filled in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from hef_graph.evaluation.bootstrap import Estimate
from hef_graph.evaluation.study import paper
from hef_graph.evaluation.study.cases import Case
from hef_graph.evaluation.study.cells import (
    NOT_MEASURED,
    accuracy_cells,
    all_cells,
    main_cells,
    short_cells,
    tell_comparison,
    tell_judging,
    verdict_cells,
)
from hef_graph.evaluation.study.comparison import Comparison, adjust_comparisons, compare
from hef_graph.evaluation.study.paper import QuotedCase, QuotedPoint, QuotedScores, QuotedVerdict
from hef_graph.evaluation.study.scores import RANKS
from hef_graph.evaluation.study.studies import Arm, Measured, Pair, Study, shown_cases

ASPECTS: Final = ("Empathy", "Relevance", "Fluency")
QUOTED: Final = f"quoted ({paper.SPLIT})"

INTERVALS: Final = "In %; ours with 95 % intervals from whole conversations drawn."
DISTINCT: Final = "Distinct (in % too) has no interval, and falls as the number of responses grows."
PERPLEXITY: Final = "Perplexity: ours is per word of the human replies; the paper's depends on each vocabulary."
VERDICTS: Final = (
    "Win, tie and lose in % of the dialogues, from the first's side; the paper prints neither ties nor orders."
)
NO_MODEL: Final = "No LLM took part: name one with --model PROVIDER:NAME, or import answers."
NO_JUDGE: Final = "No judge took part: name one with --judge PROVIDER:NAME."


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table."""

    cells: tuple[str, ...]
    source: str
    """`QUOTED`, or what ours was measured on."""

    @property
    def quoted(self) -> bool:
        """Whether the row is the paper's."""
        return self.source == QUOTED


@dataclass(frozen=True, slots=True)
class PaperTable:
    """One of the paper's tables; as number 0, a table that the paper does not have."""

    number: int
    title: str
    heads: tuple[str, ...]
    """Of the cells; the source has a column of its own behind them."""
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Number and title."""
        return f"Table {self.number}. {self.title}" if self.number else self.title

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Point:
    """An accuracy of ours at a number of prioritised emotions."""

    k2: int
    accuracy: Estimate


@dataclass(frozen=True, slots=True)
class Curve:
    """One system's accuracies."""

    name: str
    points: tuple[Point, ...]
    ceiling: bool = False
    """Not what a system reached: what a list of k2 emotions could give at most, were no other allowed."""


@dataclass(frozen=True, slots=True)
class FigureData:
    """What Figure 3 shows."""

    curves: tuple[Curve, ...]
    quoted: tuple[QuotedPoint, ...]
    origin: str
    notes: tuple[str, ...]

    @property
    def label(self) -> str:
        """Number and title."""
        return f"Figure 3. {paper.FIGURE_3_TITLE}"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def build_table(number: int, study: Study) -> PaperTable:
    """Table `number`, the paper's rows first, then ours."""
    return _BUILDERS[number](study)


def build_figure_3(study: Study) -> FigureData:
    """Each model's accuracy against k2, without cause words; the SEM's Acc_k as the ceiling of a hard list."""
    curves = [_ceiling(study), *(_curve(study, model) for model in study.entrants.models)]
    quoted = f"Quoted points: {paper.PAPER}, Tables 2 and 4; the figure's other points are not in the paper's text."
    missing = [f"{arm.name}: {NOT_MEASURED}" for arm in study.entrants.figure_arms() if arm not in study.measured]
    notes = (quoted, *_about_models(study), *missing)
    return FigureData(tuple(c for c in curves if c.points), paper.FIGURE_3, study.origin, notes)


def build_measures(study: Study) -> PaperTable:
    """All measures of every system that ran: what the paper's tables have no room for."""
    rows = [Row((arm.name, *all_cells(each)), study.origin) for arm, each in study.measured.items()]
    heads = (
        *("Models", "Accuracy", "Substring", "Macro-F1", "Invalid", "Degraded"),
        *("Tokens in / out", "Seconds, median / p95", "Cost", "Without answer"),
    )
    return PaperTable(0, "All measures of the systems that ran", heads, tuple(rows), (INTERVALS,))


def _table_1(study: Study) -> PaperTable:
    rows = [Row((quoted.name, *quoted.figures), QUOTED) for quoted in paper.TABLE_1]
    rows += [_ours(study, arm, accuracy_cells) for arm in study.entrants.arms(1)]
    return PaperTable(1, paper.TITLES[1], ("Models", *(f"Acc_{k}" for k in RANKS)), tuple(rows), (INTERVALS,))


def _table_2(study: Study) -> PaperTable:
    heads = ("Type", "Models", "Accuracy", "Substring", "Perplexity", "Distinct-1", "Distinct-2", "Responses", "Words")
    rows = [_quoted_main(quoted) for quoted in paper.TABLE_2]
    rows += [_ours(study, arm, main_cells, kind=arm.kind) for arm in study.entrants.arms(2)]
    if not study.entrants.models:
        rows += [Row((kind, "any LLM", *[NOT_MEASURED] * 7), study.origin) for kind in ("LLM", "HEF")]
    notes = (INTERVALS, DISTINCT, *_human(study), PERPLEXITY, *_about_models(study), *_compared(study, 2))
    return PaperTable(2, paper.TITLES[2], heads, tuple(rows), notes)


def _variants(number: int, study: Study, quoted: Sequence[QuotedScores]) -> PaperTable:
    """Tables 4 and 6: the same measures of differently set systems."""
    rows = [Row((each.name, *each.figures), QUOTED) for each in quoted]
    rows += [_ours(study, arm, short_cells) for arm in study.entrants.arms(number)]
    if not study.entrants.models:
        rows += [Row(("any LLM", *[NOT_MEASURED] * 3), study.origin)]
    notes = (INTERVALS, DISTINCT, *_about_models(study), *_compared(study, number))
    heads = ("Models", "Accuracy", "Distinct-1", "Distinct-2")
    return PaperTable(number, paper.TITLES[number], heads, tuple(rows), notes)


def _judged(number: int, study: Study, quoted: Sequence[QuotedVerdict]) -> PaperTable:
    """Tables 3 and 5: which of two responses a judge prefers."""
    rows = [Row((f"{q.first} vs. {q.second}", q.aspect, q.win, "-", q.lose, "-", "-"), QUOTED) for q in quoted]
    pairs = study.entrants.pairs(number)
    rows += [_verdict(study, pair, aspect) for pair in pairs for aspect in ASPECTS]
    if not study.entrants.models:
        rows += [Row(("HEF vs. LLM", aspect, *[NOT_MEASURED] * 5), study.origin) for aspect in ASPECTS]
    heads = ("Comparison", "Aspect", "Win", "Tie", "Lose", "Orders agree, %", "Result")
    judged = [tell_judging(pair, study.verdicts[pair]) for pair in pairs if pair in study.verdicts]
    notes = (VERDICTS, *judged, *_about_models(study), *(() if judged else (NO_JUDGE,)))
    return PaperTable(number, paper.TITLES[number], heads, tuple(rows), notes)


def _verdict(study: Study, pair: Pair, aspect: str) -> Row:
    cells = verdict_cells(study.verdicts.get(pair), aspect)
    return Row((f"{pair.first.name} vs. {pair.second.name}", aspect, *cells), study.origin)


def _table_7(study: Study) -> PaperTable:
    rows = [row for quoted in paper.TABLE_7 for row in _quoted_case(quoted)]
    rows += [row for case in shown_cases(study.cases, seed=study.seed) for row in _shown_case(study, case)]
    return PaperTable(7, paper.TITLES[7], ("", "Text"), tuple(rows), _about_models(study))


_BUILDERS: Final[Mapping[int, Callable[[Study], PaperTable]]] = {
    1: _table_1,
    2: _table_2,
    3: lambda study: _judged(3, study, paper.TABLE_3),
    4: lambda study: _variants(4, study, paper.TABLE_4),
    5: lambda study: _judged(5, study, paper.TABLE_5),
    6: lambda study: _variants(6, study, paper.TABLE_6),
    7: _table_7,
}


def _ours(study: Study, arm: Arm, cells: Callable[[Measured | None], list[str]], *, kind: str = "") -> Row:
    """An arm's row: its type if the table has that column, its name, its figures."""
    return Row((*filter(None, [kind]), arm.name, *cells(study.measured.get(arm))), study.origin)


def _quoted_main(quoted: QuotedScores) -> Row:
    accuracy, perplexity, *distinct = quoted.figures
    return Row((quoted.kind, quoted.name, accuracy, "-", perplexity, *distinct, "-", "-"), QUOTED)


def _quoted_case(quoted: QuotedCase) -> list[Row]:
    cells = [("Emotion", quoted.emotion), ("About", quoted.about), *quoted.responses]
    return [Row(each, QUOTED) for each in cells]


def _shown_case(study: Study, case: Case) -> list[Row]:
    answers = [(arm.name, _answer_of(study, arm, case)) for arm in study.entrants.arms(7)]
    answers = answers or [(kind, NOT_MEASURED) for kind in ("LLM", "HEF")]
    return _case_rows(case.emotion, case.turns, [("Gold", case.reference), *answers], study.origin)


def _case_rows(emotion: str, turns: Sequence[str], answers: Sequence[tuple[str, str]], source: str) -> list[Row]:
    spoken = [(("Speaker", "Listener")[index % 2], turn) for index, turn in enumerate(turns)]
    return [Row(cells, source) for cells in [("Emotion", emotion), *spoken, *answers]]


def _answer_of(study: Study, arm: Arm, case: Case) -> str:
    answers = study.measured[arm].answers if arm in study.measured else ()
    found = next((answer for answer in answers if answer.case_id == case.case_id), None)
    return f"[{found.emotion or 'no label'}] {found.response}" if found else NOT_MEASURED


def _about_models(study: Study) -> tuple[str, ...]:
    """Why systems may be missing."""
    return (*study.remarks, *(() if study.entrants.models else (NO_MODEL,)))


def _human(study: Study) -> tuple[str, ...]:
    scores = next((each.scores for each in study.measured.values()), None)
    if scores is None:
        return ()
    distinct = f"{scores.human_distinct_1:.2f} / {scores.human_distinct_2:.2f}"
    return (f"What people said to these cases has Distinct-1/2 {distinct}.",)


def compare_pairs(study: Study, number: int) -> list[tuple[Pair, Comparison]]:
    """A table's comparisons of accuracy, adjusted for their number; only of arms that ran."""
    pairs = [pair for pair in study.entrants.pairs(number) if set(pair) <= set(study.measured)]
    answers = [(study.measured[pair.first].answers, study.measured[pair.second].answers) for pair in pairs]
    compared = [compare(study.cases, *both, seed=study.seed) for both in answers]
    return list(zip(pairs, adjust_comparisons(compared), strict=True))


def _compared(study: Study, number: int) -> tuple[str, ...]:
    return tuple(tell_comparison(pair, found) for pair, found in compare_pairs(study, number))


def _curve(study: Study, model: str) -> Curve:
    alone, *informed = (arm for arm in study.entrants.figure_arms() if arm.model == model)
    placed = [(0, alone), *((arm.options.k2, arm) for arm in informed if arm.options)]
    points = [(k2, study.measured[arm].scores.accuracy) for k2, arm in placed if arm in study.measured]
    return Curve(model, tuple(Point(k2, accuracy) for k2, accuracy in points if isinstance(k2, int)))


def _ceiling(study: Study) -> Curve:
    reader = study.measured.get(study.entrants.reader)
    at = (reader.scores.accuracy_at if reader else None) or {}
    name = f"Acc_k of {study.entrants.sem} (ceiling of a hard list)"
    return Curve(name, tuple(Point(k, accuracy) for k, accuracy in at.items()), ceiling=True)
