"""What a person asks of a study on the command line, as one value."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, get_args

from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.prices import load_prices
from hef_graph.evaluation.study.published import SCORED, PublishedFile
from hef_graph.evaluation.study.report import check_report_name
from hef_graph.evaluation.study.runner import RunOptions
from hef_graph.evaluation.study.studies import TABLES, Entrants, arms_of
from hef_graph.instruction import Wording
from hef_graph.profiles import load_profile
from hef_graph.turn import ReadingOptions

CACHE: Final = Path("runs/answers")
"""Where answers are kept unless said otherwise: a run that was stopped goes on from there."""

ANSWERS_HELP: Final = (
    "a row from a .jsonl file of answers or predictions, or, as NAME=SYSTEM:FILE, from what a published system "
    f"printed ({', '.join(SCORED)}); its greedy responses, or SYSTEM/beam:FILE, SYSTEM/topk:FILE"
)


@dataclass(frozen=True, slots=True)
class StudyRequest:
    """Which tables, of which systems, at what cost."""

    data: str
    """What the cases are called, such as `valid`."""
    tables: tuple[int, ...]
    figure: bool
    run: RunOptions
    models: tuple[str, ...] = ()
    reading: ReadingOptions = field(default_factory=ReadingOptions)
    judge: str | None = None
    sample: int | None = None
    seed: int = 0
    answers: Mapping[str, Path] = field(default_factory=dict)
    """Files of answers or of predictions, by the name of their row."""
    published: Mapping[str, PublishedFile] = field(default_factory=dict)
    """What published systems printed, by the name of their row."""
    imported: Mapping[str, Path] = field(default_factory=dict)
    """Answers to exported prompts, by the name of the system that they stand for."""
    export: Path | None = None
    report: Path | None = None
    picture: Path | None = None
    """Where the figure is saved."""

    def entrants(self, sem: str) -> Entrants:
        """Who takes part; imported answers under a name that no system has are a file like any other."""
        known = Entrants(sem, self.models, self.reading)
        names = {arm.name for arm in arms_of(known, TABLES, figure=True)}
        others = (name for name in self.imported if name not in names)
        return replace(known, files=(*self.answers, *self.published, *others))


def add_study_arguments(parser: argparse.ArgumentParser) -> None:
    """The paper's tables and figure, and what goes into them."""
    group = parser.add_argument_group("the paper's tables and its figure")
    group.add_argument("--table", type=int, nargs="+", choices=TABLES, default=[], metavar="N", help="1 to 7")
    group.add_argument("--figure", type=int, choices=(3,), help="accuracy against the number of prioritised emotions")
    group.add_argument("--model", nargs="+", default=[], metavar="PROVIDER:NAME", help="LLMs: alone, and with HEF")
    group.add_argument("--k1", type=int, help="cause words that HEF shows")
    group.add_argument("--k2", type=_count_or_adaptive, help="emotions that HEF prioritises, or adaptive")
    group.add_argument("--wording", choices=get_args(Wording), help="how HEF puts its emotions")
    group.add_argument("--profile", help="HEF's settings: a .toml file, or one of the paper's models")
    group.add_argument("--judge", metavar="PROVIDER:NAME", help="compares responses for Tables 3 and 5")
    group.add_argument("--sample", type=_positive, metavar="N", help="so many contexts, drawn by the seed")
    group.add_argument("--answers", action="append", default=[], metavar="NAME=FILE", help=ANSWERS_HELP)
    group.add_argument("--export-prompts", type=Path, metavar="DIR", help="write the exact messages; ask nobody")
    group.add_argument("--import-answers", action="append", default=[], metavar="NAME=FILE", help="a system's answers")
    group.add_argument("--report", type=Path, metavar="FILE", help="the whole run as .html or .md")
    run = parser.add_argument_group("how a study runs")
    run.add_argument("--cache", type=Path, default=CACHE, metavar="DIR", help="answers are kept here (%(default)s)")
    run.add_argument("--concurrency", type=int, default=8, metavar="N", help="calls at a time (%(default)s)")
    run.add_argument("--max-cost", type=float, metavar="DOLLARS", help="stop before more is spent")
    run.add_argument("--prices", type=Path, metavar="FILE", help="prices of your own, as TOML")


