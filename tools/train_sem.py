"""Train a small empathetic model (SEM): emotions first, then replies.

    python tools/train_sem.py --data train.jsonl --output runs/sem [--seed 0] [--device cpu]
    python tools/train_sem.py --data train.jsonl --output runs/better --start runs/sem --teacher teacher.safetensors

The second form goes on from a trained checkpoint and learns from a larger model (`tools/train_teacher.py`) as well.

The run's folder ends up with a checkpoint (`model.safetensors`, `config.json`, `vocab.txt`) and `training.json`
(settings and each epoch's measures on the conversations set aside). The same command goes on after an interruption.
"""

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.sem.inference import choose_device
from hef_graph.sem.phases import (
    DISTILLATION_DEFAULTS,
    EMOTION_DEFAULTS,
    REPLY_ADAPTATION_DEFAULTS,
    REPLY_DEFAULTS,
)
from hef_graph.sem.recipe import Recipe, train_sem
from hef_graph.sem.training import TrainingConfig
from hef_graph.sem.votes import HARD_VOTES_DEFAULTS, VOTES_DEFAULTS


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="conversations: .jsonl, .csv or .parquet")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run")
    parser.add_argument("--pretrained", type=Path, help="folder with MiniLM's files (default: the installed package)")
    parser.add_argument("--start", type=Path, metavar="DIR", help="checkpoint to go on from, instead of MiniLM")
    parser.add_argument("--teacher", type=Path, metavar="FILE", help="a larger model's soft labels")
    parser.add_argument("--emotion-epochs", type=_count, metavar="N", help="0 with --start: keep its reading part")
    parser.add_argument("--votes", action="store_true", help="add a linear part over word pieces and their pairs")
    parser.add_argument("--reply-epochs", type=_count, metavar="N", help="0: no decoder is trained")
    parser.add_argument("--situations", action="store_true", help="also learn from the situation texts")
    parser.add_argument("--precision", choices=["bf16", "fp32"], default="bf16")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def read_recipe(arguments: argparse.Namespace) -> Recipe:
    """The settings of both phases: the defaults of this kind of run, and what the command line changes."""

    def adjust(config: TrainingConfig, epochs: int | None) -> TrainingConfig:
        return replace(
            config,
            epochs=config.epochs if epochs is None else epochs,
            precision=arguments.precision,
            device=choose_device(arguments.device),
            seed=arguments.seed,
        )

    return Recipe(
        data=arguments.data,
        output=arguments.output,
        pretrained=arguments.pretrained,
        start=arguments.start,
        teacher=arguments.teacher,
        situations=arguments.situations,
        emotion=adjust(DISTILLATION_DEFAULTS if arguments.teacher else EMOTION_DEFAULTS, arguments.emotion_epochs),
        votes=adjust(VOTES_DEFAULTS if arguments.teacher else HARD_VOTES_DEFAULTS, None) if arguments.votes else None,
        reply=adjust(REPLY_ADAPTATION_DEFAULTS if arguments.start else REPLY_DEFAULTS, arguments.reply_epochs),
    )


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def main() -> int:
    """Train, write the checkpoint, print the measures."""
    recipe = read_recipe(read_arguments())
    history = train_sem(recipe)
    settings = {key: str(value) if isinstance(value, Path) else value for key, value in asdict(recipe).items()}
    report = json.dumps({"recipe": settings, "history": history}, indent=1)
    (recipe.output / "training.json").write_text(report + "\n", "utf-8")
    print(report)
    return 0


if __name__ == "__main__":
    sys.exit(end_in_one_line("train_sem", main))
