"""Measure a small empathetic model (SEM) on labelled conversations.

    python tools/evaluate.py --data valid.jsonl [--sem DIR] [--writing] [--show 10] [--output report.json] [--seed 0]

Prints accuracy (Acc_k), macro-F1 and calibration; with `--writing` the decoder's perplexity and Distinct-1/2; with
`--show N` the replies to the first N contexts by conversation id.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import torch

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.corpus import contexts_of, read_conversations
from hef_graph.evaluation.sem_report import report_reading, report_writing, show_replies
from hef_graph.sem import load_sem


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="conversations: .jsonl, .csv or .parquet")
    parser.add_argument("--sem", type=Path, help="checkpoint folder (default: the shipped one)")
    parser.add_argument("--device", help="default: a GPU where there is one")
    parser.add_argument("--writing", action="store_true", help="measure the decoder too")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print the replies to N contexts")
    parser.add_argument("--output", type=Path, help="write the figures as JSON")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> int:
    """Measure, print, write."""
    arguments = read_arguments()
    torch.manual_seed(arguments.seed)
    sem = load_sem(arguments.sem, device=arguments.device)
    contexts = contexts_of(read_conversations(arguments.data))
    started = time.perf_counter()
    report: dict[str, Any] = {"data": str(arguments.data), "sem": sem.name, "seed": arguments.seed}
    report["reading"] = report_reading(sem, contexts).to_json()
    report["reading_seconds"] = round(time.perf_counter() - started, 1)
    if arguments.writing:
        report["writing"] = report_writing(sem, contexts).to_json()
    first = sorted(contexts, key=lambda context: context.conv_id)[: arguments.show]
    report["replies"] = [shown.to_json() for shown in show_replies(sem, first)]
    text = json.dumps(report, indent=1, ensure_ascii=False)
    print(text)
    if arguments.output:
        arguments.output.write_text(text + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(end_in_one_line("evaluate", main))
