"""Train a small empathetic model (SEM): emotions first, then replies.

    python tools/train_sem.py --data train.jsonl --output runs/sem [--seed 0] [--device cpu]

The run's folder ends up with a checkpoint (`model.safetensors`, `config.json`, `vocab.txt`) and `training.json`
(settings and each epoch's measures on the conversations set aside). The same command goes on after an interruption.
"""

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.sem.phases import EMOTION_DEFAULTS, REPLY_DEFAULTS
from hef_graph.sem.recipe import Recipe, train_sem
from hef_graph.sem.training import TrainingConfig


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="conversations: .jsonl, .csv or .parquet")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run")
    parser.add_argument("--pretrained", type=Path, help="folder with MiniLM's files (default: the installed package)")
    parser.add_argument("--emotion-epochs", type=int, default=EMOTION_DEFAULTS.epochs)
    parser.add_argument("--reply-epochs", type=int, default=REPLY_DEFAULTS.epochs, help="0: a SEM that only reads")
    parser.add_argument("--situations", action="store_true", help="also learn from the situation texts")
    parser.add_argument("--precision", choices=["bf16", "fp32"], default="bf16")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> int:
    """Train, write the checkpoint, print the measures."""
    arguments = read_arguments()

    def adjust(config: TrainingConfig, epochs: int) -> TrainingConfig:
        return replace(
            config,
            epochs=epochs,
            precision=arguments.precision,
            device=arguments.device,
            seed=arguments.seed,
        )

    recipe = Recipe(
        data=arguments.data,
        output=arguments.output,
        pretrained=arguments.pretrained,
        situations=arguments.situations,
        emotion=adjust(EMOTION_DEFAULTS, arguments.emotion_epochs),
        reply=adjust(REPLY_DEFAULTS, arguments.reply_epochs),
    )
    history = train_sem(recipe)
    settings = {key: str(value) if isinstance(value, Path) else value for key, value in asdict(recipe).items()}
    report = json.dumps({"recipe": settings, "history": history}, indent=1)
    (recipe.output / "training.json").write_text(report + "\n", "utf-8")
    print(report)
    return 0


if __name__ == "__main__":
    sys.exit(end_in_one_line("train_sem", main))
