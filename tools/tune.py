"""Find how much of a small empathetic model's (SEM's) evidence helps a large language model (LLM), "off" included.

    python tools/tune.py --model openai:gpt-4.1-mini --data valid.jsonl --n 300 --max-cost 5 --output profile.toml
    python tools/tune.py --model openai:gpt-4.1-mini --data valid.jsonl --k1 0 --k2 3 10 --wording list doubt

Asks all profiles a few cases, the better half twice as many, and so on; compares the finalists with "off" on cases that
the search did not see, and writes the profile that is better beyond noise, else "off", for
`create_hef_graph(profile="profile.toml")`. Use conversations that the SEM was not trained on. Profiles are compared by
the emotion alone; what evidence does to the responses is for a judge (`tools/evaluate.py --judge`).
Answers are kept under `--cache`: a run that was stopped goes on where it was. JSON goes to the output and beside the
profile, tables to the error output.
"""

import argparse
import asyncio
import datetime as dt
import json
import sys
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.text import Text

from hef_graph.chat.models import build_model
from hef_graph.cli.terminal import end_in_one_line
from hef_graph.corpus import contexts_of, read_conversations
from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.cases import cases_of
from hef_graph.evaluation.study.command import CACHE
from hef_graph.evaluation.study.prices import load_prices
from hef_graph.evaluation.study.runner import RunOptions
from hef_graph.evaluation.study.selection import Grid
from hef_graph.evaluation.study.tuning import COUNT, TuneRequest, Tuning, tune
from hef_graph.evaluation.study.tuning_report import profile_notes, tabulate_tuning, tell_end, tuning_json
from hef_graph.instruction import Wording
from hef_graph.profiles import check_profile_path, write_profile
from hef_graph.sem import load_sem

WIDTH = 120
"""Of the tables where they are not printed to a terminal, in characters."""


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, metavar="PROVIDER:NAME", help="the LLM")
    parser.add_argument("--data", type=Path, required=True, help="conversations: .jsonl, .csv or .parquet")
    parser.add_argument("--n", type=int, default=COUNT, help="cases, drawn by the seed (%(default)s)")
    parser.add_argument("--sem", help="a folder, hub id, http address, .jsonl of predictions, or lexicon")
    parser.add_argument("--device", help="of the SEM; default: a GPU where there is one")
    parser.add_argument("--output", type=Path, default=Path("profile.toml"), help="the profile (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    grid, plain = parser.add_argument_group("what is tried"), Grid()
    grid.add_argument("--k1", type=int, nargs="+", default=plain.k1, help="cause words; 0 for none")
    grid.add_argument(
        "--k2", type=count_or_adaptive, nargs="+", default=plain.k2, help="emotions, or adaptive; 0: none"
    )
    grid.add_argument("--wording", nargs="+", choices=get_args(Wording), default=plain.wordings)
    run = parser.add_argument_group("how it runs")
    run.add_argument("--cache", type=Path, default=CACHE, metavar="DIR", help="answers are kept here (%(default)s)")
    run.add_argument("--concurrency", type=int, default=8, metavar="N", help="calls at a time (%(default)s)")
    run.add_argument("--max-cost", type=float, metavar="DOLLARS", help="stop before more is spent")
    run.add_argument("--prices", type=Path, metavar="FILE", help="prices of your own, as TOML")
    return parser.parse_args()


def count_or_adaptive(text: str) -> int | str:
    """A number of emotions as it is written."""
    return text if text == "adaptive" else int(text)


def main() -> int:
    """Tune, print, write."""
    arguments = read_arguments()
    check_profile_path(arguments.output)
    request = read_request(arguments)
    cases = cases_of(contexts_of(read_conversations(arguments.data)))
    model, sem = build_model(arguments.model), load_sem(arguments.sem, device=arguments.device)
    tuning = asyncio.run(tune(model, sem, cases, request))
    console = Console(stderr=True, width=None if sys.stderr.isatty() else WIDTH)
    console.print(*tabulate_tuning(tuning), Text(tell_end(tuning)), sep="\n")
    write(tuning, arguments.output)
    return 0


def read_request(arguments: argparse.Namespace) -> TuneRequest:
    """What is asked for, checked."""
    if arguments.n < 1:
        raise HefInputError(f"--n is {arguments.n}; allowed are whole numbers from 1 on")
    prices = load_prices(arguments.prices)
    run = RunOptions(arguments.cache, arguments.concurrency, arguments.max_cost, prices=prices)
    grid = Grid(tuple(arguments.k1), tuple(arguments.k2), tuple(arguments.wording))
    return TuneRequest(arguments.model, arguments.data.stem, run, arguments.n, arguments.seed, grid)


def write(tuning: Tuning, path: Path) -> None:
    """The profile, and all figures as JSON to the output and beside it."""
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    write_profile(tuning.profile, path, notes=profile_notes(tuning, date=today))
    text = json.dumps(tuning_json(tuning), indent=1, ensure_ascii=False)
    path.with_suffix(".json").write_text(text + "\n", "utf-8")
    if not sys.stdout.isatty():  # people have the tables
        print(text)


if __name__ == "__main__":
    sys.exit(end_in_one_line("tune", main))
