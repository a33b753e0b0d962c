"""Give a trained SEM its two heads: cause words and presence of emotion; then measure the first one honestly.

    python tools/train_heads.py --sem runs/sem --data train.jsonl --reccon reccon/train.jsonl reccon/valid.jsonl \
        --comments goemotions/train.tsv --output runs/sem-with-heads [--folds]

`--reccon` (dialogues with marked causes) and `--comments` (texts with and without emotion) are public corpora; `--data`
are the conversations that the SEM was trained on. The encoder stays as it is. With `--folds` the cause head is also
trained five times without a fifth of the dialogues, and its words are compared with the marked ones there.
"""

import argparse
import json
import random
import sys
from pathlib import Path

import torch

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.corpus import contexts_of, read_conversations, set_aside
from hef_graph.evaluation.cause_report import report_causes
from hef_graph.evaluation.head_training import (
    marked_tasks,
    presence_tasks,
    read_comments,
    unmarked_tasks,
    weigh_out_of_fold,
)
from hef_graph.evaluation.reccon import read_reccon, read_turns
from hef_graph.sem.checkpoint import load_checkpoint, save_checkpoint
from hef_graph.sem.heads import HeadConfig, PresenceTask, attach_heads, train_cause_head, train_presence_head
from hef_graph.sem.tokenization import DialogueTokenizer

CONTEXTS = 8000
"""So many contexts, drawn at random, are texts with emotion for the presence head."""


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sem", type=Path, required=True, help="checkpoint folder")
    parser.add_argument("--data", type=Path, required=True, help="conversations: .jsonl, .csv or .parquet")
    parser.add_argument("--reccon", type=Path, nargs="+", required=True, help="dialogues with marked causes")
    parser.add_argument("--comments", type=Path, help="tab-separated comments with label numbers")
    parser.add_argument("--neutral", type=int, default=27, help="label number of comments without emotion")
    parser.add_argument("--output", type=Path, required=True, help="folder for the checkpoint with heads")
    parser.add_argument("--unmarked", type=int, default=2000, help="contexts weighed as the gradient norm does")
    parser.add_argument("--gradient-weight", type=float, default=HeadConfig().gradient_weight)
    parser.add_argument("--folds", action="store_true", help="measure the cause head out of fold")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> int:
    """Train both heads, write the checkpoint, print the measures."""
    given = read_arguments()
    config = HeadConfig(gradient_weight=given.gradient_weight, seed=given.seed)
    model, vocabulary = load_checkpoint(given.sem, torch.device("cpu"))
    shape = model.config
    tokenizer = DialogueTokenizer(vocabulary, max_tokens=shape.max_tokens, decoder_vocab_size=shape.decoder_vocab_size)
    contexts = contexts_of(set_aside(read_conversations(given.data))[0])
    marked, others = read_reccon(given.reccon), unmarked_tasks(contexts, given.unmarked, seed=given.seed)
    comments = read_comments(given.comments, given.neutral) if given.comments else []
    tasks = presence_tasks([*read_turns(given.reccon), *comments])
    drawn = random.Random(given.seed).sample(contexts, min(CONTEXTS, len(contexts)))  # noqa: S311  drawing
    tasks += [PresenceTask(context.turns, emotional=True) for context in drawn]
    report = None
    if given.folds:
        weights = weigh_out_of_fold(model, tokenizer, marked.cases, others, config)
        report = report_causes(marked, {"cause head, out of fold": weights}, seed=given.seed).to_json()
    causes = train_cause_head(model, tokenizer, [*marked_tasks(marked.cases), *others], config)
    presence = train_presence_head(model, tokenizer, tasks, config)
    save_checkpoint(given.output, attach_heads(model, causes, presence), vocabulary)
    print(json.dumps({"causes": report, "presence_texts": len(tasks)}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(end_in_one_line("train_heads", main))
