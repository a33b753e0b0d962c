"""Which of several proposed replies to give: likelihood, fit to this dialogue, emotion, cause words.

The weights were chosen by reading replies to conversations set aside from training.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

from hef_graph.causes import STOP_WORDS
from hef_graph.lexicon import Lexicon
from hef_graph.types import CauseWords, ReplyCandidate, Turn

_YES_NO = re.compile(
    r"(?:^|(?<=[.!?,]\s)|\bso )((?:did|do|does|are|is|was|were|have|has|had|will|would|can|could) [^.!?]*)\?"
)
_SENTENCE = re.compile(r"[^.!?]+[.!?]*")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_MASCULINE: Final = frozenset("""he him his himself""".split())
_FEMININE: Final = frozenset("""she her hers herself""".split())
_MEN: Final = frozenset(
    """husband boyfriend father dad daddy son brother grandfather grandpa uncle nephew man guy boy he him his""".split()
)
_WOMEN: Final = frozenset(
    """wife girlfriend mother mom mum mommy daughter sister grandmother grandma aunt niece woman lady girl she
    her""".split()
)


@dataclass(frozen=True, slots=True)
class RerankingWeights:
    """What each measure counts for."""

    likelihood: float = 1.5
    """Mean log-probability per token."""
    specificity: float = 1.2
    """How much likelier the reply is with the dialogue than without."""
    agreement: float = 1.5
    """Closeness of the reply's pleasantness to the dialogue's, 0 to 1."""
    cause: float = 0.3
    """Takes up a cause word."""
    question: float = 0.15
    """Asks back."""
    acknowledgement: float = 0.5
    """Says something about what it heard, rather than only asking."""
    ungrounded: float = -0.35
    """Each rare word that the dialogue does not hold."""
    echo: float = -1.5
    """Share of its words already said by the listener."""
    repetition: float = -1.0
    """Says a sentence twice."""
    pronoun: float = -1.0
    """Says "he" of a woman, or "she" of a man, or either of nobody."""
    known: float = -0.8
    """Asks whether something is so that has just been said."""
    length: float = 0.05
    """Each word, up to `FULL_LENGTH`."""


WEIGHTS: Final = RerankingWeights()
FULL_LENGTH: Final = 14
"""Words of a reply that both acknowledges and asks."""

RARE_IDF: Final = 5.5
"""Words in fewer than one context in 245 count as specific."""


@dataclass(frozen=True)
class Scene:
    """What a reply is held against."""

    turns: Sequence[Turn]
    causes: CauseWords
    lexicon: Lexicon

    @cached_property
    def said(self) -> frozenset[str]:
        """The words of the dialogue, in lower case."""
        return frozenset(word for turn in self.turns for word in _words(turn.text))

    @cached_property
    def listeners_pairs(self) -> frozenset[tuple[str, str]]:
        """Neighbouring words that the listener has said."""
        listened = (turn.text for turn in self.turns if turn.role == "listener")
        return frozenset(pair for text in listened for pair in _pairs(_words(text)))


def choose_reply(
    candidates: Sequence[ReplyCandidate],
    agreements: Sequence[float],
    scene: Scene,
    weights: RerankingWeights = WEIGHTS,
) -> ReplyCandidate:
    """The best of at least one candidate; `agreements` has one value from 0 to 1 for each."""
    scored = [
        (score_reply(candidate, agreement, scene, weights), -index)
        for index, (candidate, agreement) in enumerate(zip(candidates, agreements, strict=True))
    ]
    return candidates[-max(scored)[1]]


def score_reply(candidate: ReplyCandidate, agreement: float, scene: Scene, weights: RerankingWeights) -> float:
    """Weighted sum of the measures."""
    words = _words(candidate.text)
    return (
        weights.likelihood * candidate.log_probability
        + weights.specificity * candidate.specificity
        + weights.agreement * agreement
        + weights.cause * takes_up(words, scene.causes)
        + weights.question * ("?" in candidate.text)
        + weights.acknowledgement * acknowledges(candidate.text)
        + weights.ungrounded * count_ungrounded(words, scene)
        + weights.echo * echoed_share(words, scene)
        + weights.repetition * repeats_itself(candidate.text)
        + weights.pronoun * mistakes_person(words, scene)
        + weights.known * asks_the_known(candidate.text, scene)
        + weights.length * min(len(words), FULL_LENGTH)
    )


def takes_up(words: Sequence[str], causes: CauseWords) -> bool:
    """Whether a cause word occurs."""
    return any(word.lower() in words for word in (*causes.high, *causes.low))


def acknowledges(text: str) -> bool:
    """Whether a sentence of at least two words is no question."""
    return any(len(_words(sentence)) > 1 and not sentence.endswith("?") for sentence in _SENTENCE.findall(text))


def count_ungrounded(words: Sequence[str], scene: Scene) -> int:
    """Rare content words that nobody in the dialogue used: the reply makes something up."""
    return sum(
        word not in scene.said and word not in STOP_WORDS and scene.lexicon.idf(word) > RARE_IDF for word in set(words)
    )


def echoed_share(words: Sequence[str], scene: Scene) -> float:
    """Share of the reply's neighbouring word pairs that the listener has already said."""
    own = _pairs(words)
    return sum(pair in scene.listeners_pairs for pair in own) / len(own) if own else 0.0


def repeats_itself(text: str) -> bool:
    """Whether two sentences have the same words."""
    sentences = [tuple(words) for sentence in _SENTENCE.findall(text) if (words := _words(sentence))]
    return len(set(sentences)) < len(sentences)


def asks_the_known(text: str, scene: Scene) -> bool:
    """Whether a yes-or-no question holds no content word that the dialogue does not already hold."""
    for question in _YES_NO.findall(text.lower().replace("’", "'")):
        content = {word for word in _words(question) if word not in STOP_WORDS}
        if content and content <= scene.said:
            return True
    return False


def mistakes_person(words: Sequence[str], scene: Scene) -> bool:
    """Whether the reply's pronouns speak of somebody whom the dialogue does not know."""
    said = scene.said
    used = set(words)
    return bool((used & _MASCULINE and not said & _MEN) or (used & _FEMININE and not said & _WOMEN))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("’", "'"))


def _pairs(words: Sequence[str]) -> list[tuple[str, str]]:
    return list(pairwise(words))
