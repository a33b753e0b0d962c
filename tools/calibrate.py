"""Finish a trained SEM: fit its temperature, and count the words of the training contexts.

    python tools/calibrate.py --data train.jsonl --held valid.jsonl --sem runs/sem --lexicon runs/sem/lexicon.tsv

Writes into the checkpoint's `config.json` the temperature and the thresholds of adaptive candidates, fitted on
the conversations of `--data` that training set aside and the first half of those of `--held`, the limits of the
domain, and the ranges that reading in 8 bits needs. Writes the word table: contexts that hold the word, its emotion
intensity, contexts in which it is among the SEM's heaviest words.
"""

import argparse
import json
import sys
from pathlib import Path

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.corpus import contexts_of, halves, read_conversations, set_aside
from hef_graph.evaluation.word_statistics import count_words
from hef_graph.lexicon import write_lexicon
from hef_graph.sem import load_sem
from hef_graph.sem.calibration import calibrate_checkpoint


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the conversations that the SEM was trained on")
    parser.add_argument("--held", type=Path, help="conversations of other people; half of them are used too")
    parser.add_argument("--sem", type=Path, required=True, help="checkpoint folder; its config.json is rewritten")
    parser.add_argument("--lexicon", type=Path, help="where the word table goes (default: none is counted)")
    parser.add_argument("--k1", type=int, default=3, help="heaviest words counted per context")
    return parser.parse_args()


def main() -> int:
    """Calibrate, count, print."""
    arguments = read_arguments()
    conversations = read_conversations(arguments.data)
    learned, aside = set_aside(conversations)
    others = halves(read_conversations(arguments.held))[0] if arguments.held else []
    config = calibrate_checkpoint(arguments.sem, [*aside, *others], learned)
    report: dict[str, object] = {"temperature": config.temperature, "rarity": config.rarity}
    if arguments.lexicon:
        lexicon = count_words(load_sem(arguments.sem), contexts_of(conversations), k1=arguments.k1)
        write_lexicon(lexicon, arguments.lexicon)
        report |= {"words": len(lexicon.entries), "averages": lexicon.averages._asdict()}
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(end_in_one_line("calibrate", main))
