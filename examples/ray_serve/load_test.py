"""Callers who talk while SEM replicas and graph workers are killed and started again: is anything lost?

    DATABASE_URL=postgresql://… python load_test.py [seconds] [people]          everything on this machine

Starts Ray Serve with two replicas and two workers. Each person has a conversation of their own, and a new one after
`TURNS` turns. Who gets no answer asks the same again, at the other worker; every fifth line is asked in haste, that is
again while the first worker is still at it. Every few seconds a worker or a replica is killed (SIGKILL), in turn; the
test starts the worker again, Ray the replica. At the end each conversation in the database must hold what its person
was answered, word for word and once, and nothing else.
"""

import argparse
import asyncio
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path

import httpx
import ray
from langgraph.checkpoint.postgres import PostgresSaver
from ray import serve
from ray.util.state import list_actors
from sem_app import app

from hef_graph import create_hef_graph

WORKER = str(Path(__file__).parent / "worker.py")
PORTS = (9001, 9002)
REPLICAS = 2
TURNS = 15
"""Turns of one conversation: fewer than the state keeps, so that all can be found again."""
PAUSE = 5.0
"""Seconds between one victim's return and the next kill."""
PATIENCE = 120.0
"""Seconds after which the test itself has failed."""
HASTE = 0.3
"""Seconds after which a hasty person asks again."""
LINES = ("I lost my job today.", "They closed the plant.", "My sister called me.", "We went for a walk.")


@dataclass(frozen=True)
class Heard:
    """A line, and how it was answered."""

    id: str
    text: str
    reply: str
    degraded_reason: str | None
    stored: bool
    """The answer was in the database already: the turn was taken for an earlier request of the same id."""
    begun: float
    ended: float


@dataclass(frozen=True)
class Kill:
    """One SIGKILL."""

    victim: str
    open_requests: int
    """Turns that waited at this worker, or at both, when it was killed."""
    begun: float
    ended: float
    """When its successor was ready."""


@dataclass
class Report:
    """What the people and the one who kills saw."""

    talks: dict[str, list[Heard]] = field(default_factory=dict)
    """The answered lines of each conversation."""
    open_requests: Counter[int] = field(default_factory=Counter)
    """Requests that wait for an answer, by port."""
    failures: Counter[str] = field(default_factory=Counter)
    """Requests without an answer, by kind; each was sent again."""
    kills: list[Kill] = field(default_factory=list)


def start_worker(port: int) -> subprocess.Popen[bytes]:
    """A worker process on the database and the SEM, on one thread: there are more processes than cores."""
    environment = {**os.environ, "SEM_URL": "http://127.0.0.1:8000", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, WORKER, str(port)], env=environment)  # noqa: S603  this folder's own program


async def talk(client: httpx.AsyncClient, report: Report, name: str, until: float) -> None:
    """Say one line after the other, in one conversation after the other."""
    for number in itertools.count():
        thread, turn = f"{name}-{number // TURNS}", number % TURNS
        if time.monotonic() > until:
            return
        text = f"{LINES[turn % len(LINES)]} ({turn})"
        heard = await say(client, report, {"thread": thread, "id": f"{thread}-{turn}", "text": text})
        report.talks.setdefault(thread, []).append(heard)


async def say(client: httpx.AsyncClient, report: Report, asked: dict[str, str]) -> Heard:
    """One line: the same again, elsewhere, until it is answered."""
    begun = time.monotonic()
    waits = itertools.chain([HASTE] if asked["id"][-1] in "05" else [], itertools.repeat(PATIENCE / 2))
    for port, wait in zip(itertools.cycle(random.sample(PORTS, len(PORTS))), waits, strict=False):
        report.open_requests[port] += 1
        try:
            response = await client.post(f"http://127.0.0.1:{port}/turns", json=asked, timeout=wait)
            answer = response.raise_for_status().json()
            seen = {key: answer[key] for key in ("reply", "degraded_reason", "stored")}
            return Heard(asked["id"], asked["text"], **seen, begun=begun, ended=time.monotonic())
        except httpx.HTTPError as error:
            report.failures[type(error).__name__] += 1
        finally:
            report.open_requests[port] -= 1
        await asyncio.sleep(0.2)
    raise AssertionError("the cycle has no end")


async def disturb(workers: dict[int, subprocess.Popen[bytes]], report: Report, until: float) -> None:
    """Kill a worker, then a replica, in turn, each once the last victim is back; the last pause is without a kill."""
    for port in itertools.cycle(PORTS):
        await asyncio.sleep(PAUSE)
        if time.monotonic() > until - PAUSE:
            return
        waiting = report.open_requests[port]
        workers[port].kill()
        workers[port].wait()
        begun = time.monotonic()
        workers[port] = start_worker(port)
        await wait_until(partial(listens, port))
        report.kills.append(Kill(f"worker {port}", waiting, begun, time.monotonic()))
        await asyncio.sleep(PAUSE)
        process, waiting = min(await find_replicas()), report.open_requests.total()
        os.kill(process, signal.SIGKILL)
        begun = time.monotonic()
        await wait_until(partial(replaced, process))
        report.kills.append(Kill(f"replica {process}", waiting, begun, time.monotonic()))


