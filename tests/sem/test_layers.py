import pytest
import torch

from hef_graph.sem.layers import Attention, DecoderLayer, EncoderLayer, FeedForward, KeyValue, LayerCache
from tests.sem.tiny import CONFIG


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def _hidden(*, tokens: int = 5) -> torch.Tensor:
    return torch.randn(2, tokens, CONFIG.hidden_size)


def test_newer_keys_and_values_follow_the_older_ones() -> None:
    older, newer = (KeyValue(torch.randn(2, 2, n, 8), torch.randn(2, 2, n, 8)) for n in (3, 1))
    joined = older.append(newer)
    assert torch.equal(joined.key[:, :, :3], older.key)
    assert torch.equal(joined.value[:, :, 3:], newer.value)


def test_keys_are_split_into_heads_of_neighbouring_features() -> None:
    attention, memory = Attention(CONFIG), _hidden()
    assert torch.equal(attention.project(memory).key[:, 1], attention.key(memory)[..., 8:])


def test_attention_matches_the_formula_of_the_paper() -> None:
    attention, hidden = Attention(CONFIG).eval(), _hidden()
    key, value = attention.project(hidden)
    query = attention.query(hidden).view(2, 5, 2, 8).transpose(1, 2)
    mixed = torch.softmax(query @ key.transpose(2, 3) / 8**0.5, dim=-1) @ value
    expected = attention.norm(hidden + attention.output(mixed.transpose(1, 2).reshape(2, 5, 16)))
    torch.testing.assert_close(attention(hidden, attention.project(hidden)), expected)


def test_attention_does_not_see_what_the_mask_hides() -> None:
    attention, hidden, memory = Attention(CONFIG).eval(), _hidden(), _hidden()
    mask = torch.tensor([True, True, True, False, False])[None, None, None, :]
    masked = attention(hidden, attention.project(memory), mask)
    torch.testing.assert_close(masked, attention(hidden, attention.project(memory[:, :3])))


def test_causal_attention_does_not_see_later_tokens() -> None:
    attention, hidden = Attention(CONFIG).eval(), _hidden()
    full = attention(hidden, attention.project(hidden), causal=True)
    start = hidden[:, :2]
    torch.testing.assert_close(full[:, :2], attention(start, attention.project(start), causal=True))


def test_feed_forward_matches_its_formula() -> None:
    layer, hidden = FeedForward(CONFIG).eval(), _hidden()
    expected = layer.norm(hidden + layer.outer(torch.nn.functional.gelu(layer.inner(hidden))))
    torch.testing.assert_close(layer(hidden), expected)


def test_an_encoder_layer_ignores_masked_tokens() -> None:
    layer, hidden = EncoderLayer(CONFIG).eval(), _hidden()
    mask = torch.tensor([True, True, True, True, False])[None, None, None, :].expand(2, 1, 1, 5)
    torch.testing.assert_close(layer(hidden, mask)[:, :4], layer(hidden[:, :4], mask[..., :4]))


def test_a_decoder_layer_caches_every_token_it_has_seen() -> None:
    layer, mask = DecoderLayer(CONFIG).eval(), torch.ones(2, 1, 1, 5, dtype=torch.bool)
    cache = LayerCache(None, layer.remember(_hidden()))
    for tokens in (3, 1, 1):
        _, cache = layer(_hidden(tokens=tokens), cache, mask)
    assert cache.own is not None
    assert cache.own.key.shape[2] == 5


def test_a_decoder_layer_looks_at_the_dialogue() -> None:
    layer, hidden, mask = DecoderLayer(CONFIG).eval(), _hidden(), torch.ones(2, 1, 1, 5, dtype=torch.bool)
    first, second = (layer(hidden, LayerCache(None, layer.remember(_hidden())), mask)[0] for _ in range(2))
    assert not torch.allclose(first, second)
