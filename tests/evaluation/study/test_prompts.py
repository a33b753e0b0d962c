import json
from pathlib import Path
from typing import Any

import pytest

from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.answers import Answer, write_answers
from hef_graph.evaluation.study.prompts import answer_from_text, export_prompts, import_answers
from hef_graph.evaluation.study.systems import HefSystem, SemSystem
from hef_graph.reply import json_schema
from tests.evaluation.study.asked import CASES
from tests.fakes import LABELS, ScriptedModel, StubSem, reply_json

BARN, QUIZ, LATER, ATTIC = CASES
GOOD = reply_json("joyful", "Well played!")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "lines.jsonl"


@pytest.fixture
def system() -> HefSystem:
    return HefSystem(ScriptedModel(answers=[]), StubSem())


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def write(path: Path, *lines: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines), "utf-8")


def test_an_exported_line_holds_the_exact_messages_and_the_schema(system: HefSystem, path: Path) -> None:
    assert export_prompts(system, CASES, path) == 4
    line = lines_of(path)[2]
    assert [message["role"] for message in line["messages"]] == ["system", "user", "assistant", "user"]
    assert [message["content"] for message in line["messages"]] == [m.text for m in system.messages(LATER)]
    assert line["response_format"]["json_schema"]["schema"] == json_schema(LABELS)
    assert (line["custom_id"], line["system"], line["key"]) == ("quiz#3", system.name, system.key)


def test_a_batch_request_has_the_services_keys_and_no_others(system: HefSystem, path: Path) -> None:
    export_prompts(system, CASES, path, batch_model="pine-1")
    line = lines_of(path)[0]
    assert set(line) == {"custom_id", "method", "url", "body"}
    assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
    assert set(line["body"]) == {"model", "messages", "response_format"}


def test_the_sem_reads_the_cases_of_an_export_at_once(path: Path) -> None:
    sem = StubSem()
    export_prompts(HefSystem(ScriptedModel(answers=[]), sem), CASES, path)
    assert sem.analyze_calls == 1


def test_a_system_that_asks_nobody_has_no_prompts(path: Path) -> None:
    with pytest.raises(HefInputError, match="stub asks no chat model"):
        export_prompts(SemSystem(StubSem()), CASES, path)


@pytest.mark.parametrize(
    "line",
    [
        {"case_id": "quiz#1", "text": GOOD},
        {"custom_id": "quiz#1", "content": GOOD},
        {"custom_id": "quiz#1", "response": GOOD},
        {"custom_id": "quiz#1", "emotion": "joyful", "response": "Well played!"},
        {"custom_id": "quiz#1", "error": None, "response": {"body": {"choices": [{"message": {"content": GOOD}}]}}},
    ],
    ids=["text", "content", "response", "answer", "batch"],
)
def test_an_answer_is_read_in_every_form(line: dict[str, Any], path: Path) -> None:
    write(path, line)
    [answer] = import_answers(path, CASES, LABELS).answers
    assert answer == Answer("quiz#1", "joyful", "joyful", "Well played!")


def test_our_own_answers_come_back_as_they_were(path: Path) -> None:
    kept = [Answer(BARN.case_id, "angry", "Angry", "Mean!", ("angry", "sad"), 0.5, None, 10, 5, 1.0)]
    write_answers(kept, path)
    assert import_answers(path, CASES, LABELS).answers == kept


@pytest.mark.parametrize(
    ("text", "emotion", "written", "response", "reason"),
    [
        (f"```json\n{GOOD}\n```", "joyful", "joyful", "Well played!", "repaired:prose"),
        (reply_json("Joyful", "Hurray!"), "joyful", "Joyful", "Hurray!", "repaired:label"),
        (reply_json("ecstatic", "Hurray!"), None, "ecstatic", "Hurray!", "label"),
        ("Hurray for you!", None, "", "Hurray for you!", "prose"),
        ('{"emotion": "joyful", "response": "Hurray! And th', "joyful", "joyful", "Hurray!", "truncated"),
        ("", None, "", "", "empty"),
    ],
)
def test_a_raw_text_is_mended_as_in_the_product_and_the_repair_is_named(
    text: str, emotion: str | None, written: str, response: str, reason: str
) -> None:
    assert answer_from_text("quiz#1", text, LABELS) == Answer(
        "quiz#1", emotion, written, response, degraded_reason=reason
    )


