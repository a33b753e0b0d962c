"""What published systems printed → answers to a study's cases, so that their responses are scored as everybody's are.

All of them write one block of lines a case: `Emotion:` (the *gold* label), `Context:`, one line for each way of
decoding, `Ref:`. What each one writes, read in its public code (c), seen in a released file (f), or not found (?):

| system | file | scored response | others | predicted emotions |
|---|---|---|---|---|
| `moel` | `generation_result.txt` (f) | `MOE:`, decoded how (?) | of other models | none |
| `moel` | what its test prints (c) | `Greedy:` | `Beam:` | none |
| `mime` | `summary.txt` (c), released as `output.txt` (f) | `Greedy:` | `Topk:` `Beam:` | one, behind `emotion:` |
| `empdg` | `Predictions/*.txt`, no dashed lines (c, f) | `Pred:`, greedy | | none |
| `kemp` | `prediction/output.txt` (c), `KEMP.txt` (f), no dashed lines | `Pred:`, greedy | | none |
| `cem` | `results.txt` (c) | `Greedy:` | `Beam:` | `Pred Emotions:`, the best three |
| `case` | `results.txt` (c) | `Greedy:` | `Beam:` | none: its list is never filled |
| `escm` | `results.txt` (c) | `Greedy:` | | `Pred Emotions:`, the best three |
| `escm_tt` | (?), read as `escm` | | | |
| `plain` | blocks by whoever | `Response:`, `Greedy:` or `Pred:` | `Beam:` `Topk:` | `Pred Emotions:` |

Read were HLTCHKUST/MoEL, declare-lab/MIME, qtli/EmpDG, qtli/KEMP, Sahandfer/CEM, jfzhouyoo/CASE and
zhouzhouyang520/EmpatheticDialogueGeneration_ESCM. MIME and CEM print the emotions of a batch's first dialogue for
all of it, so they hold for batches of one; MIME's test loader has these, CEM's was not read.

The authors' own scorers (`evaluate.py` of CEM and CASE, `cal_metrics.py` of KEMP, `result_analysis.py` of EmpDG) count
Distinct on the greedy line; CEM's repository prints MoEL, MIME and EmpDG in CEM's format too, which is read under their
names. For the emotions of `plain`, and for probabilities in them, see `hef_graph.evaluation.import_predictions`.

**Matching.** An answer goes to the case with the same context, compared by letters alone (`printed_contexts`). If a
context occurs in several cases they take its blocks in order, the last one serving the rest: a greedy decoder answers
equal contexts alike. A file without any `Context:` is taken in the cases' order if the counts agree and its references,
where there are some, are the cases' own.

**Emotions.** The first name counts, also where several are written; all of them are `ranked`, which is a part of the
labels only: Acc_k is known up to their number.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple, Self, TypeAlias, get_args

from hef_graph.emotions import EMOTIONS
from hef_graph.errors import HefInputError
from hef_graph.evaluation.import_predictions import Block, Entry, read_blocks, read_context, read_entries, read_text
from hef_graph.evaluation.printed_contexts import letters_of
from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cases import Case

Decoding: TypeAlias = Literal["greedy", "beam", "topk"]
Match: TypeAlias = Literal["context", "order"]

SCORED: Final = {
    "moel": ("MOE", "Greedy", "Pred"),
    "mime": ("Greedy",),
    "empdg": ("Pred", "Greedy"),
    "kemp": ("Pred", "Greedy"),
    "cem": ("Greedy",),
    "case": ("Greedy",),
    "escm": ("Greedy",),
    "escm_tt": ("Greedy",),
    "plain": ("Response", "Greedy", "Pred"),
}
"""By system, the lines that hold the response that papers score; the first that a block has counts."""

OTHERS: Final[dict[Decoding, tuple[str, ...]]] = {"beam": ("Beam",), "topk": ("Topk",)}
"""The lines of the other ways of decoding."""

_FIELDS: Final = frozenset(
    ["emotion", "pred emotions", "context", "ref"]
    + [name.lower() for names in (*SCORED.values(), *OTHERS.values()) for name in names]
)
_PREDICTED: Final = re.compile(r"\bpredicted_emotion:([^\t]*)")
"""MIME's, behind the gold label."""


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A published system's printed output."""

    system: str
    """A key of `SCORED`."""
    path: Path
    decoding: Decoding = "greedy"
    """Which of the printed responses to take."""

    def __post_init__(self) -> None:
        if self.system not in SCORED:
            raise HefInputError(f"system is {self.system!r}; allowed are {', '.join(SCORED)}")
        if self.decoding not in get_args(Decoding):
            raise HefInputError(f"decoding is {self.decoding!r}; allowed are {', '.join(get_args(Decoding))}")

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """A file as people name it, `mime:output.txt` or `mime/beam:output.txt`; None if no system stands before it.

        Raises:
            HefInputError: an unknown way of decoding.
        """
        prefix, colon, path = text.partition(":")
        system, slash, decoding = prefix.partition("/")
        if not (colon and system in SCORED):
            return None
        return cls(system, Path(path), decoding if slash else "greedy")  # type: ignore[arg-type]  # checked as it is made

    @property
    def names(self) -> tuple[str, ...]:
        """The lines that may hold the response."""
        return SCORED[self.system] if self.decoding == "greedy" else OTHERS[self.decoding]


