"""A stand-in for vLLM: an OpenAI-compatible address whose model takes half a second and answers with a number.

    python stand_in.py 8001
    HEF_MODEL=openai:stand-in OPENAI_BASE_URL=http://127.0.0.1:8001/v1 OPENAI_API_KEY=none python load_test.py

`curl http://127.0.0.1:8001/calls` tells how many answers it gave.
"""

import asyncio
import itertools
import json
import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

SECONDS = 0.5
given = itertools.count()


async def complete(request: Request) -> Response:
    """One chat completion, whole or as a stream of one piece."""
    streamed = bool((await request.json()).get("stream"))
    await asyncio.sleep(SECONDS)
    text = json.dumps({"emotion": "sad", "response": f"That is a lot to carry, and I am listening ({next(given)})."})
    part = {"role": "assistant", "content": text}
    choice = {"index": 0, "finish_reason": "stop", "delta" if streamed else "message": part}
    kind = "chat.completion.chunk" if streamed else "chat.completion"
    answer: dict[str, Any] = {"id": "1", "object": kind, "created": 1, "model": "stand-in", "choices": [choice]}
    if streamed:
        return Response(f"data: {json.dumps(answer)}\n\ndata: [DONE]\n\n", media_type="text/event-stream")
    return JSONResponse({**answer, "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})


async def count(_request: Request) -> Response:
    """How many answers were given."""
    return PlainTextResponse(repr(given))


if __name__ == "__main__":
    routes = [Route("/v1/chat/completions", complete, methods=["POST"]), Route("/calls", count)]
    uvicorn.run(Starlette(routes=routes), port=int(sys.argv[1]), log_level="warning")
