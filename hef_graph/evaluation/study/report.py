"""A study told to people: on the terminal, as Markdown, or as one HTML page with its pictures inside.

Texts of speakers, listeners and models are data: every format escapes them.
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.cells import NOT_MEASURED
from hef_graph.evaluation.study.figure import as_data_uri, draw_figure_3, write_picture
from hef_graph.evaluation.study.paper import PAPER, SPLIT
from hef_graph.evaluation.study.studies import Study, settings_of
from hef_graph.evaluation.study.tables import (
    FigureData,
    PaperTable,
    Row,
    build_figure_3,
    build_measures,
    build_table,
    compare_pairs,
)
from hef_graph.messages import clean_text

TITLE: Final = "HEF on these models: the paper's tables"
NAME_WIDTH: Final = 34
"""On the terminal, in characters: up to here a system's name stays on its line."""
SOURCE: Final = "source"
"""Head of the last column."""

_MARKS = re.compile(r"([\\`*_\[\]|~$])")
"""What Markdown would take for its own."""

STYLE: Final = """
:root { color-scheme: light }
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1f24; max-width: 72rem; margin: 2.5rem auto; padding: 0 1.5rem }
h1 { font-size: 1.7rem; margin-bottom: .3rem } h2 { font-size: 1.15rem; margin: 2.4rem 0 .6rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; color: #424a53 }
dt { font-weight: 600 } dd { margin: 0; overflow-wrap: anywhere }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums }
th { text-align: left; border-bottom: 2px solid #1b1f24; padding: .3rem .7rem .3rem 0; vertical-align: bottom }
td { border-bottom: 1px solid #d8dee4; padding: .3rem .7rem .3rem 0; vertical-align: top }
tr.quoted td { color: #6e7781 }
tr.ours td:first-child { font-weight: 600 } td.none { color: #9a6700; font-style: italic }
td.source { white-space: nowrap; font-size: .8rem }
ul.notes { font-size: .88rem; color: #424a53; padding-left: 1.1rem } img { max-width: 100%; height: auto }
"""
"""Of the page: quoted rows in grey, so that ours stand out."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the report's head."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure with its data."""

    data: FigureData
    png: bytes


@dataclass(frozen=True, slots=True)
class StudyReport:
    """Everything a report holds."""

    title: str
    facts: tuple[Fact, ...]
    """What was measured, on what, how."""
    tables: tuple[PaperTable, ...]
    picture: Picture | None = None


def report_study(study: Study, tables: Sequence[int], *, figure: bool) -> StudyReport:
    """The tables asked for, then all measures of what ran, then the figure."""
    told = (*(build_table(number, study) for number in tables), *([build_measures(study)] if study.measured else []))
    data = build_figure_3(study) if figure else None
    return StudyReport(TITLE, _facts(study), told, Picture(data, draw_figure_3(data)) if data else None)


def study_json(study: Study, report: StudyReport) -> dict[str, Any]:
    """Everything as plain values: tables as printed, scores and verdicts as numbers."""
    return {
        "facts": {fact.name: fact.value for fact in report.facts},
        "remarks": list(study.remarks),
        "tables": [table.to_json() for table in report.tables],
        "figure": report.picture.data.to_json() if report.picture else None,
        "systems": {
            arm.name: {"kind": arm.kind, "perplexity": each.perplexity, "scores": each.scores.to_json()}
            for arm, each in study.measured.items()
        },
        "comparisons": [
            {"table": table.number, "first": pair.first.name, "second": pair.second.name, **found.to_json()}
            for table in report.tables
            for pair, found in compare_pairs(study, table.number)
        ],
        "verdicts": [
            {"first": pair.first.name, "second": pair.second.name, **verdict.to_json()}
            for pair, verdict in study.verdicts.items()
        ],
    }


def tabulate_study(table: PaperTable) -> Table:
    """For the terminal: quoted rows dim, notes below."""
    caption = Text(clean_text("\n".join(table.notes)), justify="left") if table.notes else None
    drawn = Table(title=Text(clean_text(table.label)), caption=caption, caption_justify="left", title_justify="left")
    for head in (*table.heads, SOURCE):
        drawn.add_column(Text(head), overflow="fold", no_wrap=head == "Models" and _names_are_short(table))
    for row in table.rows:
        drawn.add_row(*(Text(clean_text(cell)) for cell in _cells(row)), style="dim" if row.quoted else "")
    return drawn


def _names_are_short(table: PaperTable) -> bool:
    place = table.heads.index("Models")
    return all(len(row.cells[place]) <= NAME_WIDTH for row in table.rows)


