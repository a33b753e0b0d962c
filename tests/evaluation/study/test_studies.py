import pytest

from hef_graph.evaluation.study.cases import Case
from hef_graph.evaluation.study.studies import (
    JUDGED,
    K1_GRID,
    K2_GRID,
    SHOWN,
    Arm,
    Entrants,
    Pair,
    arms_of,
    judged_cases,
    judged_pairs,
    needed_cases,
    settings_of,
    shown_cases,
)
from hef_graph.turn import ReadingOptions

ENTRANTS = Entrants("stub", ("scripted:a",), ReadingOptions(k1=2, k2=4), files=("theirs",))
ALONE = Arm("LLM", "scripted:a")
WHOLE = Arm("HEF", "scripted:a", ReadingOptions(k1=2, k2=4))
CASES = [Case(f"{n}#1", str(n), ("I lost my keys.",), "sad", "Oh no.") for n in range(250)]


def names(number: int) -> list[str]:
    return [arm.name for arm in ENTRANTS.arms(number)]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, ["stub", "theirs"]),
        (2, ["stub", "theirs", "scripted:a", "scripted:a c4,w2"]),
        (3, ["scripted:a", "scripted:a c4,w2"]),
        (4, ["scripted:a", "scripted:a c4,w2", "scripted:a c4", "scripted:a w2"]),
        (5, ["scripted:a c4,w2", "scripted:a c4", "scripted:a w2"]),
        (6, [f"scripted:a w{k1}" for k1 in K1_GRID]),
        (7, ["scripted:a", "scripted:a c4,w2"]),
    ],
)
def test_each_table_has_the_systems_of_the_paper(number: int, expected: list[str]) -> None:
    assert names(number) == expected


def test_the_figure_varies_k2_without_cause_words() -> None:
    names = [arm.name for arm in ENTRANTS.figure_arms()]
    assert names == ["stub", "scripted:a", *(f"scripted:a c{k2}" for k2 in K2_GRID)]


def test_an_arm_that_several_tables_show_answers_once() -> None:
    arms = arms_of(ENTRANTS, (2, 3, 4, 7), figure=False)
    assert len(arms) == len(set(arms)) == 6


def test_a_judge_sets_hef_against_the_model_and_against_its_parts() -> None:
    emotions, words = ENTRANTS.emotions_only("scripted:a"), ENTRANTS.words_only("scripted:a")
    expected = [Pair(WHOLE, ALONE), Pair(WHOLE, words), Pair(WHOLE, emotions)]
    assert judged_pairs(ENTRANTS, (2, 3, 5)) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (ReadingOptions(k1=1, k2=20), "c20,w1"),
        (ReadingOptions(k2="adaptive", cause_perception=False), "cadaptive"),
        (ReadingOptions(two_stage=False, cause_perception=False), "off"),
        (ReadingOptions(k1=1, k2=3, wording="doubt"), "c3,w1 (doubt)"),
        (ReadingOptions(k1=1, two_stage=False, wording="doubt"), "w1"),
    ],
)
def test_settings_are_named_in_the_papers_letters(options: ReadingOptions, expected: str) -> None:
    assert settings_of(options) == expected


def test_the_case_study_shows_judged_dialogues() -> None:
    judged, shown = judged_cases(CASES, seed=3), shown_cases(CASES, seed=3)
    assert (len(judged), len(shown)) == (JUDGED, SHOWN)
    assert set(shown) <= set(judged)


@pytest.mark.parametrize(
    ("tables", "figure", "count"),
    [((1,), False, 250), ((3, 7), False, JUDGED), ((7,), False, SHOWN), ((7,), True, 250), ((3, 4), False, 250)],
)
def test_no_more_cases_are_answered_than_the_tables_need(tables: tuple[int, ...], figure: bool, count: int) -> None:
    assert len(needed_cases(CASES, tables, figure=figure, seed=0)) == count


def test_the_same_dialogues_are_judged_whether_all_were_answered_or_only_those() -> None:
    few = needed_cases(CASES, (3, 7), figure=False, seed=5)
    assert judged_cases(few, seed=5) == judged_cases(CASES, seed=5)
    assert shown_cases(few, seed=5) == shown_cases(CASES, seed=5)
