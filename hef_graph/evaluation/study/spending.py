"""What a run is going to cost, what it has cost, and when that is enough."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cases import Case
from hef_graph.evaluation.study.prices import Price, show_cost
from hef_graph.evaluation.study.systems import AskingSystem, System
from hef_graph.evaluation.study.tokens import Counting, count_tokens
from hef_graph.reply import json_schema

OUTPUT_TOKENS: Final = 60
"""Assumed of an answer before there is one: an emotion and one to three sentences, as JSON."""

KNOWN_AFTER: Final = 10
"""Calls after which a system's real costs say more than the estimate."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a system's run is going to cost, as far as that can be told before it."""

    system: str
    cases: int
    """All of the run."""
    cached: int
    """Of them already answered."""
    input_tokens: int
    output_tokens: int
    cost: float | None
    """US dollars; None without a known price."""
    counted: Counting | None = None
    """How the input was counted; None where nothing is asked of a chat model."""
    assumed: str = ""
    """Where the output's length comes from."""

    def show(self) -> str:
        """For people, in one line."""
        head = f"{self.system}: {self.cases - self.cached:,} of {self.cases:,} cases to answer"
        if self.counted is None or self.cases == self.cached:
            return head
        tokens = f"about {self.input_tokens:,} input tokens ({self.counted}), {self.output_tokens:,} output tokens"
        return f"{head}, {tokens} ({self.assumed}): {show_cost(self.cost)}"


@dataclass(frozen=True, slots=True)
class Forecast:
    """An estimate, and what each single case is expected to cost."""

    estimate: Estimate
    by_case: dict[str, float]
    """US dollars; empty without a known price."""


def forecast(system: System, cases: Sequence[Case], known: dict[str, Answer], price: Price | None) -> Forecast:
    """Count the prompts of the cases that are not known yet; an asking system must be prepared."""
    todo = [case for case in cases if case.case_id not in known]
    if not isinstance(system, AskingSystem):
        return Forecast(Estimate(system.name, len(cases), len(known), 0, 0, 0.0 if price else None), {})
    schema = json.dumps(json_schema(system.labels))  # it is sent beside the prompt, and billed
    texts = ["\n".join([*(str(message.text) for message in system.messages(case)), schema]) for case in todo]
    counts = [count_tokens(text, system.model_name) for text in texts]
    output, assumed = expected_output(list(known.values()))
    estimate = Estimate(
        system.name,
        len(cases),
        len(known),
        sum(count.count for count in counts),
        round(output * len(todo)),
        price.cost(sum(count.count for count in counts), output * len(todo)) if price else None,
        counts[0].how if counts else "characters / 4",
        assumed,
    )
    costs = [price.cost(count.count, output) for count in counts] if price else []
    return Forecast(estimate, {case.case_id: cost for case, cost in zip(todo, costs, strict=False)})


def expected_output(answers: Sequence[Answer]) -> tuple[float, str]:
    """Tokens of an answer, and where the number comes from."""
    counted = [answer.output_tokens for answer in answers if answer.output_tokens]
    if not counted:
        return OUTPUT_TOKENS, f"{OUTPUT_TOKENS} an answer, assumed"
    return sum(counted) / len(counted), f"mean of {len(counted)} answers"


@dataclass(slots=True)
class Budget:
    """Money that several runs share: what they have spent, and what is on its way."""

    limit: float | None = None
    """US dollars; None for no limit."""
    in_flight: float = 0.0
    costs: dict[str, list[float]] = field(default_factory=dict)
    """What each call of a system cost, by the system's key."""

    @property
    def spent(self) -> float:
        """US dollars so far."""
        return sum(map(sum, self.costs.values()))

    def reserve(self, system_key: str, expected: float) -> float | None:
        """Put aside what a call may cost; None if that is too much.

        That is the more of what is expected and of the system's dearest so far; the latter alone once it is known.
        """
        costs = self.costs.get(system_key, [])
        amount = max(0.0 if len(costs) >= KNOWN_AFTER else expected, max(costs, default=0.0))
        if self.limit is not None and amount and self.spent + self.in_flight + amount > self.limit:
            return None
        self.in_flight += amount
        return amount

    def settle(self, system_key: str, reserved: float, cost: float | None) -> None:
        """The call is over; it cost this much, or came to nothing for None."""
        self.in_flight -= reserved
        if cost is not None:
            self.costs.setdefault(system_key, []).append(cost)
