"""Models that cost nothing by themselves, so that what is measured is what is around them."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from typing_extensions import override

from hef_graph.crisis import CrisisPolicy
from hef_graph.emotions import EMOTIONS
from hef_graph.types import Dialogue, EmotionAnalysis, EmotionScore, WordScore

RESPONSE: Final = (
    "I'm so sorry that your cat has not come home. Not knowing where a friend like that is must make every sound at "
    "the door hard to bear. When did you last see it, and does anybody in the street know that it is missing?"
)
ANSWER: Final = {"emotion": "sad", "response": RESPONSE}
TOKEN: Final = 4
"""Characters that a paced model writes at a time."""


class ConstantSem:
    """A small empathetic model that always sees the same, at once."""

    name = "constant"
    labels = EMOTIONS

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        """Every emotion alike, and the first word of the last turn."""
        scores = tuple(EmotionScore(label, 1 / len(EMOTIONS)) for label in EMOTIONS)
        return [EmotionAnalysis(scores, _first_word(dialogue)) for dialogue in dialogues]


def _first_word(dialogue: Dialogue) -> tuple[WordScore, ...]:
    last = dialogue[-1]
    word = (last if isinstance(last, str) else last.text).split()[0]
    return (WordScore(word, len(dialogue) - 1, 0, len(word), 1.0),)


class SilentPolicy(CrisisPolicy):
    """Looks for a crisis as the shipped policy does, and never finds one: every turn is an ordinary one."""

    @override
    def detect(self, messages: Sequence[BaseMessage]) -> None:
        super().detect(messages)


class InstantModel(BaseChatModel):
    """Answers at once, by a tool call where it was given tools, else with JSON; with `pace`, token by token."""

    pace: float = 0.0
    """Seconds before each token."""

    @property
    def _llm_type(self) -> str:
        return "instant"

    @override
    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        time.sleep(self.pace * len(_pieces()))
        call = _tool_name(kwargs)
        message = (
            AIMessage("", tool_calls=[{"name": call, "args": ANSWER, "id": "1", "type": "tool_call"}])
            if call
            else AIMessage(json.dumps(ANSWER))
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        call = _tool_name(kwargs)
        for index, piece in enumerate(_pieces()):
            time.sleep(self.pace)
            if call:
                name, key = (call, "1") if index == 0 else (None, None)
                chunk = AIMessageChunk(
                    content="", tool_call_chunks=[tool_call_chunk(name=name, args=piece, id=key, index=0)]
                )
            else:
                chunk = AIMessageChunk(content=piece)
            yield ChatGenerationChunk(message=chunk)


def _pieces() -> list[str]:
    text = json.dumps(ANSWER)
    return [text[start : start + TOKEN] for start in range(0, len(text), TOKEN)]


def _tool_name(kwargs: dict[str, Any]) -> str | None:
    tools = kwargs.get("tools")
    return str(tools[0]["function"]["name"]) if tools else None
