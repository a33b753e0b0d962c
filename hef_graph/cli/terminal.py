"""What the commands share: exit codes, and where a message comes from."""

import sys
from collections.abc import Callable
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
    text = (sys.stdin.read() if given is None else given).strip()
    if not text:
        raise HefInputError("the message is empty; write what you want to say")
    return text


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
