from pathlib import Path

import pytest

from hef_graph.evaluation.study.cells import NOT_MEASURED
from hef_graph.evaluation.study.studies import K2_GRID, TABLES, Study
from hef_graph.evaluation.study.tables import (
    NO_JUDGE,
    NO_MODEL,
    QUOTED,
    PaperTable,
    build_figure_3,
    build_measures,
    build_table,
)
from tests.evaluation.study.made_up import CONTEXTS, JUDGE, LLM, RIGHT, WRONG, Models, study, verdict

ROWS = len(CONTEXTS)


def ours(table: PaperTable) -> list[tuple[str, ...]]:
    return [row.cells for row in table.rows if not row.quoted]


@pytest.fixture
def alone(tmp_path: Path) -> Study:
    """No LLM takes part."""
    return study(tmp_path, *TABLES, build=Models(), models=(), figure=True)


@pytest.mark.parametrize("number", TABLES)
def test_every_row_says_where_it_comes_from(alone: Study, number: int) -> None:
    sources = [row.source for row in build_table(number, alone).rows]
    assert set(sources) == {QUOTED, "ours (made-up, n=8, seed 0)"}
    assert sources == sorted(sources, reverse=True)


@pytest.mark.parametrize("number", [2, 3, 4, 5, 6, 7])
def test_without_an_llm_nothing_about_llms_is_measured(alone: Study, number: int) -> None:
    table = build_table(number, alone)
    rows = [cells for cells in ours(table) if {"any LLM", "HEF vs. LLM", "LLM", "HEF"} & set(cells)]
    assert rows
    for cells in rows:
        assert {cell for cell in cells[1:] if cell not in {"any LLM", "Empathy", "Relevance", "Fluency"}} == {
            NOT_MEASURED
        }
    assert NO_MODEL in table.notes


@pytest.mark.parametrize("number", TABLES)
def test_all_rows_are_as_wide_as_the_head(alone: Study, number: int) -> None:
    table = build_table(number, alone)
    assert {len(row.cells) for row in table.rows} == {len(table.heads)}


def test_the_sems_accuracies_have_intervals(alone: Study) -> None:
    [cells] = ours(build_table(1, alone))
    assert cells == ("stub", *["100.0 (100.0 to 100.0)"] * 4)


def test_a_sem_without_a_decoder_has_no_measured_responses(alone: Study) -> None:
    [sem, *_] = ours(build_table(2, alone))
    assert sem == (
        "SEM",
        "stub",
        *["100.0 (100.0 to 100.0)"] * 2,
        *[NOT_MEASURED] * 3,
        "0.0 (0.0 to 0.0)",
        NOT_MEASURED,
    )


def test_hef_is_compared_with_the_llm_alone(tmp_path: Path) -> None:
    table = build_table(2, study(tmp_path, 2, build=Models(llm=[*WRONG, *RIGHT])))
    assert [cells[:2] for cells in ours(table)] == [("SEM", "stub"), ("LLM", LLM), ("HEF", f"{LLM} c3,w2")]
    assert table.notes[-1].startswith(f"{LLM} c3,w2 against {LLM}: accuracy +87.5 points (")
    assert table.notes[-1].endswith(": better")


def test_a_difference_within_noise_is_called_so(tmp_path: Path) -> None:
    nearly = [*RIGHT[:-1], WRONG[0]]
    table = build_table(2, study(tmp_path, 2, build=Models(llm=[*nearly, *RIGHT])))
    assert table.notes[-1].endswith("not significant")


def test_comparisons_of_one_table_are_adjusted_for_their_number(tmp_path: Path) -> None:
    table = build_table(4, study(tmp_path, 4, build=Models(llm=[*WRONG, *RIGHT * 3])))
    told = [note for note in table.notes if " against " in note]
    assert len(told) == 3
    assert all("adjusted for 3 comparisons" in note for note in told)


def test_verdicts_stand_in_the_papers_columns(tmp_path: Path) -> None:
    models = Models(llm=[*WRONG, *RIGHT], judge=[verdict("first"), verdict("second")] * ROWS)
    table = build_table(3, study(tmp_path, 3, build=models, judge=JUDGE))
    empathy, relevance, _ = ours(table)
    pair = f"{LLM} c3,w2 vs. {LLM}"
    assert empathy[:3] == (pair, "Empathy", "100.0 (100.0 to 100.0)")
    assert (empathy[-1], relevance[-1]) == ("better", "not significant")
    assert any("8 of 8 dialogues" in note for note in table.notes)


def test_a_missing_judge_is_asked_for(tmp_path: Path) -> None:
    table = build_table(3, study(tmp_path, 3, build=Models(llm=[*WRONG, *RIGHT])))
    assert NO_JUDGE in table.notes
    assert {cell for cells in ours(table) for cell in cells[2:]} == {NOT_MEASURED}


def test_the_case_study_shows_emotion_and_response(tmp_path: Path) -> None:
    table = build_table(7, study(tmp_path, 7, build=Models(llm=[*WRONG[:2], *RIGHT[:2]])))
    shown = {cells[0]: cells[1] for cells in ours(table)}
    assert shown[LLM] == "[grateful] I see."
    assert shown[f"{LLM} c3,w2"].endswith("Oh, and then? 1")


def test_the_figure_starts_at_the_llm_alone(tmp_path: Path) -> None:
    models = Models(llm=[*WRONG, *RIGHT * len(K2_GRID)])
    data = build_figure_3(study(tmp_path, build=models, figure=True))
    ceiling, curve = data.curves
    assert ([point.k2 for point in ceiling.points], ceiling.ceiling) == ([1, 3, 10, 20], True)
    assert [point.k2 for point in curve.points] == [0, *K2_GRID]
    assert [point.accuracy.value for point in curve.points] == [12.5, *[100.0] * len(K2_GRID)]


def test_the_figure_lacks_what_did_not_run(alone: Study) -> None:
    data = build_figure_3(alone)
    assert [curve.ceiling for curve in data.curves] == [True]
    assert NO_MODEL in data.notes


def test_measures_name_tokens_and_cost(alone: Study) -> None:
    table = build_measures(alone)
    [cells] = ours(table)
    assert dict(zip(table.heads, cells, strict=True))["Cost"] == "$0.00"
