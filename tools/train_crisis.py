"""Train the crisis classifier from the written examples and ordinary talk.

    python tools/train_crisis.py --data train.jsonl [--comments train.tsv] --output runs/crisis [--seed 0]

`--data` are ordinary conversations and `--comments` ordinary remarks (text first, then a tab): what no signal is.
Texts among them that hold a plain phrase of a crisis are left out. A few of the families of examples are set aside
to choose the best epoch. The same command goes on after an interruption. Needs `pip install 'hef-graph[train]'`.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.crisis.examples import FOLDER, read_examples
from hef_graph.evaluation.crisis_data import ordinary_talk, set_families_aside
from hef_graph.evaluation.crisis_training import DEFAULTS, CrisisRecipe, train_classifier


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="conversations: .jsonl, .csv or .parquet")
    parser.add_argument("--comments", type=Path, help="tab-separated remarks, the text first")
    parser.add_argument("--examples", type=Path, default=FOLDER / "train", help="folder (default: %(default)s)")
    parser.add_argument(
        "--encoder", type=Path, help="folder of the pretrained encoder (default: the installed package)"
    )
    parser.add_argument("--start", type=Path, help="folder of an earlier run to go on from, with more examples")
    parser.add_argument("--ordinary", type=float, default=0.35, help="ordinary talk per written example in an epoch")
    parser.add_argument("--learning-rate", type=float, default=DEFAULTS.learning_rate)
    parser.add_argument("--layers", type=int, default=6, help="so many of the encoder's layers (default: %(default)s)")
    parser.add_argument("--freeze", type=int, default=0, help="so many of the lowest layers stay as they are")
    parser.add_argument("--epochs", type=int, default=DEFAULTS.epochs)
    parser.add_argument(
        "--precision",
        choices=["bf16", "fp32"],
        default=DEFAULTS.precision,
        help="bf16 is slow on CPUs that do not multiply in it (default: %(default)s)",
    )
    parser.add_argument("--threshold", type=float, default=0.5, help="probability that counts as a signal")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> int:
    """Train, write the classifier, print each epoch's measures."""
    given = read_arguments()
    kept, aside = set_families_aside(read_examples(given.examples), seed=given.seed)
    recipe = CrisisRecipe(
        examples=kept,
        ordinary=ordinary_talk(given.data, given.comments, seed=given.seed),
        aside=aside,
        output=given.output,
        encoder=given.encoder,
        start=given.start,
        layers=given.layers,
        frozen_layers=given.freeze,
        ordinary_share=given.ordinary,
        threshold=given.threshold,
        training=replace(
            DEFAULTS,
            epochs=given.epochs,
            learning_rate=given.learning_rate,
            precision=given.precision,
            seed=given.seed,
        ),
    )
    print(json.dumps(train_classifier(recipe), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(end_in_one_line("train_crisis", main))
