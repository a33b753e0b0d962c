"""Cases of made-up conversations, and systems that answer them without any model."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from langchain_core.messages import BaseMessage, HumanMessage

from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cases import Case
from tests.fakes import LABELS

CASES: Final = (
    Case("barn#1", "barn", ("Somebody stole my bicycle from the barn.",), "angry", "How mean!"),
    Case("quiz#1", "quiz", ("We won the pub quiz!",), "joyful", "Well done, all of you."),
    Case("quiz#3", "quiz", ("We won the pub quiz!", "Well done.", "It was a party until two."), "joyful", "Lovely."),
    Case("attic#1", "attic", ("There is a spider in the attic, and it is dark.",), "afraid", "Take a lamp."),
)


def many_cases(count: int) -> list[Case]:
    return [Case(f"made-{n}#1", f"made-{n}", (f"I lost {n} buttons.",), "sad", "Oh no.") for n in range(count)]


def sad(case: Case) -> Answer:
    """An answer that is always sad, of more tokens than anybody would expect."""
    return Answer(case.case_id, "sad", "sad", "Oh.", input_tokens=1000, output_tokens=100)


@dataclass
class MadeUpSystem:
    """Answers by a function, and notes who was asked and how many at a time."""

    name: str = "made up"
    key: str = "made-up"
    model_name: str | None = None
    reply: Callable[[Case], Answer] = sad
    pause: float = 0.0
    asked: list[str] = field(default_factory=list)
    running: int = 0
    most_running: int = 0

    async def answer(self, case: Case) -> Answer:
        self.asked.append(case.case_id)
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            await asyncio.sleep(self.pause)
            return self.reply(case)
        finally:
            self.running -= 1


@dataclass
class PromptingSystem(MadeUpSystem):
    """The same with prompts, which can be counted."""

    labels: tuple[str, ...] = LABELS
    prepared: int = 0

    async def prepare(self, cases: Sequence[Case]) -> None:
        self.prepared += len(cases)

    def messages(self, case: Case) -> list[BaseMessage]:
        return [HumanMessage(case.turns[-1])]
