"""The reports as tables for people."""

from typing import TypeAlias

from rich.table import Table

from hef_graph.evaluation.bootstrap import Estimate
from hef_graph.evaluation.candidate_report import Calibration, CandidateReport, CoverageRow, GroupCoverage
from hef_graph.evaluation.cause_report import TOPS, CauseReport
from hef_graph.evaluation.deletion_report import DeletionReport

Report: TypeAlias = CauseReport | DeletionReport | CandidateReport


def tabulate(report: Report) -> list[Table]:
    """All tables of a report."""
    if isinstance(report, CauseReport):
        return [tabulate_causes(report)]
    if isinstance(report, DeletionReport):
        return [tabulate_deletion(report)]
    reliability = {"first emotion's probability": report.probability, "confidence": report.confidence}
    return [
        tabulate_candidates(report),
        *(tabulate_calibration(name, calibration) for name, calibration in reliability.items() if calibration),
    ]


def tabulate_causes(report: CauseReport) -> Table:
    """One row a method: shares inside the marked spans, each with its ratio to random words."""
    title = (
        f"Share of the heaviest words inside the marked causes, %: {report.cases} turns of {report.dialogues} dialogues"
    )
    table = Table("method", *(head for k in TOPS for head in (f"top {k}", "to random")), title=title)
    for row in report.rows:
        cells = [cell for each in row.shares for cell in (each.share.show(), _ratio(each.ratio))]
        table.add_row(row.method, *cells)
    return table


def tabulate_deletion(report: DeletionReport) -> Table:
    """One row a number of deleted words."""
    title = f"Fall of the predicted emotion's probability, points: {report.contexts} contexts"
    table = Table("words deleted", "heaviest", "random", "ratio", title=title)
    for drop in report.drops:
        table.add_row(str(drop.k), drop.heaviest.show(), drop.random.show(), _ratio(drop.ratio))
    return table


def tabulate_candidates(report: CandidateReport) -> Table:
    """One row a promised coverage."""
    kind = "thresholds of the SEM" if report.calibrated else "sums of probabilities"
    title = f"Adaptive candidates by {kind}: {report.contexts} contexts"
    heads = ("promised, %", "measured, %", "mean size", "fixed k", "saving, %", "worst family", "worst size")
    table = Table(*heads, title=title)
    for row in report.coverages:
        table.add_row(f"{row.promised:g}", row.measured.show(), row.mean_size.show(), *_against_fixed(row))
    return table


def tabulate_calibration(name: str, calibration: Calibration) -> Table:
    """One row a bin that has contexts."""
    title = f"Reliability of the {name}: expected calibration error {calibration.error.show(3)}"
    table = Table("from, %", "to, %", "contexts", "mean confidence, %", "accuracy, %", title=title)
    for each in calibration.bins:
        numbers = (each.low, each.high, each.confidence, each.accuracy)
        low, high, confidence, accuracy = (f"{number:.1f}" for number in numbers)
        if each.contexts:
            table.add_row(low, high, str(each.contexts), confidence, accuracy)
    return table


def _against_fixed(row: CoverageRow) -> list[str]:
    worst_size = min(row.by_size, key=lambda group: group.coverage)
    fixed = f"{row.fixed_k:.1f} (whole: {row.fixed_k_whole})"
    saving = f"{row.saving:.0f} (whole: {row.saving_whole:.0f})"
    return [fixed, saving, _group(row.by_family[0]), _group(worst_size)]


def _group(group: GroupCoverage) -> str:
    return f"{group.group}: {group.coverage:.1f} of {group.contexts}"


def _ratio(ratio: Estimate | None) -> str:
    return ratio.show(2) if ratio else "none"
