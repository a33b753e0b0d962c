"""A long conversation: what its prompts cost and how much of them a cache can keep; memory, time and bytes a turn."""

import gc
from pathlib import Path
from typing import Any, Final

from langchain_core.messages import BaseMessage, HumanMessage
from typing_extensions import override

from hef_graph.evaluation.benchmark.report import Bar, Row, exactly
from hef_graph.evaluation.benchmark.stand_ins import ConstantSem, InstantModel, SilentPolicy
from hef_graph.evaluation.benchmark.timing import Spread, ratio, scaled, seconds, side_by_side
from hef_graph.evaluation.study.tokens import count_tokens
from hef_graph.graph import HefContext, HefGraph, HefOptions, create_hef_graph
from hef_graph.sem import load_sem

PART: Final = "conversation"
MODEL: Final = "gpt-4.1-mini"
"""Whose tokens are counted: o200k."""
LIMITS: Final = {20: 220, "adaptive": 160}
ORDINARY: Final = HefOptions(crisis_policy=SilentPolicy())
"""A turn that is taken for a crisis asks no model: it would make every figure look better."""

EDGE: Final = 100
"""Further turns of the long conversation, and as many of a new one, that are compared."""

LINES: Final = (
    "My sister forgot my birthday again.",
    "I sat alone with the cake all evening and waited for her call.",
    "She sent a message this morning, as if nothing had happened.",
    "I don't want to make a scene, but it hurts.",
    "Last year was the same, and I said nothing then.",
    "My mother says that I should let it go.",
    "Maybe I will write her a letter and not send it.",
    "I read it to my friend and she cried a little.",
    "Today my sister came by with flowers, out of the blue.",
    "We talked for hours. I feel so much lighter now.",
)


class NotingModel(InstantModel):
    """Keeps the prompts that it is given, as texts."""

    prompts: list[str] = []  # noqa: RUF012  pydantic copies it

    @override
    def _generate(self, messages: list[BaseMessage], *arguments: Any, **kwargs: Any) -> Any:
        self.prompts.append("\n".join(str(message.text) for message in messages))
        return super()._generate(messages, *arguments, **kwargs)


def measure_prompts(saver: Any) -> list[Row]:
    """Tokens of an instruction, and the share of ten prompts that repeats the beginning of the one before."""
    rows = [_measure_instruction(k2, limit) for k2, limit in LIMITS.items()]
    model = NotingModel()
    graph = create_hef_graph(model, sem=load_sem(), checkpointer=saver, options=ORDINARY)
    for line in LINES:
        graph.invoke({"messages": [HumanMessage(line)]}, _thread("prompts"))
    pairs = zip(model.prompts, model.prompts[1:], strict=False)
    kept = sum(_shared(earlier, later) for earlier, later in pairs)
    share = 100 * kept / sum(len(prompt) for prompt in model.prompts)
    return [*rows, Row(PART, "of ten prompts, begins as the one before", exactly(share), "% of characters")]


def _measure_instruction(k2: Any, limit: int) -> Row:
    graph, context = create_hef_graph(InstantModel(), sem=load_sem(), options=ORDINARY), HefContext(k2=k2)
    told = [graph.invoke({"messages": [HumanMessage(line)]}, context=context)["instruction"] for line in LINES]
    counted = [count_tokens(instruction, MODEL) for instruction in told]
    tokens = Spread.of([each.count for each in counted])
    return Row(
        PART, f"instruction, k2={k2}", tokens, "tokens", Bar("≤", limit), f"{len(LINES)} messages, {counted[0].how}"
    )


def measure_long(saver: Any, path: Path, turns: int) -> list[Row]:
    """A conversation of many turns in one SQLite file, on models that cost nothing."""
    graph = create_hef_graph(InstantModel(), sem=ConstantSem(), checkpointer=saver, options=ORDINARY)
    taken: list[float] = []
    memory: list[float] = []
    for turn in range(turns):
        taken.append(seconds(lambda turn=turn: _say(graph, LINES[turn % len(LINES)], "long")))  # type: ignore[misc]
        if turn + 1 in {turns // 2, turns}:
            gc.collect()
            memory.append(_resident())
    stored = sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*"))
    threads = {thread: lambda thread=thread: _say(graph, LINES[0], thread) for thread in ("long", "new")}
    further = side_by_side(threads, rounds=EDGE)
    note = f"{turns} turns"
    return [
        Row(PART, "a turn, crisis check and SQLite included", scaled(taken, 1000), "ms", note=note),
        Row(
            PART, "a further turn / in a new talk", ratio(further["long"], further["new"]), "times", Bar("≤", 1.2), note
        ),
        Row(PART, "memory, second half of the turns", exactly(memory[1] - memory[0]), "MB more", note=note),
        Row(PART, "stored in SQLite", exactly(stored / turns / 1000), "KB a turn", Bar("≤", 50), note),
    ]


def _shared(earlier: str, later: str) -> int:
    """Characters at the beginning that both have."""
    pairs = enumerate(zip(earlier, later, strict=False))
    return next((index for index, (one, other) in pairs if one != other), min(len(earlier), len(later)))


def _say(graph: HefGraph, text: str, thread: str) -> None:
    graph.invoke({"messages": [HumanMessage(text)]}, _thread(thread))


def _thread(name: str) -> Any:
    return {"configurable": {"thread_id": name}}


def _resident() -> float:
    """Megabytes of this process that lie in memory."""
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    return pages * 4096 / 1e6