async def wait_until(ready: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again.

    Raises:
        TimeoutError: it took too long.
    """
    async with asyncio.timeout(PATIENCE):
        while not await ready():  # noqa: ASYNC110  other processes set no event
            await asyncio.sleep(0.5)


async def listens(port: int) -> bool:
    """Whether a worker answers at all."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def find_replicas() -> set[int]:
    """The processes of the SEM's replicas."""
    actors = await asyncio.to_thread(list_actors, detail=True, filters=[("state", "=", "ALIVE")])
    return {int(actor.pid) for actor in actors if actor.class_name.endswith(":Reader") and actor.pid}


async def replaced(gone: int) -> bool:
    """Whether all replicas run again, without the one that was killed."""
    application = (await asyncio.to_thread(serve.status)).applications["default"]
    states = application.deployments["Reader"].replica_states
    found = await find_replicas()
    return gone not in found and len(found) >= REPLICAS and states.get("RUNNING", 0) >= REPLICAS


def compare(talks: dict[str, list[Heard]]) -> tuple[int, int]:
    """Answered turns that the database does not hold as they were heard, and messages in it beyond those."""
    lost = surplus = 0
    with PostgresSaver.from_conn_string(os.environ["DATABASE_URL"]) as saver:
        graph = create_hef_graph(checkpointer=saver)
        for thread, turns in talks.items():
            messages = graph.get_state({"configurable": {"thread_id": thread}}).values.get("messages", [])
            held = {(said.id, said.text, reply.text) for said, reply in pairwise(messages)}
            found = sum((turn.id, turn.text, turn.reply) in held for turn in turns)
            lost += len(turns) - found
            surplus += len(messages) - 2 * found
    return lost, surplus


def show(report: Report, seconds: float) -> None:
    """Print what happened."""
    heard = [turn for turns in report.talks.values() for turn in turns]
    taken = sorted(turn.ended - turn.begun for turn in heard)
    ends = sorted(turn.ended for turn in heard)
    for kill in report.kills:
        print(
            f"killed {kill.victim} while {kill.open_requests} turns waited; back after {kill.ended - kill.begun:.1f} s"
        )
    print(f"{len(heard)} turns in {len(report.talks)} conversations in {seconds:.0f} s, {len(report.kills)} kills")
    print(f"p50 {taken[len(taken) // 2]:.2f} s, p95 {taken[int(0.95 * len(taken))]:.2f} s, longest {taken[-1]:.2f} s")
    print(f"longest time in which nobody was answered: {max(b - a for a, b in pairwise(ends)):.1f} s")
    last = report.kills[-1].begun if report.kills else 0.0
    print(f"turns asked and answered after the last kill: {sum(turn.begun > last for turn in heard)}")
    print(f"requests without an answer, sent again: {dict(report.failures)}")
    print(f"answered from the database on asking again: {sum(turn.stored for turn in heard)}")
    print(f"degraded_reason: {dict(Counter(turn.degraded_reason for turn in heard))}")
    lost, surplus = compare(report.talks)
    print(f"answered turns lost: {lost}; messages stored twice or unasked: {surplus}")
    print(f"load of the machine at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


async def run(seconds: float, people: int) -> Report:
    """The whole test."""
    workers = {port: start_worker(port) for port in PORTS}
    report, run_id = Report(), f"{time.time():.0f}"
    try:
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=None)) as client:
            for port in PORTS:
                await wait_until(partial(listens, port))
            until = time.monotonic() + seconds
            async with asyncio.timeout(seconds + PATIENCE), asyncio.TaskGroup() as tasks:
                tasks.create_task(disturb(workers, report, until))
                for number in range(people):
                    tasks.create_task(talk(client, report, f"{run_id}-{number}", until))
    finally:
        for worker in workers.values():
            worker.kill()
            worker.wait()
    return report


def main() -> None:
    """Read the arguments, start Ray and the SEM, run and tell."""
    parser = argparse.ArgumentParser(description="Kills SEM replicas and graph workers under load.")
    parser.add_argument("seconds", type=float, nargs="?", default=60)
    parser.add_argument("people", type=int, nargs="?", default=8)
    arguments = parser.parse_args()
    subprocess.run([sys.executable, WORKER, "setup"], check=True)  # noqa: S603  this folder's own program
    ray.init(num_cpus=REPLICAS, log_to_driver=False)
    serve.run(app)
    try:
        show(asyncio.run(run(arguments.seconds, arguments.people)), arguments.seconds)
    finally:
        serve.shutdown()


if __name__ == "__main__":
    main()
