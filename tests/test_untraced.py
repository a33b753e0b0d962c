"""Nothing leaves for LangSmith unless the user's own environment, or their own `.env`, asks for it."""

import os
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.callbacks.manager import CallbackManager
from langsmith import utils
from typing_extensions import override

import hef_graph
from hef_graph.chat_model import EmpatheticChatModel
from hef_graph.cli import main
from hef_graph.graph import create_hef_graph
from hef_graph.middleware import EmpathyMiddleware
from tests.agents import ToolModel, agent_on, invoke
from tests.fakes import ScriptedModel, SpeakingStubSem, reply_json
from tests.runs import say

SWITCHES = ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2")


class Watched(ScriptedModel):
    """Notes who listens to its runs."""

    listeners: list[BaseCallbackHandler] = []  # noqa: RUF012  pydantic copies it

    @override
    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        self.listeners.extend(run_manager.handlers)
        return super()._generate(messages, stop, run_manager, **kwargs)


class WatchedToolModel(Watched, ToolModel):
    """The same, with tools."""


@pytest.fixture(autouse=True)
def _unasked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in SWITCHES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANGSMITH_API_KEY", "lsv2_not_a_key")
    monkeypatch.setenv("HEF_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("os.environ", os.environ.copy())
    monkeypatch.chdir(tmp_path)
    forget_environment()


def forget_environment() -> None:
    utils.get_env_var.cache_clear()  # type: ignore[attr-defined]  # a cached function, typed as overloads


def listeners_of(model: Watched) -> list[str]:
    assert model.calls
    return [type(handler).__name__ for handler in model.listeners if "Tracer" in type(handler).__name__]


def test_a_graph_is_not_traced() -> None:
    model = Watched(answers=[reply_json("sad", "Oh no.")])
    create_hef_graph(model, sem=SpeakingStubSem()).invoke(say("I lost my ring."))
    assert (listeners_of(model), utils.tracing_is_enabled()) == ([], False)


def test_an_agent_is_not_traced() -> None:
    model = WatchedToolModel(answers=["Oh no."])
    invoke(agent_on(model, EmpathyMiddleware(SpeakingStubSem())), "I lost my ring.")
    assert listeners_of(model) == []


def test_a_chat_model_is_not_traced() -> None:
    model = Watched(answers=[reply_json("sad", "Oh no.")])
    EmpatheticChatModel(model=model, sem=SpeakingStubSem()).invoke("I lost my ring.")
    assert listeners_of(model) == []


def test_the_check_sees_a_tracer_where_one_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    forget_environment()
    handlers = CallbackManager.configure().handlers
    forget_environment()
    assert any("Tracer" in type(handler).__name__ for handler in handlers)


@pytest.mark.parametrize("name", SWITCHES)
def test_the_command_line_reads_no_settings_but_the_folders_own(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in ("analyze", "chat"):
        monkeypatch.setattr(f"hef_graph.cli.{module}.load_sem", lambda _source: SpeakingStubSem())
    (tmp_path / ".env").write_text(f"{name}=true\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert main(["reply", "I lost my ring."]) == 0
    assert (os.environ.get(name), utils.tracing_is_enabled()) == (None, False)


def test_no_line_of_the_package_turns_tracing_on() -> None:
    sources = sorted(Path(hef_graph.__file__).parent.rglob("*.py"))
    naming = [path.name for path in sources if "_TRACING" in path.read_text("utf-8")]
    assert naming == []
