"""The ladder of one answer: as written → mended → asked again → salvaged → the rung below.

Written once for sync, async and streaming: `settle` yields the calls to make and is sent what came back.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import inf
from typing import Final, TypeAlias

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata, add_usage

from hef_graph.chat.methods import LOWER, Method
from hef_graph.chat.outcome import Outcome
from hef_graph.chat.release import release
from hef_graph.delimiters import escape_evidence
from hef_graph.errors import HefReplyError
from hef_graph.reply import Reply, parse_reply, partial_emotion, partial_response, printable

REPAIR: Final = (
    "That answer could not be used: {problem}. Answer again with nothing but one JSON object: "
    '{{"emotion": one of [{labels}], "response": your reply}}.'
)
"""Shows the model what was wrong with its answer; constant but for the problem, which quotes no more than a label."""

MAX_CALLS: Final = 3
"""Calls of one turn, whatever they are made for."""

FIRST_WAIT: Final = 0.25
"""Seconds before a call is made once more, where the provider names no time; doubled each time."""

CLAIM: Final = "claim"
"""Why a reply lacks sentences, or all of them: they claimed a human life, or gave a number that was made up."""

_SENTENCE_END: Final = (".", "!", "?", "…", "。", "！", "？")
_MENDABLE: Final = frozenset({"prose", "label", "schema", "empty", CLAIM})
"""Causes that a second look may mend; a refusal or a cut answer would only come again."""
_PASSING: Final = frozenset({"rate_limit", "server", "connection", "malformed", "timeout"})
"""Causes that may be gone a moment later."""


@dataclass(frozen=True, slots=True)
class Call:
    """One model call to make."""

    prompt: Sequence[BaseMessage]
    method: Method
    wait: float = 0.0
    """Seconds before it is made."""
    streamed: bool = True
    """Whether the answer may be asked for as a stream, where the caller wants one."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came back from one model call."""

    text: str
    """The JSON text, as far as it came."""
    failure: HefReplyError | None = None
    """Why the call itself did not end well."""
    shown: str = ""
    """Response text that the user has already seen: sentences that may be shown."""
    usage: UsageMetadata | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One turn's request."""

    prompt: Sequence[BaseMessage]
    labels: tuple[str, ...]
    likeliest: str
    """The best guess at the emotion: stands in for a label that the model got wrong."""
    method: Method = "plain"
    """How the model is asked at first."""
    remaining: Callable[[], float] = lambda: inf
    """Seconds left for the turn."""
    known: frozenset[str] = frozenset()
    """The numbers that a reply may give (`numbers_in`)."""


@dataclass(frozen=True, slots=True)
class CutReply:
    """A reply that broke off after the user had seen its beginning: what is shown can only be completed or closed."""

    emotion: str
    shown: str
    problem: HefReplyError
    usage: UsageMetadata | None = None

    @property
    def has_sentence(self) -> bool:
        """Whether it can stand as a reply."""
        return bool(whole_sentences(self.shown))

    @property
    def closed(self) -> str:
        """What is shown, with a mark that it broke off unless it ends a sentence."""
        return self.shown if self.shown.endswith(_SENTENCE_END) else f"{self.shown}…"


@dataclass(frozen=True, slots=True)
class _Tried:
    attempt: Attempt
    problem: HefReplyError


Settled: TypeAlias = Outcome | CutReply | HefReplyError
Settling: TypeAlias = Generator[Call, Attempt, Settled]


def settle(case: Case) -> Settling:
    """Yield calls, receive attempts; return the outcome, a cut reply, or the error that the rung below makes good."""
    call: Call | None = Call(case.prompt, case.method)
    tried: list[_Tried] = []
    while call is not None:
        attempt = yield call
        try:
            return _outcome(_release(read_attempt(attempt, case.labels), case), attempt, tried)
        except HefReplyError as error:
            tried.append(_Tried(attempt, error))
            if attempt.shown:
                return _cut(tried, case)
            call = next_call(call, tried, case)
    return _salvage_newest(tried, case) or tried[-1].problem


