"""The embedded listener: the decoder of a small empathetic model (SEM) as a chat model.

No key, no download; small, English only, and honest about it. It is the default model, and the rung below an LLM that
fails.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from langchain_core.caches import BaseCache
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field
from typing_extensions import override

from hef_graph.causes import heaviest_words
from hef_graph.chat.deadline import Deadline
from hef_graph.chat.numbers import numbers_in
from hef_graph.chat.outcome import Outcome
from hef_graph.chat.release import release
from hef_graph.chat.reranking import Scene, choose_reply
from hef_graph.claims import claims_a_life
from hef_graph.crisis.response import careful_reply
from hef_graph.emotions import PLEASANT, family_of
from hef_graph.lexicon import load_lexicon
from hef_graph.messages import turns_from_messages
from hef_graph.turn import Evidence, ReadingOptions, weigh_evidence
from hef_graph.types import EmotionScore, ReplyGenerator, SmallEmpatheticModel, Turn

FIXED_REPLY: Final = "Thank you for telling me. I'd like to understand: what about this is on your mind the most?"
"""For a turn on which nothing else can answer."""

OPENING: Final = "Hello, I'm glad you are here. What is on your mind?"
"""For a conversation that has not told anything yet: a decoder trained on stories would make one up."""

CANDIDATES: Final = 32

GRACE: Final = 0.8
"""Seconds that the listener gets past the turn's deadline: a turn is over at most a second after it."""


class EmbeddedListener(BaseChatModel):
    """Answers with the best of several replies that a SEM's decoder proposes."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    reader: Any
    """The SEM that reads the dialogue (a `SmallEmpatheticModel`)."""
    speaker: Any = None
    """The SEM whose decoder writes (a `ReplyGenerator`); None leaves the fixed reply."""
    evidence: Evidence | None = None
    """What has already been read of the newest turn; None makes the listener read it itself."""
    spare: Any = None
    """The SEM that names an emotion where `reader` cannot; None leaves the emotion open."""
    since_crisis: int | None = None
    """Turns since the last crisis signal of the conversation: at first the listener keeps to careful words."""
    deadline: Deadline | None = None
    """The turn's; None takes the time that it takes."""
    cache: BaseCache | bool | None = Field(default=False, exclude=True)
    """Never: LangChain's global cache knows the listener by its prompt alone, whatever SEM it has."""

    @property
    def _llm_type(self) -> str:
        return "hef-embedded-listener"

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        outcome = self.answer_in_time(turns_from_messages(messages))
        return ChatResult(generations=[ChatGeneration(message=outcome.to_message())])

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        """The chosen reply in one piece: until all candidates are written, none is chosen."""
        yield ChatGenerationChunk(message=self.answer_in_time(turns_from_messages(messages)).to_chunk())

    def answer_in_time(self, turns: Sequence[Turn], degraded_reason: str | None = None) -> Outcome:
        """`answer`, or the fixed reply where it is not there shortly after the deadline."""
        reason = degraded_reason or (self.evidence.failure if self.evidence else None)
        if self.deadline is None:
            return self.answer(turns, reason)
        try:
            return Deadline.after(max(self.deadline.remaining, GRACE)).call(lambda: self.answer(turns, reason))
        except Exception:  # noqa: BLE001  too late, or a SEM of any make; the last rung needs no model
            return Outcome(self.guess_emotion(turns), FIXED_REPLY, reason or "timeout")

    def answer(self, turns: Sequence[Turn], degraded_reason: str | None = None) -> Outcome:
        """The reply to the newest turn, from the emotion that the SEM finds most likely.

        A decoder that fails leaves the fixed reply, and says so in `degraded_reason`.
        """
        evidence = self.evidence or self._read(turns)
        emotion = evidence.candidates[0].label if evidence.candidates else self.guess_emotion(turns)
        if careful := careful_reply(turns[-1].text, self.since_crisis) if self.since_crisis else None:
            return Outcome(emotion, careful, degraded_reason)
        try:
            return Outcome(emotion, self._reply(turns, emotion, evidence), degraded_reason)
        except Exception:  # noqa: BLE001  a decoder of any make; the last rung needs no model
            return Outcome(emotion, FIXED_REPLY, degraded_reason or "listener")

    def guess_emotion(self, turns: Sequence[Turn]) -> str:
        """The SEM's most likely emotion as read; without a reading the spare's, where it shares labels; else empty."""
        if self.evidence and self.evidence.candidates:
            return self.evidence.candidates[0].label
        try:
            ranked = [score.label for score in self.spare.analyze([turns])[0].emotions] if self.spare else []
            return next((label for label in ranked if label in self.reader.labels), "")
        except Exception:  # noqa: BLE001  as above
            return ""

    def _read(self, turns: Sequence[Turn]) -> Evidence:
        reader: SmallEmpatheticModel = self.reader
        return weigh_evidence(reader.analyze([turns])[0], turns, ReadingOptions())

    def _reply(self, turns: Sequence[Turn], emotion: str, evidence: Evidence) -> str:
        speaker = None if evidence.failure and self.speaker is self.reader else self.speaker
        if not isinstance(speaker, ReplyGenerator) or not isinstance(speaker, SmallEmpatheticModel):
            return FIXED_REPLY
        [own] = speaker.analyze([turns])
        if not heaviest_words([word for word in own.words if turns[word.turn].role == "speaker"], k1=1):
            return OPENING
        nearest = emotion if emotion in speaker.labels else own.emotions[0].label
        proposed = speaker.propose_replies(turns, nearest, count=CANDIDATES)
        candidates = [candidate for candidate in proposed if _may_say(candidate.text, turns)]
        if not candidates:
            return FIXED_REPLY
        readings = speaker.analyze([[candidate.text] for candidate in candidates])
        wished = pleasantness(own.emotions)
        agreements = [1 - abs(wished - pleasantness(reading.emotions)) for reading in readings]
        return choose_reply(candidates, agreements, Scene(turns, evidence.causes, load_lexicon())).text


def _may_say(text: str, turns: Sequence[Turn]) -> bool:
    """Whether a candidate keeps both rules on claims and gives no number of its own."""
    known = numbers_in(turn.text for turn in turns)
    return not claims_a_life(text) and release(text, known).problem is None


def pleasantness(emotions: Sequence[EmotionScore]) -> float:
    """Probability, 0 to 1, that the emotion is one of the pleasant families."""
    return sum(score.probability for score in emotions if family_of(score.label) in PLEASANT)


def fixed_answer(degraded_reason: str, emotion: str = "") -> AIMessage:
    """The last rung: a fixed text that needs no model."""
    return Outcome(emotion, FIXED_REPLY, degraded_reason).to_message()
