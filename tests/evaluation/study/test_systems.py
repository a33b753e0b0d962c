from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from hef_graph.chat.listener import EmbeddedListener
from hef_graph.chat.methods import Method, word_schema
from hef_graph.delimiters import EVIDENCE_OPEN
from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.answers import Answer, write_answers
from hef_graph.evaluation.study.cases import Case
from hef_graph.evaluation.study.models import RememberedSem
from hef_graph.evaluation.study.runner import RunOptions, run_systems
from hef_graph.evaluation.study.systems import (
    AskingSystem,
    AskOptions,
    BatchSystem,
    FileSystem,
    HefSystem,
    LlmSystem,
    SemSystem,
)
from hef_graph.instruction import build_instruction
from hef_graph.turn import ReadingOptions
from tests.evaluation.study.asked import CASES
from tests.fakes import LABELS, ScriptedModel, StubSem, reply_json
from tests.servers import Completion, Failure, OpenAIServer

BARN, QUIZ, LATER, ATTIC = CASES
GOOD = reply_json("angry", "That is mean of them.")
OFF = ReadingOptions(two_stage=False, cause_perception=False)


class WritingSem(StubSem):
    def decode_replies(self, dialogues: list[tuple[str, ...]]) -> list[str]:
        return [f"So {dialogue[-1].split()[-1]}" for dialogue in dialogues]


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(GOOD) as running:
        yield running


def asked_of(server: OpenAIServer, **settings: float) -> ChatOpenAI:
    return ChatOpenAI(model="pine-1", base_url=server.base_url, api_key=SecretStr("k"), **settings)  # type: ignore[arg-type]  # numbers only


def llm(*answers: str | AIMessage | Exception) -> LlmSystem:
    return LlmSystem(ScriptedModel(answers=list(answers)), LABELS)


async def test_a_case_is_told_as_the_product_takes_it_in() -> None:
    model = ScriptedModel(answers=[GOOD])
    raw = Case("gull#4", "gull", ("Hm.", "A gull\x00 took it!\r\n", " Took what? ", " My ice. "), "angry", "")
    await LlmSystem(model, LABELS).answer(raw)
    kinds = [AIMessage("Hm."), HumanMessage("A gull\ufffd took it!"), AIMessage("Took what?"), HumanMessage("My ice.")]
    assert model.prompts[0][1:] == kinds


async def test_a_case_without_a_text_to_answer_is_refused_by_its_id() -> None:
    with pytest.raises(HefInputError, match="the case gull#1 cannot be asked: no text to answer"):
        await llm().answer(Case("gull#1", "gull", (" ",), "angry", ""))


async def test_a_sem_ranks_all_labels_and_says_how_likely_the_first_is() -> None:
    answer = await SemSystem(StubSem()).answer(QUIZ)
    assert (answer.emotion, answer.ranked[0], set(answer.ranked)) == ("joyful", "joyful", set(LABELS))
    assert answer.probability == pytest.approx(4 / 9)
    assert answer.response == ""


def test_a_sem_reads_many_cases_in_one_call() -> None:
    sem = StubSem()
    system = SemSystem(sem)
    assert isinstance(system, BatchSystem)
    assert [answer.case_id for answer in system.answer_all(CASES)] == [case.case_id for case in CASES]
    assert sem.analyze_calls == 1


async def test_a_sem_with_a_decoder_answers_too_if_it_is_to() -> None:
    assert (await SemSystem(WritingSem(), writes=True).answer(QUIZ)).response == "So quiz!"
    assert (await SemSystem(WritingSem()).answer(QUIZ)).response == ""


def test_a_sem_without_a_decoder_cannot_be_told_to_write() -> None:
    with pytest.raises(HefInputError, match="stub only reads"):
        SemSystem(StubSem(), writes=True)


async def test_the_llm_alone_is_told_the_instruction_without_evidence() -> None:
    model = ScriptedModel(answers=[GOOD])
    answer = await LlmSystem(model, LABELS).answer(BARN)
    told = [SystemMessage(build_instruction().system), HumanMessage(BARN.turns[0])]
    assert model.prompts == [word_schema(told, model, LABELS, "plain")]
    assert (answer.emotion, answer.response, answer.degraded_reason) == ("angry", "That is mean of them.", None)


async def test_hef_is_told_what_the_sem_read() -> None:
    model = ScriptedModel(answers=[GOOD])
    await HefSystem(model, StubSem(), ReadingOptions(k2=1)).answer(BARN)
    assert "guesses, best first: angry." in str(model.prompts[0][-1].text)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.case_id)
