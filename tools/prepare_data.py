"""Bring EmpatheticDialogues into one form: a JSONL file with one conversation a line.

    python tools/prepare_data.py --input empatheticdialogues/train.csv --output train.jsonl    # the official files
    python tools/prepare_data.py --hub facebook/empathetic_dialogues --split train --output train.jsonl
    python tools/prepare_data.py --input mine.jsonl --output train.jsonl --conversations 500 [--seed 0]

Reads JSONL, the official CSV, or the hub's parquet; prints what was read as JSON.
"""

import argparse
import json
import random
import sys
from collections import Counter
from pathlib import Path

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.corpus import Conversation, contexts_of, read_conversations, write_conversations
from hef_graph.errors import HefInputError

PARQUET_BRANCH = "refs/convert/parquet"
"""Where the hub keeps its own parquet copy of every data set."""


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--input", type=Path, help=".jsonl, .csv or .parquet")
    source.add_argument("--hub", metavar="DATASET", help="data set on the Hugging Face hub (needs a network)")
    parser.add_argument("--split", default="train", help="with --hub: train, validation or test")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--conversations", type=int, help="keep a random sample of so many")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    return parser.parse_args()


def download(dataset: str, split: str) -> Path:
    """The first parquet file of a split, from the hub's cache or the network.

    Raises:
        HefInputError: the extra is missing, or the hub does not answer or has no such file.
    """
    try:
        from huggingface_hub import hf_hub_download  # noqa: PLC0415  an extra, and slow to import
    except ImportError as error:
        raise HefInputError("--hub needs huggingface-hub: pip install 'hef-graph[train]'") from error
    try:
        name = f"default/{split}/0000.parquet"
        return Path(hf_hub_download(dataset, name, repo_type="dataset", revision=PARQUET_BRANCH))
    except Exception as error:  # the hub's client raises many kinds
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise HefInputError(f"cannot download {dataset}, split {split}: {reason}") from error


def sample(conversations: list[Conversation], count: int | None, seed: int) -> list[Conversation]:
    """A random sample in the original order; all of them without a count."""
    if count is None or count >= len(conversations):
        return conversations
    chosen = random.Random(seed).sample(range(len(conversations)), count)  # noqa: S311  sampling, not cryptography
    return [conversations[index] for index in sorted(chosen)]


def main() -> int:
    """Read, write, report."""
    arguments = read_arguments()
    path = arguments.input or download(arguments.hub, arguments.split)
    conversations = sample(read_conversations(path), arguments.conversations, arguments.seed)
    write_conversations(conversations, arguments.output)
    emotions = Counter(conversation.emotion for conversation in conversations)
    counts = {"conversations": len(conversations), "contexts": len(contexts_of(conversations)), "emotions": emotions}
    print(json.dumps(counts, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(end_in_one_line("prepare_data", main))
