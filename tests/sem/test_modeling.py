from dataclasses import replace
from typing import cast

import torch
from torch import Tensor

from hef_graph.sem.dataset import collate_dialogues
from hef_graph.sem.layers import LayerCache
from hef_graph.sem.modeling import CauseHead, Decoder, EmpatheticModel, Reading
from hef_graph.sem.tokenization import NOTHING, PAD_ID, EncodedDialogue
from tests.sem.tiny import CONFIG, build_model, encode, without_decoder

SHORT = encode("my dog died")
LONG = encode("my sister has a baby !", "how sweet !", "i love the baby")
WITH_HEADS = build_model(replace(CONFIG, cause_head=True, presence_head=True))
EMOTIONS = torch.tensor([1])
IDS = torch.tensor([[4, 20, 30, 40, 50, 60]])


@torch.no_grad()
def _read(model: EmpatheticModel, *dialogues: EncodedDialogue) -> Reading:
    reading: Reading = model(*collate_dialogues(dialogues))
    return reading


@torch.no_grad()
def _start(model: EmpatheticModel, dialogue: EncodedDialogue = LONG) -> tuple[list[LayerCache], Tensor]:
    assert model.decoder is not None
    batch = collate_dialogues([dialogue])
    return model.decoder.start(model.encoder(batch.ids, batch.roles, batch.mask)), batch.mask


@torch.no_grad()
def _write(model: EmpatheticModel, ids: Tensor = IDS, *, emotion: int = 1, dialogue: EncodedDialogue = LONG) -> Tensor:
    assert model.decoder is not None
    caches, mask = _start(model, dialogue)
    logits: Tensor = model.decoder(ids, torch.tensor([emotion]), caches, mask)[0]
    return logits


def test_special_tokens_and_padding_get_no_pooling_weight(model: EmpatheticModel) -> None:
    attention, poolable = _read(model, SHORT, LONG).attention, collate_dialogues([SHORT, LONG]).poolable
    assert torch.all(attention[~poolable] == 0)
    assert torch.all(attention[poolable] > 0)


def test_the_pooling_weights_of_a_dialogue_sum_to_1(model: EmpatheticModel) -> None:
    torch.testing.assert_close(_read(model, SHORT, LONG).attention.sum(dim=1), torch.ones(2))


def test_a_dialogue_without_words_pools_nothing(model: EmpatheticModel) -> None:
    reading = _read(model, NOTHING, encode(""))
    assert torch.all(reading.attention == 0)
    assert torch.all(reading.logits.isfinite())


def test_the_pooled_vector_is_the_weighted_sum_of_the_states(model: EmpatheticModel) -> None:
    reading, poolable = _read(model, LONG), collate_dialogues([LONG]).poolable
    pooled, weights = model.pooling(reading.states, poolable)
    torch.testing.assert_close(pooled, (weights[..., None] * reading.states).sum(dim=1))


def test_padding_does_not_change_the_logits(model: EmpatheticModel) -> None:
    batched, alone = _read(model, SHORT, LONG).logits[0], _read(model, SHORT).logits[0]
    torch.testing.assert_close(batched, alone, rtol=0, atol=1e-5)


def test_padding_does_not_change_the_pooling_weights(model: EmpatheticModel) -> None:
    batched, alone = _read(model, SHORT, LONG).attention[0], _read(model, SHORT).attention[0]
    torch.testing.assert_close(batched[: len(alone)], alone, rtol=0, atol=1e-5)


def test_the_kind_of_padding_token_does_not_matter(model: EmpatheticModel) -> None:
    batch = collate_dialogues([SHORT, LONG])
    other = batch.ids.masked_fill(~batch.mask, PAD_ID + 30)
    torch.testing.assert_close(model(other, *batch[1:]).logits, model(*batch).logits)


def test_who_speaks_changes_the_reading(model: EmpatheticModel) -> None:
    batch = collate_dialogues([LONG])
    swapped = batch._replace(roles=1 - batch.roles)
    assert not torch.allclose(model(*swapped).logits, model(*batch).logits, atol=1e-3)


def test_the_order_of_words_changes_the_reading(model: EmpatheticModel) -> None:
    one, other = _read(model, encode("dog lost"), encode("lost dog")).logits
    assert not torch.allclose(one, other, atol=1e-3)


def test_the_logits_are_divided_by_the_temperature(model: EmpatheticModel) -> None:
    warm = EmpatheticModel(replace(CONFIG, temperature=2.0)).eval()
    warm.load_state_dict(model.state_dict())
    torch.testing.assert_close(_read(warm, LONG).logits * 2, _read(model, LONG).logits)


def test_dropout_acts_in_training_only() -> None:
    model = build_model(replace(CONFIG, dropout=0.5))
    assert torch.equal(_read(model, LONG).logits, _read(model, LONG).logits)
    assert not torch.equal(_read(model.train(), LONG).logits, _read(model, LONG).logits)


def test_a_model_without_decoder_layers_only_reads() -> None:
    assert build_model(without_decoder()).decoder is None


def test_reading_embeddings_gives_what_reading_tokens_gives() -> None:
    batch = collate_dialogues([SHORT, LONG])
    with torch.no_grad():
        embedded = WITH_HEADS.encoder.embeddings(batch.ids, batch.roles)
        found = WITH_HEADS.read(embedded, *batch)
    torch.testing.assert_close(found._asdict(), _read(WITH_HEADS, SHORT, LONG)._asdict(), rtol=0, atol=0)


