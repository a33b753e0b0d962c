"""Stand-ins shared by the tests: a stub of the small empathetic model (SEM) and a scripted chat model."""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeAlias

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field, SkipValidation
from typing_extensions import override

from hef_graph.types import (
    Dialogue,
    EmotionAnalysis,
    EmotionScore,
    ReplyCandidate,
    Turn,
    WordScore,
    turns_from_dialogue,
)

LABELS: Final = ("afraid", "angry", "grateful", "joyful", "lonely", "sad")

KEYWORDS: Final[Mapping[str, str]] = {
    "dark": "afraid",
    "spider": "afraid",
    "stole": "angry",
    "unfair": "angry",
    "thanks": "grateful",
    "won": "joyful",
    "party": "joyful",
    "alone": "lonely",
    "died": "sad",
    "lost": "sad",
}
"""What the stub hears in a word."""

KEYWORD_WEIGHT: Final = 9.0
"""A keyword weighs so many times as much as another word."""

REPLIES: Final = (
    ReplyCandidate("That sounds hard. What happened then?", -1.0, 1.0),
    ReplyCandidate("Oh no!", -0.8, 0.2),
    ReplyCandidate("My own dog did that too.", -0.9, 0.5),
)

_WORD = re.compile(r"[^\W_]+(?:['’\-‐][^\W_]+)*")


WINDOW: Final = 2000
"""So many words of a turn are read."""


def _find_words(text: str) -> Iterator[re.Match[str]]:
    return islice(_WORD.finditer(text), WINDOW)


class StubSem:
    """A SEM that counts keywords: deterministic, without torch; satisfies `SmallEmpatheticModel`."""

    def __init__(self, labels: Sequence[str] = LABELS, keywords: Mapping[str, str] = KEYWORDS) -> None:
        self._labels = tuple(labels)
        self._keywords = keywords
        self.analyze_calls = 0
        self.dialogues_read: list[list[Turn]] = []

    @property
    def name(self) -> str:
        return "stub"

    @property
    def labels(self) -> tuple[str, ...]:
        return self._labels

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        self.analyze_calls += 1
        read = [turns_from_dialogue(dialogue) for dialogue in dialogues]
        self.dialogues_read.extend(read)
        return [EmotionAnalysis(self._emotions(turns), self._words(turns)) for turns in read]

    def _emotions(self, turns: Sequence[Turn]) -> tuple[EmotionScore, ...]:
        """Each label has one point, and three more for each keyword; ties keep the labels' order."""
        heard = [self._keywords.get(match.group().lower()) for turn in turns for match in _find_words(turn.text)]
        points = {label: 1 + 3 * heard.count(label) for label in self._labels}
        total = sum(points.values())
        return tuple(EmotionScore(label, points[label] / total) for label in sorted(points, key=lambda k: -points[k]))

    def _words(self, turns: Sequence[Turn]) -> tuple[WordScore, ...]:
        found = [(index, match) for index, turn in enumerate(turns) for match in _find_words(turn.text)]
        raw = [KEYWORD_WEIGHT if match.group().lower() in self._keywords else 1.0 for _, match in found]
        total = sum(raw) or 1.0
        return tuple(
            WordScore(match.group(), index, match.start(), match.end(), weight / total)
            for (index, match), weight in zip(found, raw, strict=True)
        )


class SpeakingStubSem(StubSem):
    """A stub that also proposes replies; satisfies `ReplyGenerator`."""

    def __init__(
        self,
        labels: Sequence[str] = LABELS,
        keywords: Mapping[str, str] = KEYWORDS,
        replies: Sequence[ReplyCandidate] = REPLIES,
    ) -> None:
        super().__init__(labels, keywords)
        self._replies = tuple(replies)
        self.emotions_asked: list[str] = []
        """The emotion of each call of `propose_replies`."""

    def propose_replies(self, dialogue: Dialogue, emotion: str, *, count: int) -> list[ReplyCandidate]:
        turns_from_dialogue(dialogue)
        self.emotions_asked.append(emotion)
        return list(self._replies[:count])


@dataclass(frozen=True, slots=True)
class Interrupted:
    """An answer that breaks off: streamed, the text comes first, then the error; in one piece, only the error."""

    text: str
    error: Exception


Answer: TypeAlias = str | AIMessage | Exception | Interrupted


class ScriptedModel(BaseChatModel):
    """Plays its answers, one per call, and keeps the prompts it was given; streams in chunks of a few characters.

    An exception at the script's end is raised for all further calls too: a provider that is down stays down.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    answers: SkipValidation[list[Answer]]
    prompts: list[list[BaseMessage]] = Field(default_factory=list)
    """The messages of each call so far."""
    chunk_size: int = 3
    """Characters per chunk: small, so that JSON escapes are split."""
    delay: float = 0.0
    """Seconds before each answer."""

    @property
    def calls(self) -> int:
        """How often the model was asked."""
        return len(self.prompts)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        answer = self._next(messages)
        if isinstance(answer, Interrupted):
            raise answer.error
        return ChatResult(generations=[ChatGeneration(message=_as_message(answer))])

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        answer = self._next(messages)
        message = _as_message(answer.text if isinstance(answer, Interrupted) else answer)
        for chunk in _cut_message(message, self.chunk_size):
            yield ChatGenerationChunk(message=chunk)
        if isinstance(answer, Interrupted):
            raise answer.error
        yield ChatGenerationChunk(message=_closing_chunk(message))

    def _next(self, messages: Sequence[BaseMessage]) -> str | AIMessage | Interrupted:
        """Note the prompt; give or raise the next answer."""
        self.prompts.append(list(messages))
        time.sleep(self.delay)
        if self.calls > len(self.answers) and not (self.answers and isinstance(self.answers[-1], Exception)):
            raise AssertionError(f"call {self.calls}, but the script has {len(self.answers)} answers")
        answer = self.answers[min(self.calls, len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


def reply_json(emotion: str, response: str) -> str:
    """What an obedient model writes."""
    return json.dumps({"emotion": emotion, "response": response})


def _as_message(answer: str | AIMessage) -> AIMessage:
    return AIMessage(answer) if isinstance(answer, str) else answer.model_copy()


def _cut_message(message: AIMessage, size: int) -> Iterator[AIMessageChunk]:
    """The text in pieces, then each tool call's arguments in pieces."""
    text = str(message.text)
    for piece in _pieces(text, size):
        yield AIMessageChunk(content=piece)
    for index, call in enumerate(message.tool_calls):
        yield AIMessageChunk(
            content="", tool_call_chunks=[tool_call_chunk(name=call["name"], args="", id=call["id"], index=index)]
        )
        for piece in _pieces(json.dumps(call["args"]), size):
            yield AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(args=piece, index=index)])


def _closing_chunk(message: AIMessage) -> AIMessageChunk:
    """The message's metadata, as providers send them at the end."""
    return AIMessageChunk(
        content="",
        additional_kwargs=message.additional_kwargs,
        response_metadata=message.response_metadata,
        usage_metadata=message.usage_metadata,
        chunk_position="last",
    )


def _pieces(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))
