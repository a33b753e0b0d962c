import math

import pytest
import torch

from hef_graph.sem.dataset import ReplyBatch, collate_dialogues, collate_replies
from hef_graph.sem.likelihood import VOICES, decode_greedily, length_order, total_log_likelihoods
from hef_graph.sem.modeling import Decoder, EmpatheticModel
from hef_graph.sem.tokenization import END_ID, LISTENER_ID, PAD_ID
from tests.sem.tiny import build_model, build_reply_examples, encode


def parts() -> tuple[EmpatheticModel, Decoder]:
    model = build_model().eval()
    assert model.decoder is not None
    return model, model.decoder


def log_likelihood_by_hand(model: EmpatheticModel, decoder: Decoder, batch: ReplyBatch, voice: int) -> float:
    reading = model(*batch.dialogues)
    inputs = torch.cat([torch.tensor([[voice]]), batch.inputs[:, 1:]], dim=1)
    emotions = reading.logits.argmax(dim=-1)
    logits, _ = decoder(inputs, emotions, decoder.start(reading.states), batch.dialogues.mask)
    chosen = torch.log_softmax(logits, dim=-1).gather(-1, batch.targets[..., None])
    return float(chosen.detach().sum())


def test_a_reply_is_scored_in_both_voices_by_their_share() -> None:
    model, decoder = parts()
    batch = collate_replies(build_reply_examples()[:1])
    by_voice = {voice: math.exp(log_likelihood_by_hand(model, decoder, batch, voice)) for voice in VOICES}
    expected = math.log(sum(VOICES[voice] * likelihood for voice, likelihood in by_voice.items()))
    assert float(total_log_likelihoods(model, decoder, batch)[0]) == pytest.approx(expected, rel=1e-4)


def test_the_voices_shares_add_up_to_one() -> None:
    assert sum(VOICES.values()) == pytest.approx(1.0)


def test_padding_does_not_change_a_replys_likelihood() -> None:
    model, decoder = parts()
    examples = build_reply_examples()[:4]
    together = total_log_likelihoods(model, decoder, collate_replies(examples))
    alone = [total_log_likelihoods(model, decoder, collate_replies([example]))[0] for example in examples]
    assert together.tolist() == pytest.approx([float(value) for value in alone], rel=1e-4)


def test_greedy_replies_take_the_likeliest_token_at_each_step() -> None:
    model, decoder = parts()
    dialogues = collate_dialogues([encode("i lost my cat")])
    [ids] = decode_greedily(model, decoder, dialogues)
    reading = model(*dialogues)
    inputs = torch.tensor([[LISTENER_ID, *ids[:-1]]])
    logits, _ = decoder(inputs, reading.logits.argmax(-1), decoder.start(reading.states), dialogues.mask)
    assert logits.argmax(dim=-1)[0].tolist() == ids


def test_after_its_end_a_greedy_reply_is_padded() -> None:
    model, decoder = parts()
    dialogues = collate_dialogues([encode("i lost my cat"), encode("we won the cup and sang all night")])
    with torch.no_grad():
        decoder.bias[END_ID] += 5
    for ids in decode_greedily(model, decoder, dialogues):
        ended = ids.index(END_ID)
        assert set(ids[ended + 1 :]) <= {PAD_ID}


def test_batches_hold_every_index_once_by_length() -> None:
    assert length_order([52, 10, 50, 11, 51], batch_size=2) == [[1, 3], [2, 4], [0]]


def test_no_batch_is_padded_by_more_than_a_quarter() -> None:
    assert length_order([8, 11, 10, 9, 20], batch_size=64) == [[0, 3, 2], [1], [4]]
    assert length_order([], batch_size=64) == []


def test_a_batch_holds_no_more_tokens_than_allowed_but_for_a_dialogue_that_is_longer_by_itself() -> None:
    assert length_order([10, 11, 12, 50, 51], batch_size=64, tokens=24) == [[0, 1], [2], [3], [4]]
