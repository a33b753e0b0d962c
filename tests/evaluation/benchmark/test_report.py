import pytest
from rich.console import Console

from hef_graph.evaluation.benchmark.report import Bar, Row, draw_rows, exactly, tabulate_rows
from hef_graph.evaluation.benchmark.timing import Spread

SLOW = Row("graph", "one turn", Spread(8.0, 7.0, 9.0), "ms", Bar("≤", 4.0))
FAST = Row("graph", "calls", exactly(30.0), "times", Bar("≥", 10.0), note="64 callers")
OPEN = Row("graph", "start", exactly(2.0), "s")


@pytest.mark.parametrize(
    ("bar", "value", "holds"),
    [(Bar("≤", 4.0), 4.0, True), (Bar("≤", 4.0), 4.1, False), (Bar("≥", 4.0), 4.0, True), (Bar("≥", 4.0), 3.9, False)],
)
def test_a_bar_is_reached_or_not(bar: Bar, value: float, holds: bool) -> None:
    assert bar.holds(value) is holds


@pytest.mark.parametrize(("row", "share", "reached"), [(SLOW, 0.5, False), (FAST, 3.0, True), (OPEN, None, None)])
def test_a_row_says_how_much_of_its_bar_it_reaches(row: Row, share: float | None, reached: bool | None) -> None:
    assert row.share == share
    assert row.reached is reached


def test_the_table_says_what_was_asked_and_what_was_not_reached() -> None:
    console = Console(width=120, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(tabulate_rows([SLOW, FAST, OPEN]))
    slow, fast, start = [line for line in captured.get().splitlines() if "graph" in line]
    assert all(cell in slow for cell in ("8", "7 to 9", "≤ 4", "NO"))
    assert all(cell in fast for cell in ("30", "≥ 10", "yes", "64 callers"))
    assert "yes" not in start


def test_as_json_a_row_holds_its_verdict() -> None:
    assert SLOW.to_json()["reached"] is False
    assert SLOW.to_json()["bar"] == "≤ 4"
    assert OPEN.to_json()["bar"] is None


def test_the_picture_is_a_png() -> None:
    assert draw_rows([SLOW, FAST, OPEN]).startswith(b"\x89PNG")
