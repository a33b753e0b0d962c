"""A study: which systems take part for which of the paper's tables, and what was measured on them.

Who takes part is an *arm*: the small empathetic model (SEM), a large language model (LLM) alone, both as HEF with
stated settings, or a file of answers. Several tables share arms, so each arm answers once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple, TypeAlias

from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cases import Case, sample_cases
from hef_graph.evaluation.study.judge import JudgeReport
from hef_graph.evaluation.study.scores import Scores
from hef_graph.turn import ReadingOptions

Kind: TypeAlias = Literal["SEM", "LLM", "HEF", "file"]

TABLES: Final = (1, 2, 3, 4, 5, 6, 7)
K1_GRID: Final = (1, 5, 10, 15)
"""The numbers of cause words in the paper's Table 6."""
K2_GRID: Final = (1, 3, 5, 10, 20)
"""The numbers of prioritised emotions in Figure 3: those of Tables 1 and 2, and two between."""
JUDGED: Final = 100
"""Dialogues that a judge compares, as in the paper."""
SHOWN: Final = 2
"""Dialogues of the case study, as in the paper."""
FEW: Final = (3, 5, 7)
"""Tables that need only the judged dialogues."""


@dataclass(frozen=True, slots=True)
class Arm:
    """Who takes part, with which settings."""

    kind: Kind
    model: str = ""
    """The LLM as provider:name, the SEM's name, or the name given to a file."""
    options: ReadingOptions | None = None
    """HEF's settings; None for everything else."""

    @property
    def name(self) -> str:
        """As the paper writes it: behind the model c and w, the numbers of prioritised emotions and cause words.

        >>> Arm("HEF", "openai:gpt-4.1-mini", ReadingOptions(k1=1, k2=20)).name
        'openai:gpt-4.1-mini c20,w1'
        """
        return f"{self.model} {settings_of(self.options)}" if self.options else self.model


class Pair(NamedTuple):
    """Two arms to compare: the first is HEF."""

    first: Arm
    second: Arm


@dataclass(frozen=True, slots=True)
class Entrants:
    """What a study can draw on."""

    sem: str
    """The SEM's name."""
    models: tuple[str, ...] = ()
    options: ReadingOptions = field(default_factory=ReadingOptions)
    """HEF's settings where a table does not vary them."""
    files: tuple[str, ...] = ()
    """Names of files of answers."""

    @property
    def reader(self) -> Arm:
        """The SEM alone."""
        return Arm("SEM", self.sem)

    def whole(self, model: str) -> Arm:
        """HEF with its settings."""
        return Arm("HEF", model, self.options)

    def emotions_only(self, model: str, k2: int | None = None) -> Arm:
        """HEF without cause words; with other than its own number of prioritised emotions, if given."""
        options = replace(self.options, two_stage=True, cause_perception=False)
        return Arm("HEF", model, replace(options, k2=k2) if k2 else options)

    def words_only(self, model: str, k1: int | None = None) -> Arm:
        """HEF without prioritised emotions; with other than its own number of cause words, if given."""
        options = replace(self.options, two_stage=False, cause_perception=True)
        return Arm("HEF", model, replace(options, k1=k1) if k1 else options)

    def pairs(self, number: int) -> list[Pair]:
        """Which arms a table sets against each other."""
        return [pair for model in self.models for pair in self._pairs(number, model)]

    def arms(self, number: int) -> list[Arm]:
        """Whose answers a table shows, in its order."""
        return {
            1: [self.reader, *self._files()],
            2: [self.reader, *self._files(), *self._alone(), *map(self.whole, self.models)],
            3: [*self._alone(), *map(self.whole, self.models)],
            4: [arm for model in self.models for arm in self._ablation(model)],
            5: [arm for model in self.models for arm in self._ablation(model)[1:]],
            6: [self.words_only(model, k1) for model in self.models for k1 in K1_GRID],
            7: [arm for model in self.models for arm in self._ablation(model)[:2]],
        }[number]

    def figure_arms(self) -> list[Arm]:
        """Whose accuracies Figure 3 shows."""
        grid = [self.emotions_only(model, k2) for model in self.models for k2 in K2_GRID]
        return [self.reader, *self._alone(), *grid]

    def _pairs(self, number: int, model: str) -> list[Pair]:
        alone, whole, emotions, words = self._ablation(model)
        return {
            2: [Pair(whole, alone)],
            3: [Pair(whole, alone)],
            4: [Pair(whole, alone), Pair(emotions, alone), Pair(words, alone)],
            5: [Pair(whole, words), Pair(whole, emotions)],
        }.get(number, [])

    def _ablation(self, model: str) -> list[Arm]:
        return [Arm("LLM", model), self.whole(model), self.emotions_only(model), self.words_only(model)]

    def _alone(self) -> list[Arm]:
        return [Arm("LLM", model) for model in self.models]

    def _files(self) -> list[Arm]:
        return [Arm("file", name) for name in self.files]


@dataclass(frozen=True, slots=True)
class Measured:
    """What an arm answered and how well."""

    answers: tuple[Answer, ...]
    scores: Scores
    perplexity: float | None = None
    """Word-normalised; only for a SEM whose decoder was measured."""


@dataclass(frozen=True, slots=True)
class Study:
    """Everything the tables are made of."""

    data: str
    """What ours was measured on, such as `valid`."""
    seed: int
    cases: tuple[Case, ...]
    entrants: Entrants
    measured: Mapping[Arm, Measured]
    """Arms that ran; a table says "not measured" of all others."""
    verdicts: Mapping[Pair, JudgeReport] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    """Why something may be missing: an arm that was stopped before its last case is not measured."""

    @property
    def origin(self) -> str:
        """What stands beside our own rows."""
        return f"ours ({self.data}, n={len(self.cases)}, seed {self.seed})"


def settings_of(options: ReadingOptions) -> str:
    """HEF's settings in the paper's letters, c for prioritised emotions and w for cause words; `off` for neither.

    >>> settings_of(ReadingOptions(k1=5, k2=3, two_stage=False))
    'w5'
    """
    emotions = [f"c{options.k2}"] if options.two_stage else []
    words = [f"w{options.k1}"] if options.cause_perception else []
    wording = f" ({options.wording})" if emotions and options.wording != "list" else ""
    return (",".join(emotions + words) or "off") + wording


def arms_of(entrants: Entrants, tables: Iterable[int], *, figure: bool) -> list[Arm]:
    """Every arm that is needed, once each."""
    listed = [arm for number in tables for arm in entrants.arms(number)]
    return list(dict.fromkeys(listed + (entrants.figure_arms() if figure else [])))


def judged_pairs(entrants: Entrants, tables: Iterable[int]) -> list[Pair]:
    """Every pair that a judge is asked about."""
    return list(dict.fromkeys(pair for number in tables if number in (3, 5) for pair in entrants.pairs(number)))


def judged_cases(cases: Sequence[Case], *, seed: int) -> list[Case]:
    """The dialogues that a judge compares."""
    return sample_cases(cases, count=JUDGED, seed=seed)


def shown_cases(cases: Sequence[Case], *, seed: int) -> list[Case]:
    """The dialogues of the case study: some of the judged ones."""
    return sample_cases(judged_cases(cases, seed=seed), count=SHOWN, seed=seed)


def needed_cases(cases: Sequence[Case], tables: Sequence[int], *, figure: bool, seed: int) -> list[Case]:
    """The cases that must be answered: no more than are judged or shown, where no table needs more."""
    if figure or not set(tables) <= set(FEW):
        return list(cases)
    return judged_cases(cases, seed=seed) if set(tables) & {3, 5} else shown_cases(cases, seed=seed)
