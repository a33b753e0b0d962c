from dataclasses import replace
from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.errors import HefInputError
from hef_graph.sem.dataset import collate_dialogues
from hef_graph.sem.modeling import EmpatheticModel
from hef_graph.sem.tokenization import NOTHING, EncodedDialogue
from hef_graph.sem.word_weights import WORD_METHODS, WordMethod, check_method, weigh_words
from tests.sem.tiny import CONFIG, CONVERSATIONS, build_model, encode

MODEL = build_model(replace(CONFIG, cause_head=True))
DIALOGUES = [encode(*conversation.utterances) for conversation in CONVERSATIONS]
every_method = pytest.mark.parametrize("method", WORD_METHODS)


def weigh(method: WordMethod, *dialogues: EncodedDialogue, model: EmpatheticModel = MODEL) -> list[list[float]]:
    batch = collate_dialogues(dialogues)
    with torch.inference_mode():
        reading = model(*batch)
    return weigh_words(model, dialogues, batch, reading, method)


def test_the_methods_are_those_of_the_type() -> None:
    assert get_args(WordMethod) == WORD_METHODS
    assert len(set(WORD_METHODS)) == 6


@every_method
def test_every_word_has_a_weight_and_a_dialogues_weights_sum_to_1(method: WordMethod) -> None:
    for weights, dialogue in zip(weigh(method, *DIALOGUES), DIALOGUES, strict=True):
        assert len(weights) == len(dialogue.words)
        assert min(weights) >= 0
        assert sum(weights) == pytest.approx(1)


@every_method
def test_a_dialogue_is_weighed_alone_as_in_a_batch(method: WordMethod) -> None:
    together = weigh(method, *DIALOGUES)
    alone = [weigh(method, dialogue)[0] for dialogue in DIALOGUES]
    for one, other in zip(together, alone, strict=True):
        assert one == pytest.approx(other, abs=1e-4)


@every_method
def test_words_of_one_dialogue_weigh_differently(method: WordMethod) -> None:
    [weights] = weigh(method, encode("my rude friend broke the window"))
    assert len(weights) == 6
    assert len({weight for weight in weights if weight}) == sum(weight > 0 for weight in weights) > 2


@every_method
@given(texts=st.lists(st.text("abz ?'é中", max_size=12), min_size=1, max_size=3))
@settings(deadline=None, max_examples=15)
def test_any_text_gets_weights_that_sum_to_1_or_none(method: WordMethod, texts: list[str]) -> None:
    [weights] = weigh(method, encode(*texts))
    assert sum(weights) == pytest.approx(1 if weights else 0)
    assert all(weight >= 0 for weight in weights)


@every_method
def test_a_dialogue_without_words_gets_no_weights_even_beside_others(method: WordMethod) -> None:
    weights = weigh(method, NOTHING, encode("?!"), encode("my dog"))
    assert [len(each) for each in weights] == [0, 0, 2]


def test_methods_disagree() -> None:
    dialogue = encode("my dog died and i lost the old ring")
    found = {method: tuple(round(weight, 4) for weight in weigh(method, dialogue)[0]) for method in WORD_METHODS}
    assert len(set(found.values())) == len(WORD_METHODS)


def test_attention_is_shared_among_the_pieces_of_a_word() -> None:
    dialogue = encode("my qq!")  # [CLS] my q ##q ! [SEP]
    attention = torch.tensor([[0, 0.4, 0.1, 0.1, 0.4, 0]])
    batch = collate_dialogues([dialogue])
    reading = MODEL(*batch)._replace(attention=attention)
    assert weigh_words(MODEL, [dialogue], batch, reading, "attention") == [pytest.approx([0.4 / 0.6, 0.2 / 0.6])]


def test_the_head_counts_a_word_at_its_highest_piece() -> None:
    dialogue = encode("my qq!")
    batch = collate_dialogues([dialogue])
    reading = MODEL(*batch)._replace(causes=torch.tensor([[0, 0.2, 0.1, 0.6, 0.9, 0]]))
    assert weigh_words(MODEL, [dialogue], batch, reading, "head") == [pytest.approx([0.25, 0.75])]


def test_words_that_all_score_0_weigh_the_same() -> None:
    dialogue = encode("my dog died")
    batch = collate_dialogues([dialogue])
    reading = MODEL(*batch)._replace(causes=torch.zeros(1, len(dialogue.ids)))
    assert weigh_words(MODEL, [dialogue], batch, reading, "head") == [pytest.approx([1 / 3] * 3)]


def test_occlusion_is_what_the_model_says_without_the_word() -> None:
    dialogue = encode("my dog died")
    batch = collate_dialogues([dialogue])
    falls = []
    with torch.no_grad():
        whole = torch.log_softmax(MODEL(*batch).logits[0], -1)
        for word in dialogue.words:
            mask = batch.mask.clone()
            mask[0, list(word.tokens)] = False
            without = torch.log_softmax(MODEL(batch.ids, batch.roles, mask, mask & batch.poolable).logits[0], -1)
            falls.append(max(0.0, float(whole.max() - without[whole.argmax()])))
    assert max(falls) > 0
    assert weigh("occlusion", dialogue) == [pytest.approx([fall / sum(falls) for fall in falls], abs=1e-5)]


def test_gradients_leave_nothing_on_the_weights() -> None:
    weigh("gradient-norm", *DIALOGUES)
    assert all(parameter.grad is None for parameter in MODEL.parameters())


@pytest.mark.parametrize(("model", "best"), [(MODEL, "head"), (build_model(), "attention")])
def test_without_a_wish_the_best_that_the_model_has_is_taken(model: EmpatheticModel, best: str) -> None:
    assert check_method(None, model) == best


@every_method
def test_a_model_with_a_cause_head_knows_every_method(method: WordMethod) -> None:
    assert check_method(method, MODEL) == method


@pytest.mark.parametrize("method", ["", "Attention", "shap"])
def test_an_unknown_method_is_refused_and_the_known_ones_named(method: str) -> None:
    with pytest.raises(HefInputError, match=f"words is {method!r}; this SEM has head, attention, .*occlusion"):
        check_method(method, MODEL)


def test_a_model_without_cause_head_refuses_the_head() -> None:
    with pytest.raises(HefInputError, match="words is 'head'; this SEM has attention, gradient-norm"):
        check_method("head", build_model())
