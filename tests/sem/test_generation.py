import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from hef_graph.sem.dataset import collate_dialogues
from hef_graph.sem.generation import Memory, SampledReply, SamplingConfig, _nucleus, sample_replies, score_replies
from hef_graph.sem.modeling import Decoder, EmpatheticModel
from hef_graph.sem.tokenization import END_ID, LISTENER_ID, NOTHING, PAD_ID, SPECIAL_TOKENS, EncodedDialogue
from tests.sem.tiny import CONFIG, build_model, encode

MANY = SamplingConfig(count=60, temperature=1.5, top_p=1.0, shortest=2)
SAD = 3


def _states(model: EmpatheticModel, dialogue: EncodedDialogue) -> Tensor:
    batch = collate_dialogues([dialogue])
    with torch.no_grad():
        states: Tensor = model.encoder(batch.ids, batch.roles, batch.mask)
    return states


@pytest.fixture(scope="module")
def memory(model: EmpatheticModel) -> Memory:
    return Memory(_states(model, encode("my dog died")), _states(model, NOTHING))


@pytest.fixture(scope="module")
def talkative() -> Decoder:
    """A decoder that ends a reply now and then, and otherwise writes with a handful of pieces."""
    model = build_model()
    assert model.decoder is not None
    with torch.no_grad():
        model.decoder.bias.fill_(-30)
        model.decoder.bias[[PAD_ID, LISTENER_ID]] = 5.0
        model.decoder.bias[[END_ID, 50, 51, 52]] = 0.0
        model.decoder.embeddings.token.weight.mul_(0.2)
    return model.decoder


@pytest.fixture(scope="module")
def replies(talkative: Decoder, memory: Memory) -> list[SampledReply]:
    return sample_replies(talkative, memory, SAD, MANY)


def _log_probability(decoder: Decoder, states: Tensor, ids: tuple[int, ...]) -> float:
    """Token by token, without batch or padding."""
    mask = torch.ones(1, states.shape[1], dtype=torch.bool)
    inputs = torch.tensor([[LISTENER_ID, *ids[:-1]]])
    with torch.no_grad():
        logits, _ = decoder(inputs, torch.tensor([SAD]), decoder.start(states), mask)
    chosen = torch.log_softmax(logits[0], dim=-1)[range(len(ids)), ids]
    return float(chosen.mean())


def test_the_same_seed_gives_the_same_replies(talkative: Decoder, memory: Memory, replies: list[SampledReply]) -> None:
    assert sample_replies(talkative, memory, SAD, MANY) == replies


def test_another_seed_gives_other_replies(talkative: Decoder, memory: Memory, replies: list[SampledReply]) -> None:
    assert sample_replies(talkative, memory, SAD, replace(MANY, seed=1)) != replies


def test_sampling_leaves_the_global_random_state_alone(talkative: Decoder, memory: Memory) -> None:
    before = torch.get_rng_state()
    sample_replies(talkative, memory, SAD, MANY)
    assert torch.equal(torch.get_rng_state(), before)


def test_there_are_several_replies_but_no_more_than_asked_for(replies: list[SampledReply]) -> None:
    assert 5 < len(replies) <= MANY.count


def test_a_reply_ends_with_sep_and_holds_no_other_special_token(replies: list[SampledReply]) -> None:
    for reply in replies:
        assert reply.ids[-1] == END_ID
        assert all(index >= len(SPECIAL_TOKENS) for index in reply.ids[:-1])


def test_no_reply_repeats_a_3_gram(replies: list[SampledReply]) -> None:
    for reply in replies:
        grams = list(zip(reply.ids, reply.ids[1:], reply.ids[2:], strict=False))
        assert len(grams) == len(set(grams))


def test_pairs_may_repeat(replies: list[SampledReply]) -> None:
    pairs = [list(zip(reply.ids, reply.ids[1:], strict=False)) for reply in replies]
    assert any(len(found) > len(set(found)) for found in pairs)


def test_no_reply_comes_twice(talkative: Decoder, memory: Memory) -> None:
    ids = [reply.ids for reply in sample_replies(talkative, memory, SAD, replace(MANY, count=300))]
    assert len(ids) == len(set(ids)) < 300


@pytest.mark.parametrize("shortest", [1, 4, 6])
def test_no_reply_ends_before_the_shortest_length(talkative: Decoder, memory: Memory, shortest: int) -> None:
    lengths = [len(r.ids) - 1 for r in sample_replies(talkative, memory, SAD, replace(MANY, shortest=shortest))]
    assert min(lengths) == shortest


