"""Is a text like those the model was trained on? Judged by how rare its pieces are there.

The vocabulary falls in frequency, so a piece's place tells how rare it is (Zipf's law: the surprise of a word grows as
the logarithm of its rank). English of everyday talk has many common words and few split ones; another language, code or
noise falls into rare pieces, single letters, signs and the unknown. It needs no data at run time but four numbers.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

from hef_graph.sem.tokenization import SPECIAL_TOKENS, UNKNOWN_ID

_COMMON_LETTERS: Final = {"a", "i", "s", "t", "m", "d", "u"}
"""Single letters that are words, or what an apostrophe leaves of one."""

_CODE_SIGNS: Final = set("=<>{}[]_\\|#@^~*+/`")
"""Signs that programs are full of and talk is not; all other signs tell nothing."""

LEAST_LIMIT: Final = 4.0
"""So many spreads are always in domain: the strangest of a few dozen texts says little about one in a thousand."""


class DomainCheck:
    """Mean rarity of a text's pieces against that of the training texts."""

    def __init__(self, vocabulary: Sequence[str], limits: Sequence[float]) -> None:
        """`limits`: mean, spread within a text, spread between texts, and how many spreads are still in domain."""
        self._rarity_of = cache(_measure(vocabulary))  # of all pieces at once it would take longer than many readings
        self._limits = tuple(limits)

    def accepts(self, ids: Sequence[int]) -> bool:
        """Whether the tokens look like the training texts; a text without a known word does not."""
        if not self._limits:
            return True
        telling = [(index, rarity) for index in ids if (rarity := self._rarity_of(index)) is not None]
        has_word = any(index != UNKNOWN_ID for index, _ in telling)
        return has_word and self.distance([rarity for _, rarity in telling]) <= self._limits[3]

    def distance(self, rarities: Sequence[float]) -> float:
        """Spreads above the mean; a short text may lie further from it by chance."""
        mean, within, between, _ = self._limits
        spread = math.hypot(within / math.sqrt(len(rarities)), between)
        return (sum(rarities) / len(rarities) - mean) / (spread or 1.0)


def piece_rarities(vocabulary: Sequence[str]) -> list[float | None]:
    """The logarithm of each piece's rank; None for special tokens, numbers and punctuation, which tell nothing."""
    return list(map(_measure(vocabulary), range(len(vocabulary))))


def _measure(vocabulary: Sequence[str]) -> Callable[[int], float | None]:
    """A piece's rarity by its index."""
    common = next((i for i, p in enumerate(vocabulary) if i >= len(SPECIAL_TOKENS) and _is_long(p)), len(vocabulary))
    return lambda index: _rarity(vocabulary[index], index, common, len(vocabulary))


def _rarity(piece: str, index: int, common: int, size: int) -> float | None:
    """`common` is the place of the most frequent piece; single characters and special tokens lie before it."""
    text = piece.removeprefix("##")
    if index == UNKNOWN_ID or text in _CODE_SIGNS:
        return math.log(size)
    if index < len(SPECIAL_TOKENS) or not any(letter.isalpha() for letter in text):
        return None
    if index >= common:
        return math.log(index - common + 2)
    return math.log(2) if piece in _COMMON_LETTERS else math.log(size)


def fit_limits(vocabulary: Sequence[str], texts: Sequence[Sequence[int]], *, share: float = 0.001) -> tuple[float, ...]:
    """The limits within which all but `share` of `texts` (token ids) lie; none, if no text has a word."""
    known = piece_rarities(vocabulary)
    rarities = [found for ids in texts if (found := [r for i in ids if (r := known[i]) is not None])]
    if not rarities:
        return ()
    spreads = _spreads(rarities)
    check = DomainCheck(vocabulary, (*spreads, 0.0))
    distances = sorted(map(check.distance, rarities))
    limit = distances[min(len(distances) - 1, math.ceil(len(distances) * (1 - share)))]
    return tuple(round(number, 4) for number in (*spreads, max(limit, LEAST_LIMIT)))


def _spreads(rarities: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """Mean over all pieces, spread within a text, spread between texts beyond chance."""
    count = sum(map(len, rarities))
    mean = sum(map(sum, rarities)) / count
    means = [sum(found) / len(found) for found in rarities]
    within = sum((r - m) ** 2 for found, m in zip(rarities, means, strict=True) for r in found) / count
    chance = sum(within / len(found) for found in rarities) / len(rarities)
    between = sum((m - mean) ** 2 for m in means) / len(means) - chance
    return mean, math.sqrt(within), math.sqrt(max(0.0, between))


def _is_long(piece: str) -> bool:
    return len(piece.removeprefix("##")) > 1
