from dataclasses import replace

import pytest
import torch

from hef_graph.errors import HefInputError
from hef_graph.sem import heads
from hef_graph.sem.dataset import collate_dialogues
from hef_graph.sem.heads import (
    HeadConfig,
    PresenceTask,
    WordTask,
    attach_heads,
    prepare_words,
    train_cause_head,
    train_presence_head,
)
from hef_graph.sem.modeling import CauseHead, EmpatheticModel, PresenceHead
from hef_graph.sem.tokenization import find_words
from hef_graph.sem.word_weights import weigh_words
from tests.sem.tiny import CONFIG, CONVERSATIONS, build_model, build_tokenizer, encode

TOKENIZER = build_tokenizer()
LONG_ENOUGH = HeadConfig(epochs=60, learning_rate=1e-2, weight_decay=0.0)


def task(text: str, *marked: str) -> WordTask:
    """The words of a text; those in `marked` are marked, and with none nobody marked any."""
    words = tuple((0, start, end) for start, end in find_words(text))
    marks = tuple(text[start:end] in marked for _, start, end in words)
    return WordTask((text,), words, marks if marked else None)


MARKED = [
    task("my dog died", "dog", "died"),
    task("we won the game", "won", "game"),
    task("they stole my bike", "stole", "bike"),
]
UNMARKED = [task(conversation.utterances[0]) for conversation in CONVERSATIONS]


def weigh(model: EmpatheticModel, head: CauseHead, text: str) -> list[float]:
    dialogue = encode(text)
    batch = collate_dialogues([dialogue])
    own = attach_heads(build_model(model.config), head)
    own.load_state_dict(model.state_dict(), strict=False)
    return weigh_words(own, [dialogue], batch, own(*batch), "head")[0]


def test_a_cause_head_learns_which_words_people_marked(model: EmpatheticModel) -> None:
    head = train_cause_head(model, TOKENIZER, MARKED, LONG_ENOUGH)
    for known in MARKED:
        weights = weigh(model, head, str(known.dialogue[0]))
        assert known.marked is not None
        inside = [weight for weight, mark in zip(weights, known.marked, strict=True) if mark]
        outside = [weight for weight, mark in zip(weights, known.marked, strict=True) if not mark]
        assert min(inside) > max(outside)


def test_without_marks_it_learns_to_weigh_as_the_gradient_norm_does(model: EmpatheticModel) -> None:
    untrained, trained = (
        train_cause_head(model, TOKENIZER, UNMARKED, replace(LONG_ENOUGH, epochs=epochs)) for epochs in (0, 60)
    )
    losses = [
        sum(
            float(torch.nn.functional.cross_entropy(head.read(each.inputs).detach()[None], each.target[None]))
            for each in prepare_words(model, TOKENIZER, UNMARKED)
        )
        for head in (untrained, trained)
    ]
    assert losses[1] < losses[0] - 0.1


def test_the_gradients_count_as_much_as_asked(model: EmpatheticModel) -> None:
    [prepared] = prepare_words(model, TOKENIZER, UNMARKED[:1])
    head = CauseHead(CONFIG).eval()
    once, twice = (heads._word_loss(head, prepared, HeadConfig(gradient_weight=weight)) for weight in (0.5, 1.0))
    torch.testing.assert_close(2 * once, twice)


def test_marked_words_are_given_by_their_tokens(model: EmpatheticModel) -> None:
    [prepared] = prepare_words(model, TOKENIZER, [task("my qq died", "qq")])  # my q ##q died
    assert prepared.target.tolist() == [0, 1, 1, 0]
    assert prepared.inputs.shape == (4, 4 * CONFIG.hidden_size)
    assert prepared.marked


def test_what_a_head_reads_is_what_the_model_gives_it(model: EmpatheticModel) -> None:
    head = CauseHead(CONFIG).eval()
    [prepared] = prepare_words(model, TOKENIZER, [task("my dog died")])
    reading = attach_heads(build_model(), head)(*collate_dialogues([encode("my dog died")]))
    assert reading.causes is not None
    torch.testing.assert_close(torch.sigmoid(head.read(prepared.inputs)), reading.causes[0, 1:-1], rtol=0, atol=1e-5)


def test_shares_of_the_gradient_sum_to_1(model: EmpatheticModel) -> None:
    for prepared in prepare_words(model, TOKENIZER, UNMARKED):
        torch.testing.assert_close(prepared.target.sum(), torch.tensor(1.0))
        assert not prepared.marked


def test_where_nothing_moves_the_model_nothing_is_learned() -> None:
    assert heads._shares(torch.zeros(3)).tolist() == [0, 0, 0]


