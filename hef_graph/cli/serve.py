"""`hef serve-sem`: a small empathetic model (SEM) over HTTP, for many callers at once.

| route | asked | answered |
|---|---|---|
| `GET /health` | | `{"status": "ok"}` |
| `GET /sem` | | `{"name", "labels", "version", "format"}` |
| `POST /analyze` | `{"dialogues": [dialogue, …]}` | `{"analyses": [analysis, …]}`, one each, in order |

A dialogue is a list of texts that alternate speaker and listener and end with the speaker, or a list of
`{"role": "speaker" | "listener", "text"}`. An analysis is
`{"emotions": [{"label", "probability"}], "words": [{"word", "turn", "start", "end", "weight"}], "confidence",
"in_domain", "thresholds"}`, the fields of `EmotionAnalysis`; offsets count code points of the text as it was sent.

What cannot be answered is `{"error": sentence}`: 400 bad input, 401 wrong token, 413 more than 8 MiB or 1,024
dialogues, 503 too much to do (with `Retry-After`), 500 the SEM failed. With `HEF_SEM_TOKEN` set, `/sem` and `/analyze`
ask for `Authorization: Bearer <token>`. Nothing that is sent is logged, and no error repeats it.
"""

import argparse
import asyncio
import hmac
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias

from hef_graph import __version__
from hef_graph.errors import HefBusyError, HefInputError
from hef_graph.sem import load_sem
from hef_graph.sem.batching import BatchingSem
from hef_graph.sem.plugins.exchange import (
    FORMAT,
    analysis_to_json,
    as_object,
    dialogue_from_json,
    read_json,
    write_json,
)
from hef_graph.types import Dialogue, EmotionAnalysis

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import Response
    from starlette.routing import Route
except ImportError as missing:
    raise HefInputError(f"serving needs {missing.name}: pip install 'hef-graph[serve]'") from missing

TOKEN_VARIABLE: Final = "HEF_SEM_TOKEN"  # noqa: S105  the name of a variable
MOST_BYTES: Final = 8 * 1024 * 1024
MOST_DIALOGUES: Final = 1024
RETRY_AFTER: Final = 1
"""Seconds."""
GRACE: Final = 5
"""Seconds for running requests when the server is asked to stop."""

BAD_REQUEST, UNAUTHORIZED, TOO_LARGE, FAILED, BUSY = 400, 401, 413, 500, 503

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


def run_serve(arguments: argparse.Namespace) -> int:
    """Serve until interrupted.

    Raises:
        HefError: the SEM cannot be loaded, or the address cannot be used.
    """
    token = os.environ.get(TOKEN_VARIABLE, "").strip() or None
    listener = open_socket(arguments.host, arguments.port)
    with listener, BatchingSem(load_sem(arguments.sem, device=arguments.device), max_batch=arguments.max_batch) as sem:
        print(f"hef: {sem.name} listens on {address_of(listener)} (end with Ctrl-C)", flush=True)
        if token is None and not arguments.host.startswith("127.") and arguments.host not in {"localhost", "::1"}:
            print(f"hef: whoever reaches this address may use it; set {TOKEN_VARIABLE} to ask for a token", flush=True)
        return run_until_interrupted(build_app(sem, token=token), listener)


def run_until_interrupted(app: Starlette, listener: socket.socket) -> int:
    """Serve on an open socket; an interrupt ends with one line and code 0."""
    quiet: dict[str, Any] = {"log_level": "critical", "access_log": False, "server_header": False, "ws": "none"}
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", timeout_graceful_shutdown=GRACE, **quiet))
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        print("\nhef: stopped", file=sys.stderr)
    return 0


def open_socket(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        HefInputError: the address is in use, not of this machine, or not an address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise HefInputError(
            f"cannot listen on {host} port {port}: {reason}; choose another with --host or --port"
        ) from error


def address_of(listener: socket.socket) -> str:
    """The URL to give to `load_sem`."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def build_app(sem: BatchingSem, *, token: str | None = None) -> Starlette:
    """The ASGI application; with a token, all but `/health` ask for it."""

    async def health(_request: Request) -> Response:
        return reply({"status": "ok"})

    async def describe(_request: Request) -> Response:
        return reply({"name": sem.name, "labels": list(sem.labels), "version": __version__, "format": FORMAT})

    async def analyze(request: Request) -> Response:
        body = await read_body(request)
        dialogues = await asyncio.to_thread(read_dialogues, body)
        analyses = await sem.analyze_async(dialogues)
        return Response(await asyncio.to_thread(write_analyses, analyses), media_type="application/json")

    routes = [
        Route("/health", health),
        Route("/sem", guarded(describe, token)),
        Route("/analyze", guarded(analyze, token), methods=["POST"]),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _say_http})


def guarded(handler: Handler, token: str | None) -> Handler:
    """The handler behind the token; its errors become answers that hold no word of the request."""

    async def answer(request: Request) -> Response:
        if not knows_token(request.headers.get("authorization", ""), token):
            return refusal(UNAUTHORIZED, "a bearer token is needed, and this is not it", {"WWW-Authenticate": "Bearer"})
        try:
            return await handler(request)
        except (HTTPException, ClientDisconnect):
            raise
        except HefBusyError as error:
            return refusal(BUSY, str(error), {"Retry-After": str(RETRY_AFTER)})
        except HefInputError as error:
            return refusal(BAD_REQUEST, str(error))
        except Exception as error:  # noqa: BLE001  a foreign error may repeat the text it failed on: only its kind is told
            return refusal(FAILED, f"the SEM failed ({type(error).__name__})")

    return answer


def knows_token(header: str, token: str | None) -> bool:
    """Whether the `Authorization` header holds the token; compared in constant time."""
    scheme, _, given = header.partition(" ")
    if token is None:
        return True
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


async def read_body(request: Request) -> bytes:
    """The body, no longer than allowed."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(TOO_LARGE, f"the request is larger than {MOST_BYTES} bytes; send fewer dialogues")
    return bytes(body)


def read_dialogues(body: bytes) -> list[Dialogue]:
    """The dialogues of a request.

    Raises:
        HefInputError: not the documented JSON.
        HTTPException: too many.
    """
    dialogues = as_object(read_json(body), "the request").get("dialogues")
    if not isinstance(dialogues, list):
        raise HefInputError('the request holds no list "dialogues"; send {"dialogues": [[text, …], …]}')
    if len(dialogues) > MOST_DIALOGUES:
        raise HTTPException(TOO_LARGE, f"{len(dialogues)} dialogues in one request; allowed are {MOST_DIALOGUES}")
    return [dialogue_from_json(value, where=f"dialogues[{index}]") for index, value in enumerate(dialogues)]


def write_analyses(analyses: Sequence[EmotionAnalysis]) -> bytes:
    """The body of an answer."""
    return write_json({"analyses": [analysis_to_json(analysis) for analysis in analyses]})


def reply(value: Any) -> Response:
    """An answer with a JSON value."""
    return Response(write_json(value), media_type="application/json")


def refusal(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    """An answer that says what was wrong."""
    body = write_json({"error": sentence})
    return Response(body, status_code=status, headers=headers, media_type="application/json")


async def _say_http(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return refusal(error.status_code, error.detail, dict(error.headers or {}))
