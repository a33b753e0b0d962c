"""The small empathetic model (SEM) as a Ray Serve deployment: replicas, batches, autoscaling by the queue.

    serve run sem_app:app                    listens on http://127.0.0.1:8000
    load_sem("http://127.0.0.1:8000")        in any number of processes

It speaks what `hef serve-sem` speaks, so a graph cannot tell one from the other; `HEF_SEM_TOKEN` works as there.
"""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

from ray import serve
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hef_graph import __version__, load_sem
from hef_graph.cli.serve import TOKEN_VARIABLE, guarded, read_body, read_dialogues, refusal, reply, write_analyses
from hef_graph.sem.plugins.exchange import FORMAT
from hef_graph.types import EmotionAnalysis, Turn, turns_from_dialogue


class Reader:
    """One replica."""

    def __init__(self) -> None:
        self._sem = load_sem()
        self._answer = guarded(self.answer, os.environ.get(TOKEN_VARIABLE, "").strip() or None)

    @serve.batch(max_batch_size=64, batch_wait_timeout_s=0.005)
    async def read(self, dialogues: Sequence[list[Turn]]) -> list[EmotionAnalysis]:
        """What callers asked within five milliseconds, in one call."""
        return await asyncio.to_thread(self._sem.analyze, dialogues)

    async def answer(self, request: Request) -> Response:
        """`GET /sem` or `POST /analyze`."""
        if request.url.path == "/sem":
            about = {"name": self._sem.name, "labels": list(self._sem.labels)}
            return reply({**about, "version": __version__, "format": FORMAT})
        # Checked before they wait: a dialogue that is wrong must not fail the batch of others.
        dialogues = [turns_from_dialogue(dialogue) for dialogue in read_dialogues(await read_body(request))]
        read: Any = self.read  # `serve.batch` makes of it a function of one dialogue
        return Response(write_analyses(await asyncio.gather(*map(read, dialogues))), media_type="application/json")

    async def __call__(self, request: Request) -> Response:
        """The routes of `hef serve-sem`."""
        if request.url.path == "/health":
            return reply({"status": "ok"})
        try:
            return await self._answer(request)
        except HTTPException as error:
            return refusal(error.status_code, error.detail)


deployment: Any = serve.deployment(
    max_ongoing_requests=64,
    max_queued_requests=512,
    health_check_period_s=2,
    autoscaling_config={"min_replicas": 2, "max_replicas": 8, "target_ongoing_requests": 16},
    ray_actor_options={"num_cpus": 1},
    logging_config={"enable_access_log": False},
)
app = deployment(Reader).bind()
