"""What a system's answers to a study's cases are worth: labels, responses, honesty of the probabilities, effort."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from typing import Any, Final

import numpy as np

from hef_graph.errors import HefInputError
from hef_graph.evaluation.bootstrap import Estimate, Numbers, Resampled, interval, resample_sums
from hef_graph.evaluation.metrics import confidence_bin, distinct, macro_f1, tokenize_words
from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cases import Case
from hef_graph.evaluation.study.confusion import NO_LABEL, Confusion, confuse

RANKS: Final = (1, 3, 10, 20)
"""The k of Acc_k in the paper's Table 1."""

BINS: Final = 15


@dataclass(frozen=True, slots=True)
class Candidates:
    """The emotions a system was told to consider first."""

    coverage: Estimate
    """Percentage of the cases whose gold label was among them."""
    mean_size: Estimate


@dataclass(frozen=True, slots=True)
class Seconds:
    """Of one answer."""

    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class Scores:
    """One system's answers, scored; percentages unless said otherwise, 95 % intervals from whole conversations drawn.

    Distinct has no interval: a resample repeats responses, and so always looks less diverse than the answers are.
    """

    cases: int
    missing: int
    """Cases without an answer: wrong, and without a response."""
    accuracy: Estimate
    """Exact: the label that the system settled on, after any repair."""
    substring: Estimate
    """The gold label stands somewhere in what was written for the emotion, as the paper's authors count."""
    invalid: Estimate | None
    """Of the answers, those that named something outside the labels, before any repair; None without answers."""
    accuracy_at: Mapping[int, Estimate] | None
    """Acc_k by k; None for a system that does not rank."""
    macro_f1: Estimate
    """Over the labels that occur among the cases."""
    confusion: Confusion
    response_coverage: Estimate
    """Cases with a response that is not empty."""
    distinct_1: float | None
    distinct_2: float | None
    """Over the responses that are not empty; None if there are none."""
    mean_words: Estimate | None
    """Tokens of a response that is not empty, as Distinct counts them."""
    human_distinct_1: float
    human_distinct_2: float
    """The same of what people said to these cases: the check of the count."""
    calibration_error: Estimate | None
    """Expected calibration error, 0 to 1, over the answers with a probability; its interval leans upward."""
    candidates: Candidates | None
    degraded: Estimate | None
    """Of the answers, those that did not come as they should."""
    degraded_by_reason: Mapping[str, Estimate]
    input_tokens: int
    output_tokens: int
    seconds: Seconds | None
    """None without answers."""
    cost: float | None
    """US dollars; None where no price is known."""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Known:
    """What the answers themselves do not hold."""

    price: Callable[[Answer], float | None] | None = None
    """US dollars of one answer; None where its tokens have no known price."""
    candidates: Mapping[str, Sequence[str]] | None = None
    """By case id, the emotions that the system was told to consider first."""


def score(
    cases: Sequence[Case], answers: Sequence[Answer], labels: Sequence[str], *, seed: int, known: Known | None = None
) -> Scores:
    """Score one system; of two answers to one case the later counts, answers to other cases are passed over.

    Raises:
        HefInputError: no cases, or NLTK is not installed.
    """
    if not cases:
        raise HefInputError("there is nothing to score: no cases")
    known = known or Known()
    found = {answer.case_id: answer for answer in answers}
    paired = _Paired(cases, [found.get(case.case_id) for case in cases], seed)
    return Scores(
        cases=len(cases),
        missing=paired.given.count(None),
        accuracy=paired.share([_is_hit(case, answer) for case, answer in paired.pairs]),
        substring=paired.share([_is_substring(case, answer) for case, answer in paired.pairs]),
        invalid=paired.share_of_answers(lambda answer: not _is_valid(answer, labels)),
        accuracy_at=_accuracy_at(paired, labels),
        macro_f1=_macro_f1(paired),
        confusion=confuse(_predicted(paired), [case.emotion for case in cases], labels),
        response_coverage=paired.share([bool(text) for text in paired.responses]),
        distinct_1=_distinct(1, paired),
        distinct_2=_distinct(2, paired),
        mean_words=_mean_words(paired),
        human_distinct_1=_human_distinct(1, tuple(case.reference for case in cases)),
        human_distinct_2=_human_distinct(2, tuple(case.reference for case in cases)),
        calibration_error=_calibration_error(paired),
        candidates=_score_candidates(paired, known.candidates or {}),
        degraded=paired.share_of_answers(lambda answer: answer.degraded_reason is not None),
        degraded_by_reason=_degraded_by_reason(paired),
        input_tokens=sum(answer.input_tokens for answer in paired.answered),
        output_tokens=sum(answer.output_tokens for answer in paired.answered),
        seconds=_seconds(paired.answered),
        cost=_cost(paired.answered, known.price),
    )


@dataclass(frozen=True, slots=True)
class _Paired:
    """The cases, each with its answer."""

    cases: Sequence[Case]
    given: list[Answer | None]
    seed: int

    @property
    def pairs(self) -> list[tuple[Case, Answer | None]]:
        return list(zip(self.cases, self.given, strict=True))

    @property
    def answered(self) -> list[Answer]:
        return [answer for answer in self.given if answer]

    @property
    def responses(self) -> list[str]:
        """One a case, empty where there is none."""
        return [answer.response.strip() if answer else "" for answer in self.given]

    def resample(self, *columns: Sequence[float]) -> Resampled:
        return resample_sums(np.array(columns, dtype=float).T, [case.conv_id for case in self.cases], seed=self.seed)

    def share(self, flags: Sequence[bool]) -> Estimate:
        return self.resample(flags, [True] * len(flags)).mean(0, 1, scale=100)

    def share_of_answers(self, holds: Callable[[Answer], bool]) -> Estimate | None:
        flags = [answer is not None and holds(answer) for answer in self.given]
        return _percent(self.resample(flags, [answer is not None for answer in self.given]))


