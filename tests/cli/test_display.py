import io

import pytest
from rich.console import Console

from hef_graph.cli.display import BAR_WIDTH, draw_bar, draw_emotions, mark_words, word_doubt


def plain_console() -> Console:
    return Console(file=io.StringIO())


@pytest.mark.parametrize(
    ("share", "bar"), [(1.0, "█" * BAR_WIDTH), (0.5, "█" * 12), (0.25 / BAR_WIDTH, "▎"), (0.0, "")]
)
def test_a_bar_is_as_long_as_its_share(share: float, bar: str) -> None:
    assert draw_bar(share).rstrip() == bar


def test_bars_of_different_shares_are_equally_wide() -> None:
    assert len(draw_bar(0.01)) == len(draw_bar(0.99)) == BAR_WIDTH


def test_each_emotion_gets_a_line_with_its_percentage() -> None:
    drawn = draw_emotions([{"label": "sad", "probability": 0.61}, {"label": "lonely", "probability": 0.2}])
    assert [(line.split()[0], line.split()[-2]) for line in drawn.plain.splitlines()] == [
        ("sad", "61"),
        ("lonely", "20"),
    ]


def test_no_more_than_five_emotions_are_drawn() -> None:
    assert len(draw_emotions([{"label": "sad", "probability": 0.1}] * 9).plain.splitlines()) == 5


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("I lost my job.", "I **lost** my *job*."),
        ("A jobless year", "A jobless year"),
        ("lost, lost!", "**lost**, **lost**!"),
    ],
)
def test_without_colour_cause_words_are_marked_with_stars(text: str, marked: str) -> None:
    assert mark_words(text, {"high": ["lost"], "low": ["job"]}, plain_console()).plain.strip() == marked


def test_with_colour_cause_words_are_styled_and_the_text_stays_as_it_is() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, no_color=False, color_system="standard")
    marked = mark_words("I lost it.", {"high": ["lost"], "low": []}, console)
    assert marked.plain.strip() == "I lost it."
    assert [str(span.style) for span in marked.spans] == ["bold underline"]


def test_markup_of_the_user_is_shown_as_typed() -> None:
    console = plain_console()
    console.print(mark_words("[bold]loud[/bold] [/]", {"high": [], "low": []}, console))
    assert "[bold]loud[/bold] [/]" in console.file.getvalue()  # type: ignore[attr-defined]  # it is a StringIO


@pytest.mark.parametrize(
    ("in_domain", "unsure", "said"), [(True, False, None), (True, True, "guesses"), (False, False, "another language")]
)
def test_doubts_are_said(*, in_domain: bool, unsure: bool, said: str | None) -> None:
    doubt = word_doubt(in_domain=in_domain, unsure=unsure)
    assert doubt is None if said is None else said in str(doubt)
