"""What answers a study's cases: a small empathetic model (SEM), a large language model (LLM), or both as HEF.

LLMs are asked on the product's own path (schema, repair, three calls, one deadline), so that what is measured is what
users get; but where the embedded listener would step in, the model has failed: it is not scored for the listener.
"""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from hef_graph import instruction as wording
from hef_graph.chat import ladder
from hef_graph.chat.answering import AnswerOptions, Question, prepare_answer
from hef_graph.chat.deadline import Deadline
from hef_graph.chat.listener import EmbeddedListener
from hef_graph.chat.methods import IN_WORDS, Method, word_schema
from hef_graph.chat.outcome import read_outcome
from hef_graph.chat.reading import read_evidence
from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.answers import Answer, read_answers
from hef_graph.evaluation.study.cases import Case, turns_of
from hef_graph.evaluation.study.models import (
    Ear,
    RememberedSem,
    SilentListener,
    heard_answer,
    model_identity,
    priced_name,
    read_answer,
    sem_identity,
    shown_by,
    stable_hash,
)
from hef_graph.reply import json_schema
from hef_graph.turn import Evidence, ReadingOptions, compose_prompt, instruct
from hef_graph.types import CauseWords, SmallEmpatheticModel, Turn

BATCH: Final = 256
"""Cases that a SEM reads between two looks at the clock."""

MISSING: Final = "missing"
"""`degraded_reason` of a case that a file has no answer to."""


class System(Protocol):
    """Something that answers cases."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    @property
    def key(self) -> str:
        """Tells apart all that changes its answers (models, settings, wording): answers are cached under it."""
        ...

    @property
    def model_name(self) -> str | None:
        """The name under which its tokens have a price; None if they cost nothing."""
        ...

    async def answer(self, case: Case) -> Answer:
        """Its answer; never an exception for a model's fault."""
        ...


@runtime_checkable
class BatchSystem(Protocol):
    """A system that answers many cases at once faster than one by one."""

    def answer_all(self, cases: Sequence[Case]) -> list[Answer]:
        """Its answers, in the cases' order; blocks."""
        ...


@runtime_checkable
class AskingSystem(Protocol):
    """A system that sends a prompt to a chat model."""

    @property
    def labels(self) -> tuple[str, ...]:
        """All emotions that may be named."""
        ...

    async def prepare(self, cases: Sequence[Case]) -> None:
        """Read in batches what the cases' prompts need."""
        ...

    def messages(self, case: Case) -> list[BaseMessage]:
        """The prompt, complete in words."""
        ...


@runtime_checkable
class GreedyWriter(Protocol):
    """A SEM whose decoder writes one reply to each dialogue."""

    def decode_replies(self, dialogues: Sequence[Sequence[str]]) -> list[str]:
        """Greedy replies, in order."""
        ...


class SemSystem:
    """A SEM alone: it reads, and if `writes` its decoder answers too."""

    model_name: str | None = None

    def __init__(self, sem: SmallEmpatheticModel, *, name: str | None = None, writes: bool = False) -> None:
        """Raise `HefInputError` if it is to write and has no decoder."""
        if writes and not isinstance(sem, GreedyWriter):
            raise HefInputError(f"{sem.name} only reads; leave out writes=True")
        self.name = name or sem.name
        self._sem, self._writes = sem, writes

    @cached_property
    def key(self) -> str:
        """Of the SEM and of whether it writes."""
        return stable_hash({"kind": "sem", "sem": sem_identity(self._sem), "writes": self._writes})

    async def answer(self, case: Case) -> Answer:
        """Its reading."""
        [answer] = await asyncio.to_thread(self.answer_all, [case])
        return answer

    def answer_all(self, cases: Sequence[Case]) -> list[Answer]:
        """Its readings."""
        started, dialogues = time.perf_counter(), [case.turns for case in cases]
        analyses = self._sem.analyze(dialogues)
        writer = self._sem if self._writes and isinstance(self._sem, GreedyWriter) else None
        replies = writer.decode_replies(dialogues) if writer else [""] * len(cases)
        seconds = (time.perf_counter() - started) / max(1, len(cases))
        found = zip(cases, analyses, replies, strict=True)
        return [read_answer(case.case_id, analysis, reply, seconds) for case, analysis, reply in found]


@dataclass(frozen=True, slots=True)
class AskOptions:
    """How a study asks a chat model: as the product does by default."""

    deadline: float = 30.0
    """Seconds for a turn."""
    method: Method | None = None
    """How the model is asked for the reply's schema; None chooses by what it can do."""


ASK: Final = AskOptions()
NOTHING: Final = ReadingOptions(two_stage=False, cause_perception=False)
"""No evidence: what the LLM alone is told."""


