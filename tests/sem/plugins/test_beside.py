import os
import sys
from collections.abc import Iterator

import pytest

from hef_graph.errors import HefInputError, HefModelError
from hef_graph.sem import load_sem
from hef_graph.sem.plugins.beside import SemBeside
from hef_graph.types import ReplyGenerator, SmallEmpatheticModel

SAID = "My cat has not come home for three days. \ud800 Who cares?"
TALK = ["I lost my job today.", "Oh no!", "It was all my own fault."]


@pytest.fixture(scope="module")
def started() -> Iterator[SemBeside]:
    sem = SemBeside()
    yield sem
    sem.close()


@pytest.fixture
def beside(started: SemBeside, monkeypatch: pytest.MonkeyPatch) -> SemBeside:
    """Its process alone can answer: none is loaded here."""
    monkeypatch.setattr("hef_graph.sem.plugins.beside.load_sem", lambda: pytest.fail("loaded here"))
    return started


def test_it_reads_and_writes_as_the_shipped_sem(beside: SemBeside) -> None:
    sem = load_sem()
    assert isinstance(beside, SmallEmpatheticModel)
    assert isinstance(beside, ReplyGenerator)
    assert (beside.name, beside.labels) == (sem.name, sem.labels)
    assert beside.analyze([[SAID], TALK]) == sem.analyze([[SAID], TALK])
    assert beside.propose_replies(TALK, "guilty", count=6) == sem.propose_replies(TALK, "guilty", count=6)


def test_what_the_sem_refuses_is_refused_in_its_words(beside: SemBeside) -> None:
    with pytest.raises(HefInputError, match="does not know the emotion 'hungry'"):
        beside.propose_replies(TALK, "hungry")
    with pytest.raises(HefInputError, match=r"write \[\[text\]\]"):
        beside.analyze("sad")


def test_an_interrupt_is_not_for_its_process(beside: SemBeside) -> None:
    assert beside._process is not None
    assert os.getsid(beside._process.pid) != os.getsid(0)


def test_an_answer_that_nobody_waited_for_is_passed_over(beside: SemBeside) -> None:
    assert beside._process is not None
    assert beside._process.stdin is not None
    beside._process.stdin.write(b'{"number": -1, "task": "describe", "given": {}}\n')
    assert beside.analyze([TALK])[0].emotions


def test_of_a_failure_only_its_kind_is_told() -> None:
    fails = 'print(\'{"number": 0, "failed": "MemoryError"}\', flush=True); input()'
    sem = SemBeside((sys.executable, "-c", fails))
    with pytest.raises(HefModelError, match=r"failed with MemoryError$"):
        sem.analyze([TALK])
    sem.close()


@pytest.mark.parametrize("command", [("/no/such/program",), (sys.executable, "-c", "print('{', end='')")])
def test_without_its_process_the_sem_reads_here_and_says_so(
    command: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    sem, here = SemBeside(command), load_sem()
    assert (sem.name, sem.labels) == (here.name, here.labels)
    assert sem.analyze([TALK]) == here.analyze([TALK])
    assert sem.propose_replies(TALK, "guilty", count=2)
    assert caplog.messages == [
        "the small empathetic model has lost its process, or never had one; it reads here from now on"
    ]
    sem.close()


def test_after_its_end_the_sem_reads_here() -> None:
    sem = SemBeside((sys.executable, "-c", "input()"))
    sem.close()
    assert sem.analyze([TALK]) == load_sem().analyze([TALK])


def test_it_ends_when_nobody_can_ask_any_more() -> None:
    sem = SemBeside()
    process = sem._process
    assert process is not None
    assert process.stdin is not None
    assert sem.labels
    process.stdin.close()
    assert process.wait(30) == 0
