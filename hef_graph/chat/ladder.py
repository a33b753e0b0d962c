"""The ladder of one answer: as written → mended → asked once more → salvaged → the rung below.

Written once for sync, async and streaming: `settle` yields the prompts to send and is sent what came back.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata, add_usage

from hef_graph.chat.outcome import Outcome
from hef_graph.errors import HefReplyError
from hef_graph.reply import Reply, parse_reply, partial_emotion, partial_response

REPAIR: Final = (
    "That answer could not be used: {problem}. Answer again with nothing but one JSON object: "
    '{{"emotion": one of [{labels}], "response": your reply}}.'
)
"""Shows the model what was wrong with its answer; constant but for the problem, which quotes no more than a label."""

_SENTENCE_END: Final = (".", "!", "?", "…", "。", "！", "？")
_WORTH_ASKING: Final = frozenset({"prose", "label", "schema", "empty"})
"""Causes that a second look may mend; a refusal or a cut answer would only come again."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came back from one model call."""

    text: str
    """The JSON text, as far as it came."""
    failure: HefReplyError | None = None
    """Why the call itself did not end well."""
    shown: str = ""
    """Response text that the user has already seen."""
    usage: UsageMetadata | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One turn's request."""

    prompt: Sequence[BaseMessage]
    labels: tuple[str, ...]
    likeliest: str
    """The SEM's best candidate: stands in for a label that the model got wrong."""


Settling: TypeAlias = Generator[Sequence[BaseMessage], Attempt, Outcome | HefReplyError]


def settle(case: Case) -> Settling:
    """Yield prompts, receive attempts; return the outcome, or the error that the rung below has to make good.

    A shown word cannot be taken back: once text is shown, the answer is only completed or closed.
    """
    first = yield case.prompt
    try:
        return _outcome(read_attempt(first, case.labels), first)
    except HefReplyError as error:
        problem = error
    if first.shown:
        return close_shown(first, problem, case)
    if problem.cause not in _WORTH_ASKING:
        return salvage(first, problem, case) or problem
    second = yield [*case.prompt, *_ask_again(first, problem, case.labels)]
    both = replace(second, usage=add_usage(first.usage, second.usage) if first.usage or second.usage else None)
    try:
        return replace(_outcome(read_attempt(second, case.labels), both), degraded_reason=f"repaired:{problem.cause}")
    except HefReplyError as error:
        return salvage(both, error, case) or salvage(replace(first, usage=both.usage), problem, case) or problem


def read_attempt(attempt: Attempt, labels: Sequence[str]) -> Reply:
    """The reply in an attempt, or its `HefReplyError`."""
    if attempt.failure is not None:
        raise attempt.failure
    return parse_reply(attempt.text, labels)


def close_shown(attempt: Attempt, problem: HefReplyError, case: Case) -> Outcome:
    """Keep what was shown; it cannot be taken back."""
    response = partial_response(attempt.text).strip() or attempt.shown
    return Outcome(_emotion(attempt, case), response, problem.cause, attempt.usage)


def salvage(attempt: Attempt, problem: HefReplyError, case: Case) -> Outcome | None:
    """A usable response without a usable label: the whole sentences of the response, or the plain prose."""
    text = partial_response(attempt.text).strip()
    if not text and problem.cause == "prose" and "{" not in attempt.text:
        text = attempt.text.strip()
    whole = text if problem.cause in {"label", "prose"} else whole_sentences(text)
    return Outcome(_emotion(attempt, case), whole, problem.cause, attempt.usage) if whole else None


def whole_sentences(text: str) -> str:
    """A cut text up to its last full sentence; empty if there is none."""
    end = max(text.rfind(mark) for mark in _SENTENCE_END)
    return text[: end + 1]


def _emotion(attempt: Attempt, case: Case) -> str:
    """The model's own label where it came through, else the SEM's best candidate."""
    return partial_emotion(attempt.text, case.labels) or case.likeliest


def _outcome(reply: Reply, attempt: Attempt) -> Outcome:
    reason = f"repaired:{reply.repair}" if reply.repair else None
    return Outcome(reply.emotion, reply.response, reason, attempt.usage)


def _ask_again(attempt: Attempt, problem: HefReplyError, labels: Sequence[str]) -> list[BaseMessage]:
    request = HumanMessage(REPAIR.format(problem=problem, labels=", ".join(labels)))
    return [AIMessage(attempt.text or "(nothing)"), request]
