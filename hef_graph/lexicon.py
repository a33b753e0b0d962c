"""Per-word statistics: inverse document frequency (IDF) and emotion intensity.

The shipped table `lexicon.tsv` holds counts over the training contexts of EmpatheticDialogues. The paper's own
intensity needs the NRC-VAD lexicon, which may not be redistributed: who has the file passes it to `Lexicon.with_vad`.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from hef_graph.errors import HefInputError

SHIPPED: Final = Path(__file__).parent / "lexicon.tsv"

_VAD_MINIMUM, _VAD_RANGE = 0.06467, 0.607468
"""Minimum and range of the norm over NRC-VAD (KEMP, Li et al. 2022)."""

_PRIOR_WEIGHT: Final = 20.0
"""Strength of the prior in the label distribution of a word, in occurrences: rare words stay near zero."""


class WordEntry(NamedTuple):
    """One word's row."""

    document_frequency: int
    """Training contexts that hold the word."""
    intensity: float
    """0 to 1: how far the word moves the distribution of emotions."""
    heavy: int
    """Training contexts in which it is among the heaviest words of the SEM."""


class WordAverages(NamedTuple):
    """The thresholds between high- and low-weight words."""

    intensity: float
    idf: float


@dataclass(frozen=True)
class Lexicon:
    """IDF and emotion intensity of words, looked up in lower case."""

    contexts: int
    """Number of training contexts."""
    entries: Mapping[str, WordEntry]
    vad: Mapping[str, float] | None = None
    """Intensities of the user's NRC-VAD file; words not listed have none."""

    def idf(self, word: str) -> float:
        """`ln(N / df)`; a word that no training context holds counts as held by one."""
        entry = self.entries.get(_key(word))
        return math.log(self.contexts / (entry.document_frequency if entry else 1))

    def intensity(self, word: str) -> float:
        """Emotion intensity, 0 for unknown words."""
        if self.vad is not None:
            return self.vad.get(_key(word), 0.0)
        entry = self.entries.get(_key(word))
        return entry.intensity if entry else 0.0

    @cached_property
    def averages(self) -> WordAverages:
        """Means over the training contexts' heaviest words, each as often as it was one.

        Algorithm 1 (line 3) counts every word of its set S once; over a whole training set that makes the mean IDF that
        of words seen in a handful of contexts, and nearly no word would be above both means.
        """
        heavy = {word: entry.heavy for word, entry in self.entries.items() if entry.heavy}
        total = max(1, sum(heavy.values()))
        intensity = sum(self.intensity(word) * count for word, count in heavy.items())
        idf = sum(self.idf(word) * count for word, count in heavy.items())
        return WordAverages(intensity / total, idf / total)

    def averages_over(self, words: Sequence[str]) -> WordAverages:
        """Means over the given words; zeros for none."""
        count = max(1, len(words))
        return WordAverages(sum(map(self.intensity, words)) / count, sum(map(self.idf, words)) / count)

    def with_vad(self, path: Path) -> "Lexicon":
        """The same with the paper's intensity, from `NRC-VAD-Lexicon.txt` (word, valence, arousal, dominance; tabs).

        Raises:
            HefInputError: the file is missing or has no line of that form.
        """
        return replace(self, vad=_read_vad(path))


@lru_cache(maxsize=4)
def load_lexicon(path: Path = SHIPPED) -> Lexicon:
    """Read a table that `write_lexicon` wrote; by default the shipped one.

    Raises:
        HefInputError: the file is missing or has another form.
    """
    try:
        head, _, *rows = path.read_text("utf-8").splitlines()
        entries = {
            word: WordEntry(int(df), float(i), int(heavy)) for word, df, i, heavy in (r.split("\t") for r in rows)
        }
        return Lexicon(int(head.removeprefix("# contexts: ")), entries)
    except (OSError, ValueError) as error:
        raise HefInputError(f"{path} is not a word table: {error}") from error


def write_lexicon(lexicon: Lexicon, path: Path) -> None:
    """Write the counts as a table people can read."""
    rows = sorted(lexicon.entries.items(), key=lambda item: (-item[1].document_frequency, item[0]))
    lines = [f"{word}\t{e.document_frequency}\t{e.intensity:.4f}\t{e.heavy}" for word, e in rows]
    head = [f"# contexts: {lexicon.contexts}", "# word\tdocument_frequency\tintensity\theavy"]
    path.write_text("\n".join([*head, *lines]) + "\n", "utf-8")


def build_lexicon(
    contexts: Sequence[tuple[Sequence[str], str]], heavy: Iterable[Sequence[str]], *, minimum: int = 2
) -> Lexicon:
    """Count words over labelled contexts.

    Args:
        contexts: each context's words and its emotion.
        heavy: each context's heaviest words, in the same order.
        minimum: words in fewer contexts are left out (their IDF is the default).
    """
    by_label = Counter(label for _, label in contexts)
    counts: dict[str, Counter[str]] = {}
    for words, label in contexts:
        for word in {_key(word) for word in words}:
            counts.setdefault(word, Counter())[label] += 1
    weighty = Counter(key for words in heavy for key in {_key(word) for word in words})
    prior = {label: count / len(contexts) for label, count in by_label.items()}
    shifts = {word: _label_shift(labels, prior) for word, labels in counts.items() if labels.total() >= minimum}
    strongest = max(shifts.values(), default=0.0) or 1.0
    entries = {
        word: WordEntry(counts[word].total(), shift / strongest, weighty[word]) for word, shift in shifts.items()
    }
    return Lexicon(len(contexts), entries)


def _label_shift(counts: Counter[str], prior: Mapping[str, float]) -> float:
    """Kullback-Leibler divergence, in nats, of the emotions seen with a word from those of all contexts."""
    total = counts.total() + _PRIOR_WEIGHT
    posterior = {label: (counts[label] + _PRIOR_WEIGHT * share) / total for label, share in prior.items()}
    return sum(share * math.log(share / prior[label]) for label, share in posterior.items())


def _read_vad(path: Path) -> dict[str, float]:
    intensities: dict[str, float] = {}
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise HefInputError(f"cannot read the NRC-VAD file {path}: {error}") from error
    for line in lines:
        word, *values = line.split("\t")
        try:
            valence, arousal = float(values[0]), float(values[1])
        except (ValueError, IndexError):
            continue  # the header, or an empty line
        norm = math.hypot(valence - 0.5, arousal / 2)
        intensities[_key(word)] = (norm - _VAD_MINIMUM) / _VAD_RANGE
    if not intensities:
        raise HefInputError(f"{path} has no line of the form word<TAB>valence<TAB>arousal<TAB>dominance")
    return intensities


def _key(word: str) -> str:
    return word.lower().replace("’", "'")
