"""Dialogues as a foreign classifier reads them: any fast tokenizer's ids, and the words that its tokens belong to."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tokenizers import Encoding, Tokenizer

from hef_graph.errors import HefCheckpointError
from hef_graph.sem.tokenization import CHARACTERS_PER_TOKEN, Piece, WordSpan, align_words, replace_surrogates
from hef_graph.types import Turn


@dataclass(frozen=True, slots=True)
class EncodedText:
    """One dialogue as one text."""

    ids: tuple[int, ...]
    words: tuple[WordSpan, ...]


class DialogueEncoder:
    """Joins the turns of a dialogue with the tokenizer's separator, a new line where it has none.

    The oldest turns that do not fit the window are dropped; a newest turn longer than the window keeps its end. What
    users write is never read as a special token.

    Args:
        tokenizer: its truncation and padding are switched off.
        separator: the id of the separating token, if there is one.
        max_tokens: the window, special tokens included.

    Raises:
        HefCheckpointError: the tokenizer cannot be used, or leaves no room for a text.
    """

    def __init__(self, tokenizer: Tokenizer, *, separator: int | None, max_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True
        self._before, self._after = _frame(tokenizer)
        if len(self._before) + len(self._after) >= max_tokens:
            raise HefCheckpointError(f"the tokenizer's own first and last tokens fill the window of {max_tokens}")
        newline: list[int] = _encode(tokenizer, "\n").ids
        self._separator = tuple(newline if separator is None else [separator])
        self._max_tokens = max_tokens

    def encode(self, turns: Sequence[Turn]) -> EncodedText:
        """The ids with the tokenizer's own first and last tokens; never none, as no model reads nothing."""
        ids = [*self._before]
        words: list[WordSpan] = []
        for index, pieces in self._fit(turns):
            if len(ids) > len(self._before):
                ids += self._separator
            words += align_words(turns[index].text, pieces, index, offset=len(ids))
            ids += [piece.id for piece in pieces]
        return EncodedText(tuple([*ids, *self._after] or [0]), tuple(words))

    def _fit(self, turns: Sequence[Turn]) -> list[tuple[int, list[Piece]]]:
        room = self._max_tokens - len(self._before) - len(self._after)
        kept: list[tuple[int, list[Piece]]] = []
        for index in range(len(turns) - 1, -1, -1):
            pieces = self._pieces(turns[index].text)
            if kept and len(pieces) + len(self._separator) > room:
                break
            kept.append((index, pieces[-room:]))  # cuts the newest turn only
            room -= len(kept[-1][1]) + (len(self._separator) if len(kept) > 1 else 0)
        return kept[::-1]

    def _pieces(self, text: str) -> list[Piece]:
        cut = max(0, len(text) - self._max_tokens * CHARACTERS_PER_TOKEN)
        encoding = _encode(self._tokenizer, replace_surrogates(text[cut:]))
        spans = zip(encoding.ids, encoding.offsets, strict=True)
        return [Piece(piece_id, start + cut, end + cut) for piece_id, (start, end) in spans]


@contextmanager
def panics_as_errors() -> Iterator[None]:
    """Within it a panic of the tokenizers' Rust code, which is no `Exception`, is a `RuntimeError`."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise RuntimeError(str(error)) from error


def _encode(tokenizer: Tokenizer, text: str, *, add_special_tokens: bool = False) -> Encoding:
    """What the tokenizer makes of a text.

    Raises:
        HefCheckpointError: it fails, as when a pattern of its own takes too long.
    """
    try:
        with panics_as_errors():
            return tokenizer.encode(text, add_special_tokens=add_special_tokens)
    except Exception as error:  # the library raises no other class
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise HefCheckpointError(f"the tokenizer cannot read a text of {len(text)} characters: {reason}") from error


def _frame(tokenizer: Tokenizer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The special tokens that the tokenizer puts before and after a text."""
    encoding = _encode(tokenizer, "a", add_special_tokens=True)
    inner = [position for position, special in enumerate(encoding.special_tokens_mask) if not special]
    if not inner:
        return tuple(encoding.ids), ()
    return tuple(encoding.ids[: inner[0]]), tuple(encoding.ids[inner[-1] + 1 :])
