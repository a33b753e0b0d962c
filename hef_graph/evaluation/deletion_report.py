"""Do the heaviest words carry the decision? How far the emotion's probability falls when they are deleted.

After DeYoung et al. (2020), "comprehensiveness": the probability of the emotion that the small empathetic model (SEM)
predicts on the whole context, with and without the `k` heaviest content words of the speaker, against random ones.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from hef_graph.causes import is_content_word
from hef_graph.corpus import Context
from hef_graph.evaluation.bootstrap import Estimate, resample_sums
from hef_graph.evaluation.cause_report import TOPS
from hef_graph.types import EmotionAnalysis, SmallEmpatheticModel, Turn, WordScore, turns_from_dialogue

DRAWS: Final = 3
"""Times that random words are chosen for each context."""


@dataclass(frozen=True, slots=True)
class DeletionDrop:
    """What deleting `k` words of each context does; drops are in points of probability, 0 to 100."""

    k: int
    heaviest: Estimate
    random: Estimate
    ratio: Estimate | None
    """Heaviest to random, paired; None if random words change nothing."""


@dataclass(frozen=True, slots=True)
class DeletionReport:
    """Drops at each number of words; intervals are of 95 %, from a bootstrap over conversations."""

    contexts: int
    """Those in which the speaker says a content word."""
    drops: tuple[DeletionDrop, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def report_deletion(
    sem: SmallEmpatheticModel, contexts: Sequence[Context], *, sample: int = 500, seed: int = 0
) -> DeletionReport:
    """Delete words from a sample of contexts and read them again, all in one call of the SEM.

    Args:
        sem: what reads; its word weights are measured.
        contexts: labelled contexts (the labels are not used).
        sample: measure so many of them, or all where there are fewer.
        seed: of the sample, the random words and the bootstrap.

    Raises:
        HefInputError: none of the contexts has a content word of the speaker.
    """
    chosen = random.Random(seed).sample(list(contexts), min(sample, len(contexts)))  # noqa: S311  not a secret
    dialogues = [turns_from_dialogue(context.turns) for context in chosen]
    analyses = sem.analyze(dialogues)
    dice = random.Random(seed)  # noqa: S311  not a secret
    ranked = [_rank_words(analysis, turns, dice) for analysis, turns in zip(analyses, dialogues, strict=True)]
    used = [index for index, words in enumerate(ranked) if words]
    cut = [text for index in used for text in _deletions(dialogues[index], ranked[index], dice)]
    after = iter(sem.analyze(cut))
    drops = [_drops_of(analyses[index], after) for index in used]
    return DeletionReport(len(used), _summarize(drops, [chosen[index].conv_id for index in used], seed=seed))


def delete_words(turns: Sequence[Turn], words: Sequence[WordScore]) -> list[Turn]:
    """The turns without these words; the gaps are closed, punctuation stays.

    >>> [turn.text for turn in delete_words([Turn("speaker", "My dog died.")], [WordScore("dog", 0, 3, 6, 1.0)])]
    ['My died.']
    """
    texts = [turn.text for turn in turns]
    for word in sorted(words, key=lambda word: -word.start):
        text = texts[word.turn]
        texts[word.turn] = text[: word.start] + text[word.end :]
    touched = {word.turn for word in words}
    closed = [re.sub(r"\s{2,}", " ", text).strip() if n in touched else text for n, text in enumerate(texts)]
    return [Turn(turn.role, text) for turn, text in zip(turns, closed, strict=True)]


def _rank_words(analysis: EmotionAnalysis, turns: Sequence[Turn], dice: random.Random) -> list[WordScore]:
    """The speaker's content words, heaviest first; those of one weight in random order."""
    own = [w for w in analysis.words if turns[w.turn].role == "speaker" and is_content_word(w.word)]
    return sorted(dice.sample(own, len(own)), key=lambda word: -word.weight)


def _deletions(turns: Sequence[Turn], ranked: Sequence[WordScore], dice: random.Random) -> Iterator[list[Turn]]:
    """For each k: the heaviest deleted; then, for each draw and each k: random ones deleted."""
    orders = [list(ranked)] + [dice.sample(ranked, len(ranked)) for _ in range(DRAWS)]
    for order in orders:
        yield from (delete_words(turns, order[:k]) for k in TOPS)


def _drops_of(before: EmotionAnalysis, after: Iterator[EmotionAnalysis]) -> list[float]:
    """Drops by the heaviest words, one for each k; then the mean drops by random words."""
    winner = before.emotions[0]
    probabilities = np.array([_probability(next(after), winner.label) for _ in range((1 + DRAWS) * len(TOPS))])
    drops = 100 * (winner.probability - probabilities.reshape(1 + DRAWS, len(TOPS)))
    return [*drops[0].tolist(), *drops[1:].mean(axis=0).tolist()]


def _probability(analysis: EmotionAnalysis, label: str) -> float:
    return next(score.probability for score in analysis.emotions if score.label == label)


def _summarize(drops: Sequence[Sequence[float]], groups: Sequence[str], *, seed: int) -> tuple[DeletionDrop, ...]:
    values = np.array([[*each, 1.0] for each in drops]).reshape(len(drops), 2 * len(TOPS) + 1)
    sums, count = resample_sums(values, groups, seed=seed), 2 * len(TOPS)
    pairs = [(column, column + len(TOPS)) for column in range(len(TOPS))]
    return tuple(
        DeletionDrop(k, sums.mean(top, count), sums.mean(other, count), sums.ratio(top, other))
        for k, (top, other) in zip(TOPS, pairs, strict=True)
    )
