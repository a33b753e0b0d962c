"""How a small empathetic model (SEM) does on labelled conversations: reading, writing, and its replies themselves."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hef_graph.chat.listener import EmbeddedListener
from hef_graph.corpus import Context
from hef_graph.evaluation.metrics import (
    accuracy_at,
    calibration_error,
    distinct,
    macro_f1,
    tokenize_words,
    worst_confusions,
)
from hef_graph.sem import TransformerSem
from hef_graph.types import SmallEmpatheticModel, turns_from_dialogue


@dataclass(frozen=True, slots=True)
class ReadingReport:
    """The SEM as a reader; percentages but for `calibration_error`."""

    contexts: int
    acc_1: float
    acc_3: float
    acc_10: float
    acc_20: float
    macro_f1: float
    calibration_error: float
    """Expected calibration error with 15 bins, 0 to 1."""
    worst_confusions: list[tuple[str, str, int]]
    """Gold label, predicted label, how often."""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class WritingReport:
    """The SEM's decoder; greedy decoding given the predicted emotion."""

    contexts: int
    perplexity: float
    """Word-normalised: exp(total negative log-likelihood / words of the human replies)."""
    distinct_1: float
    distinct_2: float
    coverage: float
    """Percentage of non-empty replies."""
    mean_words: float
    human_distinct_1: float
    human_distinct_2: float

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ShownReply:
    """What the embedded listener answers to one context."""

    conv_id: str
    turns: tuple[str, ...]
    gold_emotion: str
    emotion: str
    reply: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def report_reading(sem: SmallEmpatheticModel, contexts: Sequence[Context]) -> ReadingReport:
    """Read every context and compare with its label."""
    analyses = sem.analyze([context.turns for context in contexts])
    gold = [context.emotion for context in contexts]
    ranked = [[score.label for score in analysis.emotions] for analysis in analyses]
    first = [labels[0] for labels in ranked]
    confidences = [analysis.emotions[0].probability for analysis in analyses]
    hits = [label == wanted for label, wanted in zip(first, gold, strict=True)]
    at = {k: accuracy_at(k, ranked, gold) for k in (1, 3, 10, 20)}
    return ReadingReport(
        contexts=len(contexts),
        acc_1=at[1],
        acc_3=at[3],
        acc_10=at[10],
        acc_20=at[20],
        macro_f1=macro_f1(first, gold),
        calibration_error=calibration_error(confidences, hits),
        worst_confusions=worst_confusions(first, gold),
    )


def report_writing(sem: TransformerSem, contexts: Sequence[Context]) -> WritingReport:
    """Score the human replies, and decode one reply for every context."""
    dialogues = [context.turns for context in contexts]
    human = [context.reply for context in contexts]
    likelihoods = sem.reply_log_likelihoods(dialogues, human)
    words = sum(len(tokenize_words(reply)) for reply in human)
    written = sem.decode_replies(dialogues)
    return WritingReport(
        contexts=len(contexts),
        perplexity=math.exp(-sum(likelihoods) / words),
        distinct_1=distinct(1, written),
        distinct_2=distinct(2, written),
        coverage=100 * sum(bool(reply.strip()) for reply in written) / len(written),
        mean_words=sum(len(tokenize_words(reply)) for reply in written) / len(written),
        human_distinct_1=distinct(1, human),
        human_distinct_2=distinct(2, human),
    )


def show_replies(sem: TransformerSem, contexts: Sequence[Context]) -> list[ShownReply]:
    """What people would see: the embedded listener's reranked reply to each context."""
    listener = EmbeddedListener(reader=sem, speaker=sem)
    outcomes = [listener.answer(turns_from_dialogue(context.turns)) for context in contexts]
    return [
        ShownReply(context.conv_id, context.turns, context.emotion, outcome.emotion, outcome.response)
        for context, outcome in zip(contexts, outcomes, strict=True)
    ]