@dataclass(frozen=True, slots=True)
class PublishedAnswers:
    """What a file says to a study's cases."""

    answers: list[Answer]
    """In the cases' order."""
    missing: tuple[str, ...]
    """Ids of the cases that the file has no answer to."""
    unmatched: int
    """Printed answers that no case took."""
    match: Match
    """How answers found their cases."""

    def show(self) -> str:
        """For people, in one line."""
        cases = len(self.answers) + len(self.missing)
        named = sum(bool(answer.written_emotion) for answer in self.answers)
        emotions = f"{named:,} name an emotion" if named else "no emotion is named"
        return (
            f"{len(self.answers):,} of {cases:,} cases answered, matched by {self.match}; "
            f"{self.unmatched:,} printed answers without a case; {emotions}"
        )


class _Printed(NamedTuple):
    """A block as it was read."""

    context: tuple[str, ...] | None
    """Its turns, by letters; None where none is printed."""
    reference: str
    emotions: tuple[Entry, ...]
    response: str


def read_published(file: PublishedFile, cases: Sequence[Case], *, labels: Sequence[str] = EMOTIONS) -> PublishedAnswers:
    """A published system's answers to the cases.

    Raises:
        HefInputError: a file or a block that cannot be read (by its line), or no answer to any case.
    """
    printed = _read_printed(file)
    match: Match = "order" if printed[0].context is None else "context"
    found = _by_order(file.path, printed, cases) if match == "order" else _by_context(printed, cases)
    if cases and not found:
        raise HefInputError(f"none of the {len(printed)} contexts in {file.path} is that of a case; is it this data?")
    answers = [_answer(case.case_id, printed[found[case.case_id]], labels) for case in cases if case.case_id in found]
    missing = tuple(case.case_id for case in cases if case.case_id not in found)
    return PublishedAnswers(answers, missing, len(printed) - len(set(found.values())), match)


def _read_printed(file: PublishedFile) -> list[_Printed]:
    """At least one block; either all have a context or none has."""
    names, printed = " or ".join(f"{name}:" for name in file.names), []
    for number, block in enumerate(read_blocks(read_text(file.path), _FIELDS), start=1):
        where = f"{file.path}, line {block.line} (case {number})"
        printed.append(_read_block(file, block, where))
        if (printed[0].context is None) != (printed[-1].context is None):
            raise HefInputError(f"{where}: a Context: in some cases only; expected one in all, or in none")
    if not printed:
        raise HefInputError(f"{file.path} holds no case; expected blocks of lines with Context: and {names}")
    return printed


def _read_block(file: PublishedFile, block: Block, where: str) -> _Printed:
    fields = block.fields
    responses = [fields[name.lower()] for name in file.names if name.lower() in fields]
    if not responses:
        names = " or ".join(f"{name}:" for name in file.names)
        raise HefInputError(f"{where} has no {names}, where {file.system} has its response ({file.decoding})")
    context = letters_of(read_context(fields["context"], where)) if "context" in fields else None
    response = " ".join(responses[0].split())
    return _Printed(context, fields.get("ref", ""), _emotions(fields, where), "" if response == "[]" else response)


def _emotions(fields: dict[str, str], where: str) -> tuple[Entry, ...]:
    """Those that were predicted, the most probable first; never the gold label."""
    behind_gold = _PREDICTED.search(fields.get("emotion", ""))
    text = fields.get("pred emotions") or (behind_gold[1] if behind_gold else "")
    entries = [Entry(name.strip("'\" "), number) for name, number in read_entries(text.strip(" []\r"), where)]
    if any(entry.number is None for entry in entries):
        return tuple(entries)
    return tuple(sorted(entries, key=lambda entry: -(entry.number or 0.0)))


def _by_context(printed: Sequence[_Printed], cases: Sequence[Case]) -> dict[str, int]:
    """By case id, the number of its block."""
    waiting: dict[tuple[str, ...], list[int]] = {}
    for number, block in enumerate(printed):
        waiting.setdefault(block.context or (), []).append(number)
    found = {}
    for case in cases:
        left = waiting.get(letters_of(case.turns), [])
        if left:
            found[case.case_id] = left.pop(0) if len(left) > 1 else left[0]
    return found


def _by_order(path: Path, printed: Sequence[_Printed], cases: Sequence[Case]) -> dict[str, int]:
    """The same for blocks without contexts.

    Raises:
        HefInputError: the counts differ, or more than half of the printed references are those of other cases.
    """
    if len(printed) != len(cases):
        raise HefInputError(
            f"{path} prints no Context:, and holds {len(printed)} answers for {len(cases)} cases; "
            "without contexts expected is one for each case, in order"
        )
    told = [(block.reference, case.reference) for block, case in zip(printed, cases, strict=True) if block.reference]
    other = sum(letters_of([ours]) != letters_of([theirs]) for theirs, ours in told)
    if 2 * other > len(told):
        raise HefInputError(f"{path} prints no Context:, and {other} of {len(told)} Ref: are not the case's own")
    return {case.case_id: number for number, case in enumerate(cases)}


def _answer(case_id: str, printed: _Printed, labels: Sequence[str]) -> Answer:
    known = {label.casefold(): label for label in labels}
    names = tuple(dict.fromkeys(known.get(name.casefold(), name) for name, _ in printed.emotions))
    if not names:
        return Answer(case_id, None, response=printed.response)
    emotion = names[0] if names[0] in labels else None
    ranked = names if len(names) > 1 else ()
    probability = printed.emotions[0].number
    return Answer(case_id, emotion, printed.emotions[0].text, printed.response, ranked, probability)
