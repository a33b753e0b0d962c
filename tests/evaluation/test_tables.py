import io

from rich.console import Console
from rich.table import Table

from hef_graph.evaluation.bootstrap import Estimate
from hef_graph.evaluation.candidate_report import (
    Calibration,
    CandidateReport,
    CoverageRow,
    GroupCoverage,
    ReliabilityBin,
)
from hef_graph.evaluation.cause_report import CauseReport, CauseRow, CauseShare
from hef_graph.evaluation.deletion_report import DeletionDrop, DeletionReport
from hef_graph.evaluation.tables import (
    tabulate,
    tabulate_calibration,
    tabulate_candidates,
    tabulate_causes,
    tabulate_deletion,
)

SHARE = Estimate(62.34, 60.0, 65.0)
CALIBRATION = Calibration(
    Estimate(0.0312, 0.02, 0.04), (ReliabilityBin(0, 10, 0, 0, 0), ReliabilityBin(10, 20, 7, 15, 20))
)


def show(table: Table) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(table)
    written = console.file
    assert isinstance(written, io.StringIO)
    return written.getvalue()


def test_a_method_shows_its_shares_and_its_ratios_to_random() -> None:
    row = CauseRow("wordhead", tuple(CauseShare(k, SHARE, Estimate(1.25, 1.2, 1.3)) for k in (1, 3, 5)))
    text = show(tabulate_causes(CauseReport(9, 4, 20, 0, (row,))))
    assert "9 turns of 4 dialogues" in text
    assert "wordhead" in text
    assert text.count("62.3 (60.0 to 65.0)") == text.count("1.25 (1.20 to 1.30)") == 3


def test_a_deletion_without_ratio_says_so() -> None:
    text = show(tabulate_deletion(DeletionReport(40, (DeletionDrop(3, SHARE, Estimate(0, 0, 0), None),))))
    assert "40 contexts" in text
    assert "none" in text


def test_candidates_are_shown_against_the_fixed_number_with_the_worst_groups() -> None:
    groups = (GroupCoverage("fear", 30, 81.5), GroupCoverage("joy", 70, 97.0))
    sizes = (GroupCoverage("1", 60, 98.0), GroupCoverage("2 to 3", 40, 88.8))
    row = CoverageRow(95.0, SHARE, Estimate(7.5, 7, 8), 10.25, 11, 26.8, 31.8, groups, sizes)
    text = show(tabulate_candidates(CandidateReport(100, True, (row,), CALIBRATION, None)))
    assert all(
        part in text for part in ("10.2 (whole: 11)", "27 (whole: 32)", "fear: 81.5 of 30", "2 to 3: 88.8 of 40")
    )


def test_only_bins_with_contexts_are_shown() -> None:
    text = show(tabulate_calibration("probability", CALIBRATION))
    assert "15.0" in text
    assert "│ 0.0" not in text


def test_the_calibration_error_is_in_the_title() -> None:
    assert "calibration error 0.031 (0.020 to 0.040)" in " ".join(show(tabulate_calibration("", CALIBRATION)).split())


def test_each_report_has_its_tables() -> None:
    deletion = DeletionReport(40, (DeletionDrop(3, SHARE, Estimate(0, 0, 0), None),))
    assert [len(tabulate(each)) for each in (CauseReport(9, 4, 20, 0, ()), deletion)] == [1, 1]
    assert len(tabulate(CandidateReport(100, True, (), CALIBRATION, None))) == 2
    assert len(tabulate(CandidateReport(100, True, (), CALIBRATION, CALIBRATION))) == 3
