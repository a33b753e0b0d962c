"""Measure a small empathetic model (SEM), and what it does for large language models (LLMs), on labelled conversations.

    python tools/evaluate.py --data valid.jsonl [--sem SEM] [--writing] [--show 10] [--output report.json] [--seed 0]
    python tools/evaluate.py --data valid.jsonl --part b --candidates --deletion 500
    python tools/evaluate.py --causes train.jsonl valid.jsonl [--words attention]
    python tools/evaluate.py --data valid.jsonl --table 1 2
    python tools/evaluate.py --data valid.jsonl --table 2 3 4 --figure 3 --model openai:gpt-4.1-mini
        --judge openai:gpt-4.1 --sample 300 --max-cost 5 --report study.html

Prints accuracy (Acc_k), macro-F1 and calibration; with `--writing` the decoder's perplexity and Distinct-1/2; with
`--show N` the replies to the first N contexts by conversation id; with `--candidates` what adaptive candidates promise
and keep; with `--deletion N` what the heaviest words of N contexts do to the prediction. `--causes` compares the
heaviest words with those that people marked in RECCON files. `--table` and `--figure` give the paper's tables, its own
rows beside ours; answers are kept under `--cache`, so that a run that was stopped goes on where it was.
`--answers NAME=FILE` adds a row from a file, `--answers MIME=mime:output.txt` one from what a published system printed
(formats: `hef_graph/evaluation/study/published.py`).
JSON goes to the output, tables to the error output.
"""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.corpus import Context, contexts_of, halves, read_conversations
from hef_graph.errors import HefInputError
from hef_graph.evaluation.candidate_report import report_candidates
from hef_graph.evaluation.cause_report import report_causes, weigh_by_sem
from hef_graph.evaluation.deletion_report import report_deletion
from hef_graph.evaluation.reccon import folds, read_reccon
from hef_graph.evaluation.sem_report import report_reading, report_writing, show_replies
from hef_graph.evaluation.study.command import add_study_arguments, read_request
from hef_graph.evaluation.study.conduct import run_study
from hef_graph.evaluation.tables import Report, tabulate
from hef_graph.sem import TransformerSem, load_sem
from hef_graph.sem.quantization import PRECISIONS
from hef_graph.types import SmallEmpatheticModel

WIDTH = 150
"""Of the tables where they are not printed to a terminal, in characters."""


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="conversations: .jsonl, .csv or .parquet; may lack with --causes")
    parser.add_argument("--part", choices=("all", "a", "b"), default="all", help="one half of the conversations only")
    parser.add_argument("--sem", help="a folder, hub id, http address, .jsonl of predictions, or lexicon")
    parser.add_argument("--device", help="default: a GPU where there is one")
    parser.add_argument("--precision", choices=PRECISIONS, help="default: int8 on a CPU, which is faster")
    parser.add_argument("--writing", action="store_true", help="measure the decoder too")
    parser.add_argument("--causes", type=Path, nargs="+", metavar="FILE", help="compare cause words with RECCON's")
    parser.add_argument("--first-fold", action="store_true", help="with --causes: a fifth of the dialogues")
    parser.add_argument("--deletion", type=int, default=0, metavar="N", help="delete the heaviest words of N contexts")
    parser.add_argument("--candidates", action="store_true", help="measure adaptive candidates and calibration")
    parser.add_argument("--words", metavar="METHOD", help="how the SEM weighs words (default: its own way)")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print the replies to N contexts")
    parser.add_argument("--output", type=Path, help="write the figures as JSON")
    parser.add_argument("--seed", type=int, default=0)
    add_study_arguments(parser)
    arguments = parser.parse_args()
    study = arguments.table or arguments.figure or arguments.export_prompts
    if not arguments.data and (not arguments.causes or arguments.deletion or arguments.candidates or study):
        parser.error("give conversations with --data; only --causes does without")
    return arguments


def main() -> int:
    """Measure, print, write."""
    arguments = read_arguments()
    request = read_request(arguments)
    torch.manual_seed(arguments.seed)
    sem = load_sem(arguments.sem, device=arguments.device, words=arguments.words, precision=arguments.precision)
    contexts = read_part(arguments.data, arguments.part) if arguments.data else []
    report: dict[str, Any] = {"data": str(arguments.data), "part": arguments.part, "sem": sem.name}
    report |= {"precision": getattr(sem, "precision", None), "seed": arguments.seed}
    console = Console(stderr=True, width=None if sys.stderr.isatty() else WIDTH)
    if request:
        report["study"] = run_study(request, sem, contexts, console=console)
    if contexts and (not request or arguments.writing or arguments.show):
        report |= read_and_reply(sem, contexts, arguments)
    for name, measured in measure_evidence(sem, contexts, arguments).items():
        report[name] = measured.to_json()
        console.print(*tabulate(measured))
    text = json.dumps(report, indent=1, ensure_ascii=False)
    if not (request and sys.stdout.isatty()):  # people have the tables; a study's values fill many screens
        print(text)
    if arguments.output:
        arguments.output.write_text(text + "\n", "utf-8")
    return 0


def read_part(path: Path, part: str) -> list[Context]:
    """The contexts of all conversations, or of one half of them."""
    conversations = read_conversations(path)
    first, second = halves(conversations)
    return contexts_of({"all": conversations, "a": first, "b": second}[part])


def read_and_reply(sem: SmallEmpatheticModel, contexts: list[Context], arguments: argparse.Namespace) -> dict[str, Any]:
    """How well the SEM reads and, if asked for, writes; and the replies to show."""
    started = time.perf_counter()
    report: dict[str, Any] = {"reading": report_reading(sem, contexts).to_json()}
    report["reading_seconds"] = round(time.perf_counter() - started, 1)
    if not (arguments.writing or arguments.show):
        return report
    if not isinstance(sem, TransformerSem):
        raise HefInputError(f"{sem.name} only reads; leave out --writing and --show")
    if arguments.writing:
        report["writing"] = report_writing(sem, contexts).to_json()
    first = sorted(contexts, key=lambda context: context.conv_id)[: arguments.show]
    return report | {"replies": [shown.to_json() for shown in show_replies(sem, first)]}


def measure_evidence(
    sem: SmallEmpatheticModel, contexts: list[Context], arguments: argparse.Namespace
) -> dict[str, Report]:
    """The measures of cause words and candidates that are asked for."""
    reports: dict[str, Report] = {}
    if arguments.causes:
        data = read_reccon(arguments.causes)
        if arguments.first_fold:
            data = replace(data, cases=tuple(folds(data.cases)[0]))
        weights = {arguments.words or sem.name: weigh_by_sem(sem, data.cases)}
        reports["causes"] = report_causes(data, weights, seed=arguments.seed)
    if arguments.deletion:
        reports["deletion"] = report_deletion(sem, contexts, sample=arguments.deletion, seed=arguments.seed)
    if arguments.candidates:
        reports["candidates"] = report_candidates(sem, contexts, seed=arguments.seed)
    return reports


if __name__ == "__main__":
    sys.exit(end_in_one_line("evaluate", main))