def _percent(sums: Resampled) -> Estimate | None:
    """The first column's share of the second's."""
    ratio = sums.ratio(0, 1)
    return Estimate(100 * ratio.value, 100 * ratio.low, 100 * ratio.high) if ratio else None


def _is_hit(case: Case, answer: Answer | None) -> bool:
    return answer is not None and answer.emotion == case.emotion


def _is_substring(case: Case, answer: Answer | None) -> bool:
    return answer is not None and case.emotion.lower() in _written(answer).lower()


def _written(answer: Answer) -> str:
    """What stood in the emotion's place; a system without a written one is taken at its label."""
    return answer.written_emotion or answer.emotion or ""


def _is_valid(answer: Answer, labels: Sequence[str]) -> bool:
    """Whether a label was named; its case, quotes and a full stop around it do not matter."""
    return _written(answer).strip(" \t\r\n.\"'").casefold() in {label.casefold() for label in labels}


def _accuracy_at(paired: _Paired, labels: Sequence[str]) -> dict[int, Estimate] | None:
    """Of systems that print their best three, nothing is known about the tenth."""
    if not any(answer.ranked for answer in paired.answered):
        return None
    ranked = [answer.ranked if answer else () for answer in paired.given]
    longest = max(map(len, ranked))
    known = [k for k in RANKS if k <= longest or longest >= len(labels)]
    return {
        k: paired.share([case.emotion in best[:k] for case, best in zip(paired.cases, ranked, strict=True)])
        for k in known
    }


def _predicted(paired: _Paired) -> list[str]:
    return [(answer.emotion if answer else None) or NO_LABEL for answer in paired.given]


def _macro_f1(paired: _Paired) -> Estimate:
    """Each resample counts anew what each label was given, was wanted, and both."""
    predicted, gold = _predicted(paired), [case.emotion for case in paired.cases]
    names = sorted(set(gold))
    wanted, given = (np.array([[label == name for name in names] for label in each]) for each in (gold, predicted))
    sums = paired.resample(*(wanted & given).T, *given.T, *wanted.T)
    hits, given_sums, wanted_sums = np.split(sums.resamples, 3, axis=1)
    occurs = wanted_sums > 0
    scores = np.divide(2 * hits, given_sums + wanted_sums, out=np.zeros_like(hits), where=occurs)
    return interval(macro_f1(predicted, gold), 100 * scores.sum(axis=1) / occurs.sum(axis=1))


def _distinct(n: int, paired: _Paired) -> float | None:
    spoken = [text for text in paired.responses if text]
    return distinct(n, spoken) if spoken else None


@lru_cache(maxsize=4)
def _human_distinct(n: int, references: tuple[str, ...]) -> float:
    """Counted once for all systems that answer the same cases."""
    return distinct(n, references)


def _mean_words(paired: _Paired) -> Estimate | None:
    lengths = [len(tokenize_words(text)) for text in paired.responses]
    return paired.resample(lengths, [bool(text) for text in paired.responses]).ratio(0, 1)


def _calibration_error(paired: _Paired) -> Estimate | None:
    """As `metrics.calibration_error`, resampled."""
    gaps: Numbers = np.zeros((BINS + 1, len(paired.cases)))
    for index, (case, answer) in enumerate(paired.pairs):
        if answer is not None and answer.probability is not None:
            right = (answer.ranked[0] if answer.ranked else answer.emotion) == case.emotion
            gaps[confidence_bin(answer.probability, bins=BINS), index] = answer.probability - right
            gaps[BINS, index] = 1
    sums = paired.resample(*gaps)
    if not sums.observed[BINS]:
        return None
    kept = sums.resamples[sums.resamples[:, BINS] > 0]
    error = np.abs(sums.observed[:BINS]).sum() / sums.observed[BINS]
    return interval(float(error), np.abs(kept[:, :BINS]).sum(axis=1) / kept[:, BINS])


def _score_candidates(paired: _Paired, candidates: Mapping[str, Sequence[str]]) -> Candidates | None:
    sets = [candidates.get(case.case_id) for case in paired.cases]
    known = [each is not None for each in sets]
    covered = [case.emotion in (each or ()) for case, each in zip(paired.cases, sets, strict=True)]
    coverage = _percent(paired.resample(covered, known))
    mean_size = paired.resample([len(each or ()) for each in sets], known).ratio(0, 1)
    return Candidates(coverage, mean_size) if coverage and mean_size else None


def _degraded_by_reason(paired: _Paired) -> dict[str, Estimate]:
    """The most frequent reason first."""
    reasons = Counter(answer.degraded_reason for answer in paired.answered if answer.degraded_reason)
    return {
        reason: share
        for reason, _ in reasons.most_common()
        if (share := paired.share_of_answers(partial(_has_reason, reason)))
    }


def _has_reason(reason: str, answer: Answer) -> bool:
    return answer.degraded_reason == reason


def _seconds(answered: Sequence[Answer]) -> Seconds | None:
    if not answered:
        return None
    median, p95 = np.percentile([answer.seconds for answer in answered], [50, 95])
    return Seconds(float(median), float(p95))


def _cost(answered: Sequence[Answer], price: Callable[[Answer], float | None] | None) -> float | None:
    """None as soon as one answer has no price: a sum without it would look like the whole."""
    costs = [price(answer) for answer in answered] if price else [None]
    known = [cost for cost in costs if cost is not None]
    return float(sum(known)) if len(known) == len(costs) else None
