"""What people see in the terminal: bars for the emotions, marks on the cause words."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.text import Text
from typing_extensions import override

SHOWN: Final = 5
"""So many emotions are drawn."""

BAR_WIDTH: Final = 24
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"

HIGH_STYLE, LOW_STYLE = "bold underline", "underline"


class PipedConsole(Console):
    """Leaves it to the command what the end of a pipe's reader means: rich would end the process with code 1."""

    @override
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def make_console() -> Console:
    """A console that honours `NO_COLOR` and pipes; words are never cut to the width of a pipe."""
    return PipedConsole(highlight=False, soft_wrap=True)


def draw_emotions(candidates: Sequence[Mapping[str, Any]]) -> Text:
    """One line each for the most likely emotions: label, bar, percentage."""
    lines: list[Text] = []
    for score in candidates[:SHOWN]:
        line = Text(f"  {score['label']:<13}")
        line.append(draw_bar(score["probability"]), style="cyan")
        lines.append(line.append(f" {100 * score['probability']:.0f} %"))
    return Text("\n").join(lines)


def word_doubt(*, in_domain: bool, unsure: bool) -> Text | None:
    """What people should know before they believe the bars; None if there is nothing to say."""
    if not in_domain:
        return Text("  (unlike anything this SEM was trained on: another language, or no plain text)", style="dim")
    return Text("  (unsure: these are guesses)", style="dim") if unsure else None


def draw_bar(share: float) -> str:
    """A bar for a share of 0 to 1, to an eighth of a character; short ones are padded."""
    eighths = round(max(0.0, min(1.0, share)) * BAR_WIDTH * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(BAR_WIDTH if share else 0)


def mark_words(text: str, causes: Mapping[str, Sequence[str]], console: Console) -> Text:
    """The text with its cause words marked: heavy ones **so**, light ones *so*, or by style where there is colour."""
    marks = {
        **dict.fromkeys(causes["low"], ("*", LOW_STYLE)),
        **dict.fromkeys(causes["high"], ("**", HIGH_STYLE)),
    }
    coloured = console.is_terminal and not console.no_color
    marked = Text("  ")
    last = 0
    for match in _find(text, list(marks)):
        sign, style = marks[match.group()]
        marked.append(text[last : match.start()])
        marked.append(match.group() if coloured else f"{sign}{match.group()}{sign}", style=style if coloured else "")
        last = match.end()
    return marked.append(text[last:])


def _find(text: str, words: Sequence[str]) -> list[re.Match[str]]:
    if not words:
        return []
    longest_first = sorted(words, key=len, reverse=True)
    return list(re.finditer(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", text))
