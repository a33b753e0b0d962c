"""Files that somebody else made, as text or plain JSON up to a limit: nothing in them can run, hang or fill memory."""

import json
from pathlib import Path
from typing import Any, Final

from hef_graph.errors import HefCheckpointError

MEGABYTE: Final = 2**20


def check_size(path: Path, *, most: int) -> None:
    """Nothing, if the path is a file of up to so many bytes, or a link to one.

    Raises:
        HefCheckpointError: there is none, it is no plain file (a pipe, a device), or it is larger.
    """
    if not path.is_file():
        raise HefCheckpointError(f"no such file: {path}")
    if (size := path.stat().st_size) > most:
        raise HefCheckpointError(f"{path} has {size} bytes; allowed are {most}, so it is not what it should be")


def read_text(path: Path, *, most: int) -> str:
    """The text of a file.

    Raises:
        HefCheckpointError: as in `check_size`, or it cannot be read or is not UTF-8.
    """
    check_size(path, most=most)
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise HefCheckpointError(f"{path} cannot be read: {error}") from error
    except UnicodeDecodeError as error:
        raise HefCheckpointError(f"{path} is not text in UTF-8: {error}") from error


def read_object(path: Path, *, most: int) -> dict[str, Any]:
    """The JSON object that a file holds.

    Raises:
        HefCheckpointError: as in `read_text`, or the text is something else, or nested too deeply.
    """
    text = read_text(path, most=most)
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:  # also for a whole number of thousands of digits
        raise HefCheckpointError(f"{path} is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise HefCheckpointError(f"{path} must hold a JSON object")
    return values
