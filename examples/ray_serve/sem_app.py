"""The small empathetic model (SEM) as a Ray Serve deployment: replicas, batches, autoscaling by the queue.

    serve run sem_app:app                    listens on http://127.0.0.1:8000
    load_sem("http://127.0.0.1:8000")        in any number of processes

It speaks what `hef serve-sem` speaks, so a graph cannot tell one from the other.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from ray import serve
from starlette.requests import Request
from starlette.responses import Response

from hef_graph import __version__, load_sem
from hef_graph.cli.serve import read_body, read_dialogues, refusal, reply, write_analyses
from hef_graph.errors import HefInputError
from hef_graph.sem.plugins.exchange import FORMAT
from hef_graph.types import Dialogue, EmotionAnalysis


class Reader:
    """One replica."""

    def __init__(self) -> None:
        self._sem = load_sem()

    @serve.batch(max_batch_size=64, batch_wait_timeout_s=0.005)
    async def read(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        """What callers asked within five milliseconds, in one call."""
        return await asyncio.to_thread(self._sem.analyze, dialogues)

    async def __call__(self, request: Request) -> Response:
        """The routes of `hef serve-sem`."""
        if request.url.path == "/health":
            return reply({"status": "ok"})
        if request.url.path == "/sem":
            about = {"name": self._sem.name, "labels": list(self._sem.labels)}
            return reply({**about, "version": __version__, "format": FORMAT})
        try:
            dialogues = read_dialogues(await read_body(request))
        except HefInputError as error:
            return refusal(400, str(error))
        read: Any = self.read  # `serve.batch` makes of it a function of one dialogue
        return Response(write_analyses(await asyncio.gather(*map(read, dialogues))), media_type="application/json")


deployment: Any = serve.deployment(
    max_ongoing_requests=64,
    max_queued_requests=512,
    health_check_period_s=2,
    autoscaling_config={"min_replicas": 2, "max_replicas": 8, "target_ongoing_requests": 16},
    ray_actor_options={"num_cpus": 1},
)
app = deployment(Reader).bind()
