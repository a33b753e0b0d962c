"""Finish a trained SEM: fit its temperature, and count the words of the training contexts.

    python tools/calibrate.py --data train.jsonl --sem runs/sem --lexicon runs/sem/lexicon.tsv

Writes the temperature into the checkpoint's `config.json` (fitted on the conversations that training set aside) and the
word table: contexts that hold the word, its emotion intensity, contexts in which it is among the SEM's heaviest words.
"""

import argparse
import json
import sys
from pathlib import Path

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.corpus import contexts_of, read_conversations
from hef_graph.evaluation.word_statistics import count_words
from hef_graph.lexicon import write_lexicon
from hef_graph.sem import load_sem
from hef_graph.sem.calibration import calibrate_checkpoint


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the conversations that the SEM was trained on")
    parser.add_argument("--sem", type=Path, required=True, help="checkpoint folder; its config.json is rewritten")
    parser.add_argument("--lexicon", type=Path, required=True, help="where the word table goes")
    parser.add_argument("--k1", type=int, default=3, help="heaviest words counted per context")
    return parser.parse_args()


def main() -> int:
    """Calibrate, count, print."""
    arguments = read_arguments()
    temperature = calibrate_checkpoint(arguments.sem, arguments.data)
    contexts = contexts_of(read_conversations(arguments.data))
    lexicon = count_words(load_sem(arguments.sem), contexts, k1=arguments.k1)
    write_lexicon(lexicon, arguments.lexicon)
    averages = lexicon.averages._asdict()
    print(json.dumps({"temperature": temperature, "words": len(lexicon.entries), "averages": averages}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(end_in_one_line("calibrate", main))