async def test_the_prompt_that_is_shown_is_the_prompt_that_is_sent(case: Case) -> None:
    model = ScriptedModel(answers=[GOOD])
    system = HefSystem(model, StubSem())
    assert isinstance(system, AskingSystem)
    await system.answer(case)
    assert model.prompts == [system.messages(case)]


async def test_systems_that_share_a_remembering_sem_read_each_case_once() -> None:
    sem = StubSem()
    shared = RememberedSem(sem)
    for k2 in (1, 3):
        system = HefSystem(ScriptedModel(answers=[GOOD] * 4), shared, ReadingOptions(k2=k2))
        await system.prepare(CASES)
        await system.answer(BARN)
    assert sem.analyze_calls == 1


async def test_with_both_strategies_off_the_sem_is_not_even_asked() -> None:
    sem, model = StubSem(), ScriptedModel(answers=[GOOD])
    system = HefSystem(model, sem, OFF)
    await system.prepare(CASES)
    await system.answer(BARN)
    assert sem.analyze_calls == 0
    assert EVIDENCE_OPEN not in str(model.prompts[0][-1].text)


async def test_a_label_that_had_to_be_asked_for_again_is_seen_as_it_was_first_written() -> None:
    answer = await llm(reply_json("very angry", "Mean!"), GOOD).answer(BARN)
    assert (answer.emotion, answer.written_emotion, answer.degraded_reason) == ("angry", "very angry", "repaired:label")


async def test_a_label_that_is_never_valid_counts_as_none_and_the_response_stays() -> None:
    wrong = reply_json("furious", "Mean of them!")
    for system in (llm(wrong, wrong), HefSystem(ScriptedModel(answers=[wrong, wrong]), StubSem())):
        answer = await system.answer(BARN)
        assert (answer.emotion, answer.written_emotion) == (None, "furious")
        assert (answer.response, answer.degraded_reason) == ("Mean of them!", "label")


async def test_a_model_that_fails_is_not_scored_for_the_listener_below_it() -> None:
    for system in (llm(RuntimeError("down")), HefSystem(ScriptedModel(answers=[RuntimeError("down")]), StubSem())):
        assert await failure_of(system) == Answer(BARN.case_id, None, degraded_reason="error")


async def failure_of(system: LlmSystem) -> Answer:
    answer = await system.answer(BARN)
    return Answer(**{**answer.to_json(), "ranked": (), "seconds": 0.0})


async def test_the_tokens_of_all_calls_are_counted_even_if_nothing_came_of_them(server: OpenAIServer) -> None:
    refusing = OpenAIServer(Completion(refusal="No."))
    with refusing:
        refused = await LlmSystem(asked_of(refusing), LABELS).answer(BARN)
    answered = await LlmSystem(asked_of(server), LABELS).answer(BARN)
    assert (answered.input_tokens, answered.output_tokens) == (11, 7)
    assert (refused.emotion, refused.response, refused.degraded_reason) == (None, "", "refusal")


@pytest.mark.parametrize(
    ("method", "written"),
    [
        *(("json_schema", "Angry"), ("function_calling", "Angry"), ("json_mode", "Angry"), ("plain", "Angry")),
        ("native", "angry"),  # its library hands over nothing that its own check refuses
    ],
)
async def test_what_a_model_wrote_is_heard_however_it_was_asked(method: Method, written: str) -> None:
    with OpenAIServer(reply_json(written, "Mean!")) as server:
        answer = await LlmSystem(asked_of(server), LABELS, asking=AskOptions(method=method)).answer(BARN)
    assert answer.written_emotion == written
    assert (answer.input_tokens, answer.output_tokens) == (11 * len(server.requests), 7 * len(server.requests))


async def test_the_time_of_an_answer_is_measured() -> None:
    system = LlmSystem(ScriptedModel(answers=[GOOD], delay=0.05), LABELS)
    assert 0.05 <= (await system.answer(BARN)).seconds < 5


async def test_a_model_that_takes_too_long_has_failed() -> None:
    slow = ScriptedModel(answers=[GOOD], delay=2.0)
    answer = await LlmSystem(slow, LABELS, asking=AskOptions(deadline=0.2)).answer(BARN)
    assert (answer.emotion, answer.degraded_reason) == (None, "timeout")


def test_a_study_runs_over_an_openai_compatible_server_and_is_paid_once(server: OpenAIServer, tmp_path: Path) -> None:
    model, options = asked_of(server), RunOptions(tmp_path, progress=False)
    systems = [LlmSystem(model, LABELS), HefSystem(model, StubSem())]
    first, again = (run_systems(systems, CASES, options) for _ in range(2))
    assert len(server.requests) == 2 * len(CASES)
    assert [result.cached for result in again] == [4, 4]
    assert [result.answers for result in again] == [result.answers for result in first]
    assert {request["response_format"]["type"] for request in server.requests} == {"json_schema"}


