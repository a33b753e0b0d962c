import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from hef_graph import __version__
from hef_graph.cli import main
from hef_graph.cli.serve import MOST_BYTES, MOST_DIALOGUES, address_of, build_app, open_socket
from hef_graph.errors import HefInputError
from hef_graph.sem.batching import BatchingSem
from hef_graph.sem.plugins.exchange import analysis_to_json
from hef_graph.types import Dialogue, EmotionAnalysis
from tests.fakes import LABELS, StubSem

TOKEN = "k3y"  # noqa: S105  of the server below


class GatedSem(StubSem):
    """Waits until it is let through; fails on dialogues that say so."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        self.gate.wait(10)
        if any("crash" in str(dialogue) for dialogue in dialogues):
            raise RuntimeError(f"cannot read {dialogues}")
        return super().analyze(dialogues)


@pytest.fixture
def inner() -> Iterator[GatedSem]:
    sem = GatedSem()
    sem.gate.set()
    yield sem
    sem.gate.set()


def client(sem: BatchingSem, *, token: str | None = None) -> httpx.AsyncClient:
    """A client of the application itself, without a network."""
    app = build_app(sem, token=token)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def ask(sem: GatedSem, body: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with BatchingSem(sem) as batching:
        async with client(batching) as http:
            return await http.post("/analyze", content=content)


async def test_the_server_tells_its_health_and_its_sem() -> None:
    with BatchingSem(StubSem()) as sem:
        async with client(sem) as http:
            assert (await http.get("/health")).json() == {"status": "ok"}
            described = {"name": "stub", "labels": list(LABELS), "version": __version__, "format": 1}
            assert (await http.get("/sem")).json() == described


async def test_analyses_come_in_the_order_of_the_dialogues(inner: GatedSem) -> None:
    dialogues = [["I won."], [{"role": "listener", "text": "Alone?"}, {"role": "speaker", "text": "naïve 日本"}]]
    answer = await ask(inner, {"dialogues": dialogues})
    expected = StubSem().analyze([["I won."], ["Alone?", "naïve 日本"]])
    assert answer.status_code == 200
    assert answer.json() == {"analyses": [analysis_to_json(analysis) for analysis in expected]}


async def test_no_dialogues_give_no_analyses(inner: GatedSem) -> None:
    assert (await ask(inner, {"dialogues": []})).json() == {"analyses": []}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "not JSON"),
        (b"{secret", "not JSON"),
        (b"\xff\xfe", "not "),
        ([["secret"]], "the request is a list; expected an object"),
        ({"dialogue": ["secret"]}, 'the request holds no list "dialogues"'),
        ({"dialogues": ["secret"]}, "dialogues[0] is a text; expected a list"),
        ({"dialogues": [["ok"], []]}, "dialogues[1] is empty"),
        ({"dialogues": [[{"role": "secret", "text": "secret"}]]}, "dialogues[0][0].role is a text"),
    ],
)
async def test_bad_input_is_400_with_one_sentence_and_no_text(body: Any, problem: str, inner: GatedSem) -> None:
    answer = await ask(inner, body)
    assert answer.status_code == 400
    assert problem in answer.json()["error"]
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "body", [b" " * (MOST_BYTES + 1), json.dumps({"dialogues": [["a"]] * (MOST_DIALOGUES + 1)}).encode()]
)
async def test_too_much_is_413(body: bytes, inner: GatedSem) -> None:
    answer = await ask(inner, body)
    assert answer.status_code == 413
    assert "allowed" in answer.json()["error"] or "larger than" in answer.json()["error"]


async def test_as_much_as_allowed_is_read(inner: GatedSem) -> None:
    assert len((await ask(inner, {"dialogues": [["a"]] * MOST_DIALOGUES})).json()["analyses"]) == MOST_DIALOGUES


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/analyze", 405)])
async def test_another_route_is_an_error_in_json(path: str, status: int) -> None:
    with BatchingSem(StubSem()) as sem:
        async with client(sem) as http:
            answer = await http.get(path)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


async def test_a_sem_that_fails_is_500_without_what_it_said(inner: GatedSem) -> None:
    answer = await ask(inner, {"dialogues": [["crash secret"]]})
    assert (answer.status_code, answer.json()) == (500, {"error": "the SEM failed (RuntimeError)"})


async def test_a_full_queue_is_503_with_a_time_to_come_back(inner: GatedSem) -> None:
    inner.gate.clear()
    with BatchingSem(inner, max_batch=1, max_queue=1) as sem:
        running = sem._enqueue([["I won."]])
        while not running[0].result.running():
            pass
        sem._enqueue([["dark"]])
        async with client(sem) as http:
            answer = await http.post("/analyze", json={"dialogues": [["lost"]]})
        inner.gate.set()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "1 dialogues wait" in answer.json()["error"]


@pytest.mark.parametrize("header", [None, "Bearer other", "Bearer ", f"Basic {TOKEN}", TOKEN, "Bearer \xff"])
async def test_without_the_token_nothing_but_health_is_told(header: str | None) -> None:
    headers = [] if header is None else [(b"Authorization", header.encode("latin-1"))]
    with BatchingSem(StubSem()) as sem:
        async with client(sem, token=TOKEN) as http:
            answers = [await http.get("/sem", headers=headers), await http.post("/analyze", headers=headers)]
            assert (await http.get("/health")).status_code == 200
    assert [answer.status_code for answer in answers] == [401, 401]
    assert TOKEN not in answers[0].text


async def test_the_token_opens_the_server() -> None:
    with BatchingSem(StubSem()) as sem:
        async with client(sem, token=TOKEN) as http:
            assert (await http.get("/sem", headers={"Authorization": f"bearer {TOKEN}"})).status_code == 200


def test_a_busy_port_is_one_line_and_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with open_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert main(["serve-sem", "--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"hef: cannot listen on 127.0.0.1 port {port}: Address already in use")
    assert error.count("\n") == 1


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("203.0.113.9", 0), ("no such host", 0)])
def test_an_address_that_cannot_be_used_is_bad_input(host: str, port: int) -> None:
    with pytest.raises(HefInputError, match=f"cannot listen on {host} port {port}: "):
        open_socket(host, port)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs IPv6")
def test_an_ipv6_address_is_written_in_brackets() -> None:
    with open_socket("::1", 0) as listener:
        assert address_of(listener) == f"http://[::1]:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    ("flags", "problem"), [(("--port", "http"), "invalid int value"), (("--max-batch", "0"), "max_batch is 0")]
)
def test_a_bad_flag_is_one_line_and_code_2(
    flags: tuple[str, str], problem: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hef_graph.cli.serve.load_sem", lambda _source, device: StubSem())
    assert main(["serve-sem", "--port", "0", *flags]) == 2
    assert problem in capsys.readouterr().err


def test_without_the_extra_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from hef_graph.cli import main; sys.exit(main(['serve-sem', '--port', '0']))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "hef: serving needs uvicorn: pip install 'hef-graph[serve]'\n"


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    path = tmp_path / "predictions.jsonl"
    path.write_text('{"dialogue": ["my canary sings"], "emotions": {"joyful": 1}}\n')
    return path


@pytest.mark.slow
def test_the_command_serves_until_interrupted_and_logs_no_text(predictions: Path) -> None:
    program = "import sys; from hef_graph.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "serve-sem", "--port", "0", "--sem", str(predictions)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        address = first.partition(" listens on ")[2].split()[0]
        known = httpx.post(f"{address}/analyze", json={"dialogues": [["my canary sings"]]})
        unknown = httpx.post(f"{address}/analyze", json={"dialogues": [["another canary"]]})
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert known.json()["analyses"][0]["emotions"] == [{"label": "joyful", "probability": 1.0}]
    assert (unknown.status_code, "canary" in unknown.text) == (400, False)
    assert (process.returncode, out, err) == (0, "", "\nhef: stopped\n")
    assert first.startswith("hef: predictions.jsonl (1 predictions) listens on http://127.0.0.1:")
