"""How much of the evidence a given large language model (LLM) is shown: presets as published, or a TOML file.

What helps one model costs another: a profile is chosen by measurement on the model in use.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from hef_graph.errors import HefInputError
from hef_graph.turn import ReadingOptions

PRESETS: Final[Mapping[str, ReadingOptions]] = {
    "chatgpt": ReadingOptions(k1=1, k2=20),
    "llama2-7b": ReadingOptions(k1=1, k2=10, cause_perception=False),
    "llama2-13b": ReadingOptions(k1=1, k2=3, cause_perception=False),
    "chatglm3-6b": ReadingOptions(k1=1, k2=3, cause_perception=False),
    "mistral-7b": ReadingOptions(k1=1, k2=3, cause_perception=False),
}
"""The paper's five LLMs (Yang et al. 2024, Section 3.7 and Table 2): only ChatGPT was given cause words."""


def load_profile(source: str | Path) -> ReadingOptions:
    """The preset of that name, or the profile in a `.toml` file with the keys of `ReadingOptions`.

    Raises:
        HefInputError: no such preset, or a file that cannot be read, with unknown keys or values that are not allowed.
    """
    if str(source) in PRESETS:
        return PRESETS[str(source)]
    if not str(source).endswith(".toml"):
        raise HefInputError(
            f"the profile {str(source)!r} is not known; give a .toml file or one of {', '.join(PRESETS)}"
        )
    return _read(Path(source).expanduser())


def write_profile(reading: ReadingOptions, path: str | Path, *, notes: Sequence[str] = ()) -> None:
    """Write a profile as a file for `load_profile`, every key with its value, `notes` above them as comments.

    Raises:
        HefInputError: the name does not end in .toml, or the file cannot be written.
    """
    check_profile_path(path)
    lines = [f"# {_printable(line)}".rstrip() for note in notes for line in note.splitlines()]
    lines += [f"{key} = {json.dumps(value)}" for key, value in asdict(reading).items()]  # these values are TOML's too
    try:
        Path(path).expanduser().write_text("\n".join(lines) + "\n", "utf-8")
    except OSError as error:
        raise HefInputError(f"the profile {str(path)!r} cannot be written: {error.strerror}") from error


def _printable(text: str) -> str:
    """Without what TOML does not allow in comments."""
    return "".join(letter for letter in text if letter.isprintable())


def check_profile_path(path: str | Path) -> None:
    """Raise `HefInputError` for a place where `write_profile` cannot write: better before the measuring than after."""
    if not str(path).endswith(".toml"):
        raise HefInputError(f"the profile {str(path)!r} has another ending; give a name in .toml")
    if not Path(path).expanduser().absolute().parent.is_dir():
        raise HefInputError(f"the profile {str(path)!r} cannot be written: no such folder")


def _read(path: Path) -> ReadingOptions:
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise HefInputError(f"the profile {str(path)!r} cannot be read: {error.strerror}") from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise HefInputError(f"the profile {str(path)!r} is not TOML: {error}") from error
    known = [field.name for field in fields(ReadingOptions)]
    if unknown := sorted(set(values) - set(known)):
        raise HefInputError(
            f"the profile {str(path)!r} has the unknown key {unknown[0]!r}; known are {', '.join(known)}"
        )
    return ReadingOptions(**values)
