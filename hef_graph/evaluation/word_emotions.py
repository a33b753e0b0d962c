"""The table of the lexicon SEM: in how many contexts of each emotion every word occurs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hef_graph.corpus import Context
from hef_graph.sem.plugins.lexicon import LexiconSem, WordEmotions, word_key
from hef_graph.sem.tokenization import find_words

TEMPERATURES: Final = tuple(round(0.05 * step, 2) for step in range(1, 101))
"""What `calibrate_words` chooses from."""


def count_emotions(contexts: Sequence[Context], *, smoothing: float, minimum: int) -> WordEmotions:
    """Count the contexts of each emotion that hold a word; words in fewer than `minimum` contexts are left out.

    The temperature is 1 until `calibrate_words` fits it.
    """
    labels = sorted({context.emotion for context in contexts})
    column = {label: index for index, label in enumerate(labels)}
    totals = [0] * len(labels)
    counts: dict[str, list[int]] = {}
    for context in contexts:
        totals[column[context.emotion]] += 1
        for word in _words_of(context):
            counts.setdefault(word, [0] * len(labels))[column[context.emotion]] += 1
    words = {word: tuple(row) for word, row in counts.items() if sum(row) >= minimum}
    return WordEmotions(tuple(labels), tuple(totals), words, smoothing, temperature=1.0)


def calibrate_words(table: WordEmotions, contexts: Sequence[Context]) -> WordEmotions:
    """The table with the temperature that makes the emotions of `contexts` most likely.

    The contexts must not be among those counted.
    """
    sem = LexiconSem(table)
    evidence = np.array([sem.evidence(context.turns) for context in contexts])
    gold = np.array([table.labels.index(context.emotion) for context in contexts])
    prior = np.log(table.prior)
    losses = {temperature: _loss(prior + evidence / temperature, gold) for temperature in TEMPERATURES}
    return replace(table, temperature=min(losses, key=lambda temperature: losses[temperature]))


def _loss(logits: NDArray[np.float64], gold: NDArray[np.int64]) -> float:
    """Mean negative log-likelihood of `gold` `(cases,)` under `logits` `(cases, labels)`."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -float(logs[np.arange(len(gold)), gold].mean())


def _words_of(context: Context) -> set[str]:
    return {word_key(text[start:end]) for text in context.turns for start, end in find_words(text)}
