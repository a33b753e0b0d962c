"""What the commands share: exit codes, and where a message comes from."""

import sys
from collections.abc import Callable, Iterator
from typing import Final

from hef_graph.errors import HefError, HefInputError

BAD_INPUT: Final = 2
INTERRUPTED: Final = 130


def read_text(given: str | None) -> str:
    """The message from the arguments, else from standard input if that is not a terminal.

    Raises:
        HefInputError: there is none, or it is empty.
    """
    if given is None and sys.stdin.isatty():
        raise HefInputError('no message; write it behind the command, as in: hef reply "I lost my job today."')
    text = "".join(read_lines()) if given is None else printable_text(given)
    if not text.strip():
        raise HefInputError("the message is empty; write what you want to say")
    return text.strip()


def read_lines() -> Iterator[str]:
    """The lines of standard input.

    Raises:
        HefInputError: they are not UTF-8.
    """
    try:
        yield from map(printable_text, sys.stdin)
    except UnicodeDecodeError as error:
        raise HefInputError(f"standard input is not UTF-8 text: {error.reason} at byte {error.start}") from error


def printable_text(text: str) -> str:
    """What was typed, of the same length, without what terminals obey or cannot print."""
    from hef_graph.messages import replace_unsafe  # noqa: PLC0415  slow to import, as for all that comes after it

    return replace_unsafe(text)


def end_in_one_line(name: str, run: Callable[[], int]) -> int:
    """Run a command; what a person can mend is said in one line on standard error, with code 2."""
    try:
        return run()
    except HefError as error:
        print(f"{name}: {' '.join(str(error).split())}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print(f"\n{name}: interrupted", file=sys.stderr)
        return INTERRUPTED
