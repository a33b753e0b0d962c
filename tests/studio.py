"""The real development server of LangGraph on a free loopback port, in a folder of its own."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

ROOT: Final = Path(__file__).parents[1]

STARTS_WITHIN: Final = 90.0
"""Seconds; it takes about four on two idle cores."""

BLOCKING_GRAPH: Final = """
import time
from langgraph.graph import START, MessagesState, StateGraph

async def wait(state: MessagesState) -> dict:
    time.sleep(0.01)
    return {}

graph = StateGraph(MessagesState).add_node("wait", wait).add_edge(START, "wait").compile()
"""
"""Does what no graph may do in this server: it blocks the event loop."""

FLAGS: Final = ("--no-browser", "--no-reload", "--n-jobs-per-worker", "10")
"""Ten runs at a time: with one, each waits a second in the queue."""

QUIET: Final = {
    "LANGGRAPH_CLI_NO_ANALYTICS": "1",
    "LANGGRAPH_NO_VERSION_CHECK": "true",
    "LANGSMITH_TRACING": "false",
    "LOG_JSON": "true",
    "OMP_NUM_THREADS": "1",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event."""

    kind: str
    data: Any


@dataclass(frozen=True, slots=True)
class StudioServer:
    """A running server."""

    http: httpx.Client
    log: Path

    def get(self, path: str) -> Any:
        """The JSON of a page."""
        return self.http.get(path).raise_for_status().json()

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON that a request is answered with."""
        return self.http.post(path, json=body or {}).raise_for_status().json()

    def open_thread(self) -> str:
        """A new conversation's id."""
        return str(self.post("/threads")["thread_id"])

    def say(self, text: str, thread: str | None = None, **more: Any) -> dict[str, Any]:
        """The state after a turn of the graph, in a new conversation unless one is named."""
        out: dict[str, Any] = self.post(f"/threads/{thread or self.open_thread()}/runs/wait", _run(text, more))
        return out

    def stream(self, text: str, mode: str | list[str], **more: Any) -> list[Event]:
        """The events of a turn."""
        body = _run(text, {"stream_mode": mode, **more})
        return _events(self.http.post(f"/threads/{self.open_thread()}/runs/stream", json=body).raise_for_status().text)

    def trouble(self, graph: str) -> list[str]:
        """The errors and tracebacks that the log holds from a graph's runs."""
        entries = [json.loads(line) for line in self.log.read_text("utf-8").splitlines() if line.startswith("{")]
        bad = [entry for entry in entries if entry.get("level") in {"error", "critical"} or "exception" in entry]
        return [json.dumps(entry) for entry in bad if entry.get("graph_id") == graph]


@contextmanager
def run_studio(folder: Path, environment: Mapping[str, str]) -> Iterator[StudioServer]:
    """`langgraph dev` with the repository's configuration and a graph that blocks; dead when the block is left."""
    _lay_out(folder)
    port, log = _free_port(), folder / "server.log"
    command = [sys.executable, "-m", "langgraph_cli", "dev", *FLAGS, "--port", str(port)]
    inherited = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    variables = {**inherited, **QUIET, "HOME": str(folder), **environment}
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
            _wait_until_ready(http, process, log)
            yield StudioServer(http, log)
    finally:
        process.kill()
        process.wait()


def _lay_out(folder: Path) -> None:
    """The repository as the server sees it, without a `.env`; what the server writes stays in the folder."""
    (folder / "hef_graph").symlink_to(ROOT / "hef_graph")
    (folder / "blocking.py").write_text(BLOCKING_GRAPH)
    config = json.loads((ROOT / "langgraph.json").read_text("utf-8"))
    config["graphs"]["blocking"] = "./blocking.py:graph"
    (folder / "langgraph.json").write_text(json.dumps(config))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(http: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and process.poll() is None:
        try:
            if http.get("/ok").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"the server did not start; its log ends with\n{log.read_text('utf-8')[-4000:]}")


def _run(text: str, more: Mapping[str, Any]) -> dict[str, Any]:
    return {"assistant_id": "hef", "input": {"messages": [{"role": "user", "content": text}]}, **more}


def _events(text: str) -> list[Event]:
    blocks = text.replace("\r\n", "\n").split("\n\n")
    pairs = [dict(line.split(": ", 1) for line in block.splitlines() if ": " in line[:8]) for block in blocks]
    return [Event(pair["event"], json.loads(pair["data"])) for pair in pairs if "event" in pair]
