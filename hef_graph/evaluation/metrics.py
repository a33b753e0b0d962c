"""The measures, each in its plainest form; percentages unless said otherwise."""

import re
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
    """Expected calibration error, 0 to 1 (Guo et al. 2017): mean gap of confidence and accuracy."""
    gaps: list[float] = []
    for index in range(bins):
        low, high = index / bins, (index + 1) / bins
        members = [(c, h) for c, h in zip(confidences, hits, strict=True) if low < c <= high]
        gaps.append(abs(sum(c for c, _ in members) - sum(h for _, h in members)))
    return sum(gaps) / len(confidences)


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
