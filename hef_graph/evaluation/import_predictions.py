"""What published systems printed → a file of predictions (its format: `hef_graph.sem.plugins.predictions`).

The test scripts of this family of systems (MoEL, EmpDG and what grew from them) write one block of lines for each case:

    Emotion: <the gold label>
    Pred Emotions: <label>, <label>, <label>
    Context:['<first turn>', '<second turn>', …]
    Greedy:<the reply>
    Ref:<the reference reply>
    ---------------------------------------------------------------

What each one writes, read in its public code:

| system | file | the context | predicted emotions |
|---|---|---|---|
| CEM (Sahandfer/CEM) | `results.txt` | a Python list | the best three labels, in order, without probabilities |
| ESCM (zhouzhouyang520/EmpatheticDialogueGeneration_ESCM) | `results.txt` | a Python list | the same |
| KEMP (qtli/KEMP) | `prediction/output.txt`, no dashed lines | a Python list | none |
| CASE (jfzhouyoo/CASE) | `results.txt` | a Python list | none: its list is never filled |
| ESCM_tt | no public code was found | assumed: as ESCM | assumed: as ESCM |

`Emotion:` is the *gold* label in all of them and is never taken for a prediction. For KEMP and CASE the line
`Pred Emotions:` has to be added to their script, from the logits that it already computes. None of them writes word
weights. Two additions are read for every system, and `plain` means a file of such blocks by whoever:

    Pred Emotions: sad=0.61, lonely=0.24, …      probabilities instead of ranks; the rest is shared by the other labels
    Words: plant=0.7, the=0.2, the=0.1           weights: the second entry of a word is for its second place

**Ranks are not probabilities.** Where only labels are written, each rank gets the share of cases in which that rank was
right, as published for ESCM_tt (HEF, Table 1: Acc_1 42.02, Acc_3 66.39, Acc_10 87, Acc_20 96.57), spread evenly between
these ranks; labels that are not written share the rest evenly. So every case gets the same numbers: they order the
labels, and say nothing about how sure the system was in this case.

The systems print contexts in lower case, with contractions written out and tokens apart. With the original dialogues at
hand (`--data`) the predictions are filed under the original texts: both sides are compared by letters and digits alone,
contractions written out (`hef_graph.evaluation.printed_contexts`).
"""

import ast
import json
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from hef_graph.emotions import EMOTIONS
from hef_graph.errors import HefInputError
from hef_graph.evaluation.printed_contexts import index_dialogues, letters_of, read_dialogues
from hef_graph.sem.plugins.predictions import key_of
from hef_graph.sem.tokenization import find_words

SYSTEMS: Final = ("kemp", "cem", "case", "escm", "escm_tt", "plain")

PUBLISHED: Final = {1: 0.4202, 3: 0.6639, 10: 0.87, 20: 0.9657, 32: 1.0}
"""ESCM_tt's accuracy when so many of its best labels count (HEF, Table 1)."""

TOLERANCE: Final = 0.01
"""Written probabilities are rounded: their sum may miss 1 by so much."""

_SILENT: Final = ("kemp", "case")
"""Systems whose released scripts print no prediction."""

_FIELDS: Final = ("emotion", "pred emotions", "words", "context", "ref")
_END_OF_CASE = re.compile(r"-{10,}\s*")


class Block(NamedTuple):
    """The lines of one case, as they stand in a file."""

    line: int
    """The number of the first of them."""
    fields: dict[str, str]
    """What stands behind each name; names in lower case."""


class Entry(NamedTuple):
    """A label or a word, and the number behind it."""

    text: str
    number: float | None