def next_call(last: Call, tried: Sequence[_Tried], case: Case) -> Call | None:
    """The call that may still bring an answer: asked in another way, with what was wrong, or the same once more."""
    attempt, problem = tried[-1].attempt, tried[-1].problem
    if len(tried) == MAX_CALLS:
        return None
    if problem.refused_method:
        lower = LOWER.get(last.method)
        return replace(last, method=lower, wait=0.0) if lower else None
    if problem.cause in _MENDABLE and not any(each.problem.cause in _MENDABLE for each in tried[:-1]):
        return replace(last, prompt=[*case.prompt, *_ask_again(attempt, problem, case.labels)], wait=0.0)
    wait = FIRST_WAIT * 2 ** (len(tried) - 1) if problem.retry_after is None else problem.retry_after
    if problem.cause in _PASSING and wait < case.remaining() / 2:
        return replace(last, wait=wait, streamed=last.streamed and problem.cause != "malformed")
    return None


def read_attempt(attempt: Attempt, labels: Sequence[str]) -> Reply:
    """The reply in an attempt, or its `HefReplyError`."""
    if attempt.failure is not None:
        raise attempt.failure
    return parse_reply(attempt.text, labels)


def salvage(attempt: Attempt, problem: HefReplyError, case: Case) -> Outcome | None:
    """A usable response without a usable label: the whole sentences of the response, or the plain prose."""
    text = partial_response(attempt.text).strip()
    if not text and problem.cause == "prose" and "{" not in attempt.text:
        text = printable(attempt.text).strip()
    whole = text if problem.cause in {"label", "prose"} else whole_sentences(text)
    return Outcome(_emotion(attempt, case), whole, problem.cause) if whole else None


def whole_sentences(text: str) -> str:
    """A cut text up to its last full sentence; empty if there is none."""
    end = max(text.rfind(mark) for mark in _SENTENCE_END)
    return text[: end + 1]


def _release(reply: Reply, case: Case) -> Reply:
    """The reply without the sentences that may not be shown; a `HefReplyError` if there are no others."""
    left = release(reply.response, case.known)
    if not left.text:
        raise HefReplyError(CLAIM, str(left.problem))
    return replace(reply, response=left.text, repair=reply.repair or (CLAIM if left.problem else None))


def _cut(tried: Sequence[_Tried], case: Case) -> CutReply:
    """What was shown, with the whole sentences that came behind it."""
    attempt, problem = tried[-1].attempt, tried[-1].problem
    whole = _salvage(tried[-1], case)
    goes_on = whole is not None and whole.response.startswith(attempt.shown)
    shown = whole.response if whole and goes_on else attempt.shown
    return CutReply(_emotion(attempt, case), shown, problem, _usage([each.attempt for each in tried]))


def _salvage(tried: _Tried, case: Case) -> Outcome | None:
    """`salvage`, without the sentences that may not be shown."""
    found = salvage(tried.attempt, tried.problem, case)
    text = release(printable(found.response), case.known).text if found else ""
    return replace(found, response=text) if found and text else None


def _salvage_newest(tried: Sequence[_Tried], case: Case) -> Outcome | None:
    found = (_salvage(each, case) for each in reversed(tried))
    best = next((outcome for outcome in found if outcome), None)
    return replace(best, usage=_usage([each.attempt for each in tried])) if best else None


def _emotion(attempt: Attempt, case: Case) -> str:
    """The model's own label where it came through, else the best guess."""
    return partial_emotion(attempt.text, case.labels) or case.likeliest


def _outcome(reply: Reply, attempt: Attempt, tried: Sequence[_Tried]) -> Outcome:
    """A reply that fits; what went before it, or was mended in it, is said in the reason."""
    repair = tried[0].problem.cause if tried else reply.repair
    usage = _usage([*(each.attempt for each in tried), attempt])
    return Outcome(reply.emotion, reply.response, f"repaired:{repair}" if repair else None, usage)


def _usage(attempts: Sequence[Attempt]) -> UsageMetadata | None:
    """The tokens of all calls, as far as they were counted."""
    counted = [attempt.usage for attempt in attempts if attempt.usage]
    return reduce(add_usage, counted) if counted else None


def _ask_again(attempt: Attempt, problem: HefReplyError, labels: Sequence[str]) -> list[BaseMessage]:
    request = HumanMessage(REPAIR.format(problem=problem, labels=", ".join(labels)))
    return [AIMessage(escape_evidence(attempt.text) or "(nothing)"), request]
