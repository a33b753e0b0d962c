"""Callers who talk while SEM replicas and graph workers are killed and started again: is anything lost?

    DATABASE_URL=postgresql://… python load_test.py [seconds]          everything on this machine

Starts Ray Serve with two replicas and two workers. Forty people talk, each in a conversation of their own; who gets no
answer asks the same again at the other worker. Every few seconds a worker or a replica is killed (SIGKILL); a killed
worker is started again. At the end every conversation must hold every turn that was answered, once.
"""

import asyncio
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from langgraph.checkpoint.postgres import PostgresSaver
from ray import serve
from ray.util.state import list_actors

from hef_graph import create_hef_graph

HERE = Path(__file__).parent
PORTS = (9001, 9002)
PEOPLE = 40
PAUSE = 6.0
"""Seconds between kills."""
LINES = (
    "I lost my job today.",
    "They closed the plant.",
    "My sister called me.",
    "We went for a walk.",
    "I slept well.",
)


@dataclass
class Talk:
    """What one person saw."""

    thread: str
    said: list[str] = field(default_factory=list)
    """Lines that were answered."""
    seconds: list[float] = field(default_factory=list)
    again: int = 0
    """Requests without an answer, which were sent again."""


def start_worker(port: int) -> subprocess.Popen[bytes]:
    """A worker process on the database and the SEM."""
    environment = {**os.environ, "SEM_URL": "http://127.0.0.1:8000"}
    return subprocess.Popen([sys.executable, str(HERE / "worker.py"), str(port)], env=environment)  # noqa: S603  this folder's own program


async def talk(client: httpx.AsyncClient, person: Talk, until: float) -> None:
    """Say one line after the other; the same again, elsewhere, until it is answered."""
    for turn in itertools.count():
        if time.monotonic() > until:
            return
        line = f"{LINES[turn % len(LINES)]} ({turn})"
        begun = time.monotonic()
        for port in itertools.cycle(random.sample(PORTS, len(PORTS))):
            try:
                asked = {"thread": person.thread, "id": f"{person.thread}-{turn}", "text": line}
                answer = await client.post(f"http://127.0.0.1:{port}/turns", json=asked)
                answer.raise_for_status()
                break
            except httpx.HTTPError:
                person.again += 1
                await asyncio.sleep(0.2)
        person.said.append(line)
        person.seconds.append(time.monotonic() - begun)


async def disturb(workers: dict[int, subprocess.Popen[bytes]], until: float) -> list[str]:
    """Kill a worker, then a replica, in turn."""
    killed: list[str] = []
    ports = itertools.cycle(PORTS)
    while time.monotonic() < until - 2 * PAUSE:
        await asyncio.sleep(PAUSE)
        port = next(ports)
        workers[port].kill()
        workers[port].wait()
        workers[port] = start_worker(port)
        await asyncio.sleep(PAUSE)
        process = next(replica_processes())
        os.kill(process, signal.SIGKILL)
        killed += [f"worker {port}", f"replica {process}"]
    return killed


def replica_processes() -> Iterator[int]:
    """The process of each SEM replica."""
    for actor in list_actors(detail=True, filters=[("state", "=", "ALIVE")]):
        if "Reader" in actor.class_name:
            yield int(actor.pid)


def count_lost(people: list[Talk]) -> tuple[int, int]:
    """Answered lines that a conversation does not hold, and lines that it holds more than once."""
    lost = twice = 0
    with PostgresSaver.from_conn_string(os.environ["DATABASE_URL"]) as saver:
        graph = create_hef_graph(checkpointer=saver)
        for person in people:
            kept = graph.get_state({"configurable": {"thread_id": person.thread}}).values["messages"]
            held = [message.text for message in kept if message.type == "human"]
            newest = person.said[-len(held) :]
            lost += sum(line not in held for line in newest)
            twice += len(held) - len(set(held))
    return lost, twice


async def wait_for_workers(client: httpx.AsyncClient) -> None:
    """Until both answer at all."""
    for port in PORTS:
        while True:
            try:
                await client.get(f"http://127.0.0.1:{port}/")
                break
            except httpx.HTTPError:
                await asyncio.sleep(0.5)


async def run(seconds: float) -> None:
    """The whole test."""
    workers = {port: start_worker(port) for port in PORTS}
    run_id = f"{time.time():.0f}"
    people = [Talk(f"{run_id}-{number}") for number in range(PEOPLE)]
    async with httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=None)) as client:
        await wait_for_workers(client)
        until = time.monotonic() + seconds
        disturbing = asyncio.create_task(disturb(workers, until))
        await asyncio.gather(*(talk(client, each, until) for each in people))
        killed = await disturbing
    for worker in workers.values():
        worker.terminate()
        worker.wait()
    taken = sorted(second for person in people for second in person.seconds)
    lost, twice = await asyncio.to_thread(count_lost, people)
    print(f"{len(taken)} turns in {seconds:.0f} s ({len(taken) / seconds:.1f} a second), {len(killed)} kills: {killed}")
    print(f"p50 {taken[len(taken) // 2]:.2f} s, p95 {taken[int(0.95 * len(taken))]:.2f} s, longest {taken[-1]:.2f} s")
    print(f"asked again {sum(person.again for person in people)} times; answered turns lost {lost}, kept twice {twice}")


if __name__ == "__main__":
    from sem_app import app

    serve.run(app)
    asyncio.run(run(float(sys.argv[1]) if len(sys.argv) > 1 else 60))
    serve.shutdown()
