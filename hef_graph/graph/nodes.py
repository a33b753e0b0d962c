"""The graph's four nodes. Their names are public: people see them in Studio and filter streams by them."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, RemoveMessage, ToolCall
from langchain_core.tools import BaseTool
from langgraph.config import get_config
from langgraph.runtime import get_runtime
from langgraph.store.base import BaseStore
from langgraph.types import interrupt

from hef_graph.chat.answering import AnswerOptions, PreparedAnswer, Question, prepare_answer
from hef_graph.chat.crisis import answer_signal, find_signal
from hef_graph.chat.deadline import Deadline
from hef_graph.chat.listener import EmbeddedListener
from hef_graph.chat.models import shared_model
from hef_graph.chat.outcome import read_outcome
from hef_graph.chat.reading import SEM_FAILED, read_evidence
from hef_graph.chat.tracing import is_heard
from hef_graph.graph.announcing import Announcer
from hef_graph.graph.context import DEFAULT_CONTEXT, HefContext, HefOptions
from hef_graph.graph.memory import Moment, UserMemory
from hef_graph.graph.opening import crisis_turn, open_turn
from hef_graph.graph.remembering import arecall_in_time, aremember_in_time, recall_in_time, remember_in_time
from hef_graph.graph.state import TurnState
from hef_graph.instruction import parse_instruction, word_recollection
from hef_graph.messages import turns_from_messages, words_of_the_application
from hef_graph.tool import TOOL_NAME, read_dialogue
from hef_graph.turn import Evidence, ReadingOptions, instruct
from hef_graph.types import EmotionAnalysis, SmallEmpatheticModel

CHECK_CRISIS: Final = "check_crisis"
ANALYZE_EMOTION: Final = "analyze_emotion"
BUILD_INSTRUCTION: Final = "build_instruction"
RESPOND: Final = "respond"
HAND_OVER: Final = "hand_over"


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes of one graph, around the parts that it was built from."""

    sem: SmallEmpatheticModel
    tool_for: Callable[[ReadingOptions], BaseTool]
    """The emotion tool around the SEM, whose output holds as many emotions and words as the call's options ask for."""
    model: BaseChatModel
    listener: EmbeddedListener
    system_prompt: str | None
    options: HefOptions
    store: BaseStore | None = None
    """Where what users feel is kept across conversations: the application's own, whatever graph is around this one."""

    def check_crisis(self, state: TurnState) -> dict[str, Any]:
        """Open the turn, look for a crisis signal before anything else happens, and answer one at once.

        Neither the SEM nor a model takes part. A turn without a signal goes on to `analyze_emotion`.
        """
        opened = open_turn(state, self.options.notice, time.time())
        policy = self.options.crisis_policy
        signal = find_signal(policy, state["messages"])
        if policy is None or signal is None:
            return opened
        _tell_streams({"type": "crisis", **signal.to_json()})
        answer = answer_signal(policy, signal, _context().locale)
        return {**opened, **crisis_turn(signal, answer), "messages": [*self._forgotten(state), answer]}

    def hand_over(self, state: TurnState) -> dict[str, Any]:
        """Wait for a human, once the fixed message has been sent; what they say is one more message of the listener."""
        said = interrupt({"crisis": state["crisis"]})
        return {"messages": [AIMessage(said)]} if isinstance(said, str) and said.strip() else {}

    def analyze_emotion(self, state: TurnState) -> dict[str, Any]:
        """Run the emotion tool on the dialogue, weigh what it found, and let those who stream know at once.

        `emotion` is the SEM's best guess until the model settles it. A SEM that fails leaves the turn to the model.
        """
        turns, reading = turns_from_messages(state["messages"]), self._reading()
        evidence = read_evidence(
            lambda: self._read([turn.text for turn in turns], reading),
            turns,
            reading,
            deadline=_deadline(state),
            strict=self.options.strict,
        )
        found = {"emotion": next((score.label for score in evidence.candidates), None), **evidence.to_json()}
        _announcer(found).guess(found["emotion"])
        return found

    def build_instruction(self, state: TurnState) -> dict[str, Any]:
        """Put the evidence into words."""
        return self._instruct(state, recall_in_time(self._memory_at_start(state), _deadline(state)))

    async def abuild_instruction(self, state: TurnState) -> dict[str, Any]:
        """`build_instruction`, awaiting the store."""
        return self._instruct(state, await arecall_in_time(self._memory_at_start(state), _deadline(state)))

    def respond(self, state: TurnState) -> dict[str, Any]:
        """Let the model settle the emotion and answer."""
        announcer = _announcer(state)
        prepared = self._prepare(state, announcer)
        left = self._record(state, prepared.invoke())
        announcer.settle(left["emotion"])
        remember_in_time(self._memory(), _moment(state, left), _deadline(state))
        return left

    async def arespond(self, state: TurnState) -> dict[str, Any]:
        """`respond`, awaiting the model."""
        announcer = _announcer(state)
        prepared = await asyncio.to_thread(self._prepare, state, announcer)  # a model's name may import its package
        left = self._record(state, await prepared.ainvoke())
        announcer.settle(left["emotion"])
        await aremember_in_time(self._memory(), _moment(state, left), _deadline(state))
        return left

    def _read(self, dialogue: list[str], reading: ReadingOptions) -> EmotionAnalysis:
        """By the tool; where nobody hears of its run, by what is inside it."""
        if not is_heard():
            return read_dialogue(self.sem, dialogue)[1]
        call = ToolCall(name=TOOL_NAME, args={"dialogue": dialogue}, id=TOOL_NAME, type="tool_call")
        analysis: EmotionAnalysis = self.tool_for(reading).invoke(call).artifact
        return analysis

    def _reading(self) -> ReadingOptions:
        return _context().reading_over(self.options.profile_reading)

    def _instruct(self, state: TurnState, moment: Moment | None) -> dict[str, Any]:
        built = instruct(
            Evidence.from_json(state),
            self._reading(),
            recalled=word_recollection(moment.emotion, moment.words) if moment else "",
            care=state.get("since_crisis") is not None,
            system_prompt=words_of_the_application(state["messages"], self.system_prompt),
        )
        return {"instruction": built.text}

    def _prepare(self, state: TurnState, announcer: Announcer) -> PreparedAnswer:
        context = _context()
        question = Question(
            turns=turns_from_messages(state["messages"]),
            evidence=Evidence.from_json(state),
            instruction=parse_instruction(state["instruction"]),
            labels=tuple(self.sem.labels),
            since_crisis=state.get("since_crisis"),
        )
        options = AnswerOptions(_deadline(state), self.options.structured_method, self.options.strict, announcer.settle)
        model = shared_model(context.model) if context.model else self.model
        return prepare_answer(model, self.listener, question, options)

    def _record(self, state: TurnState, message: AIMessage) -> dict[str, Any]:
        outcome = read_outcome(message)
        emotion = outcome.emotion or None
        return {
            "messages": [*self._forgotten(state), message],
            "emotion": emotion,
            "structured_response": {"emotion": emotion, "response": outcome.response},
            "degraded_reason": outcome.degraded_reason,
        }

    def _memory_at_start(self, state: TurnState) -> UserMemory | None:
        """The user's memory on a conversation's first turn: later on, what was recalled is part of the conversation."""
        answered = any(isinstance(message, AIMessage) for message in state["messages"])
        return None if answered else self._memory()

    def _memory(self) -> UserMemory | None:
        user_id = _context().user_id
        if self.store is None or not user_id:
            return None
        thread_id = get_config().get("configurable", {}).get("thread_id")
        return UserMemory(self.store, user_id, str(thread_id or uuid4()))  # a turn without a thread is one of its own

    def _forgotten(self, state: TurnState) -> list[RemoveMessage]:
        """Removals that leave `keep_messages` of the newest, the coming answer included."""
        if self.options.keep_messages is None:
            return []
        surplus = len(state["messages"]) + 1 - self.options.keep_messages
        return [RemoveMessage(id=str(old.id)) for old in state["messages"][: max(0, surplus)]]


def _context() -> HefContext:
    """The caller's settings, or the defaults."""
    return get_runtime(HefContext).context or DEFAULT_CONTEXT


def _deadline(state: TurnState) -> Deadline:
    """The turn's: it counts from the turn's beginning."""
    return Deadline.after(_context().deadline - (time.time() - state["started"]))


def _tell_streams(event: Mapping[str, Any]) -> None:
    get_runtime(HefContext).stream_writer(event)


def _announcer(found: Mapping[str, Any]) -> Announcer:
    return Announcer(get_runtime(HefContext).stream_writer, found)


def _moment(state: TurnState, left: Mapping[str, Any]) -> Moment | None:
    """What a user's memory keeps of the turn; None if neither the SEM nor the model could read it."""
    words, unread = state["cause_words"], state["sem_failure"] and left["degraded_reason"] != SEM_FAILED
    if unread or not left["emotion"]:
        return None
    return Moment(left["emotion"], (*words["high"], *words["low"]), time.time())
