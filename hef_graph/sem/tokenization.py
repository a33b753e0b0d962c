"""Dialogues ↔ token ids for the small empathetic model (SEM), and the words that the tokens belong to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import WordPiece

from hef_graph.types import Role, Turn

PAD, UNKNOWN, FIRST, END, LISTENER, SPEAKER = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[LISTENER]", "[SPEAKER]"
SPECIAL_TOKENS: Final = (PAD, UNKNOWN, FIRST, END, LISTENER, SPEAKER)
"""The vocabulary's first entries, in this order. A reply starts with the token of the voice that speaks."""

PAD_ID, UNKNOWN_ID, FIRST_ID, END_ID, LISTENER_ID, SPEAKER_ID = range(len(SPECIAL_TOKENS))

LISTENER_ROLE: Final = 1
"""Token kind of a listener's turn; a speaker's is 0."""

CHARACTERS_PER_TOKEN: Final = 20
"""Far more than any text has on average: what is cut off before tokenizing could not have fitted the window."""

_LONGEST_WORD: Final = 100
"""A word that the window cuts is listed whole, if it began at most so many characters before."""

_STRAIGHT: Final = {"’": "'", "‘": "'", "“": '"', "”": '"'}
"""Typographic quotes are read as the plain ones that the training texts use."""

_LETTER = r"[^\W_][\u0300-\u036f]*"
_WORD = re.compile(rf"(?:{_LETTER})+(?:['’\-‐](?:{_LETTER})+)*")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class WordSpan(NamedTuple):
    """A word of a turn and the tokens that carry it."""

    turn: int
    start: int
    end: int
    tokens: tuple[int, ...]
    """Positions in the encoded dialogue."""


@dataclass(frozen=True, slots=True)
class EncodedDialogue:
    """One dialogue as the encoder sees it; the first three have one entry a token."""

    ids: tuple[int, ...]
    roles: tuple[int, ...]
    poolable: tuple[bool, ...]
    """False on special tokens."""
    words: tuple[WordSpan, ...]

    @property
    def spoken(self) -> tuple[int, ...]:
        """Ids of the speaker's tokens."""
        return tuple(index for index, role in zip(self.ids, self.roles, strict=True) if role != LISTENER_ROLE)


NOTHING: Final = EncodedDialogue((FIRST_ID,), (0,), (False,), ())
"""The encoding of no dialogue at all."""


class Piece(NamedTuple):
    """A token and where it stands in its turn's text."""

    id: int
    start: int
    end: int


def find_words(text: str) -> list[tuple[int, int]]:
    """Spans of the words: letters or digits with inner apostrophes or hyphens.

    >>> [text[a:b] for text in ["I don't re-do 5%!"] for a, b in find_words(text)]
    ['I', "don't", 're-do', '5']
    """
    return [match.span() for match in _WORD.finditer(text)]


def replace_surrogates(text: str) -> str:
    """Lone surrogates, which no tokenizer accepts, become U+FFFD; the length stays."""
    return _SURROGATE.sub("\ufffd", text)


def build_tokenizer(vocabulary: Sequence[str]) -> Tokenizer:
    """An uncased WordPiece tokenizer, as BERT's, over the given pieces."""
    pieces = {piece: index for index, piece in enumerate(vocabulary)}
    tokenizer = Tokenizer(WordPiece(pieces, unk_token=UNKNOWN))
    straight = [normalizers.Replace(curly, plain) for curly, plain in _STRAIGHT.items()]
    tokenizer.normalizer = normalizers.Sequence([*straight, normalizers.BertNormalizer(lowercase=True)])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    return tokenizer


class DialogueTokenizer:
    """Cuts a dialogue to the latest turns that fit the window, and keeps account of the words.

    Args:
        vocabulary: all pieces, special tokens first, then by falling frequency.
        max_tokens: the window, special tokens included.
        decoder_vocab_size: replies are written with the first so many pieces.
    """

    def __init__(self, vocabulary: Sequence[str], *, max_tokens: int, decoder_vocab_size: int) -> None:
        self.vocabulary = tuple(vocabulary)
        self._tokenizer = build_tokenizer(self.vocabulary)
        self._reply_tokenizer = build_tokenizer(self.vocabulary[:decoder_vocab_size])
        self._max_tokens = max_tokens

    def encode(self, turns: Sequence[Turn]) -> EncodedDialogue:
        """Encode as `[CLS] turn [SEP] turn [SEP] …`, dropping the oldest turns that do not fit.

        A newest turn longer than the window keeps its end.
        """
        kept = self._fit(turns)
        ids, roles, poolable = [FIRST_ID], [_role_id(turns[-1].role)], [False]
        words: list[WordSpan] = []
        for index, pieces in kept:
            words += align_words(turns[index].text, pieces, index, offset=len(ids))
            ids += [piece.id for piece in pieces] + [END_ID]
            roles += [_role_id(turns[index].role)] * (len(pieces) + 1)
            poolable += [True] * len(pieces) + [False]
        return EncodedDialogue(tuple(ids), tuple(roles), tuple(poolable), tuple(words))

    def encode_reply(self, text: str, *, max_tokens: int) -> list[int]:
        """Ids of a reply without start token, ended by `[SEP]`, cut to `max_tokens`."""
        ids: list[int] = self._reply_tokenizer.encode(text, add_special_tokens=False).ids
        return [*ids[: max_tokens - 1], END_ID]

    def decode_reply(self, ids: Sequence[int]) -> str:
        """Lower-case text of reply tokens, pieces joined, punctuation still apart."""
        text: str = self._reply_tokenizer.decode([i for i in ids if i >= len(SPECIAL_TOKENS)])
        return text

    def _fit(self, turns: Sequence[Turn]) -> list[tuple[int, list[Piece]]]:
        room = self._max_tokens - 1
        kept: list[tuple[int, list[Piece]]] = []
        for index in range(len(turns) - 1, -1, -1):
            pieces = self._pieces(turns[index].text)
            if kept and len(pieces) >= room:
                break
            pieces = pieces[-(room - 1) :]  # cuts the newest turn only
            kept.append((index, pieces))
            room -= len(pieces) + 1
        return kept[::-1]

    def _pieces(self, text: str) -> list[Piece]:
        cut = max(0, len(text) - self._max_tokens * CHARACTERS_PER_TOKEN)
        encoding = self._tokenizer.encode(replace_surrogates(text[cut:]), add_special_tokens=False)
        spans = zip(encoding.ids, encoding.offsets, strict=True)
        return [Piece(piece_id, start + cut, end + cut) for piece_id, (start, end) in spans]


def _role_id(role: Role) -> int:
    return LISTENER_ROLE if role == "listener" else 0


def align_words(text: str, pieces: Sequence[Piece], turn: int, *, offset: int) -> list[WordSpan]:
    """The words of a turn that at least one of its kept pieces overlaps; both run in reading order.

    `offset` is the position of the first piece in the encoded dialogue.
    """
    if not pieces:
        return []
    words: list[WordSpan] = []
    first = 0
    base = max(0, pieces[0].start - _LONGEST_WORD)
    for start, end in ((a + base, b + base) for a, b in find_words(text[base:])):
        while first < len(pieces) and pieces[first].end <= start:
            first += 1
        last = first
        while last < len(pieces) and pieces[last].start < end:
            last += 1
        if last > first:
            words.append(WordSpan(turn, start, end, tuple(range(offset + first, offset + last))))
    return words
