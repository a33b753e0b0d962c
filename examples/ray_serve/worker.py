"""One of any number of stateless workers: the graph behind HTTP, every conversation in one PostgreSQL database.

    DATABASE_URL=postgresql://… python worker.py setup                    once: the tables
    DATABASE_URL=postgresql://… SEM_URL=http://127.0.0.1:8000 python worker.py 9001
    curl -d '{"thread": "1", "id": "a", "text": "I lost my job today."}' http://127.0.0.1:9001/turns

`HEF_MODEL=openai:…` with `OPENAI_BASE_URL=http://…/v1` lets a model on vLLM answer; else the embedded listener does.
A conversation has one turn at a time, whatever worker takes it. Who got no answer asks again, at any worker, with the
same `id`: a turn that was stored is answered from the database, one that died with its worker is taken now.
"""

import asyncio
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import uvicorn
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from hef_graph import create_hef_graph, load_sem
from hef_graph.errors import HefModelError
from hef_graph.types import Dialogue, EmotionAnalysis, SmallEmpatheticModel

log = logging.getLogger("worker")

SETTINGS = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
MOST_TURNS = 32
"""Turns that a worker takes at the same time; each holds a connection to the database, which is its lock."""
PATIENCE = 5.0
"""Seconds in which the SEM is asked again; a third of a turn's 30 are the SEM's."""


@dataclass(frozen=True)
class PatientSem:
    """A served SEM, asked again while a replica that died is replaced: reading changes nothing, so that is safe."""

    sem: SmallEmpatheticModel

    @property
    def name(self) -> str:
        """The name of the SEM inside."""
        return self.sem.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the SEM inside."""
        return self.sem.labels

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        """As the SEM inside; its last error, once patience is at its end."""
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                return self.sem.analyze(dialogues)
            except HefModelError as error:
                if time.monotonic() > ends:
                    raise
                log.warning("the SEM is asked again: %s", error)
                time.sleep(0.1)


@asynccontextmanager
async def connect(app: Starlette) -> AsyncIterator[None]:
    """The graph on the database, for as long as the worker runs."""
    address = os.environ["DATABASE_URL"]
    pool: Any = AsyncConnectionPool(address, kwargs=SETTINGS, max_size=4, open=False)
    async with pool, AsyncConnectionPool(address, max_size=MOST_TURNS, open=False) as app.state.locks:
        sem = PatientSem(load_sem(os.environ["SEM_URL"]))
        saver = AsyncPostgresSaver(pool)
        app.state.graph = create_hef_graph(os.environ.get("HEF_MODEL"), sem=sem, checkpointer=saver)
        yield


@asynccontextmanager
async def alone(locks: AsyncConnectionPool[Any], thread: str) -> AsyncIterator[None]:
    """No other worker takes a turn of this conversation meanwhile; PostgreSQL frees the lock of a worker that died."""
    async with locks.connection() as connection:  # a transaction, which holds the lock until it ends
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (thread,))
        yield


def find_answer(messages: Sequence[BaseMessage], asked: str) -> BaseMessage | None:
    """The reply to the message with this id, if there is one."""
    return next((reply for said, reply in pairwise(messages) if said.id == asked and reply.type == "ai"), None)


async def take_turn(request: Request) -> JSONResponse:
    """One turn of one conversation, or its answer if it was taken before."""
    asked, graph = await request.json(), request.app.state.graph
    thread: RunnableConfig = {"configurable": {"thread_id": asked["thread"]}}
    async with alone(request.app.state.locks, asked["thread"]):
        kept = (await graph.aget_state(thread)).values
        stored = find_answer(kept.get("messages", []), asked["id"])
        if stored is None:
            kept = await graph.ainvoke({"messages": [HumanMessage(asked["text"], id=asked["id"])]}, thread)
    answer = stored or kept["messages"][-1]
    return JSONResponse({"reply": answer.text, "stored": stored is not None, **answer.response_metadata["hef"]})


async def create_tables() -> None:
    """The checkpointer's tables; not the workers' task, as two that begin at once would disturb each other."""
    async with AsyncPostgresSaver.from_conn_string(os.environ["DATABASE_URL"]) as saver:
        await saver.setup()


if __name__ == "__main__":
    if sys.argv[1] == "setup":
        asyncio.run(create_tables())
    else:
        routes = [Route("/turns", take_turn, methods=["POST"])]
        uvicorn.run(Starlette(routes=routes, lifespan=connect), port=int(sys.argv[1]), log_level="warning")
