"""The word table of the training contexts: what `lexicon.tsv` is counted from."""

from collections.abc import Sequence

from hef_graph.causes import heaviest_words
from hef_graph.corpus import Context
from hef_graph.lexicon import Lexicon, build_lexicon
from hef_graph.types import SmallEmpatheticModel


def count_words(sem: SmallEmpatheticModel, contexts: Sequence[Context], *, k1: int) -> Lexicon:
    """Count the words inside the SEM's window of every context, and its `k1` heaviest content words."""
    words: list[tuple[list[str], str]] = []
    heavy: list[list[str]] = []
    for analysis, context in zip(sem.analyze([c.turns for c in contexts]), contexts, strict=True):
        words.append(([word.word for word in analysis.words], context.emotion))
        heavy.append(heaviest_words(analysis.words, k1=k1))
    return build_lexicon(words, heavy)
