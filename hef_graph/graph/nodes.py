"""The graph's four nodes. Their names are public: people see them in Studio and filter streams by them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, RemoveMessage, ToolCall
from langchain_core.tools import BaseTool
from langgraph.runtime import get_runtime

from hef_graph.chat.answering import AnswerOptions, PreparedAnswer, Question, prepare_answer
from hef_graph.chat.deadline import Deadline
from hef_graph.chat.listener import EmbeddedListener
from hef_graph.chat.models import shared_model
from hef_graph.chat.outcome import read_outcome
from hef_graph.graph.context import HefContext, HefOptions
from hef_graph.graph.state import TurnState
from hef_graph.instruction import parse_instruction
from hef_graph.messages import turns_from_messages, words_of_the_application
from hef_graph.tool import TOOL_NAME
from hef_graph.turn import Evidence, ReadingOptions, instruct, weigh_evidence

CHECK_CRISIS: Final = "check_crisis"
ANALYZE_EMOTION: Final = "analyze_emotion"
BUILD_INSTRUCTION: Final = "build_instruction"
RESPOND: Final = "respond"

HISTORY: Final = 50
"""So many earlier emotions are kept."""

AI_NOTICE: Final = "You are talking with an AI. It can be wrong, and it does not replace people or professional help."


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes of one graph, around the parts that it was built from."""

    tool_for: Callable[[ReadingOptions], BaseTool]
    """The emotion tool whose output holds as many emotions and words as the call's options ask for."""
    labels: tuple[str, ...]
    model: BaseChatModel
    listener: EmbeddedListener
    system_prompt: str | None
    options: HefOptions

    def check_crisis(self, state: TurnState) -> dict[str, Any]:
        """Open the turn: check that there is something to answer, and clear what the last turn left.

        No crisis detector is built in yet: the node only holds its place.
        """
        turns = turns_from_messages(state["messages"])
        first = not any(turn.role == "listener" for turn in turns)
        earlier, last = state.get("emotion_history") or [], state.get("emotion")
        return {
            "started": time.time(),
            "emotion": None,
            "crisis": None,
            "disclosure": AI_NOTICE if first and self.options.disclosure else None,
            "emotion_history": [*earlier, *([last] if last else [])][-HISTORY:],
        }

    def analyze_emotion(self, state: TurnState) -> dict[str, Any]:
        """Run the emotion tool on the dialogue, and weigh what it found."""
        turns, reading = turns_from_messages(state["messages"]), _context().reading
        call = ToolCall(
            name=TOOL_NAME, args={"dialogue": [turn.text for turn in turns]}, id=TOOL_NAME, type="tool_call"
        )
        analysis = self.tool_for(reading).invoke(call).artifact
        return weigh_evidence(analysis, turns, reading).to_json()

    def build_instruction(self, state: TurnState) -> dict[str, Any]:
        """Put the evidence into words."""
        reading = _context().reading
        words = words_of_the_application(state["messages"], self.system_prompt)
        built = instruct(self.labels, Evidence.from_json(state), reading, system_prompt=words)
        return {"instruction": built.text}

    def respond(self, state: TurnState) -> dict[str, Any]:
        """Let the model settle the emotion and answer."""
        prepared = self._prepare(state)
        return self._record(state, prepared.model.invoke(prepared.prompt))

    async def arespond(self, state: TurnState) -> dict[str, Any]:
        """`respond`, awaiting the model."""
        prepared = self._prepare(state)
        return self._record(state, await prepared.model.ainvoke(prepared.prompt))

    def _prepare(self, state: TurnState) -> PreparedAnswer:
        context = _context()
        question = Question(
            turns=turns_from_messages(state["messages"]),
            evidence=Evidence.from_json(state),
            instruction=parse_instruction(state["instruction"]),
            labels=self.labels,
        )
        elapsed = time.time() - state["started"]
        options = AnswerOptions(
            Deadline.after(context.deadline - elapsed), self.options.structured_method, self.options.strict
        )
        model = shared_model(context.model) if context.model else self.model
        return prepare_answer(model, self.listener, question, options)

    def _record(self, state: TurnState, message: AIMessage) -> dict[str, Any]:
        outcome = read_outcome(message)
        return {
            "messages": [*self._forgotten(state), message],
            "emotion": outcome.emotion,
            "structured_response": {"emotion": outcome.emotion, "response": outcome.response},
            "degraded_reason": outcome.degraded_reason,
        }

    def _forgotten(self, state: TurnState) -> list[RemoveMessage]:
        """Removals that leave `keep_messages` of the newest, the coming answer included."""
        if self.options.keep_messages is None:
            return []
        surplus = len(state["messages"]) + 1 - self.options.keep_messages
        return [RemoveMessage(id=str(old.id)) for old in state["messages"][: max(0, surplus)]]


def _context() -> HefContext:
    """The caller's settings, or the defaults."""
    return get_runtime(HefContext).context or HefContext()
