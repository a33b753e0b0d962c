"""The reply's schema as a grammar, and the writer that holds a local model to it, token by token.

A grammar cannot stop a text from being cut off, so the writer does: once the budget is used up, it takes what is
written so far and closes the string and the object itself. That costs no tokens and no steps, and holds in the middle
of an escape or of a character, whose loose beginning is dropped.
"""

import codecs
import json
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hef_graph.chat.deadline import Deadline
from hef_graph.errors import HefModelError, HefReplyError
from hef_graph.reply import json_schema

if TYPE_CHECKING:
    from llguidance import LLTokenizer

EXTRA: Final = "a local model needs {missing}: pip install 'hef-graph[huggingface]'"

VISIBLE: Final = r"^[\p{L}\p{N}\p{P}\p{S}][\n\P{C}\p{Cf}]*$"
"""A response begins with something to see, so it is never blank, and holds nothing that is no character: neither
control characters, but for the line feed, nor code points that stand for nothing. Joiners (Cf) are part of emoji."""

FORM: Final = {
    "whitespace_flexible": False,
    "item_separator": ", ",
    "key_separator": ": ",
    "json_allowed_escapes": '"\\n',
}
"""One way to write the object: the one that the instruction shows. No `\\u`, so no half of an emoji."""

FRAME: Final = '{"emotion": "", "response": ""}'
"""What a reply is made of beside its label and its response."""

RESPONSE_TOKENS: Final = 256
"""Of a response, where the pipeline sets no `max_new_tokens`: three long sentences take about a hundred."""

LAST_PART: Final = 0.75
"""Share of the budget after which the response ends with its next sentence: better than in the middle of one."""

LONGEST_CHARACTER: Final = 4
"""Tokens that a model may spend on one character, byte by byte."""

_WRITTEN = re.compile(r'\{"emotion": "(?:[^"\\]|\\.)*", "response": "(?P<response>(?:[^"\\]|\\.)*)', re.DOTALL)
"""All up to the response's last whole character or escape."""
_SENTENCE = re.compile(r'[.!?…。！？](?:\\"|[)”’])*$')

Ending: TypeAlias = Literal["model", "sentence", "budget"]
"""Who ended the response: the model, or the writer after a sentence in the budget's last part, or at its end."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A tokenizer's tokens as bytes."""

    tokens: "LLTokenizer"
    writable: NDArray[np.bool_]
    """(tokens,): False for a part of a character whose other bytes are no tokens: nothing could follow it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a reply may go."""

    response_tokens: int
    context_tokens: int | None = None
    """What the model can attend to, prompt and reply together; None for no limit."""
    deadline: Deadline | None = None

    def total_tokens(self, labels: Sequence[str]) -> int:
        """Enough for the JSON around a response of the allowed length, even if every byte of it is a token."""
        longest = max(len(json.dumps(label).encode()) for label in labels)
        return len(FRAME) + longest + max(self.response_tokens, LONGEST_CHARACTER) + 1


def reply_grammar(labels: Sequence[str]) -> str:
    """The schema of a reply, in the form that `llguidance` reads.

    Raises:
        HefModelError: `llguidance` is not installed.
    """
    try:
        from llguidance import LLMatcher  # noqa: PLC0415  an extra
    except ImportError as error:
        raise HefModelError(EXTRA.format(missing="llguidance")) from error
    schema = json_schema(labels)
    schema["properties"]["response"]["pattern"] = VISIBLE
    return LLMatcher.grammar_from_json_schema(schema, overrides=FORM)  # type: ignore[arg-type]  # its TypedDict is no run-time name


def read_vocabulary(tokenizer: Any) -> Vocabulary:
    """The vocabulary of a fast tokenizer of the `transformers` library; takes up to a second for a large one.

    Raises:
        HefModelError: an extra is not installed, or the tokenizer is of a kind that `llguidance` cannot read.
    """
    try:
        from llguidance.hf import from_tokenizer  # noqa: PLC0415  an extra, and slow to import
    except ImportError as error:
        raise HefModelError(EXTRA.format(missing="llguidance and transformers")) from error
    try:
        tokens = from_tokenizer(tokenizer, eos_token=tokenizer.eos_token_id)
    except Exception as error:  # the library raises whatever its parts raise
        raise HefModelError(f"a grammar cannot be put on {type(tokenizer).__name__}: {error}") from error
    if tokens.decode_bytes(tokens.tokenize_str(FRAME)) != FRAME.encode():
        raise HefModelError(f"a grammar cannot be put on {type(tokenizer).__name__}: it has no tokens for {FRAME}")
    return Vocabulary(tokens, _writable([tokens.decode_bytes([token]) for token in range(tokens.vocab_size)]))


def read_bounds(pipeline: Any, deadline: Deadline | None) -> Bounds:
    """What the pipeline's settings and its model allow."""
    return Bounds(response_tokens(pipeline), _context_tokens(pipeline.model.config), deadline)


