"""The crisis classifier: a small encoder and votes of n-grams, weights of its own, independent of torch and any SEM."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self, cast

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from hef_graph.crisis.encoder import Array, Encoder, dequantise, quantise
from hef_graph.crisis.ngrams import BIAS, BUCKETS, WEIGHT, NgramVotes
from hef_graph.crisis.signals import CATEGORIES, Category, Time, Who
from hef_graph.crisis.threads import one_thread
from hef_graph.errors import HefCheckpointError
from hef_graph.files import MEGABYTE, check_size, read_object

SHIPPED: Final = Path(__file__).parent / "weights"
WEIGHTS: Final = "model.safetensors"
CONFIG: Final = "config.json"
TOKENIZER: Final = "tokenizer.json"
FORMAT: Final = 1

LARGEST: Final = {WEIGHTS: 64 * MEGABYTE, TOKENIZER: 8 * MEGABYTE}
MOST_HEADS: Final = 64
LONGEST_WORD: Final = 1000
KINDS: Final = ("BertNormalizer", "BertPreTokenizer", "WordPiece")
UNKNOWN: Final = "[UNK]"
MARKS: Final = ("[CLS]", "[SEP]", UNKNOWN)

_LEAST: Final = 1e-9

OUTPUTS: Final = len(CATEGORIES) + 3
"""A logit for each category, one for none; then one for "somebody else", one for "past"."""

NEWEST_TOKENS: Final = 96
CONTEXT_TOKENS: Final = 64
"""Tokens of what was said before the newest message; of that itself, `NEWEST_TOKENS`."""
MOST_POSITIONS: Final = NEWEST_TOKENS + CONTEXT_TOKENS + 3


@dataclass(frozen=True, slots=True)
class CrisisReading:
    """What the classifier makes of one text."""

    probabilities: Array
    """One for each of `CATEGORIES`, and for none last; they sum to 1."""
    other: float
    """Probability that somebody else is in danger."""
    past: float
    """Probability that it is over."""

    @property
    def signal(self) -> float:
        """Probability that anything is due."""
        return float(1 - self.probabilities[-1])

    @property
    def category(self) -> Category:
        """The likeliest one, if anything is due."""
        return CATEGORIES[int(np.argmax(self.probabilities[:-1]))]

    @property
    def who(self) -> Who:
        """Who is in danger."""
        return "other" if self.other >= 0.5 or self.category == "harm_to_others" else "self"  # noqa: PLR2004  likelier than not

    @property
    def time(self) -> Time:
        """When it was."""
        return "past" if self.past >= 0.5 else "current"  # noqa: PLR2004  as above


def between(one: CrisisReading, other: CrisisReading) -> CrisisReading:
    """The other reading, its signal as likely as the mean of both log-odds says."""
    odds = math.sqrt(_odds(one) * _odds(other))
    signal = odds / (1 + odds)
    probabilities = other.probabilities * (signal / max(other.signal, _LEAST))
    probabilities[-1] = 1 - signal
    return replace(other, probabilities=probabilities)


def _odds(reading: CrisisReading) -> float:
    """Of a signal against none; finite and above 0 also where a probability was rounded to 0."""
    return max(reading.signal, _LEAST) / max(float(reading.probabilities[-1]), _LEAST)


@dataclass(frozen=True, slots=True)
class CrisisClassifier:
    """Encoder, tokenizer and votes of one checkpoint folder."""

    encoder: Encoder
    tokenizer: Tokenizer
    threshold: float
    """Probability of a signal from which a text without a plain phrase counts as one."""
    votes: NgramVotes | None = None
    """None leaves the encoder alone to decide."""

    @classmethod
    def load(cls, folder: Path = SHIPPED) -> Self:
        """Read a folder of `model.safetensors`, `config.json` and `tokenizer.json`; nothing in them can run code.

        Raises:
            HefCheckpointError: a file is missing, damaged, or not the one that `config.json` belongs to.
        """
        try:
            config = read_object(folder / CONFIG, most=MEGABYTE)
            _check_files(folder, config)
            packed = cast("dict[str, NDArray[np.generic]]", load_file(folder / WEIGHTS))
            weights = dequantise(packed)
            votes = _take_votes(weights)
            encoder = Encoder(weights, _whole(config["heads"]))
            encoder.check(MOST_POSITIONS, OUTPUTS)
            tokenizer = _read_tokenizer(folder / TOKENIZER, encoder.vocabulary)
            return cls(encoder, tokenizer, _share(config["threshold"]), votes)
        except Exception as error:  # files of any kind: safetensors, NumPy and tokenizers each raise their own
            reason = str(error) if isinstance(error, HefCheckpointError | ValueError) else repr(error)
            raise HefCheckpointError(f"the crisis classifier in {folder} cannot be read: {reason[:500]}") from error

    def knows(self, text: str) -> bool:
        """Whether the pieces of a normalised text are known, most of them: of another script's it can tell nothing."""
        pieces = self.tokenizer.encode(text, add_special_tokens=False).tokens[:NEWEST_TOKENS]
        return 2 * pieces.count(UNKNOWN) < len(pieces)

    def read(self, newest: str, context: Sequence[str] = ()) -> CrisisReading:
        """Read a normalised text after what was said before it, oldest first."""
        ids, kinds = encode(self.tokenizer, newest, context)
        with one_thread():
            logits = self.encoder.read(np.asarray(ids), np.asarray(kinds))
        if self.votes:  # as if the encoder itself had leaned that way: the categories keep their order
            logits[len(CATEGORIES)] -= self.votes.vote(newest, context)
        categories = np.exp(logits[:-2] - logits[:-2].max())
        other, past = 1 / (1 + np.exp(-logits[-2:].astype(np.float64)))
        return CrisisReading(categories / categories.sum(), float(other), float(past))


