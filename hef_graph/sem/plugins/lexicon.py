"""The floor: a small empathetic model (SEM) without a model, which adds up what each word says about the emotion.

Naive Bayes over words: in how many training contexts of each emotion a word occurs moves the odds of that emotion. The
table `word_emotions.tsv` holds the counts; nothing here imports torch.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from hef_graph.errors import HefCheckpointError
from hef_graph.sem.tokenization import find_words
from hef_graph.types import (
    Dialogue,
    EmotionAnalysis,
    EmotionScore,
    Turn,
    WordScore,
    turns_from_dialogue,
    turns_from_dialogues,
)

TABLE: Final = Path(__file__).parent / "word_emotions.tsv"
"""The shipped table."""

LISTENER_SHARE: Final = 0.5
"""A word that only the listener said counts half: it answers the emotion rather than telling it."""


WINDOW: Final = 4000
"""The latest so many words are read: a pasted book must not hold up a turn."""


@dataclass(frozen=True)
class WordEmotions:
    """How often each word goes with each emotion, and how to read that."""

    labels: tuple[str, ...]
    contexts: tuple[int, ...]
    """Training contexts of each label."""
    words: Mapping[str, tuple[int, ...]]
    """For each word in lower case, the training contexts of each label that hold it."""
    smoothing: float
    """Strength of the prior in a word's distribution, in contexts: rare words say little."""
    temperature: float
    """Words of one text repeat each other: their sum is divided by this times the square root of their number."""

    @property
    def prior(self) -> list[float]:
        """Share of each label in the training contexts."""
        total = sum(self.contexts)
        return [count / total for count in self.contexts]

    def shifts(self, word: str) -> list[float]:
        """`ln P(label | word) - ln P(label)` for each label of a word that the table holds."""
        counts, prior = self.words[word], self.prior
        total = sum(counts) + self.smoothing
        return [
            math.log((count + self.smoothing * share) / (total * share))
            for count, share in zip(counts, prior, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Occurrence:
    turn: int
    start: int
    end: int
    key: str
    listener: bool


class LexiconSem:
    """Word counts behind the protocol `SmallEmpatheticModel`.

    A word of the dialogue counts once however often it is said, and half if only the listener said it. Its weight as a
    cause word is how far it moves the first emotion up, shared among its occurrences.
    """

    def __init__(self, table: WordEmotions) -> None:
        self._table = table
        self._shifts = lru_cache(maxsize=None)(table.shifts)

    @property
    def name(self) -> str:
        """That it is only a table."""
        return f"the lexicon SEM ({len(self._table.words)} words, no model)"

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotion labels of the table."""
        return self._table.labels

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        """Read the latest words of each dialogue; the results come in the order given.

        Where half of the words or more are unknown, `in_domain` is False and `confidence` that of knowing nothing.

        Raises:
            HefInputError: a dialogue is empty, a bare text, or holds something else than texts or turns.
        """
        return [self._analyze(turns) for turns in turns_from_dialogues(dialogues)]

    def evidence(self, dialogue: Dialogue) -> list[float]:
        """What the words add to each label's log-odds, before the temperature (zeros for none)."""
        return self._evidence(_weigh(_find_occurrences(turns_from_dialogue(dialogue))))

    def _analyze(self, turns: Sequence[Turn]) -> EmotionAnalysis:
        occurrences = _find_occurrences(turns)
        prior, evidence = self._table.prior, self._evidence(_weigh(occurrences))
        logits = [math.log(p) + e / self._table.temperature for p, e in zip(prior, evidence, strict=True)]
        probabilities = _softmax(logits)
        winner = probabilities.index(max(probabilities))
        scores = [EmotionScore(label, p) for label, p in zip(self.labels, probabilities, strict=True)]
        emotions = tuple(sorted(scores, key=lambda score: -score.probability))
        known = 2 * sum(word.key in self._table.words for word in occurrences) > len(occurrences)
        confidence = emotions[0].probability if known else max(prior)
        return EmotionAnalysis(emotions, self._word_scores(turns, occurrences, winner), confidence, in_domain=known)

    def _evidence(self, weights: Mapping[str, float]) -> list[float]:
        known = {key: weight for key, weight in weights.items() if key in self._table.words}
        total = [0.0] * len(self.labels)
        for key, weight in known.items():
            total = [t + weight * shift for t, shift in zip(total, self._shifts(key), strict=True)]
        number = max(1.0, sum(known.values()))
        return [value / math.sqrt(number) for value in total]

    def _word_scores(
        self, turns: Sequence[Turn], occurrences: Sequence[_Occurrence], winner: int
    ) -> tuple[WordScore, ...]:
        raw = [
            share * self._move(word.key, winner) for word, share in zip(occurrences, _share(occurrences), strict=True)
        ]
        total = sum(raw)
        weights = [weight / total for weight in raw] if total else [1 / len(raw)] * len(raw) if raw else []
        return tuple(
            WordScore(turns[word.turn].text[word.start : word.end], word.turn, word.start, word.end, weight)
            for word, weight in zip(occurrences, weights, strict=True)
        )

    def _move(self, key: str, winner: int) -> float:
        """How far a word moves a label up; 0 for words that are unknown or move it down."""
        return max(0.0, self._shifts(key)[winner]) if key in self._table.words else 0.0


@lru_cache(maxsize=4)
def load_lexicon_sem(path: Path = TABLE) -> LexiconSem:
    """The SEM of a table, by default the shipped one; read once."""
    return LexiconSem(read_word_emotions(path))


def read_word_emotions(path: Path) -> WordEmotions:
    """Read what `write_word_emotions` wrote.

    Raises:
        HefCheckpointError: the file is missing or has another form.
    """
    try:
        smoothing, temperature, header, contexts, *rows = path.read_text("utf-8").splitlines()
        labels = tuple(header.split("\t")[1:])
        words = {word: tuple(map(int, counts)) for word, *counts in (row.split("\t") for row in rows)}
        return _checked(
            WordEmotions(
                labels,
                tuple(map(int, contexts.split("\t")[1:])),
                words,
                float(smoothing.removeprefix("# smoothing: ")),
                float(temperature.removeprefix("# temperature: ")),
            )
        )
    except (OSError, ValueError) as error:
        raise HefCheckpointError(f"{path} is not a table of words and emotions: {error}") from error


def write_word_emotions(table: WordEmotions, path: Path) -> None:
    """Write a table people can read: one word a row, one emotion a column, the most frequent words first."""
    rows = sorted(table.words.items(), key=lambda item: (-sum(item[1]), item[0]))
    head = [f"# smoothing: {table.smoothing}", f"# temperature: {table.temperature}"]
    lines = [("word", *table.labels), ("# contexts", *table.contexts), *((word, *counts) for word, counts in rows)]
    path.write_text("\n".join([*head, *("\t".join(map(str, line)) for line in lines)]) + "\n", "utf-8")


def _checked(table: WordEmotions) -> WordEmotions:
    """The same table; a `ValueError` if a row does not fit the labels or a number cannot be used."""
    for word, counts in (("# contexts", table.contexts), *table.words.items()):
        if len(counts) != len(table.labels) or min(counts, default=-1) < 0:
            raise ValueError(f"the row {word!r} must have {len(table.labels)} counts from 0 on")
    if min(table.contexts, default=0) < 1 or len(set(table.labels)) != len(table.labels):
        raise ValueError("every label must be there once and have a context")
    if not (table.smoothing > 0 and table.temperature > 0):
        raise ValueError("smoothing and temperature must be above 0")
    return table


def _find_occurrences(turns: Sequence[Turn]) -> list[_Occurrence]:
    """The words of the window, in reading order."""
    found: list[_Occurrence] = []
    for index in range(len(turns) - 1, -1, -1):
        text, listener = turns[index].text, turns[index].role == "listener"
        spans = find_words(text)[len(found) - WINDOW :]
        found = [_Occurrence(index, a, b, word_key(text[a:b]), listener) for a, b in spans] + found
        if len(found) >= WINDOW:
            break
    return found


def _weigh(occurrences: Sequence[_Occurrence]) -> dict[str, float]:
    """The weight of each different word: 1, or less if only the listener said it."""
    weights: dict[str, float] = {}
    for word in occurrences:
        weights[word.key] = max(weights.get(word.key, 0.0), LISTENER_SHARE if word.listener else 1.0)
    return weights


def _share(occurrences: Sequence[_Occurrence]) -> list[float]:
    """The weight of each word, shared among its occurrences; those of the speaker take all of it if there are any."""
    weights = _weigh(occurrences)
    telling = [weights[word.key] < 1 or not word.listener for word in occurrences]
    count = Counter(word.key for word, tells in zip(occurrences, telling, strict=True) if tells)
    return [
        weights[word.key] / count[word.key] if tells else 0.0 for word, tells in zip(occurrences, telling, strict=True)
    ]


def word_key(word: str) -> str:
    """How the table spells a word: in lower case, with a straight apostrophe."""
    return word.lower().replace("’", "'")


def _softmax(logits: Sequence[float]) -> list[float]:
    top = max(logits)
    powers = [math.exp(logit - top) for logit in logits]
    total = sum(powers)
    return [power / total for power in powers]
