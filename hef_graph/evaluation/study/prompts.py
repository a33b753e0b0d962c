"""Prompts to take elsewhere (a batch service, another machine, people), and answers that come back.

An exported line is `{"custom_id", "messages", "response_format", "system", "key"}`, or, for a named model, a request of
the OpenAI batch service: `{"custom_id", "method", "url", "body"}`. What comes back may be, a line each:

- our own answers: `{"case_id", "emotion", "response", …}`;
- raw texts of a model: `{"custom_id" or "case_id", "text" or "content" or "response"}`;
- the OpenAI batch service's output: `{"custom_id", "response": {"body": {"choices": …}}, "error"}`.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from langchain_core.messages import BaseMessage

from hef_graph.chat.ladder import Attempt, salvage
from hef_graph.chat.ladder import Case as AskedTurn
from hef_graph.errors import HefInputError, HefReplyError
from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cases import Case
from hef_graph.evaluation.study.models import written_emotion
from hef_graph.evaluation.study.systems import AskingSystem, System
from hef_graph.reply import SCHEMA_NAME, json_schema, parse_reply

EXPECTED: Final = (
    'expected an object with "custom_id" or "case_id", and with "emotion" and "response" (an answer), "text" or '
    '"content" (a model\'s raw text), or a batch service\'s "response" or "error"'
)

_ROLES: Final = {"system": "system", "human": "user", "ai": "assistant"}
_URL: Final = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class ImportedAnswers:
    """What a file says to a study's cases."""

    answers: list[Answer]
    """In the cases' order."""
    missing: tuple[str, ...]
    """Ids of the cases that the file has no answer to."""
    others: int
    """Answers to cases that were not asked for."""

    def show(self) -> str:
        """For people, in one line."""
        failed = sum(answer.emotion is None for answer in self.answers)
        cases = len(self.answers) + len(self.missing)
        lacking = f"; missing: {', '.join(self.missing[:3])}{' …' if len(self.missing) > 3 else ''}"  # noqa: PLR2004  a look
        end = lacking if self.missing else ""
        return f"{len(self.answers):,} of {cases:,} cases answered, {failed:,} without a valid emotion{end}"


def export_prompts(system: System, cases: Sequence[Case], path: Path, *, batch_model: str | None = None) -> int:
    """Write the exact messages of each case as JSONL; how many.

    Args:
        system: who would be asked.
        cases: about what.
        path: the file; its folder is made.
        batch_model: write requests of the OpenAI batch service for the model of that name.

    Raises:
        HefInputError: the system asks nobody.
    """
    if not isinstance(system, AskingSystem):
        raise HefInputError(f"{system.name} asks no chat model; there are no prompts to write")
    asyncio.run(system.prepare(cases))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for case in cases:
            asked = {"messages": [_message(each) for each in system.messages(case)], **_format(system.labels)}
            line = _request(case, asked, batch_model) if batch_model else _prompt(case, asked, system)
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return len(cases)


def import_answers(path: Path, cases: Sequence[Case], labels: Sequence[str]) -> ImportedAnswers:
    """Answers made elsewhere, read as the product reads a model's: mended where that is small, and named.

    Of two answers to one case the later counts.

    Raises:
        HefInputError: no such file, a line that cannot be read (by its number), or no answer to any case.
    """
    found = {answer.case_id: answer for answer in _answers(path, labels)}
    wanted = [case.case_id for case in cases]
    answers = [found[case_id] for case_id in wanted if case_id in found]
    if cases and not answers:
        shown = next(iter(found), "nothing")
        raise HefInputError(f"{path} answers none of the {len(cases)} cases; asked: {wanted[0]!r}, answered: {shown!r}")
    missing = tuple(case_id for case_id in wanted if case_id not in found)
    return ImportedAnswers(answers, missing, len(found) - len(answers))


def answer_from_text(case_id: str, text: str, labels: Sequence[str]) -> Answer:
    """What a model's raw text comes to: as in a turn of the product, without a second call."""
    written = written_emotion(text)
    try:
        reply = parse_reply(text, labels)
    except HefReplyError as error:
        left = salvage(Attempt(text), error, AskedTurn((), tuple(labels), ""))
        emotion, response = (left.emotion or None, left.response) if left else (None, "")
        return Answer(case_id, emotion, written, response, degraded_reason=error.cause)
    repair = f"repaired:{reply.repair}" if reply.repair else None
    return Answer(case_id, reply.emotion, written or reply.emotion, reply.response, degraded_reason=repair)


def _message(message: BaseMessage) -> dict[str, str]:
    return {"role": _ROLES[message.type], "content": str(message.text)}


def _format(labels: Sequence[str]) -> dict[str, Any]:
    schema = {"name": SCHEMA_NAME, "schema": json_schema(labels), "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _prompt(case: Case, asked: Mapping[str, Any], system: System) -> dict[str, Any]:
    return {"custom_id": case.case_id, **asked, "system": system.name, "key": system.key}


def _request(case: Case, asked: Mapping[str, Any], model: str) -> dict[str, Any]:
    """The service refuses lines with other keys than these."""
    return {"custom_id": case.case_id, "method": "POST", "url": _URL, "body": {"model": model, **asked}}


def _answers(path: Path, labels: Sequence[str]) -> Iterator[Answer]:
    try:
        lines = path.read_text("utf-8").split("\n")  # not `splitlines`: a text may hold U+2028
    except OSError as error:
        raise HefInputError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise HefInputError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield _answer(json.loads(line), labels)
            except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
                raise HefInputError(f"{path}, line {number}: {_problem(error)}; {EXPECTED}") from error


def _problem(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else f"cannot be read ({type(error).__name__}: {error})"


def _answer(values: dict[str, Any], labels: Sequence[str]) -> Answer:
    case_id = values.get("case_id") or values.get("custom_id")
    if not isinstance(case_id, str):
        raise HefInputError("no id")
    if "emotion" in values:
        return _checked(Answer.from_json({**values, "case_id": case_id}), labels)
    if isinstance(values.get("response"), dict) or values.get("error"):
        return _from_batch(case_id, values, labels)
    text = next((values[name] for name in ("text", "content", "response") if isinstance(values.get(name), str)), None)
    if text is None:
        raise HefInputError("no answer")
    return answer_from_text(case_id, text, labels)


def _checked(answer: Answer, labels: Sequence[str]) -> Answer:
    """An answer whose emotion is one of the labels, in whatever case it was written, or none."""
    known = {label.casefold(): label for label in labels}
    emotion = known.get(str(answer.emotion or "").strip().casefold())
    values = {**answer.to_json(), "emotion": emotion}
    values["written_emotion"] = answer.written_emotion or answer.emotion or ""
    if emotion is None and answer.emotion and not answer.degraded_reason:
        values["degraded_reason"] = "label"
    return Answer.from_json(values)


def _from_batch(case_id: str, values: Mapping[str, Any], labels: Sequence[str]) -> Answer:
    """A line of the OpenAI batch service's output; a request that failed is an answer that failed."""
    response = values.get("response") or {}
    body = response.get("body") or {}
    if values.get("error") or not body.get("choices"):
        return Answer(case_id, None, degraded_reason="error")
    choice, usage = body["choices"][0], body.get("usage") or {}
    message = choice["message"]
    answer = answer_from_text(case_id, message.get("content") or "", labels)
    counted = {"input_tokens": usage.get("prompt_tokens", 0), "output_tokens": usage.get("completion_tokens", 0)}
    reason = "refusal" if message.get("refusal") else answer.degraded_reason
    return Answer.from_json({**answer.to_json(), **counted, "degraded_reason": reason})