@lru_cache(maxsize=2)
def load_classifier(folder: Path = SHIPPED) -> CrisisClassifier:
    """`CrisisClassifier.load`, once per folder."""
    return CrisisClassifier.load(folder)


def encode(tokenizer: Tokenizer, newest: str, context: Sequence[str] = ()) -> tuple[list[int], list[int]]:
    """`[CLS] newest [SEP] context [SEP]`: ids and kinds; a long message keeps its beginning, the context its end."""
    first, end = (tokenizer.token_to_id(mark) or 0 for mark in ("[CLS]", "[SEP]"))
    own = tokenizer.encode(newest, add_special_tokens=False).ids[:NEWEST_TOKENS]
    ids, kinds = [first, *own, end], [0] * (len(own) + 2)
    before = [i for text in context for i in (end, *tokenizer.encode(text, add_special_tokens=False).ids)][1:]
    if before:
        kept = before[-CONTEXT_TOKENS:]
        ids, kinds = [*ids, *kept, end], [*kinds, *[1] * (len(kept) + 1)]
    return ids, kinds


def save_classifier(folder: Path, weights: dict[str, Array], tokenizer: Tokenizer, config: dict[str, Any]) -> None:
    """Write a folder that `CrisisClassifier.load` reads; `config` holds at least `heads` and `threshold`."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(quantise(weights), folder / WEIGHTS)
    tokenizer.save(str(folder / TOKENIZER), pretty=False)
    hashes = {name: _hash(folder / name) for name in (WEIGHTS, TOKENIZER)}
    (folder / CONFIG).write_text(json.dumps({"format": FORMAT, **config, "sha256": hashes}, indent=1) + "\n", "utf-8")


def _take_votes(weights: dict[str, Array]) -> NgramVotes | None:
    """The votes among a checkpoint's weights, out of which they are taken; None if it has none."""
    if WEIGHT not in weights and BIAS not in weights:
        return None
    table, bias = weights.pop(WEIGHT), weights.pop(BIAS)
    if table.shape != (1, BUCKETS) or bias.shape != (1,) or not (np.isfinite(table).all() and np.isfinite(bias).all()):
        raise ValueError(
            f"{WEIGHT} is {table.shape}, {BIAS} {bias.shape}, expected {(1, BUCKETS)} and (1,), all finite"
        )
    return NgramVotes(table[0], float(bias[0]))


def _check_files(folder: Path, config: dict[str, Any]) -> None:
    """The folder is of this version's format, and its files are those that the config belongs to."""
    if config.get("format") != FORMAT:
        raise HefCheckpointError(f"{folder / CONFIG} has format {config.get('format')!r}; this version reads {FORMAT}")
    for name, most in LARGEST.items():
        check_size(folder / name, most=most)
        _check_hash(folder / name, config["sha256"][name])


def _whole(value: object) -> int:
    if type(value) is not int or not 1 <= value <= MOST_HEADS:
        raise ValueError(f"heads must be a whole number from 1 to {MOST_HEADS}")
    return value


def _share(value: object) -> float:
    if not isinstance(value, float) or not 0 < value < 1:  # NaN is not either: it would let nothing or everything pass
        raise ValueError("threshold must be a number between 0 and 1")
    return value


def _read_tokenizer(path: Path, size: int) -> Tokenizer:
    """BERT's tokenizer and no other: a normalizer or pattern of another kind may take all time and memory there is."""
    values = read_object(path, most=LARGEST[TOKENIZER])
    kinds = tuple((values[part] or {}).get("type") for part in ("normalizer", "pre_tokenizer", "model"))
    if kinds != KINDS or values.get("truncation") or values.get("padding"):
        raise ValueError(f"its tokenizer is made of {kinds}; expected {KINDS}, without truncation and padding")
    if values["model"].get("max_input_chars_per_word", 0) > LONGEST_WORD:
        raise ValueError(f"its tokenizer splits words of more than {LONGEST_WORD} letters")
    tokenizer = Tokenizer.from_file(str(path))
    if sorted(tokenizer.get_vocab().values()) != list(range(size)):
        raise ValueError(f"its tokenizer does not number its pieces from 0 to {size - 1}, as the weights do")
    if missing := [mark for mark in MARKS if tokenizer.token_to_id(mark) is None]:
        raise ValueError(f"its tokenizer has no {missing[0]}")
    tokenizer.encode_special_tokens = True  # what users write is never read as a mark
    return tokenizer


def _check_hash(path: Path, promised: object) -> None:
    if (found := _hash(path)) != promised:
        raise HefCheckpointError(
            f"{path} is not the file that {CONFIG} belongs to: its SHA-256 is {found}, expected {promised}; "
            "it is damaged or was exchanged, so install it anew"
        )


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
