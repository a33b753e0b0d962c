"""Is a text like those the model was trained on? Judged by how rare its pieces are there.

The vocabulary falls in frequency, so a piece's place tells how rare it is (Zipf's law: the surprise of a word grows as
the logarithm of its rank). English of everyday talk has many common words and few split ones; another language, code or
noise falls into rare pieces, single letters and unknown signs. It needs no data at run time but four numbers.
"""

import math
from collections.abc import Sequence
from typing import Final

from hef_graph.sem.tokenization import SPECIAL_TOKENS, UNKNOWN_ID

_COMMON_LETTERS: Final = {"a", "i", "s", "t", "m", "d", "u"}
"""Single letters that are words, or what an apostrophe leaves of one."""


class DomainCheck:
    """Mean rarity of a text's pieces against that of the training texts."""

    def __init__(self, vocabulary: Sequence[str], limits: Sequence[float]) -> None:
        """`limits`: mean, spread within a text, spread between texts, and how many spreads are still in domain."""
        self._rarity = piece_rarities(vocabulary)
        self._limits = tuple(limits)

    def accepts(self, ids: Sequence[int]) -> bool:
        """Whether the tokens look like the training texts; a text without words does not."""
        rarities = [rarity for index in ids if (rarity := self._rarity[index]) is not None]
        if not self._limits:
            return True
        return bool(rarities) and self.distance(rarities) <= self._limits[3]

    def distance(self, rarities: Sequence[float]) -> float:
        """Spreads above the mean; a short text may lie further from it by chance."""
        mean, within, between, _ = self._limits
        return (sum(rarities) / len(rarities) - mean) / math.hypot(within / math.sqrt(len(rarities)), between)


def piece_rarities(vocabulary: Sequence[str]) -> list[float | None]:
    """The logarithm of each piece's rank; None for special tokens, digits and punctuation, which tell nothing."""
    common = next((i for i, p in enumerate(vocabulary) if i >= len(SPECIAL_TOKENS) and _is_long(p)), len(vocabulary))
    rarest = math.log(len(vocabulary))
    rarities: list[float | None] = []
    for index, piece in enumerate(vocabulary):
        if index >= common:
            rarities.append(math.log(index - common + 2))
        elif piece in _COMMON_LETTERS:
            rarities.append(math.log(2))
        else:
            rarities.append(rarest if index == UNKNOWN_ID or piece.removeprefix("##").isalpha() else None)
    return rarities


def fit_limits(vocabulary: Sequence[str], texts: Sequence[Sequence[int]], *, share: float = 0.001) -> tuple[float, ...]:
    """The limits within which all but `share` of `texts` (token ids) lie."""
    known = piece_rarities(vocabulary)
    rarities = [found for ids in texts if (found := [r for i in ids if (r := known[i]) is not None])]
    means = [sum(found) / len(found) for found in rarities]
    mean = sum(map(sum, rarities)) / sum(map(len, rarities))
    squares = sum((r - m) ** 2 for found, m in zip(rarities, means, strict=True) for r in found)
    within = math.sqrt(squares / sum(map(len, rarities)))
    chance = sum(within**2 / len(found) for found in rarities) / len(rarities)
    between = math.sqrt(max(0.0, sum((m - mean) ** 2 for m in means) / len(means) - chance))
    check = DomainCheck(vocabulary, (mean, within, between, 0.0))
    distances = sorted(map(check.distance, rarities))
    limit = distances[min(len(distances) - 1, math.ceil(len(distances) * (1 - share)))]
    return tuple(round(number, 4) for number in (mean, within, between, limit))


def _is_long(piece: str) -> bool:
    return len(piece.removeprefix("##")) > 1
