"""One turn, step by step: what graph, middleware and chat model share, sync and async alike.

Everything here is pure; the model is called by others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from hef_graph.candidates import K2, check_k2, prioritise
from hef_graph.causes import select_cause_words
from hef_graph.delimiters import escape_evidence
from hef_graph.errors import HefInputError
from hef_graph.instruction import Instruction, Wording, build_evidence, build_instruction
from hef_graph.lexicon import load_lexicon
from hef_graph.types import LONGEST_WORD, CauseWords, EmotionAnalysis, EmotionScore, Turn, WordScore, is_word

UNSURE_BELOW: Final = 0.25
"""Confidence under which the candidates are given as guesses only: of valid's contexts one in ten, and of these the
first emotion is right in one of five."""

HELPFUL_FROM: Final = 0.5
"""With `wording="doubt"` the candidates are shown from this confidence on: where the first is more likely right than
wrong. A plain reading of "helpful", not a measured threshold."""


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How much of the analysis reaches the instruction."""

    k1: int = 3
    """Cause words."""
    k2: K2 = 10
    """Prioritised emotions."""
    coverage: float = 0.95
    """With `k2="adaptive"`: in what share of cases the right emotion is to be among the prioritised ones."""
    two_stage: bool = True
    """Two-stage emotion prediction."""
    cause_perception: bool = True
    """Emotion cause perception."""
    wording: Wording = "list"
    """How the candidates are put."""

    def __post_init__(self) -> None:
        check_k2(self.k2)
        if not isinstance(self.k1, int) or isinstance(self.k1, bool) or self.k1 < 0:
            raise HefInputError(f"k1 is {self.k1!r}; allowed are whole numbers from 0 on")
        if isinstance(self.coverage, str) or not 0 < self.coverage <= 1:
            raise HefInputError(f"coverage is {self.coverage!r}; allowed are numbers above 0 and up to 1")
        if self.wording not in get_args(Wording):
            raise HefInputError(f"wording is {self.wording!r}; allowed are {', '.join(get_args(Wording))}")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the small empathetic model (SEM) contributes to one turn."""

    candidates: tuple[EmotionScore, ...]
    """The prioritised emotions, most probable first."""
    causes: CauseWords
    confidence: float | None = None
    """Estimated probability that the first candidate is right; None when the SEM does not estimate it."""
    in_domain: bool = True
    """False for a text that is unlike anything the SEM was trained on."""
    failure: str | None = None
    """Why the SEM could not read the turn, in one word; None if it did."""

    @property
    def unsure(self) -> bool:
        """Whether the instruction should lean less on the candidates."""
        return self.confidence is not None and self.confidence < UNSURE_BELOW

    @property
    def helpful(self) -> bool:
        """Whether the first candidate is likelier right than wrong: by the SEM's confidence, else its probability."""
        likeliest = self.candidates[0].probability if self.candidates else 0.0
        return (likeliest if self.confidence is None else self.confidence) >= HELPFUL_FROM

    def to_json(self) -> dict[str, Any]:
        """The state's keys for it: `emotion_candidates`, `cause_words`, and what the SEM thinks of its own reading."""
        return {
            "emotion_confidence": self.confidence,
            "in_domain": self.in_domain,
            "sem_failure": self.failure,
            "emotion_candidates": [{"label": c.label, "probability": c.probability} for c in self.candidates],
            "cause_words": {"high": list(self.causes.high), "low": list(self.causes.low)},
        }

    @classmethod
    def from_json(cls, values: Any) -> "Evidence":
        """Read what `to_json` wrote; missing keys count as empty."""
        words = values.get("cause_words") or {}
        return cls(
            tuple(EmotionScore(c["label"], c["probability"]) for c in values.get("emotion_candidates") or []),
            CauseWords(tuple(words.get("high", ())), tuple(words.get("low", ()))),
            values.get("emotion_confidence"),
            values.get("in_domain") is not False,
            values.get("sem_failure"),
        )


def weigh_evidence(analysis: EmotionAnalysis, turns: Sequence[Turn], options: ReadingOptions) -> Evidence:
    """Prioritise the emotions and pick the cause words of one dialogue.

    Whatever a SEM returns, a cause word is a word that the speaker has said; one that is no word by its length is cut.
    """
    words = [word for word in analysis.words if _is_said(word, turns)]
    causes = select_cause_words(words, turns, load_lexicon(), k1=options.k1)
    return Evidence(
        prioritise(analysis.emotions, options.k2, coverage=options.coverage, thresholds=analysis.thresholds),
        CauseWords(_cut(causes.high), _cut(causes.low)),
        analysis.confidence,
        analysis.in_domain,
    )


def word_evidence(evidence: Evidence, options: ReadingOptions) -> str:
    """What the model is told of the evidence: all that the options ask for, nothing of a text out of domain."""
    candidates, causes = _shown(evidence, options)
    return build_evidence(candidates, causes, unsure=evidence.unsure, wording=options.wording)


def instruct(
    evidence: Evidence,
    options: ReadingOptions,
    *,
    recalled: str = "",
    care: bool = False,
    system_prompt: str | None = None,
) -> Instruction:
    """The instruction that the options ask for; `recalled` is what `word_recollection` says.

    `care` is for the turns after a crisis signal.
    """
    candidates, causes = _shown(evidence, options)
    return build_instruction(
        candidates,
        causes,
        unsure=evidence.unsure,
        wording=options.wording,
        recalled=recalled,
        care=care,
        system_prompt=system_prompt,
    )


def compose_prompt(turns: Sequence[Turn], instruction: Instruction) -> list[BaseMessage]:
    """Constant instruction, conversation, this turn's evidence last (inside the newest message).

    Not every provider takes a system message after the first, so the evidence travels with the user's newest text,
    between delimiters that the user cannot write.
    """
    *earlier, newest = turns_as_messages(turns)
    text = f"{newest.text}\n\n{instruction.evidence}" if instruction.evidence else str(newest.text)
    return [SystemMessage(instruction.system), *earlier, HumanMessage(text)]


def turns_as_messages(turns: Sequence[Turn]) -> list[BaseMessage]:
    """The conversation as plain messages, our delimiters in it made harmless."""
    kinds = {"listener": AIMessage, "speaker": HumanMessage}
    return [kinds[turn.role](escape_evidence(turn.text)) for turn in turns]


def _is_said(score: WordScore, turns: Sequence[Turn]) -> bool:
    """Whether a word by its letters stands where it is said to stand."""
    in_turns = 0 <= score.turn < len(turns)
    return in_turns and turns[score.turn].text[score.start : score.end] == score.word and is_word(score.word)


def _cut(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word[:LONGEST_WORD] for word in words)


def _shown(evidence: Evidence, options: ReadingOptions) -> tuple[tuple[EmotionScore, ...], CauseWords | None]:
    """The candidates and cause words that the model is told."""
    named = options.two_stage and evidence.in_domain and (options.wording != "doubt" or evidence.helpful)
    return (
        evidence.candidates if named else (),
        evidence.causes if options.cause_perception and evidence.in_domain else None,
    )