def response_tokens(pipeline: Any) -> int:
    """The `max_new_tokens` that the pipeline or its model's generation settings name, else `RESPONSE_TOKENS`."""
    settings = {**getattr(pipeline, "_forward_params", {}), **getattr(pipeline, "_generate_kwargs", {})}
    configs = (settings.get("generation_config"), pipeline.model.generation_config)
    named = [settings.get("max_new_tokens"), *(getattr(config, "max_new_tokens", None) for config in configs)]
    return next((int(tokens) for tokens in named if tokens), RESPONSE_TOKENS)


class ReplyWriter:
    """One reply in the making; `rule` is its logits processor, `watch` its stopping criterion, both used once."""

    def __init__(
        self, vocabulary: Vocabulary, labels: Sequence[str], bounds: Bounds, show: Callable[[str], object]
    ) -> None:
        from llguidance import LLMatcher  # noqa: PLC0415  an extra

        self._vocabulary, self._bounds, self._show = vocabulary, bounds, show
        self._matcher = LLMatcher(vocabulary.tokens, reply_grammar(labels), log_level=0)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._halted = threading.Event()
        self._text = ""
        self._shown = 0
        self._opened: int | None = None
        self.total_tokens = bounds.total_tokens(labels)
        self.prompt_tokens = 0
        self.reply_tokens = 0
        self.ending: Ending | None = None

    @property
    def halted(self) -> bool:
        """Whether nobody waits for the reply any more."""
        return self._halted.is_set() or (self._bounds.deadline is not None and not self._bounds.deadline.remaining)

    def halt(self) -> None:
        """Stop before the next token; from any thread."""
        self._halted.set()

    def rule(self, input_ids: Any, scores: Any) -> Any:
        """The scores, (1, logits), of the tokens that may come next; all others, and logits that are no token, at -inf.

        Where other processors (no repeated n-grams, forbidden words) have left no token that may come, the grammar
        wins, and all of them count alike.
        """
        del input_ids
        allowed = scores.new_tensor(self._allowed(scores.shape[-1])).bool()
        ruled = scores.nan_to_num(nan=-np.inf, neginf=-np.inf).masked_fill(~allowed, -np.inf)
        return ruled if ruled.isfinite().any() else scores.new_zeros(scores.shape).masked_fill(~allowed, -np.inf)

    def watch(self, input_ids: Any, _scores: Any) -> bool:
        """Take in the token that was chosen, show what it makes certain, and say whether generation ends here."""
        self.reply_tokens += 1
        self.prompt_tokens = int(input_ids.shape[-1]) - self.reply_tokens
        token = int(input_ids[0, -1])
        if not self._matcher.consume_token(token):
            raise HefModelError(f"token {token} is outside of the reply's grammar; does the pipeline run an assistant?")
        self._text += self._decoder.decode(self._vocabulary.tokens.decode_bytes([token]))
        self.ending = self._find_ending()
        return self.halted or self.ending is not None

    def close(self) -> None:
        """Show what closes the string and the object.

        Raises:
            TimeoutError: the deadline came first.
            HefReplyError: generation stopped before there was a response.
        """
        if self.ending is not None:
            self._show('"}')
        elif self.halted:
            raise TimeoutError("the turn's deadline has passed")
        else:
            raise HefReplyError("truncated", "the local model stopped before its response")

    def _allowed(self, width: int) -> NDArray[np.bool_]:
        """(width,): whether each logit is a token that the grammar takes now."""
        bias = np.frombuffer(self._matcher.compute_logit_bias(), np.uint8)
        known = min(width, len(self._vocabulary.writable))
        allowed = np.zeros(width, np.bool_)
        allowed[:known] = (bias[:known] > 0) & self._vocabulary.writable[:known]
        if not allowed.any():
            raise HefModelError(f"the tokenizer has no token to go on after {len(self._text)} characters of a reply")
        return allowed

    def _find_ending(self) -> Ending | None:
        """Show what is certain; then whether the response is whole."""
        written = _WRITTEN.match(self._text)
        certain = written.end() if written else len(self._text)
        if certain > self._shown:
            self._show(self._text[self._shown : certain])
            self._shown = certain
        if written is None:
            return None
        if self._opened is None:
            self._opened = self.reply_tokens
        if self._text[certain:].startswith('"'):
            return "model"
        return self._end_in_time(written["response"]) if written["response"] else None

    def _end_in_time(self, response: str) -> Ending | None:
        room, used = self._room(), self.reply_tokens - (self._opened or 0)
        if used >= room:
            return "budget"
        return "sentence" if used >= LAST_PART * room and _SENTENCE.search(response) else None

    def _room(self) -> int:
        """Tokens that the response may have."""
        if self._bounds.context_tokens is None:
            return self._bounds.response_tokens
        left = self._bounds.context_tokens - self.prompt_tokens - (self._opened or 0)
        return min(self._bounds.response_tokens, left)


def _writable(tokens: Sequence[bytes]) -> NDArray[np.bool_]:
    """All tokens where every continuation byte is one too, else those that are whole characters."""
    complete = {bytes([byte]) for byte in range(0x80, 0xC0)} <= set(tokens)
    return np.array([complete or _is_whole(token) for token in tokens], np.bool_)


def _is_whole(token: bytes) -> bool:
    try:
        token.decode()
    except UnicodeDecodeError:
        return False
    return True


def _context_tokens(config: Any) -> int | None:
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    return getattr(text, "max_position_embeddings", None)