def test_a_batch_services_tokens_are_counted(path: Path) -> None:
    body = {"choices": [{"message": {"content": GOOD}}], "usage": {"prompt_tokens": 90, "completion_tokens": 12}}
    write(path, {"custom_id": "quiz#1", "response": {"status_code": 200, "body": body}, "error": None})
    [answer] = import_answers(path, CASES, LABELS).answers
    assert (answer.input_tokens, answer.output_tokens) == (90, 12)


@pytest.mark.parametrize(
    "failure",
    [
        {"response": None, "error": {"code": "expired", "message": "too late"}},
        {"response": {"status_code": 400, "body": {"error": {"message": "no"}}}, "error": None},
    ],
)
def test_a_request_that_the_service_failed_is_a_failed_answer(failure: dict[str, Any], path: Path) -> None:
    write(path, {"custom_id": "quiz#1", **failure})
    assert import_answers(path, CASES, LABELS).answers == [Answer("quiz#1", None, degraded_reason="error")]


def test_a_refusal_is_named(path: Path) -> None:
    message = {"content": None, "refusal": "I will not."}
    write(path, {"custom_id": "quiz#1", "response": {"body": {"choices": [{"message": message}]}}, "error": None})
    assert import_answers(path, CASES, LABELS).answers[0].degraded_reason == "refusal"


def test_a_label_outside_the_set_is_kept_as_written_and_counts_as_none(path: Path) -> None:
    write(path, {"case_id": "quiz#1", "emotion": "glee", "response": "Ha!"})
    [answer] = import_answers(path, CASES, LABELS).answers
    assert (answer.emotion, answer.written_emotion, answer.degraded_reason) == (None, "glee", "label")


def test_cases_without_an_answer_are_told(path: Path) -> None:
    write(path, {"case_id": "attic#1", "text": GOOD}, {"case_id": "barn#1", "text": "x"}, {"case_id": "z", "text": "x"})
    found = import_answers(path, CASES, LABELS)
    assert [answer.case_id for answer in found.answers] == ["barn#1", "attic#1"]
    assert (found.missing, found.others) == (("quiz#1", "quiz#3"), 1)
    assert found.show() == "2 of 4 cases answered, 1 without a valid emotion; missing: quiz#1, quiz#3"


def test_of_two_answers_to_one_case_the_later_counts(path: Path) -> None:
    write(path, {"case_id": "quiz#1", "text": "What?"}, {"case_id": "quiz#1", "text": GOOD})
    assert [answer.emotion for answer in import_answers(path, CASES, LABELS).answers] == ["joyful"]


@pytest.mark.parametrize(
    "line",
    [
        "half a li",
        "[]",
        "7",
        {"text": GOOD},
        {"case_id": 7, "text": GOOD},
        {"case_id": "quiz#1"},
        {"case_id": "quiz#1", "text": 7},
        {"custom_id": "quiz#1", "response": {"body": {"choices": [{}]}}},
        {"custom_id": "quiz#1", "response": {"body": "no"}},
    ],
    ids=str,
)
def test_a_line_that_cannot_be_read_is_named_with_what_is_expected(line: object, path: Path) -> None:
    write(path, {"case_id": "barn#1", "text": GOOD}, "", line)
    with pytest.raises(
        HefInputError, match=r'lines\.jsonl, line 3: .*expected an object with "custom_id" or "case_id"'
    ):
        import_answers(path, CASES, LABELS)


def test_a_file_about_other_cases_is_refused(path: Path) -> None:
    write(path, {"case_id": "elsewhere", "text": GOOD})
    with pytest.raises(HefInputError, match="answers none of the 4 cases; asked: 'barn#1', answered: 'elsewhere'"):
        import_answers(path, CASES, LABELS)


def test_a_missing_file_is_said(path: Path) -> None:
    with pytest.raises(HefInputError, match="cannot be read: No such file"):
        import_answers(path, CASES, LABELS)


def test_answers_with_odd_line_ends_inside_are_read(path: Path) -> None:
    write(path, json.dumps({"case_id": "quiz#1", "text": reply_json("joyful", "Yes.\u2028Yes!")}, ensure_ascii=False))
    assert import_answers(path, CASES, LABELS).answers[0].emotion == "joyful"