class LlmSystem:
    """An LLM alone: the same instruction as HEF's, without any evidence."""

    def __init__(
        self, model: BaseChatModel, labels: Sequence[str], *, name: str | None = None, asking: AskOptions = ASK
    ) -> None:
        """Raise `HefInputError` for the embedded listener, which is no LLM."""
        if isinstance(model, EmbeddedListener):
            raise HefInputError("the embedded listener is a SEM's decoder; study it as SemSystem(sem, writes=True)")
        self.labels: tuple[str, ...] = tuple(labels)
        self.model_name = priced_name(model)
        self.name = name or self.model_name or type(model).__name__
        self._model, self._asking, self._identity = model, asking, model_identity(model)

    @cached_property
    def key(self) -> str:
        """Of the model, its labels, how it is asked, and every word that it is told."""
        return stable_hash(self._told())

    def _told(self) -> dict[str, Any]:
        words = [wording.ROLE, IN_WORDS, ladder.REPAIR, ladder.MAX_CALLS, json_schema(self.labels)]
        asking = [self._asking.deadline, self._asking.method]
        return {"kind": "llm", "model": self._identity, "asking": asking, "labels": list(self.labels), "words": words}

    async def prepare(self, cases: Sequence[Case]) -> None:
        """Nothing to read."""

    def messages(self, case: Case) -> list[BaseMessage]:
        """The prompt of the first call, with the schema in words: whoever answers elsewhere may not be shown it."""
        question = self._question(case, Deadline.after(self._asking.deadline))
        return word_schema(compose_prompt(question.turns, question.instruction), self._model, self.labels, "plain")

    async def answer(self, case: Case) -> Answer:
        """What users would get from the model."""
        started, deadline, ear = time.perf_counter(), Deadline.after(self._asking.deadline), Ear()
        question = await asyncio.to_thread(self._question, case, deadline)
        options = AnswerOptions(deadline, self._asking.method)
        prepared = prepare_answer(self._model, SilentListener(), question, options)
        message = await prepared.model.ainvoke(prepared.prompt, {"callbacks": [ear]})
        seconds = time.perf_counter() - started + self._reading_seconds(question.turns)
        return heard_answer(case.case_id, read_outcome(message), ear, seconds)

    def _question(self, case: Case, deadline: Deadline) -> Question:
        turns = turns_of(case)
        evidence = self._evidence(turns, deadline)
        return Question(turns, evidence, instruct(evidence, self._reading), self.labels)

    @property
    def _reading(self) -> ReadingOptions:
        return NOTHING

    def _evidence(self, turns: Sequence[Turn], deadline: Deadline) -> Evidence:  # noqa: ARG002  HEF's own reads
        return Evidence((), CauseWords())

    def _reading_seconds(self, turns: Sequence[Turn]) -> float:  # noqa: ARG002  HEF's own has some
        return 0.0


class HefSystem(LlmSystem):
    """An LLM that is told what a SEM read. Give systems that share a SEM one `RememberedSem`: it reads each case once.

    With both strategies off it is the LLM alone, under the same key: the same answers are not paid twice.
    """

    def __init__(
        self,
        model: BaseChatModel,
        sem: SmallEmpatheticModel,
        reading: ReadingOptions | None = None,
        *,
        name: str | None = None,
        asking: AskOptions = ASK,
    ) -> None:
        """As `LlmSystem`'s; the labels are the SEM's."""
        super().__init__(model, sem.labels, asking=asking)
        self.reading = reading or ReadingOptions()
        self.name = name or f"HEF {self.name}"
        self._sem = sem if isinstance(sem, RememberedSem) else RememberedSem(sem)

    def _told(self) -> dict[str, Any]:
        told = super()._told()
        shown = shown_by(self.reading)
        return told | {"kind": "hef", "shown": shown, "sem": self._sem.identity} if shown else told

    async def prepare(self, cases: Sequence[Case]) -> None:
        """Let the SEM read all cases.

        Raises:
            Exception: whatever a SEM raises: without its SEM there is no HEF to study.
        """
        dialogues = [turns_of(case) for case in cases] if shown_by(self.reading) else []
        for start in range(0, len(dialogues), BATCH):
            await asyncio.to_thread(self._sem.analyze, dialogues[start : start + BATCH])

    def candidates(self, case: Case) -> tuple[str, ...]:
        """The emotions that the model is told to put first; none where two-stage prediction is off."""
        if not self.reading.two_stage:
            return ()
        evidence = self._evidence(turns_of(case), Deadline.after(self._asking.deadline))
        return tuple(score.label for score in evidence.candidates)

    @property
    def _reading(self) -> ReadingOptions:
        return self.reading

    def _evidence(self, turns: Sequence[Turn], deadline: Deadline) -> Evidence:
        if not shown_by(self.reading):
            return super()._evidence(turns, deadline)
        return read_evidence(lambda: self._sem.analyze([turns])[0], turns, self.reading, deadline=deadline)

    def _reading_seconds(self, turns: Sequence[Turn]) -> float:
        return self._sem.seconds(turns)


class FileSystem:
    """Answers that lie in a JSONL file of `Answer`s. Predictions of other SEMs come as `SemSystem(load_sem(path))`."""

    model_name: str | None = None

    def __init__(self, path: Path, *, name: str | None = None) -> None:
        """Raise `HefInputError` for a file that cannot be read."""
        self._answers = {answer.case_id: answer for answer in read_answers(path)}
        self.name = name or path.stem
        self.key = stable_hash({"kind": "file", "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})

    async def answer(self, case: Case) -> Answer:
        """As in the file; no emotion and the reason "missing" for a case that it lacks."""
        [answer] = self.answer_all([case])
        return answer

    def answer_all(self, cases: Sequence[Case]) -> list[Answer]:
        """As in the file."""
        ids = [case.case_id for case in cases]
        return [self._answers.get(case_id) or Answer(case_id, None, degraded_reason=MISSING) for case_id in ids]
