"""The shipped small empathetic model (SEM) in a process of its own, loaded while this one imports the rest.

A command's start is mostly imports: torch and LangChain take about as long as each other, and a process imports one
thing at a time. Questions and answers are lines of JSON. Where there is no such process, or no longer, the SEM is
loaded here: nothing fails that would not have failed without it.
"""

import atexit
import gc
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import count as count_from
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from hef_graph.errors import HefInputError, HefModelError
from hef_graph.sem import load_sem
from hef_graph.sem.plugins.exchange import (
    analysis_from_json,
    analysis_to_json,
    dialogue_from_json,
    dialogue_to_json,
    read_json,
    write_json,
)
from hef_graph.types import Dialogue, EmotionAnalysis, ReplyCandidate, turns_from_dialogue, turns_from_dialogues

if TYPE_CHECKING:
    from hef_graph.sem import TransformerSem

_log = logging.getLogger(__name__)

COMMAND: Final = (sys.executable, "-P", "-m", "hef_graph.sem.plugins.beside")
"""`-P`: the folder that somebody happens to be in is not searched for modules."""


class SemBeside:
    """The shipped SEM beside this process, for any number of threads; it satisfies the same protocols.

    Args:
        command: starts the process; None for `COMMAND`.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._process = _start(command or COMMAND)
        self._asking = threading.Lock()
        self._numbers = count_from()

    @property
    def name(self) -> str:
        """The shipped SEM's name."""
        return self._description[0]

    @property
    def labels(self) -> tuple[str, ...]:
        """The shipped SEM's labels."""
        return self._description[1]

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        """As the shipped SEM's.

        Raises:
            HefInputError: as there.
            HefModelError: the SEM failed.
        """
        turns = turns_from_dialogues(dialogues)
        said = self._ask("analyze", dialogues=[dialogue_to_json(each) for each in turns])
        if said is None:
            return self._here.analyze(turns)
        pairs = zip(said, turns, strict=True)
        return [analysis_from_json(value, [turn.text for turn in each]) for value, each in pairs]

    def propose_replies(self, dialogue: Dialogue, emotion: str, *, count: int = 24) -> list[ReplyCandidate]:
        """As the shipped SEM's.

        Raises:
            HefInputError, HefModelError: as in `analyze`.
        """
        turns = turns_from_dialogue(dialogue)
        said = self._ask("propose", dialogue=dialogue_to_json(turns), emotion=emotion, count=count)
        if said is None:
            return self._here.propose_replies(turns, emotion, count=count)
        return [ReplyCandidate(*fields) for fields in said]

    def close(self) -> None:
        """End the process; who asks later is answered here."""
        if self._process:
            self._process.kill()
            self._process.wait()

    @cached_property
    def _description(self) -> tuple[str, tuple[str, ...]]:
        said = self._ask("describe")
        if said is None:
            return self._here.name, self._here.labels
        return said[0], tuple(said[1])

    @cached_property
    def _here(self) -> "TransformerSem":
        sem = load_sem()  # what it complains of is said alone
        _log.warning("the small empathetic model has lost its process, or never had one; it reads here from now on")
        return sem

    def _ask(self, task: str, **given: Any) -> Any:
        """What the SEM says; None if the process is not there."""
        with self._asking:
            number = next(self._numbers)
            answer = self._exchange(number, write_json({"number": number, "task": task, "given": given}))
        if answer is None:
            return None
        if "refused" in answer:
            raise HefInputError(answer["refused"])
        if "failed" in answer:
            raise HefModelError(f"the small empathetic model failed with {answer['failed']}")
        return answer["said"]

    def _exchange(self, number: int, question: bytes) -> Any:
        """The answer of that number: the one before may still be there, if whoever asked was interrupted."""
        if self._process is None or self._process.stdin is None or self._process.stdout is None:
            return None
        try:
            self._process.stdin.write(question + b"\n")
            self._process.stdin.flush()
            while (line := self._process.stdout.readline()).endswith(b"\n"):
                answer = read_json(line)
                if answer["number"] == number:
                    return answer
        except OSError:
            return None
        return None


def _start(command: Sequence[str]) -> "subprocess.Popen[bytes] | None":
    """The process, in a session of its own, since Ctrl-C is for this one; None if there can be none.

    What it complains of is not shown: a SEM that cannot be loaded there is loaded here, and complains again.
    """
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    try:
        process = subprocess.Popen(  # noqa: S603  Python itself, with a module of ours
            command, stdin=pipe, stdout=pipe, stderr=nowhere, start_new_session=True
        )
    except OSError:
        return None
    atexit.register(process.kill)
    return process


def serve_lines(given: BinaryIO, out: BinaryIO) -> None:
    """Load the SEM and answer until nobody asks any more."""
    gc.disable()  # what is imported and loaded stays
    sem = load_sem()
    gc.freeze()
    gc.enable()

    def describe() -> Any:
        return sem.name, sem.labels

    def analyze(dialogues: Sequence[Any]) -> Any:
        return [analysis_to_json(each) for each in sem.analyze([dialogue_from_json(each) for each in dialogues])]

    def propose(dialogue: Any, emotion: str, count: int) -> Any:
        replies = sem.propose_replies(dialogue_from_json(dialogue), emotion, count=count)
        return [(each.text, each.log_probability, each.specificity) for each in replies]

    tasks: dict[str, Callable[..., Any]] = {each.__name__: each for each in (describe, analyze, propose)}
    for line in given:
        question = read_json(line)
        answer = _answer(tasks[question["task"]], question["given"])
        out.write(write_json({"number": question["number"], **answer}) + b"\n")
        out.flush()


def _answer(task: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"said": task(**given)}
    except HefInputError as error:
        return {"refused": str(error)}
    except Exception as error:  # noqa: BLE001  its text may repeat what was read: only its kind is told
        return {"failed": type(error).__name__}


if __name__ == "__main__":
    with os.fdopen(os.dup(1), "wb") as own:
        os.dup2(2, 1)  # whatever else is printed is no answer
        serve_lines(sys.stdin.buffer, own)
