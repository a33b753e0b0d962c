"""A linear vote on n-grams of words and letters, beside the encoder: cheap, and right about other texts than it is.

Weinberger et al. 2009 (feature hashing): every n-gram is a number below `BUCKETS`, and what it says is looked up there.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hef_graph.crisis.encoder import Array

BUCKETS: Final = 2**18
WEIGHT: Final = "ngrams.weight"
"""Its name in a checkpoint, `(1, BUCKETS)`."""
BIAS: Final = "ngrams.bias"
"""`(1,)`."""

_WORD: Final = re.compile(r"[a-z']+|[\u4e00-\u9fff]")
_TURN: Final = "|"
_WORDS: Final = 3
_LETTERS: Final = (3, 4, 5)
_LONGEST: Final = 2000
"""Characters that are looked at, of each text."""


@dataclass(frozen=True, slots=True)
class NgramVotes:
    """What each bucket says: positive for a signal."""

    weights: Array
    """`(BUCKETS,)`"""
    bias: float

    def vote(self, newest: str, context: Sequence[str] = ()) -> float:
        """What the n-grams of a normalised text and of the turn before it say, as a logit."""
        found = hash_ngrams(newest, context)
        return self.bias + float(sum(self.weights[each].sum() / np.sqrt(max(1, len(each))) for each in found))


def hash_ngrams(newest: str, context: Sequence[str] = ()) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The buckets of a text's n-grams, each once: of words, and of the letters within words."""
    words = _WORD.findall(newest[:_LONGEST])
    if context:
        words += [_TURN, *_WORD.findall(context[-1][-_LONGEST:])]
    return _hash(_of_words(words)), _hash(_of_letters(words))


def _of_words(words: Sequence[str]) -> Iterator[str]:
    return (" ".join(words[i : i + size]) for size in range(1, _WORDS + 1) for i in range(len(words) - size + 1))


def _of_letters(words: Sequence[str]) -> Iterator[str]:
    spaced = [f"_{word}_" for word in dict.fromkeys(words)]
    return (word[i : i + size] for word in spaced for size in _LETTERS for i in range(len(word) - size + 1))


def _hash(ngrams: Iterator[str]) -> NDArray[np.int64]:
    return np.asarray(sorted({zlib.crc32(each.encode()) % BUCKETS for each in ngrams}), np.int64)
