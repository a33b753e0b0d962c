"""`hef analyze`: one message, or a file of dialogues."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Final, TextIO

from tqdm import tqdm

from hef_graph.chat.reading import naming_failures
from hef_graph.cli.display import draw_emotions, make_console, mark_words, word_doubt
from hef_graph.cli.garbage import made_to_stay
from hef_graph.cli.terminal import BAD_INPUT, read_text
from hef_graph.errors import HefInputError
from hef_graph.sem import load_sem
from hef_graph.sem.plugins.exchange import read_json
from hef_graph.turn import Evidence, ReadingOptions, weigh_evidence
from hef_graph.types import EmotionAnalysis, SmallEmpatheticModel, turns_from_dialogue

CHUNK: Final = 256
"""Dialogues read at once: enough for batches of similar length, and little to hold."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the input file that could be read."""

    number: int
    dialogue: list[str]


def run_analyze(arguments: argparse.Namespace) -> int:
    """Analyse what the arguments name; 2 if a line of the file could not be read."""
    if arguments.input is not None:
        if arguments.text is not None:
            raise HefInputError("give either a text or --input, not both")
        return analyze_file(arguments)
    if arguments.output is not None:
        raise HefInputError("--output goes with --input; for one message redirect the output instead")
    text = read_text(arguments.text)
    with made_to_stay():
        sem = load_sem(arguments.sem)
    with naming_failures():
        [analysis] = sem.analyze([[text]])
        whole = to_json(analysis)
        evidence = weigh_evidence(analysis, turns_from_dialogue([text]), ReadingOptions(k2=arguments.k2))
    if arguments.json:
        print(json.dumps(whole, ensure_ascii=False, indent=1))
    else:
        show(text, evidence)
    return 0


def show(text: str, evidence: Evidence) -> None:
    """Bars for the emotions, and the text with its cause words marked."""
    console = make_console()
    values = evidence.to_json()
    console.print(mark_words(text, values["cause_words"], console))
    console.print(draw_emotions(values["emotion_candidates"]))
    if doubt := word_doubt(in_domain=evidence.in_domain, unsure=evidence.unsure):
        console.print(doubt)


def analyze_file(arguments: argparse.Namespace) -> int:
    """Analyse a JSONL file in chunks; a bad line is reported with its number and the others are still done."""
    if not arguments.input.is_file():
        raise HefInputError(f"no such file: {arguments.input}")
    total = sum(1 for _ in _open_text(arguments.input))
    if total == 0:
        raise HefInputError(f"{arguments.input} is empty; expected one dialogue a line")
    with made_to_stay():
        sem = load_sem(arguments.sem)
    problems: list[str] = []
    output = _open_output(arguments)
    with output as target, tqdm(total=total, unit=" lines", disable=not sys.stderr.isatty()) as bar:
        lines = read_lines(_open_text(arguments.input), problems)
        while chunk := list(islice(lines, CHUNK)):
            write_results(sem, chunk, target)
            bar.update(chunk[-1].number - bar.n)
    for problem in problems:
        print(f"hef: {arguments.input}, {problem}", file=sys.stderr)
    return BAD_INPUT if problems else 0


def read_lines(lines: Iterable[str], problems: list[str]) -> Iterator[Line]:
    """The dialogues of the lines; what is wrong with the others is added to `problems`."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield Line(number, parse_line(line))
        except HefInputError as error:
            problems.append(f"line {number}: {error}")


def parse_line(line: str) -> list[str]:
    """A dialogue from JSON: a text, a list of texts, or an object with `dialogue` or `text`.

    Raises:
        HefInputError: anything else.
    """
    value = read_json(line)
    if isinstance(value, dict):
        value = value.get("dialogue", value.get("text"))
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise HefInputError('expected a text, a list of texts, or {"dialogue": [texts]}')
    if not any(text.strip() for text in texts):
        raise HefInputError("the dialogue holds no text")
    return texts


def write_results(sem: SmallEmpatheticModel, lines: list[Line], target: TextIO) -> None:
    """One JSON object a line: the input's line number, all emotions, all words."""
    with naming_failures():
        analyses = sem.analyze([line.dialogue for line in lines])
        results = [(line, to_json(analysis)) for line, analysis in zip(lines, analyses, strict=True)]
    for line, result in results:
        print(json.dumps({"line": line.number, **result}, ensure_ascii=False), file=target)


def to_json(analysis: EmotionAnalysis) -> dict[str, Any]:
    """The whole analysis as plain values."""
    return asdict(analysis)


def _open_text(path: Any) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from file
    except UnicodeDecodeError as error:
        raise HefInputError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise HefInputError(f"cannot read {path}: {error.strerror}") from error


def _open_output(arguments: argparse.Namespace) -> Any:
    if arguments.output is None:
        return nullcontext(sys.stdout)
    try:
        return arguments.output.open("w", encoding="utf-8")
    except OSError as error:
        raise HefInputError(f"cannot write {arguments.output}: {error.strerror}") from error
