"""A turn is over in time, and what still hangs never keeps the process alive."""

import subprocess
import sys
import time

import pytest

from tests.runs import MODES

HANG = """
import asyncio, sys, time
from hef_graph import HefContext, create_hef_graph
from tests.fakes import ScriptedModel
from tests.graph.test_rungs import HungSem
from tests.runs import run_turn

sem, model = {stuck}
graph = create_hef_graph(model, sem=sem)
start = time.monotonic()
run = asyncio.run(run_turn(graph, sys.argv[1], "I lost my cat.", HefContext(deadline=0.6)))
assert run.out["structured_response"]["response"], run.out
assert time.monotonic() - start < 1.6, time.monotonic() - start
print("over", flush=True)
"""

STUCK = {
    "the model": "__import__('tests.fakes').fakes.SpeakingStubSem(), ScriptedModel(answers=['late'], delay=60)",
    "the SEM": "HungSem(), None",
    "both": "HungSem(), ScriptedModel(answers=['late'], delay=60)",
}


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stuck", STUCK.values(), ids=STUCK)
def test_the_process_ends_while_something_still_hangs(stuck: str, mode: str) -> None:
    start = time.monotonic()
    command = [sys.executable, "-c", HANG.replace("{stuck}", stuck), mode]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert (ended.returncode, ended.stdout) == (0, "over\n"), ended.stderr
    assert time.monotonic() - start < 45
