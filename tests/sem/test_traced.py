from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch

from hef_graph.sem import load_sem
from hef_graph.sem.dataset import DialogueBatch, collate_dialogues
from hef_graph.sem.modeling import EmpatheticModel, Reading
from hef_graph.sem.traced import PAYS_AFTER, TracedReader
from hef_graph.types import turns_from_dialogue
from tests.sem.tiny import CONFIG, CONVERSATIONS, build_model, build_tokenizer

DIALOGUES = [list(conversation.utterances) for conversation in CONVERSATIONS]
PLAIN = build_model(CONFIG)
HEADED = build_model(replace(CONFIG, cause_head=True, presence_head=True, ngram_buckets=64))
CALLS = PAYS_AFTER + 1


def batch_of(*numbers: int) -> DialogueBatch:
    tokenizer = build_tokenizer()
    return collate_dialogues([tokenizer.encode(turns_from_dialogue(DIALOGUES[number])) for number in numbers])


def read(reader: Callable[..., Reading], batch: DialogueBatch) -> Reading:
    with torch.inference_mode():
        return reader(*batch)


def warmed(model: EmpatheticModel, *batches: DialogueBatch) -> TracedReader:
    reader = TracedReader(model)
    for batch in batches:
        for _ in range(CALLS):
            read(reader, batch)
    return reader


def assert_equal(left: Reading, right: Reading) -> None:
    for one, other in zip(left, right, strict=True):
        assert (one is None) == (other is None)
        assert one is None or other is None or torch.equal(one, other)


@pytest.mark.parametrize("model", [PLAIN, HEADED], ids=["plain", "headed"])
@pytest.mark.parametrize("numbers", [(1,), (3,), (7,), (0, 9), (2, 5, 11)])
def test_it_reads_to_the_last_bit_what_the_model_reads(model: EmpatheticModel, numbers: tuple[int, ...]) -> None:
    reader = warmed(model, batch_of(0), batch_of(4, 6))
    for _ in range(3):  # torch looks at the first runs before it settles on a way
        assert_equal(read(reader, batch_of(*numbers)), read(model, batch_of(*numbers)))


def test_the_model_runs_only_in_the_first_calls() -> None:
    model, batch = build_model(CONFIG), batch_of(0)
    reader = warmed(model, batch)
    ran: list[int] = []
    model.register_forward_pre_hook(lambda *_: ran.append(1))
    read(reader, batch)
    assert ran == []
    read(reader, batch_of(0, 1))
    assert ran == [1]


def test_many_threads_read_what_each_would_read_alone() -> None:
    reader, batches = TracedReader(HEADED), [batch_of(number) for number in range(len(DIALOGUES))] * 20
    with ThreadPoolExecutor(8) as threads:
        for batch, reading in zip(batches, threads.map(lambda batch: read(reader, batch), batches), strict=True):
            assert_equal(reading, read(HEADED, batch))


def test_a_model_that_cannot_be_traced_reads_as_it_is_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("tracing is gone")

    monkeypatch.setattr(torch.jit, "trace", fail)
    reader = warmed(HEADED, batch_of(0))
    assert "cannot trace it (RuntimeError)" in caplog.text
    assert_equal(read(reader, batch_of(3)), read(HEADED, batch_of(3)))


def test_the_shipped_sem_is_traced_and_reads_the_same_before_and_after() -> None:
    sem = load_sem()
    texts = [["I lost my job today."], ["My sister had a baby!", "How lovely!", "I am so happy for her."]]
    first = [sem.analyze([text]) for text in texts]
    for _ in range(CALLS):
        sem.analyze([["The exam is tomorrow and I have not slept."]])
    assert isinstance(sem._read_batch, TracedReader)
    assert isinstance(sem._read_batch._traced[True], torch.jit.ScriptModule)
    assert [sem.analyze([text]) for text in texts] == first
