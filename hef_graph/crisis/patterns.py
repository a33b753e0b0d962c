"""The detector's regular expressions, kept as text that people can read and extend (`patterns/*.txt`).

A file has sections, `[name]`, with one expression a line; several are alternatives. `NAME = expression` before the
first section defines what `<NAME>` stands for. Lines that begin with `#` are comments. All match normalised text.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "patterns"
LANGUAGES: Final = ("english", "spanish", "french", "german", "portuguese", "chinese")

_SECTION = re.compile(r"\[([\w ]+)\]")
_DEFINITION = re.compile(r"([A-Z_]+) = (.+)")
_NAME = re.compile(r"<([A-Z_]+)>")


@lru_cache(maxsize=16)
def load_patterns(name: str) -> dict[str, tuple[re.Pattern[str], ...]]:
    """The expressions of `patterns/<name>.txt` by section."""
    sections: dict[str, list[re.Pattern[str]]] = {}
    for section, expression in _read(FOLDER / f"{name}.txt"):
        sections.setdefault(section, []).append(re.compile(expression))
    return {section: tuple(found) for section, found in sections.items()}


@lru_cache(maxsize=64)
def load_pattern(name: str, section: str) -> re.Pattern[str]:
    """One section as a single expression; slow the first time, so not before a text needs it."""
    return re.compile("|".join(f"(?:{each.pattern})" for each in load_patterns(name)[section]))


def starting_with(beginnings: Iterable[str]) -> str:
    """Many expressions that begin with a plain letter as one, sorted by it: most words begin with none of the letters.

    >>> starting_with(["pill", "cut", "poison"])
    'c(?:ut)|p(?:ill|oison)'
    """
    groups = groupby(sorted(beginnings), lambda each: each[0])
    return "|".join(f"{first}(?:{'|'.join(each[1:] for each in group)})" for first, group in groups)


def _read(path: Path) -> Iterator[tuple[str, str]]:
    definitions: dict[str, str] = {}
    section = ""
    for line in path.read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if found := _SECTION.fullmatch(line):
            section = found[1]
        elif not section and (found := _DEFINITION.fullmatch(line)):
            definitions[found[1]] = _expand(found[2], definitions)
        else:
            yield section, _expand(line, definitions)


def _expand(expression: str, definitions: Mapping[str, str]) -> str:
    return _NAME.sub(lambda name: definitions[name[1]], expression)
