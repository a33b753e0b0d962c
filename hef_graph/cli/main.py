"""Arguments in, exit code out: 0 done, 2 bad input (one line says what), 130 interrupted."""

import argparse
import gc
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from dotenv import load_dotenv
from typing_extensions import override

from hef_graph import __version__
from hef_graph.candidates import K2, check_k2
from hef_graph.cli.garbage import made_to_stay
from hef_graph.cli.terminal import end_in_one_line
from hef_graph.errors import HefInputError
from hef_graph.types import SmallEmpatheticModel

TALKS: Final = frozenset({"chat", "reply"})

_FLAG: Final = re.compile(r"--?[a-z][a-z0-9-]{,20}")


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    @override
    def error(self, message: str) -> NoReturn:
        raise HefInputError(f"{message} (see {self.prog} --help)")

    @override
    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """The base class repeats the value: a message that somebody forgot to name a command for."""
        if action.choices is not None and value not in action.choices:
            raise argparse.ArgumentError(action, f"no such command; give one of {', '.join(action.choices)}")

    def parse_all(self, arguments: Sequence[str] | None) -> argparse.Namespace:
        """`parse_args`, which repeats what it does not know: the words of a message without its quotes."""
        parsed, unknown = self.parse_known_args(arguments)
        flags = [flag for flag in unknown if _FLAG.fullmatch(flag)]
        if flags:
            self.error(f"unrecognized arguments: {' '.join(flags)}")
        if unknown:
            self.error(f"{len(unknown)} words too many; put a message in quotes")
        return parsed


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; without `argv`, the one that this process was started for."""
    load_dotenv(Path.cwd() / ".env")
    try:
        return end_in_one_line("hef", lambda: _run(build_parser().parse_all(argv), alone=argv is None))
    except BrokenPipeError:  # the reader of a pipe has gone, as in `hef analyze … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    finally:
        if argv is not None:  # the process goes on
            gc.unfreeze()


def build_parser() -> Parser:
    """All commands and flags."""
    parser = Parser(
        prog="hef", description="Read the emotion and its cause words in a dialogue, and answer with empathy."
    )
    parser.add_argument("--version", action="version", version=f"hef_graph {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="chat|reply|analyze|serve-sem")
    chat = commands.add_parser("chat", help="talk; the conversation is kept on this machine")
    _add_shared(chat, speaks=True)
    chat.add_argument("--thread", default="default", metavar="NAME", help="which conversation (default: %(default)s)")
    chat.add_argument("--forget", metavar="NAME", help="delete a conversation and end")
    reply = commands.add_parser("reply", help="answer one message")
    _add_shared(reply, speaks=True)
    reply.add_argument("text", nargs="?", help="the message (default: standard input)")
    reply.add_argument("--json", action="store_true", help="print the whole result as JSON")
    analyze = commands.add_parser("analyze", help="read emotions and cause words")
    _add_shared(analyze, speaks=False)
    analyze.add_argument("text", nargs="?", help="the message (default: standard input)")
    analyze.add_argument("--input", type=Path, metavar="FILE", help="dialogues, one JSON value a line")
    analyze.add_argument("--output", type=Path, metavar="FILE", help="where the results go (default: standard output)")
    analyze.add_argument("--json", action="store_true", help="print the analysis as JSON")
    _add_serve(commands.add_parser("serve-sem", help="answer other programs that want emotions and cause words"))
    return parser


def _add_serve(parser: argparse.ArgumentParser) -> None:
    _add_sem(parser)
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="where to listen (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8765, metavar="N", help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--device", help="cpu, cuda, cuda:1 … (default: a GPU where there is one)")
    parser.add_argument(
        "--max-batch", type=int, default=64, metavar="N", help="dialogues read in one go (default: %(default)s)"
    )


def _add_sem(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", action="version", version=f"hef_graph {__version__}")
    parser.add_argument(
        "--sem",
        metavar="SEM",
        help="shipped (default), a folder, hub id, http address, .jsonl of predictions, or lexicon",
    )
    parser.set_defaults(reader=None)


def _add_shared(parser: argparse.ArgumentParser, *, speaks: bool) -> None:
    _add_sem(parser)
    parser.add_argument("--k2", type=_k2, default=10, metavar="N", help="emotions to put first: a number, or adaptive")
    if speaks:
        model = os.environ.get("HEF_MODEL") or None
        parser.add_argument(
            "--model", default=model, metavar="PROVIDER:NAME", help="chat model, as openai:gpt-4.1-mini"
        )
        parser.add_argument("--locale", type=_locale, metavar="CC", help="your country, as a two-letter code")


def _run(arguments: argparse.Namespace, *, alone: bool) -> int:
    """`alone`: this process is there for the command."""
    with made_to_stay():
        if alone:
            arguments.reader = _start_reader(arguments)
        run = _find_command(arguments.command)
    return run(arguments)


def _start_reader(arguments: argparse.Namespace) -> SmallEmpatheticModel | None:
    """The shipped SEM, loaded beside what a talk takes to import; None where it is not asked for."""
    talks = arguments.command in TALKS and getattr(arguments, "forget", None) is None
    if not talks or arguments.sem not in {None, "shipped"}:
        return None
    from hef_graph.sem.plugins.beside import SemBeside  # noqa: PLC0415  only a talk needs it

    return SemBeside()


def _find_command(name: str) -> Callable[[argparse.Namespace], int]:
    """Imported here: `--help`, `--version` and bad flags must not wait for torch and LangGraph."""
    if name == "analyze":
        from hef_graph.cli.analyze import run_analyze  # noqa: PLC0415  slow to import

        return run_analyze
    if name == "serve-sem":
        from hef_graph.cli.serve import run_serve  # noqa: PLC0415  slow to import

        return run_serve
    from hef_graph.cli.chat import run_chat, run_reply  # noqa: PLC0415  slow to import

    return run_chat if name == "chat" else run_reply


def _k2(text: str) -> K2:
    k2: K2 = "adaptive" if text == "adaptive" else int(text) if text.lstrip("-").isdigit() else text  # type: ignore[assignment]  # checked next
    try:
        check_k2(k2)
    except HefInputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return k2


def _locale(text: str) -> str:
    if not (len(text) == 2 and text.isascii() and text.isalpha()):  # noqa: PLR2004  ISO 3166-1 alpha-2
        raise argparse.ArgumentTypeError(f"{text!r} is not a two-letter country code such as US or DE")
    return text.upper()
