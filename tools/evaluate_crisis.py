"""Measure the crisis detector on written examples, and on the speaker's turns of ordinary conversations.

    python tools/evaluate_crisis.py [--data valid.jsonl] [--rules-only] [--show] [--output crisis.json]

Prints recall by category and false alarms by kind with 95 % intervals (Wilson), and with `--data` how many everyday
turns are taken for signals; `--show` prints every one that is missed or wrongly flagged. Nothing is drawn: no seed.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.corpus import Conversation, read_conversations
from hef_graph.crisis.classifier import SHIPPED, load_classifier
from hef_graph.crisis.detector import CrisisDetector
from hef_graph.crisis.examples import FOLDER, Example, read_examples
from hef_graph.evaluation.crisis_report import (
    Judged,
    Share,
    agreement,
    flag_turns,
    judge_examples,
    judge_late,
    shares,
)

LATE: Final = (1, 10, 50, 200)
"""Turns at which recall is measured with `--late`."""
PAIRS: Final = 4
"""Utterances of the conversations that fill the turns before: two exchanges."""


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="ordinary conversations: .jsonl, .csv or .parquet")
    parser.add_argument("--examples", type=Path, default=FOLDER / "test", help="folder (default: %(default)s)")
    parser.add_argument(
        "--weights", type=Path, default=SHIPPED, help="the classifier's folder (default: the shipped one)"
    )
    parser.add_argument("--rules-only", action="store_true", help="plain phrases alone, without the classifier")
    parser.add_argument("--late", action="store_true", help="recall at turn 1, 10, 50 and 200, behind talk from --data")
    parser.add_argument("--show", action="store_true", help="print what is missed or wrongly flagged")
    parser.add_argument("--output", type=Path, help="where the figures go as JSON")
    return parser.parse_args()


def main() -> int:
    """Measure, print, write."""
    given = read_arguments()
    detector = CrisisDetector(None if given.rules_only else load_classifier(given.weights))
    judged = judge_examples(detector, read_examples(given.examples))
    by_file = {name: [each for each in judged if each.example.family.startswith(f"{name}/")] for name in _files(judged)}
    report: dict[str, Any] = {}
    for name, group in by_file.items():
        report[name] = _print_table(name, {**shares(group), **{f"{k} as said": v for k, v in agreement(group).items()}})
    if given.show:
        for each in judged:
            if not each.right:
                print(each.example.label.category or "none", "|", " => ".join(each.example.turns))
    if given.data:
        flags, read = flag_turns(detector, read_conversations(given.data))
        report["everyday turns"] = _print_table("everyday turns", {"flagged": Share(len(flags), read)})
        if given.show:
            for flag in flags:
                print(f"{flag.signal.category}, {flag.signal.time}, {flag.signal.who} | {flag.text}")
        if given.late:
            report |= _measure_late(detector, read_examples(given.examples), read_conversations(given.data))
    if given.output:
        given.output.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    return 0


def _measure_late(
    detector: CrisisDetector, examples: Sequence[Example], conversations: Sequence[Conversation]
) -> dict[str, Any]:
    """Recall of the signals of one message, late in a conversation."""
    filler = [text for each in conversations[:60] if len(each.utterances) == PAIRS for text in each.utterances]
    signals = [each for each in examples if each.label.category]
    return {
        f"turn {turn}": _print_table(f"turn {turn}", shares(judge_late(detector, signals, filler, turn)))
        for turn in LATE
    }


def _files(judged: list[Judged]) -> list[str]:
    return list(dict.fromkeys(each.example.family.partition("/")[0] for each in judged))


def _print_table(title: str, table: dict[str, Share]) -> dict[str, Any]:
    print(f"\n{title}")
    for name, share in table.items():
        print(f"  {name:<20} {share}")
    return {name: share.to_json() for name, share in table.items()}


if __name__ == "__main__":
    sys.exit(end_in_one_line("evaluate_crisis", main))
