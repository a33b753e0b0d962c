"""Do the heaviest words lie where people see the cause? Word weights against RECCON's marked spans.

The measure is the share of a turn's `k` heaviest content words that lie inside the spans, averaged over the cases;
a turn with fewer content words counts with all of them. Words of one weight share their places: what is counted is
the mean over all their orders, so that giving every word the same weight is exactly a choice at random.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from hef_graph.errors import HefInputError
from hef_graph.evaluation.bootstrap import Estimate, resample_sums
from hef_graph.evaluation.reccon import CauseCase, CauseData
from hef_graph.lexicon import Lexicon, load_lexicon
from hef_graph.types import EmotionAnalysis, SmallEmpatheticModel

CaseWeights: TypeAlias = Sequence[Sequence[float]]
"""For each case one weight for each of its content words, `CauseCase.words`."""

TOPS: Final = (1, 3, 5)
RANDOM: Final = "random"
IDF: Final = "IDF"


@dataclass(frozen=True, slots=True)
class CauseShare:
    """How one method's `k` heaviest words fare."""

    k: int
    share: Estimate
    """Percentage inside the marked spans."""
    ratio: Estimate | None
    """To random words, paired; above 1 is better."""


@dataclass(frozen=True, slots=True)
class CauseRow:
    """One method."""

    method: str
    shares: tuple[CauseShare, ...]


@dataclass(frozen=True, slots=True)
class CauseReport:
    """All methods on the same cases; intervals are of 95 %, from a bootstrap over dialogues."""

    cases: int
    dialogues: int
    found: int
    """Emotional turns with a cause of their own, usable or not."""
    spans_not_found: int
    rows: tuple[CauseRow, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def report_causes(
    data: CauseData, methods: Mapping[str, CaseWeights], *, lexicon: Lexicon | None = None, seed: int = 0
) -> CauseReport:
    """Compare word weights with each other, with random words, and with the rarest words.

    Args:
        data: the cases.
        methods: each method's weights for all of them.
        lexicon: for the IDF baseline; None takes the shipped one.
        seed: of the bootstrap.

    Raises:
        HefInputError: no usable cases, or weights that do not fit the cases.
    """
    lexicon = lexicon or load_lexicon()
    everyone = {RANDOM: weigh_evenly(data.cases), IDF: weigh_by_idf(data.cases, lexicon), **methods}
    dialogues = [case.dialogue_id for case in data.cases]
    rows = compare_methods(everyone, data.cases, seed=seed)
    return CauseReport(len(dialogues), len(set(dialogues)), data.found, data.spans_not_found, rows)


def compare_methods(
    methods: Mapping[str, CaseWeights], cases: Sequence[CauseCase], *, seed: int = 0
) -> tuple[CauseRow, ...]:
    """One row a method; ratios are to the first method.

    Raises:
        HefInputError: no cases, or weights that do not fit the cases.
    """
    shares = [score_cases(weights, cases, k) for weights in methods.values() for k in TOPS]
    sums = resample_sums(np.array([*shares, [1.0] * len(cases)]).T, [case.dialogue_id for case in cases], seed=seed)
    count = len(shares)
    cells = [
        CauseShare(k, sums.mean(column, count), sums.ratio(column, column % len(TOPS)))
        for column, k in enumerate(TOPS * len(methods))
    ]
    return tuple(
        CauseRow(method, tuple(cells[row * len(TOPS) : (row + 1) * len(TOPS)])) for row, method in enumerate(methods)
    )


def score_cases(weights: CaseWeights, cases: Sequence[CauseCase], k: int) -> list[float]:
    """Percentage of each case's `k` heaviest content words that lie inside its spans.

    Raises:
        HefInputError: not one weight for each content word of each case.
    """
    sizes, expected = [len(each) for each in weights], [len(case.words) for case in cases]
    if sizes != expected:
        raise HefInputError(
            f"weights of {sum(sizes)} words in {len(sizes)} cases, but there are {sum(expected)} content words in "
            f"{len(expected)} cases; give one weight for each of CauseCase.words"
        )
    return [share_marked(own, case.marked, k) for own, case in zip(weights, cases, strict=True)]


def share_marked(weights: Sequence[float], marked: Sequence[bool], k: int) -> float:
    """Percentage of the `k` heaviest words that are marked, averaged over the orders of words of one weight.

    >>> share_marked([0.5, 0.2, 0.2], [True, True, False], 2)
    75.0
    """
    k = min(k, len(weights))
    bar = sorted(weights, reverse=True)[k - 1]
    above = [mark for weight, mark in zip(weights, marked, strict=True) if weight > bar]
    level = [mark for weight, mark in zip(weights, marked, strict=True) if weight == bar]
    return 100 * (sum(above) + (k - len(above)) * sum(level) / len(level)) / k


def weigh_by_sem(sem: SmallEmpatheticModel, cases: Sequence[CauseCase]) -> list[list[float]]:
    """The weights of a small empathetic model (SEM); 0 for words outside its window."""
    analyses = sem.analyze([case.turns for case in cases])
    return [_own_weights(analysis, case) for analysis, case in zip(analyses, cases, strict=True)]


def weigh_evenly(cases: Sequence[CauseCase]) -> list[list[float]]:
    """The same weight for every word: what random words reach on average."""
    return [[1.0] * len(case.words) for case in cases]


def weigh_by_idf(cases: Sequence[CauseCase], lexicon: Lexicon) -> list[list[float]]:
    """Each word's inverse document frequency (IDF): the rarest words are the heaviest."""
    return [[lexicon.idf(case.turns[-1].text[start:end]) for start, end in case.words] for case in cases]


def _own_weights(analysis: EmotionAnalysis, case: CauseCase) -> list[float]:
    newest = len(case.turns) - 1
    weights = {(word.start, word.end): word.weight for word in analysis.words if word.turn == newest}
    return [weights.get(span, 0.0) for span in case.words]
