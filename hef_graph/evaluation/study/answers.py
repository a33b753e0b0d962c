"""What a system answered to a case, as it is kept on disk: one JSON object a line."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from hef_graph.errors import HefInputError


@dataclass(frozen=True, slots=True)
class Answer:
    """One system's answer to one case."""

    case_id: str
    emotion: str | None
    """The label, as the set of labels writes it; None if no valid one came."""
    written_emotion: str = ""
    """What stood in the emotion's place before any repair: the substring measure looks here."""
    response: str = ""
    """Empty for a system that only reads."""
    ranked: tuple[str, ...] = ()
    """All labels, most probable first; empty for a system that names one."""
    probability: float | None = None
    """Of the first of `ranked`; None for a system that gives none."""
    degraded_reason: str | None = None
    """As in the graph's output; None for an answer that came as it should."""
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; other keys are passed over.

        Raises:
            HefInputError: the keys `case_id` or `emotion` are missing.
        """
        known = {field.name for field in fields(cls)}
        try:
            return cls(**{**{k: v for k, v in values.items() if k in known}, "ranked": tuple(values.get("ranked", ()))})
        except TypeError as error:
            raise HefInputError(f"not an answer ({error}); expected an object with case_id and emotion") from error


def write_answers(answers: Iterable[Answer], path: Path) -> None:
    """Write answers as JSONL."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(answer.to_json(), ensure_ascii=False) + "\n" for answer in answers)
    path.write_text("".join(lines), "utf-8")


def read_answers(path: Path) -> list[Answer]:
    """The answers of a JSONL file; of two to one case the later counts.

    Raises:
        HefInputError: no such file, or a line that cannot be read.
    """
    return list({answer.case_id: answer for answer in _read_lines(path)}.values())


def _read_lines(path: Path) -> Iterator[Answer]:
    if not path.is_file():
        raise HefInputError(f"no such file: {path}")
    for number, line in enumerate(path.read_text("utf-8").split("\n"), start=1):
        if line.strip():
            try:
                yield Answer.from_json(json.loads(line))
            except (ValueError, AttributeError) as error:
                raise HefInputError(f"{path}, line {number}: {error}") from error
