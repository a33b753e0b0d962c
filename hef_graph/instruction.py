"""Prioritised emotions + cause words → the instruction for the large language model (LLM) (HEF, Section 3.5).

Templates are constants; words of the user enter as quoted, capped data. The constant part comes first and this turn's
evidence last, so that provider prefix caches keep working while a conversation grows. The reply's schema, with all
emotions that may be named, is not part of it: each model is told of it in its own way (`hef_graph.chat.methods`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from hef_graph.delimiters import EVIDENCE_CLOSE, EVIDENCE_OPEN, escape_evidence
from hef_graph.types import LONGEST_WORD, CauseWords, EmotionScore

Wording: TypeAlias = Literal["list", "probabilities", "doubt"]
"""How the candidates are put. list: most likely first · probabilities: the same, each with its percentage · doubt: the
list, left out where the small model is in doubt (`hef_graph.turn.HELPFUL_FROM`)."""

ROLE: Final = (
    "You are an empathetic listener. First settle which emotion the speaker feels; then speak from it to what "
    "happened and how it feels, in one to three natural sentences, without reciting it. Never claim to be human or to "
    "have lived or felt anything."
)
"""What the model is there for. Two logical parts in one call: settling the emotion first is the paper's design;
"natural" and "do not recite" because a plain list of labels makes replies stiff."""

AGENT_ROLE: Final = (
    "The person you talk with may have feelings about what they say. Before you answer, settle which emotion they feel "
    "and what caused it, and let that shape how you put your answer: naturally, briefly, without naming the emotion "
    "for its own sake. All other instructions, tools and formats stay in force. Never claim to be human or to feel."
)
"""For an agent with a task of its own (`EmpathyMiddleware`): the task comes first, empathy is how it is done."""

TWO_STAGE: Final = (
    "A small model's guesses, best first: {candidates}. Consider these first, then others; the conversation decides."
)
"""Two-stage emotion prediction: a soft priority, which leaves a stronger model free to disagree."""

TWO_STAGE_UNSURE: Final = "A small model's unsure guesses, best first: {candidates}. Lean on the conversation more."
"""The same when the small model doubts itself: a weak list misleads a strong model more than none."""

HIGH_WORDS: Final = "High-weight words: {words}."
LOW_WORDS: Final = "Low-weight words: {words}."
RELATE_WORDS: Final = "The speaker's words; how these relate shows the cause."
"""Emotion cause perception: two separate lists and their relation, as in Section 3.5."""

NATURALLY: Final = "Background only: answer naturally, not point by point."
"""Closes the evidence: shown a bare list of labels and words, a frontier model worked it off, and a blind judge found
its replies less relevant and less fluent."""

RECALLED: Final = "In an earlier conversation the speaker felt {emotion}{words}. Take it up only if it fits."
"""Memory across conversations: one line, left to the model's tact."""

CARE: Final = (
    "Earlier in this conversation the speaker told of a crisis and was shown help lines. Stay gentle and steady: take "
    "them seriously, ask openly, let them set the pace. Do not lecture, diagnose or promise anything, describe no way "
    "of doing harm, and write no phone numbers (the application shows them). Where it fits, encourage them to reach "
    "one of the help lines or somebody they trust, without repeating it every time."
)
"""For the turns after a crisis signal. "No phone numbers" because models make them up."""

LONGEST_LABEL: Final = 80
"""Characters of an emotion's name that are shown as evidence."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """What is said to the model beside the conversation."""

    system: str
    """Constant for an application: goes first."""
    evidence: str
    """About this turn: goes last. Empty when both strategies are off."""

    @property
    def text(self) -> str:
        """Both parts as one text, for people to read; `parse_instruction` takes them apart again."""
        return f"{self.system}\n\n{self.evidence}" if self.evidence else self.system


def build_instruction(
    candidates: Sequence[EmotionScore] = (),
    causes: CauseWords | None = None,
    *,
    unsure: bool = False,
    wording: Wording = "list",
    recalled: str = "",
    care: bool = False,
    system_prompt: str | None = None,
) -> Instruction:
    """The instruction of one turn.

    Args:
        candidates: the prioritised emotions; none switches two-stage emotion prediction off.
        causes: the cause words; None switches emotion cause perception off.
        unsure: whether the small model doubts its candidates.
        wording: how the candidates are put; whether they are shown at all is the caller's decision.
        recalled: what `word_recollection` says of an earlier conversation.
        care: whether there was a crisis signal earlier in the conversation.
        system_prompt: the application's own words, which come first.
    """
    parts = [ROLE, CARE] if care else [ROLE]
    system = "\n\n".join([system_prompt, *parts] if system_prompt else parts)
    return Instruction(system, build_evidence(candidates, causes, unsure=unsure, wording=wording, recalled=recalled))


def build_evidence(
    candidates: Sequence[EmotionScore],
    causes: CauseWords | None,
    *,
    unsure: bool = False,
    wording: Wording = "list",
    recalled: str = "",
) -> str:
    """What the SEM saw in this turn, between its delimiters; empty if there is nothing to say."""
    template = TWO_STAGE_UNSURE if unsure else TWO_STAGE
    seen = [*_two_stage(candidates, template, wording), *_cause_perception(causes)]
    lines = [*seen, recalled] if recalled else seen
    return "\n".join([EVIDENCE_OPEN, *lines, NATURALLY, EVIDENCE_CLOSE]) if lines else ""


def word_recollection(emotion: str, words: Sequence[str]) -> str:
    """The line about an earlier conversation: the emotion felt there and the words that it was about."""
    about = f" about {_quote(words)}" if words else ""
    return RECALLED.format(emotion=_plain(emotion), words=about)


def parse_instruction(text: str) -> Instruction:
    """Take `Instruction.text` apart."""
    system, mark, evidence = text.rpartition(f"\n\n{EVIDENCE_OPEN}\n")
    if not mark or not evidence.endswith(EVIDENCE_CLOSE):
        return Instruction(text, "")
    return Instruction(system, mark.strip() + "\n" + evidence)


def _two_stage(candidates: Sequence[EmotionScore], template: str, wording: Wording) -> list[str]:
    if not candidates:
        return []
    name = _with_percentage if wording == "probabilities" else _label
    return [template.format(candidates=", ".join(name(score) for score in candidates))]


def _label(score: EmotionScore) -> str:
    """In one line: a SEM of another's may name its labels as it likes."""
    return escape_evidence(" ".join(score.label.split()))[:LONGEST_LABEL]


def _with_percentage(score: EmotionScore) -> str:
    """In whole percent: more digits would claim a precision that no small model has."""
    percentage = round(100 * score.probability)
    return f"{_label(score)} ({percentage}%)" if percentage else f"{_label(score)} (<1%)"


def _cause_perception(causes: CauseWords | None) -> list[str]:
    if causes is None or not (causes.high or causes.low):
        return []
    lines = [(HIGH_WORDS, causes.high), (LOW_WORDS, causes.low)]
    return [template.format(words=_quote(words)) for template, words in lines if words] + [RELATE_WORDS]


def _quote(words: Sequence[str]) -> str:
    return ", ".join(f'"{_plain(word)}"' for word in words)


def _plain(word: str) -> str:
    """Letters, their accents (U+0300 to U+036F), apostrophes and hyphens: all that a word of the SEM is made of."""
    kept = [letter for letter in word if letter.isalnum() or letter in "'’-‐" or "\u0300" <= letter <= "\u036f"]
    return "".join(kept[:LONGEST_WORD])
