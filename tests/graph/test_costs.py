"""What a turn costs, in counts that are the same on every machine: readings, model calls, writes, bytes, words sent.

A change that makes a turn dearer shows here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import torch
from langgraph.checkpoint.sqlite import SqliteSaver

from hef_graph.graph import HefContext, create_hef_graph
from hef_graph.sem import TransformerSem, load_sem
from hef_graph.sem.checkpoint import SHIPPED
from hef_graph.sem.inference import load_transformer_sem
from hef_graph.sem.quantization import Int8Linear
from hef_graph.sem.traced import PAYS_AFTER
from tests.fakes import ScriptedModel, SpeakingStubSem, reply_json
from tests.runs import say, thread

TURNS: Final = 12
SAID: Final = "My sister forgot my birthday again, and I sat alone with the cake all evening."
ANSWER: Final = reply_json("lonely", "That must have been a long evening. Did she ever call?")


@dataclass(frozen=True, slots=True)
class Stored:
    """What a conversation in SQLite holds."""

    checkpoints: int
    writes: int
    bytes: int


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[SqliteSaver]:
    with SqliteSaver.from_conn_string(str(tmp_path / "talk.sqlite")) as opened:
        yield opened


def talk(saver: SqliteSaver, turns: int) -> ScriptedModel:
    model = ScriptedModel(answers=[ANSWER] * turns)
    graph = create_hef_graph(model, sem=SpeakingStubSem(), checkpointer=saver)
    for _ in range(turns):
        graph.invoke(say(SAID), thread("one"))
    return model


def measure(saver: SqliteSaver) -> Stored:
    sizes = {
        "checkpoints": "length(checkpoint) + length(metadata)",
        "writes": "length(value)",
    }
    rows = {
        table: saver.conn.execute(f"select count(*), coalesce(sum({size}), 0) from {table}").fetchone()  # noqa: S608  constants
        for table, size in sizes.items()
    }
    return Stored(rows["checkpoints"][0], rows["writes"][0], sum(size for _, size in rows.values()))


def test_a_turn_asks_the_model_once(saver: SqliteSaver) -> None:
    assert talk(saver, 3).calls == 3


def test_a_turn_reads_the_dialogue_once() -> None:
    sem = SpeakingStubSem()
    create_hef_graph(ScriptedModel(answers=[ANSWER]), sem=sem).invoke(say(SAID))
    assert sem.analyze_calls == 1
    assert len(sem.dialogues_read) == 1


def test_emotions_and_words_take_one_forward_pass_of_the_shipped_model() -> None:
    sem = load_transformer_sem.__wrapped__(SHIPPED, "cpu")  # one that was not traced yet: a trace hides its layers
    passes: list[int] = []
    layers_of(sem).register_forward_hook(lambda *_: passes.append(1))
    sem.analyze([[SAID]])
    assert len(passes) == 1


def test_a_traced_model_is_run_once_too() -> None:
    sem = load_transformer_sem.__wrapped__(SHIPPED, "cpu")
    for _ in range(PAYS_AFTER + 1):
        sem.analyze([[SAID]])
    ran: list[int] = []
    layers_of(sem).register_forward_hook(lambda *_: ran.append(1))
    with torch.profiler.profile() as profile:
        sem.analyze([[SAID]])
    multiplied = sum(event.count for event in profile.key_averages() if event.key.startswith("quantized::linear"))
    assert (ran, multiplied) == ([], sum(isinstance(each, Int8Linear) for each in sem._reader.modules()))


def layers_of(sem: TransformerSem) -> Any:
    """The first layer of its encoder."""
    return sem._reader.encoder.layers[0]


def test_a_turn_writes_one_checkpoint(saver: SqliteSaver) -> None:
    talk(saver, 4)
    assert measure(saver).checkpoints == 4


def test_a_turn_that_ends_leaves_nothing_pending(saver: SqliteSaver) -> None:
    talk(saver, 4)
    assert measure(saver).writes == 0


def test_a_turn_of_a_young_conversation_is_stored_in_so_many_bytes(saver: SqliteSaver) -> None:
    talk(saver, TURNS)
    assert measure(saver).bytes <= 9_000 * TURNS


@pytest.mark.parametrize(("k2", "most"), [(20, 880), ("adaptive", 640)])
def test_an_instruction_has_no_more_than_four_characters_for_each_token_allowed(k2: Any, most: int) -> None:
    graph = create_hef_graph(ScriptedModel(answers=[reply_json("lonely", "Oh no.")]), sem=load_sem())
    instruction = graph.invoke(say(SAID), context=HefContext(k2=k2))["instruction"]
    assert len(instruction) <= most
