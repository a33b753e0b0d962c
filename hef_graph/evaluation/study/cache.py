"""Answers kept on disk as they arrive: what was answered once is never asked, nor paid, again.

One JSONL file a system key; a line is appended whole and at once. A line that was being written when the process died
is passed over, and the next one starts on a line of its own.
"""

import asyncio
import contextlib
import hashlib
import json
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cases import Case

try:
    import fcntl
except ImportError:  # Windows: one run at a time is then up to the user
    fcntl = None  # type: ignore[assignment]  # mypy knows the module of the platform it runs on

LOOK_AGAIN: Final = 0.2
"""Seconds between two looks whether another run is done."""


class AnswerCache:
    """The answers of one system."""

    def __init__(self, folder: Path, key: str) -> None:
        """Make the folder.

        Raises:
            HefInputError: it cannot be made.
        """
        self.path = folder / f"{key}.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HefInputError(f"the cache folder {str(folder)!r} cannot be made: {error.strerror}") from error

    def read(self, cases: Sequence[Case]) -> dict[str, Answer]:
        """The answers to these cases, by case id; those to other turns under the same id do not count."""
        asked = {case.case_id: turns_hash(case) for case in cases}
        return {
            answer.case_id: answer
            for entry in self._entries()
            if entry.get("turns") == asked.get(entry.get("case_id", ""), "")
            for answer in _answers_in(entry)
        }

    def add(self, case: Case, answer: Answer) -> None:
        """Keep an answer."""
        self.add_all([(case, answer)])

    def add_all(self, answered: Iterable[tuple[Case, Answer]]) -> None:
        """Keep answers; back when they are on the disk."""
        entries = (
            {"case_id": case.case_id, "turns": turns_hash(case), "answer": answer.to_json()}
            for case, answer in answered
        )
        lines = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
        with self.path.open("ab", buffering=0) as file:
            torn = "\n" if self._is_torn() else ""
            file.write((torn + lines).encode("utf-8", "replace"))
            os.fsync(file.fileno())

    @contextlib.asynccontextmanager
    async def alone(self, on_wait: Callable[[], None]) -> AsyncIterator[None]:
        """Hold the system for one run: another one waits, then finds these answers instead of paying for its own.

        The hold ends with the process, however that ends. `on_wait` is called once if there is somebody to wait for.
        """
        with self.path.with_suffix(".lock").open("a") as file:
            if not _take(file):
                on_wait()
                while not _take(file):  # noqa: ASYNC110  the other run is another process, and tells nobody
                    await asyncio.sleep(LOOK_AGAIN)
            yield

    def _entries(self) -> Iterator[dict[str, Any]]:
        if not self.path.is_file():
            return
        for line in self.path.read_bytes().splitlines():
            with contextlib.suppress(ValueError):  # a torn line
                entry = json.loads(line)
                if isinstance(entry, dict):
                    yield entry

    def _is_torn(self) -> bool:
        """Whether the file ends inside a line."""
        with self.path.open("rb") as file:
            if not file.seek(0, os.SEEK_END):
                return False
            file.seek(-1, os.SEEK_END)
            return file.read() != b"\n"


def turns_hash(case: Case) -> str:
    """Tells apart what was asked under one id."""
    text = json.dumps(case.turns)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _answers_in(entry: dict[str, Any]) -> list[Answer]:
    """The entry's answer; none if it cannot be read."""
    try:
        return [Answer.from_json(entry["answer"])]
    except (HefInputError, KeyError, AttributeError, TypeError):
        return []


def _take(file: Any) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
