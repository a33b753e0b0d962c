import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.corpus import Conversation, write_conversations
from hef_graph.graph import create_hef_graph
from hef_graph.profiles import load_profile
from hef_graph.turn import ReadingOptions
from tests.fakes import ScriptedModel, StubSem, reply_json
from tests.runs import say
from tests.servers import Completion, Failure, Garbage, OpenAIServer
from tools import tune

FEW = ("--k1", 0, "--k2", 0, 1, 3, "--wording", "list")


class CopyingServer(OpenAIServer):
    """Answers with the first emotion that it is shown; shown none, as its script says."""

    def take(self, body: dict[str, Any]) -> Completion | Failure | Garbage:
        answer = super().take(body)
        shown = re.search(r"best first: (\w+)", body["messages"][-1]["content"])
        return Completion(reply_json(shown.group(1), "Oh.")) if shown else answer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    with CopyingServer(reply_json("lonely", "Oh no.")) as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        yield running


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Made-up conversations that the SEM reads well."""
    said = [("joyful", "We won again, number {}!"), ("sad", "I lost key number {}.")]
    many = [
        Conversation(f"{n}-{emotion}", emotion, "", (text.format(n), "Really?"))
        for n in range(18)
        for emotion, text in said
    ]
    write_conversations(many, tmp_path / "talks.jsonl")
    monkeypatch.setattr(tune, "load_sem", lambda source, device: StubSem())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    given = ("tune", "--model", "openai:gpt-4.1-mini", "--data", "talks.jsonl", "--cache", "answers", *arguments)
    monkeypatch.setattr(sys, "argv", list(map(str, given)))
    return end_in_one_line("tune", tune.main)


def test_the_profile_that_helps_is_written_told_and_loaded_by_the_graph(
    server: OpenAIServer, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *FEW, "--max-cost", 1, "--output", "mine.toml") == 0
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert report == json.loads((folder / "mine.json").read_text())
    assert load_profile("mine.toml") == ReadingOptions(k2=1, cause_perception=False)
    assert (report["profile"]["name"], report["cases"]) == ("c1", {"search": 12, "confirmation": 24})
    assert "c1: 100.0 (100.0 to 100.0) points better than off" in printed.err
    model = ScriptedModel(answers=[reply_json("sad", "Oh.")])
    out = create_hef_graph(model, sem=StubSem(), profile="mine.toml").invoke(say("I lost it."))
    assert [each["label"] for each in out["emotion_candidates"]] == ["sad"]


def test_a_second_run_pays_nothing(
    server: OpenAIServer, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = []
    for _ in range(2):
        run(monkeypatch, *FEW)
        reports.append(json.loads(capsys.readouterr().out))
    assert len(server.requests) == reports[0]["calls"] > 0
    assert (reports[1]["calls"], reports[1]["cost"]) == (0, 0)
    assert reports[1]["finalists"] == reports[0]["finalists"]


def test_without_enough_money_the_profile_is_off_and_says_why(
    server: OpenAIServer, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *FEW, "--max-cost", 0.0005, "--concurrency", 1) == 0
    assert "off: no profile could be confirmed. The cost limit of $0.0005 is reached" in capsys.readouterr().err
    assert "# off: no profile could be confirmed." in (folder / "profile.toml").read_text()
    assert load_profile("profile.toml") == ReadingOptions(two_stage=False, cause_perception=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data", "none.jsonl"), "no such file: none.jsonl"),
        (("--model", "nobody:nothing"), "the model 'nobody:nothing' cannot be set up"),
        (("--output", "mine.json"), "give a name in .toml"),
        (("--output", "nowhere/mine.toml"), "cannot be written: no such folder"),
        (("--k1", "0", "--k2", "0"), "nothing to try"),
        (("--k2", "-3"), "k2 is -3; allowed are"),
        (("--n", "0"), "--n is 0; allowed are"),
        (("--n", "20"), "20 cases of 20 conversations are too few to tune on"),
        (("--concurrency", "0"), "concurrency is 0"),
        (("--max-cost", "1", "--model", "openai:made-up"), "no price known for 'made-up'"),
    ],
)
def test_what_cannot_be_tuned_is_refused_in_one_line_before_anything_is_asked(
    arguments: tuple[str, ...],
    message: str,
    *,
    server: OpenAIServer,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, *arguments) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1
    assert (server.requests, list(folder.glob("*.toml"))) == ([], [])


def test_a_number_that_is_none_is_refused_by_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "--k2", "many")
    assert ended.value.code == 2
    assert "--k2" in capsys.readouterr().err
