import re

import pytest

from hef_graph.evaluation.study import paper
from hef_graph.evaluation.study.paper import QuotedScores

FIGURES = [*paper.TABLE_1, *paper.TABLE_2, *paper.TABLE_4, *paper.TABLE_6]
VERDICTS = [*paper.TABLE_3, *paper.TABLE_5]


@pytest.mark.parametrize("quoted", FIGURES, ids=lambda quoted: quoted.name)
def test_figures_are_kept_as_printed(quoted: QuotedScores) -> None:
    assert all(re.fullmatch(r"\d+(\.\d+)?|-", figure) for figure in quoted.figures)
    assert len(quoted.figures) in {3, 4}


def test_the_tables_have_as_many_rows_as_the_paper_prints() -> None:
    tables = (paper.TABLE_1, paper.TABLE_2, paper.TABLE_3, paper.TABLE_4, paper.TABLE_5, paper.TABLE_6, paper.TABLE_7)
    assert [len(table) for table in tables] == [1, 15, 9, 4, 6, 4, 2]


def test_tables_that_print_the_same_system_agree() -> None:
    main = {quoted.name: quoted.figures for quoted in paper.TABLE_2}
    for quoted in paper.TABLE_4[:2]:
        accuracy, _perplexity, *distinct = main[quoted.name]
        assert quoted.figures == (accuracy, *distinct)
    assert paper.TABLE_4[3].figures == paper.TABLE_6[0].figures
    assert paper.TABLE_1[0].figures[0] == main["ESCM_tt"][0]


def test_no_comparison_has_more_verdicts_than_dialogues() -> None:
    assert all(int(quoted.win) + int(quoted.lose) <= 100 for quoted in VERDICTS)
    assert [quoted.aspect for quoted in VERDICTS] == ["Empathy", "Relevance", "Fluency"] * 5


def test_every_quoted_point_of_the_figure_is_printed_in_a_table() -> None:
    printed = {2: paper.TABLE_2, 4: paper.TABLE_4}
    for point in paper.FIGURE_3:
        name = f"{point.model} c{point.k2}" if point.k2 else point.model
        [quoted] = [row for row in printed[point.table] if row.name == name]
        assert quoted.figures[0] == f"{point.accuracy:g}"


def test_a_case_says_what_it_is_about_and_what_was_answered() -> None:
    assert [[name for name, _ in case.responses] for case in paper.TABLE_7] == [["ChatGPT", "ChatGPT c20,w1"]] * 2
    texts = [
        text for case in paper.TABLE_7 for text in (case.emotion, case.about, *(each[1] for each in case.responses))
    ]
    assert all(text and text == text.strip() for text in texts)
