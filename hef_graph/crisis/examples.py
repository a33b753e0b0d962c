"""The written examples: what the classifier learns from and is measured on (format: `examples/README.md`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from hef_graph.crisis.signals import CATEGORIES, TIMES, WHO, Category, Time, Who
from hef_graph.errors import HefInputError

FOLDER: Final = Path(__file__).parent / "examples"
NONE: Final = "none"
_TURN: Final = " => "
_SIGNAL_FIELDS, _NONE_FIELDS = 4, 3


@dataclass(frozen=True, slots=True)
class Label:
    """What one example is."""

    category: Category | None
    """None where nothing is due."""
    who: Who = "self"
    time: Time = "current"
    kind: str = ""
    """Why nothing is due: idiom, recovered, fiction …"""


@dataclass(frozen=True, slots=True)
class Example:
    """A dialogue whose newest turn is the user's, and what it is."""

    turns: tuple[str, ...]
    """Alternating; the last one is the user's."""
    label: Label
    family: str
    """Examples that share an idea."""


def read_examples(folder: Path) -> list[Example]:
    """The examples of all `.txt` files of a folder, in the order of their names.

    Raises:
        HefInputError: a header or an example that does not have the format.
    """
    return [example for path in sorted(folder.glob("*.txt")) for example in read_file(path)]


def read_file(path: Path) -> Iterator[Example]:
    """The examples of one file.

    Raises:
        HefInputError: as `read_examples`.
    """
    family, label = "", None
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        text = line.strip()
        if text.startswith("##"):
            family, label = _read_header(text, f"{path.name}:{number}")
        elif text and label is None:
            raise HefInputError(f"{path.name}:{number}: an example before the first header (## family | …)")
        elif text and label is not None:
            yield Example(tuple(part.strip() for part in text.split(_TURN)), label, f"{path.stem}/{family}")


def _read_header(line: str, where: str) -> tuple[str, Label]:
    fields = [field.strip() for field in line.removeprefix("##").split("|")]
    if len(fields) == _NONE_FIELDS and fields[1] == NONE:
        return fields[0], Label(None, kind=fields[2])
    if len(fields) != _SIGNAL_FIELDS or not (fields[1] in CATEGORIES and fields[2] in WHO and fields[3] in TIMES):
        raise HefInputError(
            f"{where}: {line!r} is neither '## family | category | who | time' nor '## family | none | kind'"
        )
    category, who, time = fields[1:]
    return fields[0], Label(cast("Category", category), cast("Who", who), cast("Time", time))