def test_a_server_that_is_down_for_one_run_is_asked_again_in_the_next(tmp_path: Path) -> None:
    with OpenAIServer(Failure(401), GOOD) as server:
        system, options = LlmSystem(asked_of(server), LABELS), RunOptions(tmp_path, concurrency=1, progress=False)
        [first], [second] = (run_systems([system], CASES[:2], options) for _ in range(2))
    assert [answer.degraded_reason for answer in first.answers] == ["auth", None]
    assert [answer.emotion for answer in second.answers] == ["angry", "angry"]
    assert len(server.requests) == 3


def test_the_embedded_listener_is_no_llm() -> None:
    with pytest.raises(HefInputError, match="study it as SemSystem"):
        LlmSystem(EmbeddedListener(reader=StubSem()), LABELS)


CHANGES: Final[tuple[tuple[str, Any], ...]] = (
    *(("k1", 1), ("k2", 3), ("k2", "adaptive"), ("two_stage", False), ("cause_perception", False)),
    *(("wording", "probabilities"), ("wording", "doubt")),
)


def keys(*systems: LlmSystem | SemSystem | FileSystem) -> list[str]:
    return [system.key for system in systems]


def test_a_key_is_the_same_for_the_same_study_and_whatever_the_row_is_called() -> None:
    first, second = (HefSystem(ScriptedModel(answers=[]), StubSem(), name=name) for name in ("a", "b"))
    assert first.key == second.key


def test_everything_that_changes_answers_changes_the_key(server: OpenAIServer) -> None:
    model, sem = asked_of(server), StubSem()
    readings = [ReadingOptions(), *(ReadingOptions(**{name: value}) for name, value in CHANGES)]
    found = keys(
        LlmSystem(model, LABELS),
        LlmSystem(model, LABELS[1:]),
        LlmSystem(model, LABELS, asking=AskOptions(deadline=5)),
        LlmSystem(asked_of(server, temperature=0.5), LABELS),
        LlmSystem(ScriptedModel(answers=[]), LABELS),
        SemSystem(sem),
        SemSystem(WritingSem(), writes=True),
        *(HefSystem(model, sem, reading) for reading in readings),
    )
    assert len(set(found)) == len(found)


def test_an_option_that_nothing_of_is_shown_leaves_the_key_alone() -> None:
    model, sem = ScriptedModel(answers=[]), StubSem()
    words = [ReadingOptions(two_stage=False, k2=k2) for k2 in (1, 20)]
    lists = [ReadingOptions(coverage=coverage) for coverage in (0.5, 0.9)]
    for pair in (words, lists):
        assert len({HefSystem(model, sem, reading).key for reading in pair}) == 1


def test_hef_with_both_strategies_off_is_the_llm_alone() -> None:
    model = ScriptedModel(answers=[])
    assert HefSystem(model, StubSem(), OFF).key == LlmSystem(model, LABELS).key


@pytest.mark.parametrize("constant", ["ROLE", "TWO_STAGE", "NATURALLY"])
def test_a_changed_wording_is_a_changed_key(constant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = HefSystem(ScriptedModel(answers=[]), StubSem()).key
    monkeypatch.setattr(f"hef_graph.instruction.{constant}", "Otherwise.")
    assert HefSystem(ScriptedModel(answers=[]), StubSem()).key != before


def test_how_the_evidence_is_worded_is_no_matter_to_the_llm_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = llm().key
    monkeypatch.setattr("hef_graph.instruction.TWO_STAGE", "Otherwise.")
    assert llm().key == before


async def test_answers_from_a_file_are_given_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "moths.jsonl"
    write_answers([Answer(BARN.case_id, "angry", response="Mean!")], path)
    system = FileSystem(path)
    assert system.name == "moths"
    assert await system.answer(BARN) == Answer(BARN.case_id, "angry", response="Mean!")
    assert await system.answer(QUIZ) == Answer(QUIZ.case_id, None, degraded_reason="missing")


def test_a_changed_file_is_another_system(tmp_path: Path) -> None:
    path = tmp_path / "moths.jsonl"
    write_answers([Answer(BARN.case_id, "angry")], path)
    before = FileSystem(path).key
    write_answers([Answer(BARN.case_id, "sad")], path)
    assert FileSystem(path).key != before
