"""What a provider can do wrong, over real HTTP, and what becomes of the turn.

python -m tests.faults      prints the matrix as measured: a row for each fault and way to run
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from hef_graph.errors import HefReplyError
from hef_graph.graph import HefContext, HefGraph, HefOptions, create_hef_graph
from tests.fakes import REPLIES, SpeakingStubSem, reply_json
from tests.runs import MODES, Mode, Run, run_turn
from tests.servers import Completion, Failure, Garbage, OpenAIServer, Reply

SAID: Final = "I lost my cat."

BELOW: Final = REPLIES[0].text
"""What the embedded listener answers to that."""

DEADLINE: Final = 1.0
"""Seconds for a turn against a provider that stalls."""

LIMIT: Final = 1.0
"""Seconds past its deadline at which a turn must be over."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A provider's answer that is not a good one, and what the user gets instead."""

    replies: tuple[Reply, ...]
    reason: str
    response: str = BELOW
    shown: str = ""
    """What a stream shows instead of `response`, where it had begun to show the model's words."""
    requests: int = 1
    emotion: str = "sad"
    stalls: bool = False

    def shows(self, mode: Mode) -> bool:
        """Whether words of the model are seen before the fault, in that way to run."""
        return bool(self.shown) and mode in {"stream", "astream"}

    def expected(self, mode: Mode) -> str:
        """The response."""
        return self.shown if self.shows(mode) else self.response

    def expected_requests(self, mode: Mode) -> int:
        """The HTTP calls: once words are shown, none is made again."""
        return 1 if self.shows(mode) else self.requests


GOOD: Final = reply_json("sad", "Oh, poor you.")
LONG: Final = reply_json("sad", "Oh no. What happened to it?")
CLAIMING: Final = reply_json("sad", "I lost my cat too.")
HALF_CLAIMING: Final = "Oh no. I've been there. Where?"
HALF: Final = '{"emotion": "sad", "response": "Oh no. What h'


def failing(status: int, message: str = "no", **headers: str) -> Failure:
    """An HTTP error with an OpenAI-like body."""
    return Failure(status, {"error": {"message": message, "type": "t", "code": "c"}}, headers)


UNKNOWN_FORMAT: Final = failing(400, "'response_format' of type 'json_schema' is not supported")
UNKNOWN_TOOLS: Final = failing(400, "tools are not supported by this model")

