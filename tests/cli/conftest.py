from collections.abc import Callable
from pathlib import Path

import pytest

import hef_graph.cli.analyze
import hef_graph.cli.chat
from hef_graph.cli import main
from tests.fakes import SpeakingStubSem


@pytest.fixture(autouse=True)
def _stub_sem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Commands read with the stub, keep conversations in a temporary folder, and see no settings of the developer's."""
    for module in (hef_graph.cli.analyze, hef_graph.cli.chat):
        monkeypatch.setattr(module, "load_sem", lambda _source: SpeakingStubSem())
    monkeypatch.setenv("HEF_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HEF_MODEL", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a text on standard input, as a pipe would."""
    import io  # noqa: PLC0415  used here only

    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.fixture
def hef(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command; its exit code, output and error output."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run
