from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cells import (
    NOT_MEASURED,
    accuracy_cells,
    all_cells,
    main_cells,
    short_cells,
    verdict_cells,
)
from hef_graph.evaluation.study.scores import score
from hef_graph.evaluation.study.studies import Measured
from tests.evaluation.study.asked import CASES
from tests.fakes import LABELS


def test_what_did_not_run_is_never_a_figure() -> None:
    cells = [accuracy_cells(None), main_cells(None), short_cells(None), verdict_cells(None, "Empathy")]
    assert [len(each) for each in cells] == [4, 7, 3, 5]
    assert {cell for each in cells for cell in each} == {NOT_MEASURED}


def test_responses_without_emotions_have_no_accuracy_of_0() -> None:
    answers = tuple(Answer(case.case_id, None, response="Oh.") for case in CASES)
    measured = Measured(answers, score(CASES, answers, LABELS, seed=0))
    assert main_cells(measured)[:2] == all_cells(measured)[:2] == [NOT_MEASURED] * 2
    assert short_cells(measured)[0] == NOT_MEASURED
    assert NOT_MEASURED not in main_cells(measured)[3:]
