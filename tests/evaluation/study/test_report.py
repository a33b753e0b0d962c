import json
import re
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.cells import NOT_MEASURED
from hef_graph.evaluation.study.paper import FIGURE_3
from hef_graph.evaluation.study.report import (
    Fact,
    Picture,
    StudyReport,
    render_html,
    render_markdown,
    report_study,
    study_json,
    tabulate_study,
    write_report,
)
from hef_graph.evaluation.study.tables import QUOTED, FigureData, PaperTable, Row
from tests.evaluation.study.made_up import LLM, RIGHT, WRONG, Models, study

EVIL = "<script>alert('x')</script> | **bold** [red]x[/red] `c`\nsecond \x1b[31m line"
ROWS = (Row(("ChatGPT", "37.9"), QUOTED), Row((EVIL, NOT_MEASURED), "ours (made-up, n=8, seed 0)"))
TABLE = PaperTable(4, "Ablation", ("Models", "Accuracy"), ROWS, ("A note & more.",))
FIGURE = Picture(FigureData((), FIGURE_3, "ours", ("Quoted points.",)), b"PNG")
REPORT = StudyReport("A study", (Fact("Data", EVIL),), (TABLE,), FIGURE)


class Tags(HTMLParser):
    """The tags that a browser would see, and what they load."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.loads += [value or "" for name, value in attrs if name in {"src", "href"}]


def test_a_page_holds_its_picture_and_loads_nothing() -> None:
    tags = Tags()
    tags.feed(render_html(REPORT))
    assert tags.loads == ["data:image/png;base64,UE5H"]
    assert "script" not in tags.seen


def test_a_page_tells_quoted_rows_from_ours_and_marks_what_is_missing() -> None:
    page = render_html(REPORT)
    assert '<tr class="quoted"><td>ChatGPT</td>' in page
    assert f'<td class="none">{NOT_MEASURED}</td>' in page
    assert "A note &amp; more." in page


def test_markdown_keeps_a_text_in_its_cell() -> None:
    text = render_markdown(REPORT, picture_name="f.png")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {4}
    assert "<script>" not in text
    assert r"\*\*bold\*\*" in text
    assert "](f.png)" in text


def test_the_terminal_shows_texts_as_they_are() -> None:
    file = StringIO()
    Console(file=file, width=200, force_terminal=True, color_system=None).print(tabulate_study(TABLE))
    shown = file.getvalue()
    assert "[red]x[/red]" in shown
    assert "\x1b[31m" not in shown
    assert "Table 4. Ablation" in shown


def test_a_markdown_report_lies_beside_its_picture(tmp_path: Path) -> None:
    write_report(REPORT, tmp_path / "new" / "study.md")
    assert (tmp_path / "new" / "study.figure-3.png").read_bytes() == b"PNG"
    assert "](study.figure-3.png)" in (tmp_path / "new" / "study.md").read_text()


def test_an_unknown_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match=r"give a name in \.html or \.md"):
        write_report(REPORT, tmp_path / "study.pdf")


def test_a_study_is_told_with_its_data_and_settings(tmp_path: Path) -> None:
    told = report_study(study(tmp_path, 2, build=Models(llm=[*WRONG, *RIGHT])), (2,), figure=False)
    facts = {fact.name: fact.value for fact in told.facts}
    assert facts["Data"] == "made-up: 8 contexts of 8 conversations, seed 0"
    assert (facts["LLMs"], facts["HEF's settings"][:5]) == (LLM, "c3,w2")
    assert [table.number for table in told.tables] == [2, 0]


def test_the_json_holds_numbers_beside_the_printed_tables(tmp_path: Path) -> None:
    found = study(tmp_path, 2, build=Models(llm=[*WRONG, *RIGHT]))
    values = json.loads(json.dumps(study_json(found, report_study(found, (2,), figure=False))))
    assert values["systems"][LLM]["scores"]["accuracy"]["value"] == 12.5
    assert values["comparisons"][0]["verdict"] == "better"
    assert values["tables"][0]["rows"][0]["source"] == QUOTED
