import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from langchain_core.language_models import BaseChatModel

from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.answers import Answer, write_answers
from hef_graph.evaluation.study.cases import cases_of
from hef_graph.evaluation.study.studies import Arm
from hef_graph.evaluation.study.systems import FileSystem, HefSystem, LlmSystem, SemSystem
from hef_graph.evaluation.study.workshop import Workshop, can_write, word_perplexity
from tests.evaluation.study.made_up import CONTEXTS, LLM, READING
from tests.fakes import ScriptedModel, StubSem

CASES = cases_of(CONTEXTS)


class WritingSem(StubSem):
    """A stub whose decoder gives each word of a reply a tenth."""

    def decode_replies(self, dialogues: Sequence[Sequence[str]]) -> list[str]:
        return ["Oh."] * len(dialogues)

    def reply_log_likelihoods(self, dialogues: Sequence[Sequence[str]], replies: Sequence[str]) -> list[float]:
        return [4 * math.log(0.1)] * len(replies)


class ReadingSem(StubSem):
    """Of a kind that could write, but without a decoder."""

    def decode_replies(self, dialogues: Sequence[Sequence[str]]) -> list[str]:
        raise HefInputError("it has no decoder to reply with")


def workshop(files: dict[str, Path] | None = None) -> Workshop:
    built: list[str] = []

    def build(name: str) -> BaseChatModel:
        assert name not in built, "a model is built once"
        built.append(name)
        return ScriptedModel(answers=[])

    return Workshop(StubSem(), build, files or {}, writes=True)


def test_each_arm_has_its_system_under_its_name() -> None:
    makes = workshop()
    arms = [Arm("SEM", "stub"), Arm("LLM", LLM), Arm("HEF", LLM, READING)]
    systems = [makes.system(arm) for arm in arms]
    assert [type(system) for system in systems] == [SemSystem, LlmSystem, HefSystem]
    assert [system.name for system in systems] == [arm.name for arm in arms]


def test_a_file_may_hold_answers(tmp_path: Path) -> None:
    write_answers([Answer("c0#1", "sad")], tmp_path / "a.jsonl")
    assert isinstance(workshop({"theirs": tmp_path / "a.jsonl"}).system(Arm("file", "theirs")), FileSystem)


def test_a_file_may_hold_predictions(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"dialogue": ["My parrot died on Monday."], "emotions": {"sad": 0.9, "joyful": 0.1}}\n')
    assert isinstance(workshop({"theirs": path}).system(Arm("file", "theirs")), SemSystem)


def test_a_file_of_neither_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("no json\n")
    with pytest.raises(HefInputError, match="line 1"):
        workshop({"theirs": path}).system(Arm("file", "theirs"))


def test_perplexity_is_counted_per_word() -> None:
    assert word_perplexity(WritingSem(), CASES) == pytest.approx(10.0)  # "Tell me more ." are four words


@pytest.mark.parametrize(("sem", "expected"), [(StubSem(), False), (ReadingSem(), False), (WritingSem(), True)])
def test_only_a_sem_with_a_decoder_writes(sem: StubSem, expected: bool) -> None:
    assert can_write(sem) is expected
    assert (word_perplexity(sem, CASES) is not None) is expected
