import gc
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

import hef_graph
from hef_graph.cli import main
from hef_graph.errors import HefCheckpointError
from tests.fakes import SpeakingStubSem

Hef: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "the following arguments are required"),
        (("sing",), "no such command; give one of chat, reply, analyze, serve-sem"),
        (("reply", "--k2", "0", "hello"), "k2 is 0"),
        (("reply", "--k2", "many", "hello"), "k2 is 'many'"),
        (("reply", "--locale", "Germany", "hello"), "'Germany' is not a two-letter country code"),
        (("reply", "--shout", "hello"), "unrecognized arguments: --shout"),
        (("reply", "hello", "there", "you"), "2 words too many; put a message in quotes"),
        (("reply", ""), "the message is empty"),
        (("analyze", "   "), "the message is empty"),
        (("analyze", "--input", "nowhere.jsonl"), "no such file: nowhere.jsonl"),
        (("analyze", "hello", "--input", "x.jsonl"), "either a text or --input"),
        (("analyze", "hello", "--output", "x.jsonl"), "--output goes with --input"),
        (("chat", "--forget", "nobody"), "no conversation 'nobody'"),
        (("reply", "--model", "nosuch:model", "hello"), "'nosuch:model'"),
    ],
)
def test_bad_input_ends_with_one_line_and_code_2(arguments: tuple[str, ...], problem: str, hef: Hef) -> None:
    code, out, err = hef(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("hef: ")
    assert problem in err
    assert err.count("\n") == 1


def test_standard_input_stands_in_for_a_message(hef: Hef, pipe: Callable[[str], None]) -> None:
    pipe("I lost my keys.\n")
    code, out, _ = hef("reply")
    assert code == 0
    assert "I lost my keys." in out


@pytest.mark.parametrize("command", ["reply", "analyze", "chat"])
def test_empty_standard_input_is_bad_input(command: str, hef: Hef, pipe: Callable[[str], None]) -> None:
    pipe(" \n\n")
    code, _, err = hef(command)
    assert code == 2
    assert "the message is empty" in err


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["reply", "--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"hef_graph {hef_graph.__version__}\n"


def test_an_interrupt_ends_with_code_130(hef: Hef, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_source: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hef_graph.cli.chat.load_sem", interrupt)
    assert hef("reply", "hello")[0] == 130


@pytest.mark.parametrize("command", ["reply", "analyze"])
def test_whose_reader_has_gone_ends_in_silence(command: str) -> None:
    read, write = os.pipe()
    os.close(read)
    code = "from hef_graph.cli import main; raise SystemExit(main())"
    arguments = [sys.executable, "-c", code, command, "I lost my job today."]
    try:
        ended = subprocess.run(arguments, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(write)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_dot_env_file_is_read(hef: Hef, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEF_TEST_MARK", "kept")
    monkeypatch.delenv("HEF_MODEL", raising=False)
    (tmp_path / ".env").write_text("HEF_MODEL=nosuch:from-dot-env\nHEF_TEST_MARK=overwritten\n")
    monkeypatch.setattr("os.environ", {**__import__("os").environ})
    code, _, err = hef("reply", "hello")
    assert code == 2
    assert "nosuch:from-dot-env" in err


@pytest.mark.parametrize(
    ("arguments", "started"),
    [
        (["reply", "hello"], True),
        (["chat", "--sem", "shipped"], True),
        (["reply", "hello", "--sem", "lexicon"], False),
        (["chat", "--forget", "default"], False),
        (["analyze", "hello"], False),
    ],
)
def test_a_talk_that_has_a_process_to_itself_starts_another_for_the_shipped_sem(
    arguments: list[str], started: bool, monkeypatch: pytest.MonkeyPatch, pipe: Callable[[str], None]
) -> None:
    made: list[SpeakingStubSem] = []

    def make() -> SpeakingStubSem:
        made.append(SpeakingStubSem())
        return made[0]

    monkeypatch.setattr("hef_graph.sem.plugins.beside.SemBeside", make)
    monkeypatch.setattr("sys.argv", ["hef", *arguments])
    pipe("hello")
    main()
    gc.unfreeze()
    assert bool(made) == started


def test_what_calls_the_command_line_as_a_function_gets_no_process(hef: Hef, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hef_graph.sem.plugins.beside.SemBeside", lambda: pytest.fail("started"))
    assert hef("reply", "hello")[0] == 0


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_sem_that_can_be_loaded_nowhere_is_bad_input(
    flags: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> SpeakingStubSem:
        raise HefCheckpointError("the weights are damaged")

    monkeypatch.setattr("hef_graph.sem.plugins.beside.COMMAND", ("/no/such/program",))
    monkeypatch.setattr("hef_graph.sem.plugins.beside.load_sem", refuse)
    monkeypatch.setattr("sys.argv", ["hef", "reply", "hello", *flags])
    code = main()
    gc.unfreeze()
    assert (code, capsys.readouterr()) == (2, ("", "hef: the weights are damaged\n"))
