"""A small OpenAI-compatible server on the loopback that answers from a script and keeps what it was asked."""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

USAGE: Final = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
"""What the server counts for every completion."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A chat completion, good or not."""

    text: str = ""
    finish_reason: str = "stop"
    refusal: str | None = None
    stall: float = 0.0
    """Seconds of silence before `stall_at`."""
    stall_at: int = 0
    """The streamed piece before which the silence falls."""
    piece: int = 4
    """Characters per streamed chunk."""
    pace: float = 0.0
    """Seconds before each streamed chunk: a model that takes its time over each token."""
    break_at: int | None = None
    """The streamed piece, or any part of a whole answer, before which the connection is dropped."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An HTTP error."""

    status: int
    body: Mapping[str, Any] = field(default_factory=lambda: {"error": {"message": "no", "type": "t", "code": "c"}})
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Garbage:
    """A 200 that holds no completion."""

    body: bytes
    content_type: str = "application/json"


Reply: TypeAlias = str | Completion | Failure | Garbage


class OpenAIServer:
    """Serves its script, one reply per request, the last one for all further requests; a context manager."""

    def __init__(self, *script: Reply) -> None:
        self._script = list(script)
        self.requests: list[dict[str, Any]] = []
        """The bodies received."""
        self.closed = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._http.owner = self  # type: ignore[attr-defined]  # the handler finds its script here
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        """For `base_url=` or `OPENAI_BASE_URL`."""
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def take(self, body: dict[str, Any]) -> Completion | Failure | Garbage:
        """Note a request; give its reply."""
        self.requests.append(body)
        reply = self._script[min(len(self.requests), len(self._script)) - 1]
        return Completion(reply) if isinstance(reply, str) else reply

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed.set()
        self._http.shutdown()
        self._http.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        owner: OpenAIServer = self.server.owner  # type: ignore[attr-defined]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        reply = owner.take(body) if self.path == "/v1/chat/completions" else Failure(404)
        if isinstance(reply, Failure):
            self._send_json(reply.status, reply.body, reply.headers)
        elif isinstance(reply, Garbage):
            self._send(200, reply.body, {"Content-Type": reply.content_type})
        elif body.get("stream"):
            self._send_events(reply, owner)
        else:
            owner.closed.wait(reply.stall + reply.pace * len(reply.text) / reply.piece)
            self._send_json(200, _whole(reply), {}, broken=reply.break_at is not None)

    def _send_json(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str], *, broken: bool = False
    ) -> None:
        self._send(status, json.dumps(body).encode(), {"Content-Type": "application/json", **headers}, broken=broken)

    def _send(self, status: int, payload: bytes, headers: Mapping[str, str], *, broken: bool = False) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(payload)), "Connection": "close", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self._write(payload[: len(payload) // 2] if broken else payload)

    def _send_events(self, reply: Completion, owner: OpenAIServer) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        for index, event in enumerate(_events(reply)):
            if index == reply.break_at:
                return
            owner.closed.wait(reply.pace + (reply.stall if index == reply.stall_at else 0.0))
            self._send_chunk(f"data: {json.dumps(event)}\n\n".encode())
        self._send_chunk(b"data: [DONE]\n\n")
        self._send_chunk(b"")

    def _send_chunk(self, data: bytes) -> None:
        """A chunk of HTTP/1.1; an empty one ends the answer, and without it the client sees that it broke off."""
        self._write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _write(self, data: bytes) -> None:
        try:
            self.wfile.write(data)
            self.wfile.flush()
        except OSError:
            self.close_connection = True  # the client gave up waiting: nothing to report

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        """Keep standard error clean."""


def _whole(reply: Completion) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.text or None, "refusal": reply.refusal}
    choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason, "logprobs": None}
    return {**_head("chat.completion"), "choices": [choice], "usage": USAGE}


def _events(reply: Completion) -> Iterator[dict[str, Any]]:
    yield _chunk({"role": "assistant", "content": "", "refusal": None})
    for start in range(0, len(reply.text), reply.piece):
        yield _chunk({"content": reply.text[start : start + reply.piece]})
    if reply.refusal:
        yield _chunk({"refusal": reply.refusal})
    yield _chunk({}, reply.finish_reason)
    yield {**_head("chat.completion.chunk"), "choices": [], "usage": USAGE}


def _chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
    return {**_head("chat.completion.chunk"), "choices": [choice]}


def _head(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-test", "object": kind, "created": 1, "model": "test-model"}
