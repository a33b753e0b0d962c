"""Word weights, emotion intensity and IDF → high- and low-weight cause words (HEF, Section 3.4 and Algorithm 1)."""

from collections.abc import Sequence
from typing import Final

from hef_graph.lexicon import Lexicon, WordAverages
from hef_graph.types import CauseWords, Turn, WordScore

STOP_WORDS: Final = frozenset(
    """a about after again all almost already also always am an and another any anyone anything are aren't around
    as at away back be because been before being both but by came can can't cannot cant come could couldn't did
    didn't didnt do does doesn't doesnt doing don't done dont down each either else even ever every everyone
    everything few for from get gets getting go goes going gonna got had hadn't has hasn't have haven't having
    he he'd he'll he's hello her here hers herself hes hey hi him himself his hiya how i i'd i'll i'm i've id if
    im in into is isn't isnt it it'd it'll it's its itself ive just kind know last least let let's like lol lot
    lots made make many may maybe me might mine more most much must my myself never next no not nothing now of
    off oh ok okay on once one only onto or other our ours out over own people put quite rather really right
    said same saw say see she she'd she'll she's shes should shouldn't since so some someone something still
    such sure take than that that's thats the their theirs them themselves then there there's these they they'd
    they'll they're they've theyre thing things think this those though through time to today together tomorrow
    too took until up upon us use used very want wanted was wasn't wasnt way we we'd we'll we're we've well went
    were weren't what what's when where which while who who's whole whom why will with within without won't wont
    would wouldn't yeah year years yes yesterday yet you you'd you'll you're you've your yours yourself
    ain aren couldn d didn doesn don hadn hasn haven isn ll m re s shouldn t ve wasn weren wouldn""".split()
)
"""English words that name no cause; contractions with and without apostrophe, and their halves (`don ' t`)."""


def select_cause_words(words: Sequence[WordScore], turns: Sequence[Turn], lexicon: Lexicon, *, k1: int) -> CauseWords:
    """The speaker's own `k1` heaviest content words, split by the training averages.

    High: both intensity and IDF above the averages; the others are low. A word that occurs several times counts with
    its heaviest occurrence and is written as it stands there.
    """
    spoken = [word for word in words if turns[word.turn].role == "speaker"]
    return _split(heaviest_words(spoken, k1=k1), lexicon, lexicon.averages)


def heaviest_words(words: Sequence[WordScore], *, k1: int) -> list[str]:
    """Up to `k1` different content words, heaviest first."""
    distinct: dict[str, str] = {}
    for score in sorted(words, key=lambda word: -word.weight):
        if len(distinct) == k1:
            break
        if is_content_word(score.word):
            distinct.setdefault(score.word.lower(), score.word)
    return list(distinct.values())


def is_content_word(word: str) -> bool:
    """Whether the word can name a cause: it holds a letter and is no stop word."""
    return word.lower().replace("’", "'") not in STOP_WORDS and any(letter.isalpha() for letter in word)


def paper_cause_words(dialogues: Sequence[Sequence[WordScore]], lexicon: Lexicon, *, k1: int) -> list[CauseWords]:
    """Algorithm 1 as printed, for evaluation only: one set S over all dialogues, its averages, all words in S marked.

    Words of a dialogue come in reading order, each once.
    """
    chosen = {word.lower() for words in dialogues for word in _top(words, k1)}
    averages = lexicon.averages_over(sorted(chosen))
    marked: list[CauseWords] = []
    for words in dialogues:
        own = dict.fromkeys(word.word.lower() for word in words)
        marked.append(_split([word for word in own if word in chosen], lexicon, averages))
    return marked


def _top(words: Sequence[WordScore], k1: int) -> list[str]:
    return [word.word for word in sorted(words, key=lambda word: -word.weight)[:k1]]


def _split(words: Sequence[str], lexicon: Lexicon, averages: WordAverages) -> CauseWords:
    high = {w for w in words if lexicon.intensity(w) > averages.intensity and lexicon.idf(w) > averages.idf}
    return CauseWords(tuple(w for w in words if w in high), tuple(w for w in words if w not in high))
