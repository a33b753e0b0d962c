"""Runs a call in a process of its own, which may take neither long nor much memory, and may reach no network."""

import multiprocessing
import os
import resource
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

LONGEST = 60.0
"""Seconds on the clock, for a busy machine; what counts is the time on the processor."""

PRELOADED = (
    "__main__",
    "hef_graph.sem.inference",
    "hef_graph.crisis.classifier",
    "transformers.models.bert.modeling_bert",
)

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(list(PRELOADED))


@dataclass(frozen=True)
class Outcome:
    """How a call ended."""

    error: str
    """The class of what it raised, "hang" or "death"; "" for none."""
    text: str
    """What it said or returned."""
    seconds: float
    """On the processor."""
    megabytes: float
    """By which its greatest memory grew."""


def confine(call: Callable[..., object], *arguments: object, megabytes: int = 1024) -> Outcome:
    """Call a function of a module with values that can be pickled."""
    ours, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_run, args=(theirs, megabytes, call, arguments))
    process.start()
    theirs.close()
    try:
        if not ours.poll(LONGEST):
            return Outcome("hang", "", LONGEST, 0.0)
        outcome: Outcome = ours.recv()
    except EOFError:
        return Outcome("death", "", 0.0, 0.0)
    else:
        return outcome
    finally:
        process.kill()
        process.join()


def _run(connection: Connection, megabytes: int, call: Callable[..., object], arguments: tuple[object, ...]) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libraries print their troubles
    _limit_memory(megabytes)
    socket.socket.connect = _refuse  # type: ignore[method-assign]  # nothing here asks anybody
    begin, before = time.process_time(), _peak()
    try:
        error, text = "", str(call(*arguments))
    except BaseException as raised:  # noqa: BLE001  a test asks what it was
        error, text = type(raised).__name__, str(raised)
    connection.send(Outcome(error, text, time.process_time() - begin, _peak() - before))


def _limit_memory(megabytes: int) -> None:
    """So much more than the process has now; only Linux says how much that is."""
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + megabytes * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def _refuse(*_: object) -> NoReturn:
    raise PermissionError("a network was asked for")


def read_sem(folder: Path) -> object:
    """Load a SEM and have it read, as an application does; to be confined."""
    from hef_graph.sem import load_sem  # noqa: PLC0415  imported in the confined process

    return load_sem(folder, device="cpu").analyze([["my dog died 🐕"]])


def assert_harmless(outcome: Outcome, marker: Path) -> None:
    """Nothing ran, nothing hung, little memory was taken, and an error is one of those that are promised."""
    assert not marker.exists()
    assert outcome.error in {"", "HefCheckpointError", "HefInputError"}, outcome
    assert outcome.seconds < 5, outcome
    assert outcome.megabytes < 400, outcome