def write_report(report: StudyReport, path: Path) -> None:
    """Write it as `.html` (one file) or `.md` (its figure beside it).

    Raises:
        HefInputError: the name ends in something else.
    """
    check_report_name(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".html":
        path.write_text(render_html(report), "utf-8")
        return
    beside = path.with_suffix(".figure-3.png")
    if report.picture:
        write_picture(report.picture.png, beside)
    path.write_text(render_markdown(report, picture_name=beside.name), "utf-8")


def check_report_name(path: Path) -> None:
    """Whether a report can be written under that name.

    Raises:
        HefInputError: it cannot.
    """
    if path.suffix not in {".html", ".md"}:
        raise HefInputError(f"the report {str(path)!r} would have an unknown form; give a name in .html or .md")


def render_markdown(report: StudyReport, *, picture_name: str = "figure-3.png") -> str:
    """The report as Markdown."""
    parts = [f"# {_mark(report.title)}", "\n".join(f"- {_mark(f.name)}: {_mark(f.value)}" for f in report.facts)]
    for table in report.tables:
        parts += [f"## {_mark(table.label)}", _markdown_table(table), _markdown_notes(table.notes)]
    if report.picture:
        data = report.picture.data
        parts += [f"## {_mark(data.label)}", f"![{_mark(data.label)}]({picture_name})", _markdown_notes(data.notes)]
    return "\n\n".join(filter(None, parts)) + "\n"


def render_html(report: StudyReport) -> str:
    """The report as one page that needs no other file."""
    facts = "".join(f"<dt>{_escape(fact.name)}</dt><dd>{_escape(fact.value)}</dd>" for fact in report.facts)
    body = [f"<h1>{_escape(report.title)}</h1>", f"<dl>{facts}</dl>", *map(_html_table, report.tables)]
    if report.picture:
        body.append(_html_picture(report.picture))
    head = f'<meta charset="utf-8"><title>{_escape(report.title)}</title><style>{STYLE}</style>'
    viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    page = "\n".join(body)
    return f'<!doctype html>\n<html lang="en"><head>{head}{viewport}</head>\n<body>\n{page}\n</body></html>\n'


def _facts(study: Study) -> tuple[Fact, ...]:
    entrants = study.entrants
    conversations = len({case.conv_id for case in study.cases})
    values = {
        "Data": f"{study.data}: {len(study.cases):,} contexts of {conversations:,} conversations, seed {study.seed}",
        "SEM": entrants.sem,
        "LLMs": ", ".join(entrants.models) or "none",
        "HEF's settings": f"{settings_of(entrants.options)} (c: prioritised emotions, w: cause words)",
        "Quoted": f"{PAPER}, {SPLIT} split of EmpatheticDialogues, as printed",
    }
    return tuple(Fact(name, value) for name, value in values.items())


def _markdown_table(table: PaperTable) -> str:
    heads = [*table.heads, SOURCE]
    rows = [heads, ["---"] * len(heads)]
    lines = [[_mark(head) for head in heads], rows[1], *([_mark(cell) for cell in _cells(row)] for row in table.rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _markdown_notes(notes: Sequence[str]) -> str:
    return "\n".join(f"- {_mark(note)}" for note in notes)


def _html_table(table: PaperTable) -> str:
    heads = "".join(f"<th>{_escape(head)}</th>" for head in (*table.heads, SOURCE))
    rows = "\n".join(_html_row(row) for row in table.rows)
    grid = f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table></div>'
    return f"<h2>{_escape(table.label)}</h2>\n{grid}\n{_html_notes(table.notes)}"


def _html_row(row: Row) -> str:
    cells = "".join(_html_cell(cell) for cell in row.cells)
    kind = "quoted" if row.quoted else "ours"
    return f'<tr class="{kind}">{cells}<td class="source">{_escape(row.source)}</td></tr>'


def _html_cell(cell: str) -> str:
    return f'<td class="none">{cell}</td>' if cell == NOT_MEASURED else f"<td>{_escape(cell)}</td>"


def _html_picture(picture: Picture) -> str:
    label = _escape(picture.data.label)
    image = f'<img src="{as_data_uri(picture.png)}" alt="{label}">'
    return f"<h2>{label}</h2>\n{image}\n{_html_notes(picture.data.notes)}"


def _html_notes(notes: Sequence[str]) -> str:
    items = "".join(f"<li>{_escape(note)}</li>" for note in notes)
    return f'<ul class="notes">{items}</ul>' if items else ""


def _cells(row: Row) -> Iterator[str]:
    yield from row.cells
    yield row.source


def _escape(text: str) -> str:
    return html.escape(clean_text(text)).replace("\n", "<br>")


def _mark(text: str) -> str:
    """Text for Markdown: neither its marks nor HTML."""
    return _MARKS.sub(r"\\\1", html.escape(clean_text(text), quote=False)).replace("\n", "<br>")
