"""From an arm of a study to the system that answers for it."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import FakeListChatModel

from hef_graph.errors import HefInputError
from hef_graph.evaluation.metrics import tokenize_words
from hef_graph.evaluation.study.cases import Case
from hef_graph.evaluation.study.models import RememberedSem
from hef_graph.evaluation.study.studies import Arm
from hef_graph.evaluation.study.systems import FileSystem, GreedyWriter, HefSystem, LlmSystem, SemSystem, System
from hef_graph.sem import load_sem
from hef_graph.types import SmallEmpatheticModel

BuildModel: TypeAlias = Callable[[str], BaseChatModel]


@runtime_checkable
class ReplyScorer(Protocol):
    """A SEM whose decoder tells how likely a reply is."""

    def reply_log_likelihoods(self, dialogues: Sequence[Sequence[str]], replies: Sequence[str]) -> list[float]:
        """One natural log-likelihood a reply."""
        ...


@dataclass
class Workshop:
    """Builds systems; those of one model share it, and all read with one SEM."""

    sem: SmallEmpatheticModel
    build: BuildModel
    files: dict[str, Path]
    writes: bool
    """Whether the SEM answers too, if it can."""
    _models: dict[str, BaseChatModel] = field(default_factory=dict)

    def system(self, arm: Arm) -> System:
        """Who answers for the arm.

        Raises:
            HefInputError: a file that cannot be read.
            HefModelError: a model that cannot be set up.
        """
        if arm.kind == "SEM":
            return SemSystem(self.sem, name=arm.name, writes=self.writes and can_write(self.sem))
        if arm.kind == "file":
            return _file_system(self.files[arm.model], arm.name)
        if arm.options is None:
            return LlmSystem(self.model(arm.model), self.sem.labels, name=arm.name)
        return HefSystem(self.model(arm.model), self._remembered, arm.options, name=arm.name)

    def model(self, name: str) -> BaseChatModel:
        """The chat model of that name, built once."""
        if name not in self._models:
            self._models[name] = self.build(name)
        return self._models[name]

    @cached_property
    def _remembered(self) -> RememberedSem:
        return RememberedSem(self.sem)


def silent_model(name: str) -> BaseChatModel:  # noqa: ARG001  stands in for every model
    """A model that is never asked: prompts can be written without a key."""
    return FakeListChatModel(responses=[])


def can_write(sem: SmallEmpatheticModel) -> bool:
    """Whether the SEM has a decoder."""
    try:
        return isinstance(sem, GreedyWriter) and bool(sem.decode_replies([["Hello."]]))
    except HefInputError:  # of a kind that could have one
        return False


def word_perplexity(sem: SmallEmpatheticModel, cases: Sequence[Case]) -> float | None:
    """Word-normalised: exp(total negative log-likelihood / words of the human replies); None without a decoder."""
    if not (isinstance(sem, ReplyScorer) and can_write(sem)):
        return None
    replies = [case.reference for case in cases]
    words = sum(len(tokenize_words(reply)) for reply in replies)
    likelihoods = sem.reply_log_likelihoods([case.turns for case in cases], replies)
    return math.exp(-sum(likelihoods) / words) if words else None


def _file_system(path: Path, name: str) -> System:
    """Answers, or the predictions of another SEM (`hef_graph.sem.plugins.predictions`)."""
    if path.suffix == ".jsonl" and not _holds_answers(path):
        return SemSystem(load_sem(path), name=name)
    return FileSystem(path, name=name)


def _holds_answers(path: Path) -> bool:
    """Whether the first line is an answer's."""
    try:
        with path.open(encoding="utf-8") as file:
            first = json.loads(next(line for line in file if line.strip()))
    except (OSError, ValueError, StopIteration):
        return True  # reading it as answers says what is wrong
    return isinstance(first, dict) and "case_id" in first
