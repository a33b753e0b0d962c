"""Fine-tune a larger encoder and write what it thinks of each training text: soft labels for `tools/train_sem.py`.

    python tools/train_teacher.py --data train.jsonl --encoder all-mpnet-base-v2 --output runs/teacher

`--encoder` is a folder with a Hugging Face encoder (`config.json`, `tokenizer.json`, `model.safetensors`). The same
command goes on after an interruption. `runs/teacher/soft_labels.safetensors` is the result.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.sem.inference import choose_device
from hef_graph.sem.teacher import TEACHER_DEFAULTS, TeacherRecipe, train_teacher


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="conversations: .jsonl, .csv or .parquet")
    parser.add_argument("--encoder", type=Path, required=True, help="folder of the encoder")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run")
    parser.add_argument("--frozen-layers", type=int, default=4, help="lowest layers that stay as they are")
    parser.add_argument("--precision", choices=["bf16", "fp32"], default="bf16")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> int:
    """Train, write the soft labels, print the measures."""
    given = read_arguments()
    training = replace(TEACHER_DEFAULTS, precision=given.precision, device=choose_device(given.device), seed=given.seed)
    recipe = TeacherRecipe(given.data, given.encoder, given.output, training, frozen_layers=given.frozen_layers)
    print(json.dumps(train_teacher(recipe), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(end_in_one_line("train_teacher", main))
