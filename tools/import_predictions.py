"""Make a file of predictions from what a published system's test script printed.

    python tools/import_predictions.py --system escm --predictions results.txt --output escm.jsonl [--data test.jsonl]

The file then stands for the system wherever a small empathetic model (SEM) is asked for: `load_sem("escm.jsonl")`.
With `--data` (conversations, or lines of `{"dialogue": [texts]}`) the predictions are filed under the original texts.
What each system prints, and how ranks become probabilities, is told in `hef_graph/evaluation/import_predictions.py`.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.evaluation.import_predictions import SYSTEMS, import_predictions


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--system", required=True, choices=SYSTEMS, help="whose output it is; plain: any other's")
    parser.add_argument("--predictions", type=Path, required=True, metavar="FILE", help="the printed text")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="the .jsonl file to write")
    parser.add_argument("--data", type=Path, metavar="FILE", help="the original dialogues")
    return parser.parse_args()


def main() -> int:
    """Import, and print what became of the cases."""
    arguments = read_arguments()
    report = import_predictions(arguments.system, arguments.predictions, arguments.output, data=arguments.data)
    print(json.dumps(asdict(report), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(end_in_one_line("import_predictions", main))
