"""Build the table of the lexicon SEM from labelled conversations.

    python tools/count_words.py --data train.jsonl --output hef_graph/sem/plugins/word_emotions.tsv

Counts the conversations that are kept for training, and fits the temperature on those set aside; prints what was
counted and how the table reads the conversations set aside, as JSON.
"""

import argparse
import json
import sys
from pathlib import Path

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.corpus import contexts_of, read_conversations, set_aside
from hef_graph.errors import HefInputError
from hef_graph.evaluation.sem_report import report_reading
from hef_graph.evaluation.word_emotions import calibrate_words, count_emotions
from hef_graph.sem.plugins.lexicon import LexiconSem, write_word_emotions


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="conversations: .jsonl, .csv or .parquet")
    parser.add_argument("--output", type=Path, required=True, help="where the table goes")
    parser.add_argument("--smoothing", type=float, default=30.0, help="strength of the prior, in contexts")
    parser.add_argument("--minimum", type=int, default=3, help="contexts that a word must occur in")
    return parser.parse_args()


def main() -> int:
    """Count, calibrate, write, report."""
    arguments = read_arguments()
    if arguments.smoothing <= 0:
        raise HefInputError(f"--smoothing is {arguments.smoothing}; allowed are numbers above 0")
    kept, aside = (contexts_of(part) for part in set_aside(read_conversations(arguments.data)))
    counted = count_emotions(kept, smoothing=arguments.smoothing, minimum=arguments.minimum)
    table = calibrate_words(counted, aside)
    write_word_emotions(table, arguments.output)
    report = {"words": len(table.words), "contexts": len(kept), "temperature": table.temperature}
    print(json.dumps({**report, "set_aside": report_reading(LexiconSem(table), aside).to_json()}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(end_in_one_line("count_words", main))