def test_embeddings_can_be_differentiated_through(model: EmpatheticModel) -> None:
    batch = collate_dialogues([LONG])
    embedded = model.encoder.embeddings(batch.ids, batch.roles).detach().requires_grad_()
    [gradient] = torch.autograd.grad(model.read(embedded, *batch).logits[0, 0], embedded)
    assert torch.all(gradient.abs().sum(dim=-1) > 0)


def test_the_states_of_every_layer_end_with_the_encoders(model: EmpatheticModel) -> None:
    batch = collate_dialogues([SHORT, LONG])
    with torch.no_grad():
        embedded = model.encoder.embeddings(batch.ids, batch.roles)
        layers = model.encoder.contextualise(embedded, batch.mask)
        last = model.encoder(batch.ids, batch.roles, batch.mask)
    assert len(layers) == CONFIG.encoder_layers + 1
    assert torch.equal(layers[0], embedded)
    assert torch.equal(layers[-1], last)


def test_without_heads_nothing_is_said_of_causes_and_presence(model: EmpatheticModel) -> None:
    reading = _read(model, SHORT)
    assert (reading.causes, reading.presence) == (None, None)


def test_heads_do_not_change_what_is_read(model: EmpatheticModel) -> None:
    both = EmpatheticModel(WITH_HEADS.config).eval()
    both.load_state_dict(model.state_dict(), strict=False)
    torch.testing.assert_close(_read(both, LONG)[:3], _read(model, LONG)[:3], rtol=0, atol=0)


def test_the_cause_head_scores_words_between_0_and_1_and_all_else_0() -> None:
    causes, poolable = _read(WITH_HEADS, SHORT, LONG).causes, collate_dialogues([SHORT, LONG]).poolable
    assert causes is not None
    assert torch.all(causes[~poolable] == 0)
    assert torch.all((causes[poolable] > 0) & (causes[poolable] < 1))


def test_the_presence_head_gives_each_dialogue_a_probability() -> None:
    presence = _read(WITH_HEADS, SHORT, LONG, NOTHING).presence
    assert presence is not None
    assert presence.shape == (3,)
    assert torch.all((presence > 0) & (presence < 1))


def test_padding_does_not_change_what_heads_say() -> None:
    together, alone = _read(WITH_HEADS, SHORT, LONG), _read(WITH_HEADS, SHORT)
    assert together.causes is not None
    assert alone.causes is not None
    torch.testing.assert_close(together.causes[0, : len(SHORT.ids)], alone.causes[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(together.presence[:1] if together.presence is not None else None, alone.presence)


def test_the_cause_head_reads_early_middle_and_late_layers_and_the_pooled_dialogue() -> None:
    head = CauseHead(replace(CONFIG, encoder_layers=6))
    layers = [torch.full((1, 2, CONFIG.hidden_size), float(number)) for number in range(7)]
    joined = head.join(layers, torch.full((1, CONFIG.hidden_size), 9.0))
    assert joined[0, :, :: CONFIG.hidden_size].tolist() == [[2, 4, 6, 9]] * 2


def test_decoding_step_by_step_gives_the_logits_of_one_pass(model: EmpatheticModel, decoder: Decoder) -> None:
    caches, mask = _start(model)
    steps = []
    with torch.no_grad():
        for position in range(IDS.shape[1]):
            logits, caches = decoder(IDS[:, position : position + 1], EMOTIONS, caches, mask)
            steps.append(logits)
    torch.testing.assert_close(torch.cat(steps, dim=1), _write(model), rtol=0, atol=1e-4)


def test_later_tokens_do_not_change_earlier_logits(model: EmpatheticModel) -> None:
    changed = IDS.clone()
    changed[:, 4:] = 99
    torch.testing.assert_close(_write(model, changed)[:, :4], _write(model)[:, :4])
    assert not torch.allclose(_write(model, changed)[:, 4], _write(model)[:, 4], atol=1e-3)


def test_the_emotion_changes_the_reply(model: EmpatheticModel) -> None:
    assert not torch.allclose(_write(model, emotion=0), _write(model, emotion=3), atol=1e-3)


def test_the_dialogue_changes_the_reply(model: EmpatheticModel) -> None:
    assert not torch.allclose(_write(model, dialogue=SHORT), _write(model, dialogue=LONG), atol=1e-3)


def test_the_padding_of_the_dialogue_does_not_change_the_reply(model: EmpatheticModel, decoder: Decoder) -> None:
    batch = collate_dialogues([SHORT, LONG])
    with torch.no_grad():
        states = model.encoder(batch.ids, batch.roles, batch.mask)
        logits, _ = decoder(IDS.expand(2, -1), EMOTIONS.expand(2), decoder.start(states), batch.mask)
    torch.testing.assert_close(logits[:1], _write(model, dialogue=SHORT), rtol=0, atol=1e-4)


def test_each_token_has_its_own_bias() -> None:
    model = build_model()
    before = _write(model)
    with torch.no_grad():
        cast("Decoder", model.decoder).bias[7] += 1
    difference = _write(model) - before
    torch.testing.assert_close(difference[..., 7], torch.ones(1, IDS.shape[1]))
    assert torch.all(difference[..., 8:] == 0)


def test_the_decoder_scores_its_own_vocabulary_only() -> None:
    model = build_model(replace(CONFIG, decoder_vocab_size=100))
    assert _write(model).shape == (1, IDS.shape[1], 100)