def test_dialogues_whose_words_lie_outside_the_window_are_left_out(model: EmpatheticModel) -> None:
    far = WordTask(("my dog died", *["the storm was loud"] * 8), ((0, 3, 6),), (True,))
    assert prepare_words(model, TOKENIZER, [far]) == []
    assert len(prepare_words(model, TOKENIZER, [far, *MARKED])) == len(MARKED)


def test_no_words_at_all_are_refused(model: EmpatheticModel) -> None:
    with pytest.raises(HefInputError, match="no dialogue has a word to learn from"):
        train_cause_head(model, TOKENIZER, [task("?!")], HeadConfig())


def test_marks_must_be_as_many_as_words(model: EmpatheticModel) -> None:
    with pytest.raises(ValueError, match="zip"):
        prepare_words(model, TOKENIZER, [WordTask(("my dog",), ((0, 0, 2), (0, 3, 6)), (True,))])


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_gives_the_same_head(model: EmpatheticModel, seed: int) -> None:
    config = HeadConfig(epochs=1, seed=seed)
    first, again = (train_cause_head(model, TOKENIZER, MARKED, config).state_dict() for _ in range(2))
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    other = train_cause_head(model, TOKENIZER, MARKED, replace(config, seed=seed + 7)).state_dict()
    assert not torch.equal(other["output.weight"], first["output.weight"])


def test_training_heads_leaves_the_model_as_it_is() -> None:
    model, untouched = build_model(), build_model()
    train_cause_head(model, TOKENIZER, [*MARKED, *UNMARKED], HeadConfig(epochs=1))
    train_presence_head(model, TOKENIZER, PRESENCE, HeadConfig(epochs=1))
    torch.testing.assert_close(model.state_dict(), untouched.state_dict(), rtol=0, atol=0)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert (model.cause_head, model.presence_head) == (None, None)


PRESENCE = [
    *(PresenceTask((conversation.utterances[0],), emotional=True) for conversation in CONVERSATIONS),
    PresenceTask(("is it out ?",), emotional=False),
    PresenceTask(("do you have it",), emotional=False),
]


def presence_of(head: PresenceHead, *tasks: PresenceTask) -> list[float]:
    model = attach_heads(build_model(), presence=head)
    reading = model(*collate_dialogues([encode(*map(str, each.dialogue)) for each in tasks]))
    return [float(value) for value in reading.presence.detach()]


def test_a_presence_head_learns_which_texts_carry_emotion(model: EmpatheticModel) -> None:
    head = train_presence_head(model, TOKENIZER, PRESENCE, LONG_ENOUGH)
    assert [value > 0.5 for value in presence_of(head, *PRESENCE)] == [each.emotional for each in PRESENCE]


def test_both_kinds_of_text_count_the_same_however_many_they_are(model: EmpatheticModel) -> None:
    few, many = PRESENCE[-1:], PRESENCE[:1]
    head = train_presence_head(model, TOKENIZER, [*few, *many * 20], replace(LONG_ENOUGH, epochs=200))
    blind = train_presence_head(
        model, TOKENIZER, [PresenceTask(("ok",), emotional=n < 20) for n in range(21)], LONG_ENOUGH
    )
    assert presence_of(head, *few, *many) == pytest.approx([0, 1], abs=0.2)
    assert presence_of(blind, PresenceTask(("ok",), emotional=True)) == pytest.approx([0.5], abs=0.1)


@pytest.mark.parametrize("emotional", [True, False])
def test_texts_of_one_kind_are_refused(model: EmpatheticModel, *, emotional: bool) -> None:
    alike = [replace(each, emotional=emotional) for each in PRESENCE]
    with pytest.raises(HefInputError, match="the 14 texts are all of one kind"):
        train_presence_head(model, TOKENIZER, alike, HeadConfig())


def test_no_texts_are_refused(model: EmpatheticModel) -> None:
    with pytest.raises(HefInputError, match="the 0 texts are all of one kind"):
        train_presence_head(model, TOKENIZER, [], HeadConfig())


def test_attached_heads_are_told_in_the_config() -> None:
    model = attach_heads(build_model(), CauseHead(CONFIG))
    assert (model.config.cause_head, model.config.presence_head) == (True, False)
    model = attach_heads(model, presence=PresenceHead(CONFIG))
    assert (model.config.cause_head, model.config.presence_head) == (True, True)
    assert replace(model.config, cause_head=False, presence_head=False) == CONFIG


def test_another_head_takes_the_place_of_the_first() -> None:
    first, second = CauseHead(CONFIG), CauseHead(CONFIG)
    assert attach_heads(attach_heads(build_model(), first), second).cause_head is second


def test_trained_heads_are_without_dropout(model: EmpatheticModel) -> None:
    assert not train_cause_head(model, TOKENIZER, MARKED, HeadConfig(epochs=1)).training
    assert not train_presence_head(model, TOKENIZER, PRESENCE, HeadConfig(epochs=1)).training