@dataclass(frozen=True, slots=True)
class Case:
    """One block of a system's output."""

    turns: tuple[str, ...]
    emotions: tuple[Entry, ...]
    """In the order written; without numbers where only ranks are known."""
    words: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of the cases."""

    cases: int
    written: int
    """Lines of the file of predictions."""
    repeated: int
    """Times that a dialogue came again with the same prediction."""
    differing: int
    """Times that it came again with another one; the first is kept."""
    without_data: int
    """Cases whose context is not among the original dialogues."""


def import_predictions(system: str, predictions: Path, output: Path, *, data: Path | None = None) -> ImportReport:
    """Read a system's text output and write the file of predictions.

    Args:
        system: one of `SYSTEMS`.
        predictions: the text that the system's test script wrote.
        output: the JSONL file to write.
        data: the original dialogues (see `read_dialogues`); None files the predictions under the printed texts.

    Raises:
        HefInputError: an unknown system, a file that cannot be used, a case without predictions, or no case at all.
    """
    if system not in SYSTEMS:
        raise HefInputError(f"system is {system!r}; allowed are {', '.join(SYSTEMS)}")
    cases = list(read_cases(read_text(predictions), system))
    if not cases:
        raise HefInputError(f"{predictions} holds no case; expected blocks with Pred Emotions: and Context:")
    labels = EMOTIONS if system != "plain" else tuple(dict.fromkeys(e.text for case in cases for e in case.emotions))
    originals = None if data is None else index_dialogues(read_dialogues(data))
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    repeated = differing = without_data = 0
    for number, case in enumerate(cases, start=1):
        emotions = complete_emotions(case.emotions, labels, where=f"case {number}")
        found = [case.turns] if originals is None else originals.get(letters_of(case.turns), [])
        without_data += not found
        for turns in found:
            row = prediction_row(turns, emotions, case.words)
            first = rows.setdefault(key_of(turns), row)
            repeated += first is not row and first == row
            differing += first != row
    if not rows:
        raise HefInputError(f"none of the {len(cases)} contexts in {predictions} is among the dialogues of {data}")
    _write_rows(rows.values(), output)
    return ImportReport(len(cases), len(rows), repeated, differing, without_data)


def read_cases(text: str, system: str) -> Iterator[Case]:
    """The cases of a system's output, in order.

    Raises:
        HefInputError: a case without predicted emotions, or a line that cannot be read.
    """
    for number, (_, fields) in enumerate(read_blocks(text, _FIELDS), start=1):
        where = f"case {number}"
        if not fields.get("pred emotions", "").strip():
            hint = f" (the released script of {system} prints the gold label only)" if system in _SILENT else ""
            raise HefInputError(f"{where} has no line Pred Emotions:{hint}; let the system's test script print one")
        words = read_entries(fields.get("words", ""), f"{where}, Words")
        if any(word.number is None for word in words):
            raise HefInputError(f"{where}, Words: a word has no weight; write word=weight, word=weight")
        turns = read_context(fields.get("context", ""), where)
        yield Case(turns, read_entries(fields["pred emotions"], f"{where}, Pred Emotions"), words)


def read_context(text: str, where: str) -> tuple[str, ...]:
    """The turns of a context that was printed as a Python list of texts.

    Raises:
        HefInputError: something else.
    """
    try:
        turns = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        turns = None
    if not isinstance(turns, list) or not turns or not all(isinstance(turn, str) for turn in turns):
        raise HefInputError(f"{where} has no Context: that is a list of texts as Python prints it, ['…', '…']")
    return tuple(turn.strip() for turn in turns)


def complete_emotions(written: Sequence[Entry], labels: Sequence[str], *, where: str) -> dict[str, float]:
    """A probability for each label: as written, or by rank (see the top of the file); the others share the rest.

    Raises:
        HefInputError: an unknown label, one named twice, numbers behind some labels only, or a sum that cannot be.
    """
    named = [entry.text for entry in written]
    unknown = [label for label in named if label not in labels]
    if unknown or len(set(named)) < len(named):
        raise HefInputError(
            f"{where}: {', '.join(unknown)[:80] or 'a label twice'}; allowed are the known labels, once"
        )
    numbers = [entry.number for entry in written if entry.number is not None]
    if numbers and len(numbers) < len(written):
        raise HefInputError(f"{where}: {len(numbers)} of {len(written)} labels have a probability; write all or none")
    others = [label for label in labels if label not in named]
    given = numbers or rank_shares(len(labels))[: len(written)]
    rest = 1.0 - math.fsum(given)
    if rest < -TOLERANCE or (rest > TOLERANCE and not others):
        raise HefInputError(f"{where}: the probabilities sum to {1 - rest:.6g}; allowed is 1, or less for some labels")
    shared = dict.fromkeys(others, max(rest, 0.0) / max(len(others), 1))
    emotions = dict(zip(named, given, strict=True)) | shared
    total = math.fsum(emotions.values())
    return {label: probability / total for label, probability in emotions.items()}


def rank_shares(count: int) -> list[float]:
    """For each rank, the share of cases in which the label of this rank is the right one; they sum to 1.

    >>> [round(share, 3) for share in rank_shares(32)[:4]]
    [0.42, 0.122, 0.122, 0.029]
    """
    shares: list[float] = []
    below = 0.0
    for rank, accuracy in PUBLISHED.items():
        width = rank - len(shares)
        shares += [(accuracy - below) / width] * width
        below = accuracy
    kept = (shares + [shares[-1]] * count)[:count]
    return [share / math.fsum(kept) for share in kept]


def prediction_row(turns: Sequence[str], emotions: Mapping[str, float], words: Sequence[Entry]) -> dict[str, Any]:
    """One line of the file of predictions; words that the dialogue does not hold are left out."""
    row: dict[str, Any] = {"dialogue": list(turns), "emotions": dict(emotions)}
    weights: dict[str, list[float]] = {}
    for word in words:
        weights.setdefault(word.text.lower(), []).append(word.number or 0.0)
    spans = [(turn, *span) for turn, text in enumerate(turns) for span in find_words(text)]
    placed = []
    for turn, start, end in spans:
        left = weights.get(turns[turn][start:end].lower(), [])
        weight = left.pop(0) if left else 0.0
        placed.append({"word": turns[turn][start:end], "turn": turn, "start": start, "end": end, "weight": weight})
    return row | ({"words": placed} if any(word["weight"] for word in placed) else {})


def read_blocks(text: str, names: Collection[str]) -> Iterator[Block]:
    """The fields of each case: a dashed line ends one, and so does a field that comes again.

    Args:
        text: what a system printed.
        names: the fields to look for, in lower case; other lines are passed over.
    """
    block = Block(0, {})
    for number, line in enumerate(text.split("\n"), start=1):
        written, colon, value = line.partition(":")
        name = written.strip().lower() if colon else ""
        if block.fields and (_END_OF_CASE.fullmatch(line) or name in block.fields):
            yield block
            block = Block(0, {})
        if name in names:
            block = block if block.fields else Block(number, {})
            block.fields[name] = value
    if block.fields:
        yield block


def read_entries(text: str, where: str) -> tuple[Entry, ...]:
    """Names between commas, each with the number that is given to it.

    Raises:
        HefInputError: what stands behind = is not a number from 0 on.
    """
    return tuple(_entry(part.strip(), where) for part in text.split(",") if part.strip())


def _entry(text: str, where: str) -> Entry:
    name, equals, number = text.rpartition("=")
    if not equals:
        return Entry(text, None)
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0 and name.strip()):
        raise HefInputError(f"{where}: an entry is not name=number with a number from 0 on")
    return Entry(name.strip(), value)


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        HefInputError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text("utf-8-sig")  # Windows editors mark UTF-8 files
    except UnicodeDecodeError as error:
        raise HefInputError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise HefInputError(f"cannot read {path}: {error.strerror}") from error


def _write_rows(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    except OSError as error:
        raise HefInputError(f"cannot write {path}: {error.strerror}") from error
