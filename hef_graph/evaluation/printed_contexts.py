"""Contexts as research systems print them, and the original dialogues that they come from.

The systems lower the case, write some contractions out and put spaces between tokens (`i have not slept .`); which
contractions differs. So both sides are compared with all contractions written out, by letters and digits alone.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from hef_graph.corpus import contexts_of, read_conversations
from hef_graph.errors import HefInputError
from hef_graph.sem.plugins.exchange import as_object, dialogue_from_json, read_json

_CONTRACTIONS: Final = (
    (re.compile(r"''|``"), '"'),
    (re.compile(r"[’‘`]"), "'"),
    (re.compile(r"_comma_"), ","),
    (re.compile(r"\bca\s*n\s*'\s*t\b"), "can not"),
    (re.compile(r"\bwo\s*n\s*'\s*t\b"), "will not"),
    (re.compile(r"\s*n\s*'\s*t\b"), " not"),
    (re.compile(r"\s*'\s*m\b"), " am"),
    (re.compile(r"\s*'\s*re\b"), " are"),
    (re.compile(r"\s*'\s*ve\b"), " have"),
    (re.compile(r"\s*'\s*ll\b"), " will"),
    (re.compile(r"\s*'\s*d\b"), " would"),
    (re.compile(r"\b(it|that|what|there)\s*'\s*s\b"), r"\1 is"),
)


def letters_of(turns: Sequence[str]) -> tuple[str, ...]:
    """What the printed and the original form of a dialogue have in common.

    >>> letters_of(["It's late, I can't sleep!"]) == letters_of(["it is late , i ca n't sleep !"])
    True
    """
    return tuple(_letters(turn.lower()) for turn in turns)


def index_dialogues(dialogues: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], list[tuple[str, ...]]]:
    """Different dialogues by what they have in common with their printed form."""
    index: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for turns in dict.fromkeys(dialogues):
        index.setdefault(letters_of(turns), []).append(turns)
    return index


def read_dialogues(path: Path) -> list[tuple[str, ...]]:
    """The dialogues of a file: `{"dialogue": [texts]}` a line, or the contexts cut from conversations.

    Raises:
        HefInputError: a file that is neither, or a line that cannot be read.
    """
    if not path.is_file():
        raise HefInputError(f"no such file: {path}")
    rows = _rows(path) if path.suffix == ".jsonl" else iter(())
    first: Any = next(rows, {})
    if "dialogue" not in first:
        return [context.turns for context in contexts_of(read_conversations(path))]
    return [_texts(row, f"{path}, row {number}") for number, row in enumerate([first, *rows], start=1)]


def _rows(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    yield as_object(read_json(line), "the line")
                except HefInputError as error:
                    raise HefInputError(f"{path}, line {number}: {error}") from None


def _texts(row: Any, where: str) -> tuple[str, ...]:
    entries = dialogue_from_json(row.get("dialogue"), where=f"{where}, dialogue")
    if not all(isinstance(entry, str) for entry in entries):
        raise HefInputError(f"{where}: dialogue holds objects; expected texts")
    return tuple(str(entry) for entry in entries)


def _letters(text: str) -> str:
    for pattern, written_out in _CONTRACTIONS:
        text = pattern.sub(written_out, text)
    return "".join(letter for letter in text if letter.isalnum())
