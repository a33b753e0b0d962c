"""One of any number of stateless workers: the graph behind HTTP, every conversation in one PostgreSQL database.

    DATABASE_URL=postgresql://… SEM_URL=http://127.0.0.1:8000 python worker.py 9001
    curl -d '{"thread": "1", "id": "a", "text": "I lost my job today."}' http://127.0.0.1:9001/turns

`HEF_MODEL=openai:…` with `OPENAI_BASE_URL=http://…/v1` lets a model on vLLM answer; else the embedded listener does.
A turn that was stored before its worker died is not taken twice: who asks again with the same `id` gets its answer.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from hef_graph import create_hef_graph, load_sem

SETTINGS = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}


@asynccontextmanager
async def connect(app: Starlette) -> AsyncIterator[None]:
    """The graph on the database, for as long as the worker runs."""
    pool: Any = AsyncConnectionPool(os.environ["DATABASE_URL"], kwargs=SETTINGS, max_size=8, open=False)
    async with pool:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        sem = load_sem(os.environ["SEM_URL"])
        app.state.graph = create_hef_graph(os.environ.get("HEF_MODEL"), sem=sem, checkpointer=saver)
        yield


async def take_turn(request: Request) -> JSONResponse:
    """One turn of one conversation."""
    asked, graph = await request.json(), request.app.state.graph
    thread: RunnableConfig = {"configurable": {"thread_id": asked["thread"]}}
    kept = (await graph.aget_state(thread)).values
    if asked["id"] not in {message.id for message in kept.get("messages", [])}:
        kept = await graph.ainvoke({"messages": [HumanMessage(asked["text"], id=asked["id"])]}, thread)
    return JSONResponse({"emotion": kept["emotion"], "reply": kept["messages"][-1].text})


if __name__ == "__main__":
    routes = [Route("/turns", take_turn, methods=["POST"])]
    uvicorn.run(Starlette(routes=routes, lifespan=connect), port=int(sys.argv[1]), log_level="warning")