def test_replies_without_an_end_are_left_out(talkative: Decoder, memory: Memory) -> None:
    endless = replace(MANY, shortest=CONFIG.max_reply_tokens)
    assert sample_replies(talkative, memory, SAD, endless) == []


def test_the_log_probability_is_the_mean_over_the_tokens(
    talkative: Decoder, memory: Memory, replies: list[SampledReply]
) -> None:
    expected = [_log_probability(talkative, memory.states, reply.ids) for reply in replies]
    assert [reply.log_probability for reply in replies] == pytest.approx(expected, abs=1e-4)


def test_specificity_is_what_the_dialogue_adds(talkative: Decoder, memory: Memory, replies: list[SampledReply]) -> None:
    alone = [_log_probability(talkative, memory.nothing, reply.ids) for reply in replies]
    expected = [reply.log_probability - score for reply, score in zip(replies, alone, strict=True)]
    assert [reply.specificity for reply in replies] == pytest.approx(expected, abs=1e-4)
    assert max(abs(reply.specificity) for reply in replies) > 1e-3


def test_without_dialogue_specificity_is_zero(talkative: Decoder, memory: Memory) -> None:
    nothing = Memory(memory.nothing, memory.nothing)
    replies = sample_replies(talkative, nothing, SAD, MANY)
    assert replies
    assert all(reply.specificity == pytest.approx(0, abs=1e-5) for reply in replies)


def test_padding_after_the_end_does_not_change_a_score(decoder: Decoder, memory: Memory) -> None:
    short, padded = torch.tensor([[50, END_ID]]), torch.tensor([[50, END_ID, PAD_ID, PAD_ID]])
    scores = [score_replies(decoder, memory.states, SAD, ids) for ids in (short, padded)]
    torch.testing.assert_close(scores[0], scores[1])


def test_replies_are_scored_independently(decoder: Decoder, memory: Memory) -> None:
    ids = torch.tensor([[50, 51, END_ID], [60, 61, END_ID]])
    both = score_replies(decoder, memory.states, SAD, ids)
    alone = torch.cat([score_replies(decoder, memory.states, SAD, row[None]) for row in ids])
    torch.testing.assert_close(both, alone)


def test_the_emotion_bears_on_the_score(decoder: Decoder, memory: Memory) -> None:
    ids = torch.tensor([[50, 51, END_ID]])
    sad, joyful = (score_replies(decoder, memory.states, emotion, ids) for emotion in (SAD, 2))
    assert abs(sad - joyful) > 1e-3


@pytest.mark.parametrize(("top_p", "kept"), [(0.0, 1), (0.49, 1), (0.51, 2), (0.7, 2), (0.8, 3), (1.0, 4)])
def test_the_nucleus_is_the_fewest_tokens_that_reach_top_p(top_p: float, kept: int) -> None:
    probabilities = torch.tensor([[0.25, 0.5, 0.1, 0.15]])
    found = _nucleus(probabilities.log(), SamplingConfig(temperature=1.0, top_p=top_p))
    assert found.tokens.tolist() == [[1, 0, 3, 2]]
    assert found.probabilities[0].tolist() == pytest.approx([0.5, 0.25, 0.15, 0.1][:kept] + [0.0] * (4 - kept))


def test_tokens_are_drawn_as_often_as_they_are_probable() -> None:
    probabilities = torch.tensor([[0.25, 0.5, 0.1, 0.15]]).expand(20_000, -1)
    drawn = _nucleus(probabilities.log(), SamplingConfig(temperature=1.0, top_p=0.8)).draw(torch.Generator())
    shares = torch.bincount(drawn.flatten(), minlength=4) / len(drawn)
    assert shares.tolist() == pytest.approx([0.25 / 0.9, 0.5 / 0.9, 0.0, 0.15 / 0.9], abs=0.02)


def test_a_reply_that_has_ended_is_computed_no_further(talkative: Decoder, memory: Memory) -> None:
    rows: list[int] = []
    hook = talkative.register_forward_pre_hook(lambda _, given: rows.append(len(given[0])))
    replies = sample_replies(talkative, memory, SAD, MANY)
    hook.remove()
    *steps, scored = rows
    assert steps[0] == MANY.count > steps[-1]
    assert steps == sorted(steps, reverse=True)
    assert scored == len(replies)


def test_a_low_temperature_sharpens_the_nucleus() -> None:
    probabilities = torch.tensor([[0.4, 0.6]])
    found = _nucleus(probabilities.log(), SamplingConfig(temperature=0.5, top_p=1.0)).probabilities
    assert float(found[0, 0] / found[0, 1]) == pytest.approx(math.pow(0.6 / 0.4, 2))
