from hef_graph.evaluation.study.cells import NOT_MEASURED, accuracy_cells, main_cells, short_cells, verdict_cells


def test_what_did_not_run_is_never_a_figure() -> None:
    cells = [accuracy_cells(None), main_cells(None), short_cells(None), verdict_cells(None, "Empathy")]
    assert [len(each) for each in cells] == [4, 7, 3, 5]
    assert {cell for each in cells for cell in each} == {NOT_MEASURED}