def read_request(arguments: argparse.Namespace) -> StudyRequest | None:
    """The study that is asked for, checked; None if none is.

    Raises:
        HefInputError: values that are not allowed, or do not go together.
    """
    if not (arguments.table or arguments.figure or arguments.export_prompts):
        _refuse_without_table(arguments)
        return None
    if arguments.report:
        check_report_name(arguments.report)
    answers, published = _read_sources(arguments.answers)
    part = "" if arguments.part == "all" else f", part {arguments.part}"
    return StudyRequest(
        data=f"{arguments.data.stem}{part}",
        tables=tuple(dict.fromkeys(arguments.table or ([] if arguments.figure else [2]))),
        figure=bool(arguments.figure),
        run=_run_options(arguments),
        models=tuple(dict.fromkeys(arguments.model)),
        reading=_reading(arguments),
        judge=arguments.judge,
        sample=arguments.sample,
        seed=arguments.seed,
        answers=answers,
        published=published,
        imported=_named_files(arguments.import_answers),
        export=arguments.export_prompts,
        report=arguments.report,
        picture=_picture(arguments) if arguments.figure else None,
    )


def _picture(arguments: argparse.Namespace) -> Path:
    """Beside the report or the output."""
    beside: Path = arguments.report or arguments.output or CACHE.with_name("study")
    return beside.with_suffix(".figure-3.png")


def _refuse_without_table(arguments: argparse.Namespace) -> None:
    flags = ("model", "judge", "sample", "answers", "import_answers", "report", "profile", "k1", "k2", "wording")
    for flag in flags:
        if getattr(arguments, flag) not in (None, []):
            raise HefInputError(f"--{flag.replace('_', '-')} is for a study; add --table N or --figure 3")


def _run_options(arguments: argparse.Namespace) -> RunOptions:
    prices = load_prices(arguments.prices)
    return RunOptions(arguments.cache, arguments.concurrency, arguments.max_cost, prices=prices)


def _reading(arguments: argparse.Namespace) -> ReadingOptions:
    """The profile, with what is said one by one on top."""
    options = load_profile(arguments.profile) if arguments.profile else ReadingOptions()
    said = {name: getattr(arguments, name) for name in ("k1", "k2", "wording")}
    return replace(options, **{name: value for name, value in said.items() if value is not None})


def _read_sources(entries: Sequence[str]) -> tuple[dict[str, Path], dict[str, PublishedFile]]:
    """Files of ours, and what published systems printed."""
    texts = _named_texts(entries)
    published = {name: file for name, text in texts.items() if (file := PublishedFile.parse(text))}
    for file in published.values():
        _existing(str(file.path))
    ours = {name: _existing(text) for name, text in texts.items() if name not in published}
    for name, path in ours.items():
        if path.suffix == ".txt":
            systems = ", ".join(SCORED)
            raise HefInputError(f"say who printed {path}: --answers '{name}=SYSTEM:{path}', SYSTEM one of {systems}")
    return ours, published


def _named_files(entries: Sequence[str]) -> dict[str, Path]:
    return {name: _existing(text) for name, text in _named_texts(entries).items()}


def _named_texts(entries: Sequence[str]) -> dict[str, str]:
    named: dict[str, str] = {}
    for entry in entries:
        name, equals, text = entry.partition("=")
        if not (name and equals and text) or name in named:
            raise HefInputError(f"{entry!r} is not NAME=FILE with a name of its own")
        named[name] = text
    return named


def _existing(path: str) -> Path:
    if not Path(path).is_file():
        raise HefInputError(f"no such file: {path}")
    return Path(path)


def _count_or_adaptive(text: str) -> int | str:
    return text if text == "adaptive" else int(text)


def _positive(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1 on")
    return int(text)