FAULTS: Final[Mapping[str, Fault]] = {
    "refusal": Fault((Completion(refusal="I cannot talk about that."),), "refusal"),
    "cut after a sentence": Fault((Completion(HALF, "length"),), "truncated", "Oh no."),
    "cut before a sentence": Fault((Completion('{"emotion": "sad", "resp', "length"),), "truncated"),
    "content filter": Fault((Completion("", "content_filter"),), "filter"),
    "400 of the content filter": Fault((failing(400, "code: content_filter"),), "filter"),
    "prose": Fault(("I'm so sorry to hear it.",), "prose", "I'm so sorry to hear it.", requests=2),
    "bad enum": Fault((reply_json("blue", "Oh, poor you."),), "label", "Oh, poor you.", requests=2),
    "bad enum, then good": Fault((reply_json("blue", "Hm."), GOOD), "repaired:label", "Oh, poor you.", requests=2),
    "no emotion": Fault(('{"response": "Oh, poor you."}',), "label", "Oh, poor you.", requests=2),
    "empty": Fault(("",), "empty", requests=2),
    "empty response": Fault((reply_json("sad", " "),), "empty", requests=2),
    "broken JSON": Fault(('{"emotion": sad}',), "prose", requests=2),
    "400": Fault((failing(400),), "bad_request"),
    "400 of response_format, then good": Fault(
        (UNKNOWN_FORMAT, GOOD), "repaired:bad_request", "Oh, poor you.", requests=2
    ),
    "400 of response_format and tools, then good": Fault(
        (UNKNOWN_FORMAT, UNKNOWN_TOOLS, GOOD), "repaired:bad_request", "Oh, poor you.", requests=3
    ),
    "400 of every method": Fault((UNKNOWN_FORMAT,), "bad_request", requests=3),
    "401": Fault((failing(401),), "auth"),
    "403": Fault((failing(403),), "auth"),
    "404": Fault((failing(404),), "not_found"),
    "429 without a time": Fault((failing(429),), "rate_limit", requests=3),
    "429 with Retry-After: 0.2, then good": Fault(
        (failing(429, **{"Retry-After": "0.2"}), GOOD), "repaired:rate_limit", "Oh, poor you.", requests=2
    ),
    "429 with Retry-After: 60": Fault((failing(429, **{"Retry-After": "60"}),), "rate_limit"),
    "500": Fault((failing(500),), "server", requests=3),
    "503, then good": Fault((failing(503), GOOD), "repaired:server", "Oh, poor you.", requests=2),
    "disconnect at once": Fault((Completion(GOOD, break_at=0),), "connection", requests=3),
    "disconnect midway": Fault((Completion(LONG, break_at=13),), "connection", shown="Oh no.", requests=3),
    "disconnect in the first sentence": Fault((Completion(LONG, break_at=10),), "connection", requests=3),
    "stall before the first byte": Fault((Completion(GOOD, stall=30),), "timeout", stalls=True),
    "stalled stream": Fault((Completion(LONG, stall=30, stall_at=13),), "timeout", shown="Oh no.", stalls=True),
    "a claim to have lived it": Fault((CLAIMING,), "claim", requests=2),
    "a claim to have lived it, then good": Fault((CLAIMING, GOOD), "repaired:claim", "Oh, poor you.", requests=2),
    "a claim beside other sentences": Fault((reply_json("sad", HALF_CLAIMING),), "repaired:claim", "Oh no. Where?"),
    "a phone number made up": Fault((reply_json("sad", "Oh no. Call 555-0199."),), "repaired:claim", "Oh no."),
    "malformed: a web page": Fault((Garbage(b"<html>busy</html>", "text/html"),), "malformed", requests=3),
    "malformed: half a JSON text": Fault((Garbage(b'{"id": "chatcmpl-1", "choi'),), "malformed", requests=3),
    "malformed: no choices": Fault((Garbage(b'{"id": "x", "choices": null}'),), "malformed", requests=3),
}
"""Each provider's fault, by name."""


def graph_on(server: OpenAIServer, options: HefOptions | None = None) -> HefGraph:
    """A graph whose model is the server's, with the retries that its client has by default."""
    model = ChatOpenAI(model="test-model", base_url=server.base_url, api_key=SecretStr("test"), stream_usage=True)
    return create_hef_graph(model, sem=SpeakingStubSem(), options=options)


@dataclass(frozen=True, slots=True)
class Measured:
    """One turn against one fault."""

    run: Run
    requests: int
    seconds: float


async def play(fault: Fault, mode: Mode, options: HefOptions | None = None) -> Measured:
    """Run one turn against a server that has the fault."""
    context = HefContext(deadline=DEADLINE) if fault.stalls else None
    with OpenAIServer(*fault.replies) as server:
        graph, start = graph_on(server, options), time.monotonic()
        run = await run_turn(graph, mode, SAID, context)
        return Measured(run, len(server.requests), time.monotonic() - start)


async def describe(fault: Fault, mode: Mode) -> str:
    """One cell of the matrix; strict mode's error beside it."""
    measured = await play(fault, mode)
    try:
        strict = (await play(fault, mode, HefOptions(strict=True))).run.out["degraded_reason"]
    except HefReplyError as error:
        strict = f"raises {error.cause}"
    reason = measured.run.out["degraded_reason"]
    return f"{reason}, {measured.requests} calls, {measured.seconds:.2f} s, strict: {strict}"


async def main() -> None:
    """Print the matrix, a row a fault and way to run."""
    for name, fault in FAULTS.items():
        for mode in MODES:
            print(f"{name:<46} {mode:<8} {await describe(fault, mode)}", flush=True)  # noqa: T201  a command


if __name__ == "__main__":
    asyncio.run(main())
