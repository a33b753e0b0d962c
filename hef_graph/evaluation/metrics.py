"""The measures, each in its plainest form; percentages unless said otherwise."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from hef_graph.errors import HefInputError

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def accuracy_at(k: int, ranked: Sequence[Sequence[str]], gold: Sequence[str]) -> float:
    """Acc_k: share of cases whose gold label is among the `k` most probable."""
    return 100 * _mean([label in labels[:k] for labels, label in zip(ranked, gold, strict=True)])


def macro_f1(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """Mean over the gold labels of the harmonic mean of precision and recall."""
    hits = Counter(label for label, wanted in zip(predicted, gold, strict=True) if label == wanted)
    given, wanted_counts = Counter(predicted), Counter(gold)
    return 100 * _mean([2 * hits[label] / (given[label] + count) for label, count in wanted_counts.items()])


def calibration_error(confidences: Sequence[float], hits: Sequence[bool], *, bins: int = 15) -> float:
    """Expected calibration error, 0 to 1 (Guo et al. 2017): mean gap of confidence and accuracy; 0 for no cases."""
    gaps = [0.0] * bins
    for confidence, hit in zip(confidences, hits, strict=True):
        gaps[confidence_bin(confidence, bins=bins)] += confidence - hit
    return sum(map(abs, gaps)) / max(1, len(confidences))


def confidence_bin(confidence: float, *, bins: int = 15) -> int:
    """Index of the bin of equal width that holds the confidence: above its lower edge, up to its upper one.

    The first bin holds 0 too; the last one what rounding puts above 1.

    >>> [confidence_bin(confidence, bins=10) for confidence in (0.0, 0.1, 0.11, 1.0)]
    [0, 0, 1, 9]
    """
    edges = [(index + 1) / bins for index in range(bins - 1)]
    return bisect_left(edges, confidence)


def distinct(n: int, responses: Sequence[str]) -> float:
    """Distinct-n (Li et al. 2015) of a corpus: 100 x unique n-grams / all n-grams; n-grams end with their response."""
    seen: list[tuple[str, ...]] = []
    for response in responses:
        tokens = tokenize_words(response)
        seen += [tuple(tokens[start : start + n]) for start in range(len(tokens) - n + 1)]
    return 100 * len(set(seen)) / len(seen) if seen else 0.0


def tokenize_words(text: str) -> list[str]:
    """Lower-case tokens of NLTK's Treebank-style tokenizer, sentence by sentence (no downloaded data needed)."""
    return [token for part in _SENTENCE_END.split(text.lower()) for token in _word_tokenizer().tokenize(part)]


def worst_confusions(predicted: Sequence[str], gold: Sequence[str], *, count: int = 10) -> list[tuple[str, str, int]]:
    """The most frequent mistakes: gold label, predicted label, how often."""
    mistakes = Counter((wanted, label) for label, wanted in zip(predicted, gold, strict=True) if label != wanted)
    return [(wanted, label, number) for (wanted, label), number in mistakes.most_common(count)]


@lru_cache(maxsize=1)
def _word_tokenizer() -> Any:
    try:
        from nltk.tokenize import NLTKWordTokenizer  # noqa: PLC0415  an extra
    except ImportError as error:
        raise HefInputError("counting words needs NLTK: pip install 'hef-graph[eval]'") from error
    return NLTKWordTokenizer()


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
