"""RECCON (Poria et al. 2021) → cases for cause words: turns in which people marked why the speaker feels so.

A line of the file is one dialogue: `dialogue_id` and `turns`, each with `speaker`, `text`, `emotion`, `cause_turns`
(turns counted from 1) and, for each of those, its marked text in `cause_spans`.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hef_graph.causes import is_content_word
from hef_graph.errors import HefInputError
from hef_graph.sem.tokenization import find_words
from hef_graph.types import Turn

NEUTRAL = "neutral"


@dataclass(frozen=True)
class CauseCase:
    """One emotional turn and what in it people marked as the emotion's cause."""

    dialogue_id: str
    emotion: str
    turns: tuple[Turn, ...]
    """The dialogue up to this turn, which is the newest; who speaks it is the speaker, the others are listeners."""
    spans: tuple[tuple[int, int], ...]
    """`str` offsets into the newest turn."""

    @cached_property
    def words(self) -> tuple[tuple[int, int], ...]:
        """Offsets of the newest turn's content words, in reading order."""
        text = self.turns[-1].text
        return tuple((start, end) for start, end in find_words(text) if is_content_word(text[start:end]))

    @cached_property
    def marked(self) -> tuple[bool, ...]:
        """For each content word: whether it lies inside a span."""
        return tuple(any(a <= start and end <= b for a, b in self.spans) for start, end in self.words)

    @property
    def usable(self) -> bool:
        """Whether choosing words matters: some content words are marked, and some are not."""
        return 0 < sum(self.marked) < len(self.marked)


@dataclass(frozen=True, slots=True)
class CauseData:
    """What was read from RECCON files."""

    cases: tuple[CauseCase, ...]
    """The usable ones, in the files' order."""
    found: int
    """Emotional turns with a cause of their own, usable or not."""
    spans_not_found: int
    """Marked texts that do not occur in their turn."""


def read_reccon(paths: Sequence[Path]) -> CauseData:
    """Read the usable cases of all files.

    Raises:
        HefInputError: a file is missing, is not JSON lines in UTF-8, or has a dialogue of another form.
    """
    found, missing = 0, 0
    cases: list[CauseCase] = []
    for dialogue in (dialogue for path in paths for dialogue in _read_dialogues(path)):
        for index, spans in _own_causes(dialogue):
            offsets = [find_span(dialogue.turns[index].text, span) for span in spans]
            found, missing = found + 1, missing + offsets.count(None)
            case = _build_case(dialogue, index, [offset for offset in offsets if offset])
            cases += [case] if case.usable else []
    return CauseData(tuple(cases), found, missing)


def read_turns(paths: Sequence[Path]) -> list[tuple[str, bool]]:
    """Every turn's text, and whether people found an emotion in it.

    Raises:
        HefInputError: as `read_reccon`.
    """
    dialogues = (dialogue for path in paths for dialogue in _read_dialogues(path))
    return [(turn.text, turn.emotion != NEUTRAL) for dialogue in dialogues for turn in dialogue.turns]


def folds(cases: Iterable[CauseCase], count: int = 5) -> list[list[CauseCase]]:
    """Split by a hash of `dialogue_id`: one dialogue is in one fold, whatever else is there.

    Raises:
        HefInputError: fewer than two folds are asked for.
    """
    if count < 2:  # noqa: PLR2004  fewer folds leave nothing to train on
        raise HefInputError(f"count is {count!r}; allowed are whole numbers from 2 on")
    split: list[list[CauseCase]] = [[] for _ in range(count)]
    for case in cases:
        digest = hashlib.sha256(f"fold {case.dialogue_id}".encode()).digest()
        split[int.from_bytes(digest[:4], "big") % count].append(case)
    return split


def find_span(text: str, span: str) -> tuple[int, int] | None:
    """Offsets of the span's first occurrence: exactly, else whatever its letter case and spacing; None without one.

    >>> find_span("Oh , I  Passed it !", "i passed it")
    (5, 17)
    """
    letters = "".join(span.split())
    if not letters:
        return None
    start = text.find(span)
    if start >= 0:
        return start, start + len(span)
    match = re.search(r"\s*".join(map(re.escape, letters)), text, re.IGNORECASE)
    return match.span() if match else None


@dataclass(frozen=True, slots=True)
class _MarkedTurn:
    speaker: str
    text: str
    emotion: str
    causes: tuple[tuple[object, str], ...]
    """Each cause's turn, counted from 1 (a letter where the cause is not in the dialogue), and its text."""


@dataclass(frozen=True, slots=True)
class _Dialogue:
    dialogue_id: str
    turns: tuple[_MarkedTurn, ...]


def _own_causes(dialogue: _Dialogue) -> Iterator[tuple[int, list[str]]]:
    """Each emotional turn that holds a cause of its own emotion, and the texts of these causes."""
    for index, turn in enumerate(dialogue.turns):
        spans = [span for place, span in turn.causes if place == index + 1]
        if turn.emotion != NEUTRAL and spans:
            yield index, spans


def _build_case(dialogue: _Dialogue, index: int, spans: Sequence[tuple[int, int]]) -> CauseCase:
    newest, said = dialogue.turns[index], dialogue.turns[: index + 1]
    turns = tuple(Turn("speaker" if turn.speaker == newest.speaker else "listener", turn.text) for turn in said)
    return CauseCase(dialogue.dialogue_id, newest.emotion, turns, tuple(spans))


def _read_dialogues(path: Path) -> Iterator[_Dialogue]:
    if not path.is_file():
        raise HefInputError(f"no such file: {path}")
    try:
        lines = path.read_text("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise HefInputError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _parse_dialogue(line, f"{path}, line {number}")


def _parse_dialogue(line: str, where: str) -> _Dialogue:
    try:
        row = json.loads(line)
        return _Dialogue(str(row["dialogue_id"]), tuple(_parse_turn(turn) for turn in row["turns"]))
    except (ValueError, KeyError, TypeError) as error:
        raise HefInputError(
            f"{where}: not a RECCON dialogue ({type(error).__name__}: {error}); expected "
            '{"dialogue_id", "turns": [{"speaker", "text", "emotion", "cause_turns", "cause_spans"}]}'
        ) from error


def _parse_turn(row: Mapping[str, Any]) -> _MarkedTurn:
    causes = zip(row["cause_turns"], map(str, row["cause_spans"]), strict=True)
    return _MarkedTurn(str(row["speaker"]), str(row["text"]), str(row["emotion"]), tuple(causes))
