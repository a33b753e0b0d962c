"""Replies from the decoder: nucleus sampling with a cache, and how much each reply owes to the dialogue."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from hef_graph.sem.layers import KeyValue, LayerCache
from hef_graph.sem.modeling import Decoder
from hef_graph.sem.tokenization import END_ID, LISTENER_ID, PAD_ID, SPECIAL_TOKENS

_BANNED: Final = [index for index in range(len(SPECIAL_TOKENS)) if index != END_ID]
_REPEATED: Final = 3
"""No n-gram of this length occurs twice in a reply."""

_RANKED: Final = 200
"""Tokens looked at in each step: the nucleus is far smaller, and sorting the whole vocabulary is slow."""


@dataclass(frozen=True, slots=True)
class SamplingConfig:
    """How replies are drawn."""

    count: int = 24
    temperature: float = 0.7
    top_p: float = 0.9
    """Only the most probable tokens that together reach this probability are drawn (Holtzman et al. 2020)."""
    shortest: int = 4
    """Tokens before a reply may end."""
    seed: int = 0


class SampledReply(NamedTuple):
    """One reply in tokens."""

    ids: tuple[int, ...]
    """Ended by `[SEP]`."""
    log_probability: float
    """Mean over the tokens."""
    specificity: float
    """`log_probability` minus what it would be with the dialogue hidden."""


class Memory(NamedTuple):
    """What the encoder makes of one dialogue, and of none."""

    states: Tensor
    """`(1, tokens, hidden)`"""
    nothing: Tensor
    """`(1, 1, hidden)`: the state of a first token that stands alone."""


@torch.inference_mode()
def sample_replies(decoder: Decoder, memory: Memory, emotion: int, config: SamplingConfig) -> list[SampledReply]:
    """Draw `count` replies at once and score them; unfinished ones and doubles are left out."""
    ids, scores = _draw(decoder, memory.states, emotion, config)
    whole = (ids == END_ID).any(dim=1)
    if not whole.any():
        return []
    finished, places = torch.unique(ids[whole], dim=0, return_inverse=True)
    given = scores.new_empty(len(finished)).scatter(0, places, scores[whole])
    alone = score_replies(decoder, memory.nothing, emotion, finished)
    rows = zip(finished.tolist(), given.tolist(), (given - alone).tolist(), strict=True)
    return [SampledReply(tuple(row[: row.index(END_ID) + 1]), score, gain) for row, score, gain in rows]


def score_replies(decoder: Decoder, states: Tensor, emotion: int, ids: Tensor) -> Tensor:
    """Mean log-probability `(replies,)` of replies `(replies, tokens)` to one dialogue `(1, tokens, hidden)`.

    The voice is the listener's; replies are padded after `[SEP]`.
    """
    count = len(ids)
    voice = torch.full_like(ids[:, :1], LISTENER_ID)
    logits, _ = decoder(
        torch.cat([voice, ids[:, :-1]], dim=1),
        torch.full((count,), emotion, device=ids.device),
        _share(decoder.start(states), count),
        _all_visible(states, count),
    )
    each = functional.cross_entropy(logits.float().flatten(0, 1), ids.flatten(), ignore_index=PAD_ID, reduction="none")
    return -each.view_as(ids).sum(dim=1) / (ids != PAD_ID).sum(dim=1)


def _draw(decoder: Decoder, states: Tensor, emotion: int, config: SamplingConfig) -> tuple[Tensor, Tensor]:
    """Token ids `(count, tokens)`, `[PAD]` after each `[SEP]`, and what `score_replies` makes of them `(count,)`.

    A reply that has ended is computed no further.
    """
    random = torch.Generator(states.device).manual_seed(config.seed)
    count, longest = config.count, decoder.embeddings.position.num_embeddings
    caches, mask = _share(decoder.start(states), count), _all_visible(states, count)
    emotions = torch.full((count,), emotion, device=states.device)
    ids = torch.full((count, 1 + longest), PAD_ID, device=states.device)
    ids[:, 0] = LISTENER_ID
    total = torch.zeros(count, device=states.device)
    rows = torch.arange(count, device=states.device)  # of the replies that go on
    for length in range(1, 1 + longest):
        logits, caches = decoder(ids[rows, length - 1 : length], emotions[: len(rows)], caches, mask[: len(rows)])
        scores = logits[:, -1].float()
        # before some are forbidden: a score is what the decoder alone makes of it
        everything = scores.logsumexp(dim=-1)
        drawn = _nucleus(_forbid(scores, ids[rows, :length], ends=length > config.shortest), config).draw(random)
        total[rows] += scores.gather(1, drawn).squeeze(1) - everything
        ids[rows, length] = drawn.squeeze(1)
        going_on = (drawn.squeeze(1) != END_ID).nonzero().squeeze(1)
        if len(going_on) < len(rows):
            rows, caches = rows[going_on], [_keep(cache, going_on) for cache in caches]
        if not len(rows):
            break
    replies = ids[:, 1 : 1 + length]
    return replies, total / (replies != PAD_ID).sum(dim=1)


def _all_visible(states: Tensor, count: int) -> Tensor:
    """A mask `(count, tokens)` that hides nothing."""
    return torch.ones(count, states.shape[1], dtype=torch.bool, device=states.device)


def _share(caches: list[LayerCache], count: int) -> list[LayerCache]:
    """All replies look at the same dialogue: it is projected once, then shared."""
    return [LayerCache(None, KeyValue(*(part.expand(count, -1, -1, -1) for part in c.memory))) for c in caches]


def _keep(cache: LayerCache, rows: Tensor) -> LayerCache:
    """The cache of some replies; what is shared only gets shorter."""
    own = cache.own and KeyValue(*(part[rows] for part in cache.own))
    return LayerCache(own, KeyValue(*(part[: len(rows)] for part in cache.memory)))


class Nucleus(NamedTuple):
    """The most probable tokens of each reply, best first."""

    tokens: Tensor
    """`(replies, ranked)`"""
    probabilities: Tensor
    """The same shape, not normalised: the tail is 0."""

    def draw(self, random: torch.Generator) -> Tensor:
        """One token for each reply, `(replies, 1)`."""
        return self.tokens.gather(1, torch.multinomial(self.probabilities, 1, generator=random))


def _nucleus(scores: Tensor, config: SamplingConfig) -> Nucleus:
    """The nucleus of logits `(replies, vocabulary)`."""
    tempered = scores / config.temperature
    ranked, tokens = tempered.topk(min(_RANKED, scores.shape[-1]), dim=-1)
    probabilities = (ranked - tempered.logsumexp(dim=-1, keepdim=True)).exp()
    before = probabilities.cumsum(dim=-1) - probabilities
    return Nucleus(tokens, probabilities.masked_fill(before > config.top_p, 0.0))


def _forbid(scores: Tensor, ids: Tensor, *, ends: bool) -> Tensor:
    """Rule out special tokens, an end that comes too early, and repeated n-grams."""
    scores[:, _BANNED] = float("-inf")
    if not ends:
        scores[:, END_ID] = float("-inf")
    for row, words in enumerate(ids.tolist()):
        if repeated := _repeating(words):
            scores[row, repeated] = float("-inf")
    return scores


def _repeating(ids: list[int]) -> list[int]:
    """Tokens that would complete an n-gram already present."""
    if len(ids) < _REPEATED:
        return []
    tail = ids[-(_REPEATED - 1) :]
    starts = range(len(ids) - _REPEATED + 1)
    return [ids[i + _REPEATED - 1] for i in starts if ids[i : i + _REPEATED - 1] == tail]
