from dataclasses import replace

import pytest
import torch
from torch import nn

from hef_graph.errors import HefInputError
from hef_graph.sem import load_sem
from hef_graph.sem.inference import TransformerSem
from hef_graph.sem.quantization import Int8Linear, can_quantise, choose_precision, quantise_encoder
from hef_graph.sem.word_weights import WORD_METHODS
from hef_graph.types import EmotionAnalysis
from tests.sem.tiny import CONFIG, CONVERSATIONS, build_model, build_tokenizer

DIALOGUES = [list(conversation.utterances) for conversation in CONVERSATIONS]
HEADED = replace(CONFIG, cause_head=True, presence_head=True)

pytestmark = pytest.mark.skipif(not can_quantise(), reason="torch cannot multiply 8 bits on this CPU")


def build(precision: str | None, words: str | None = None) -> TransformerSem:
    model = build_model(HEADED)
    return TransformerSem("tiny", model, build_tokenizer(), torch.device("cpu"), words=words, precision=precision)


def probabilities(analyses: list[EmotionAnalysis]) -> list[float]:
    return [score.probability for each in analyses for score in sorted(each.emotions, key=lambda s: s.label)]


def test_a_layer_in_8_bits_answers_nearly_as_before() -> None:
    torch.manual_seed(0)
    linear, hidden = nn.Linear(96, 32), torch.randn(3, 5, 96)
    torch.testing.assert_close(Int8Linear(linear)(hidden), linear(hidden).detach(), rtol=0, atol=0.05)


def test_a_row_of_zeros_stays_one() -> None:
    linear = nn.Linear(8, 2)
    nn.init.zeros_(linear.weight)
    assert torch.equal(Int8Linear(linear)(torch.ones(1, 8)), linear.bias.detach()[None])


def test_only_the_encoders_layers_are_multiplied_in_8_bits() -> None:
    model = build_model(HEADED)
    reader = quantise_encoder(model)
    replaced = {name for name, each in reader.named_modules() if isinstance(each, Int8Linear)}
    assert replaced == {
        name for name, each in model.named_modules() if isinstance(each, nn.Linear) and name.startswith("encoder.")
    }


def test_all_other_weights_are_shared_and_the_model_is_left_alone() -> None:
    model = build_model(HEADED)
    before = dict(model.named_parameters())
    shared = dict(quantise_encoder(model).named_parameters())
    assert dict(model.named_parameters()).keys() == before.keys()
    assert shared
    assert all(parameter is before[name] for name, parameter in shared.items())


def test_in_8_bits_it_reads_nearly_the_same() -> None:
    exact, rounded = (probabilities(build(precision).analyze(DIALOGUES)) for precision in ("fp32", "int8"))
    assert rounded == pytest.approx(exact, abs=0.02)
    assert rounded != exact


def test_in_8_bits_company_changes_nothing() -> None:
    sem = build("int8")
    assert sem.analyze(DIALOGUES) == [sem.analyze([dialogue])[0] for dialogue in DIALOGUES]


def test_the_shipped_model_names_the_same_emotion_in_8_bits() -> None:
    said = [["I lost my job today."], ["We won the cup!"], ["My dog died last night."]]
    exact, rounded = (load_sem(precision=precision).analyze(said) for precision in ("fp32", "int8"))
    assert [each.emotions[0].label for each in rounded] == [each.emotions[0].label for each in exact]


def test_replies_are_proposed_in_full_precision() -> None:
    emotion = build("fp32").labels[0]
    exact, rounded = (
        build(precision).propose_replies(DIALOGUES[0], emotion, count=4) for precision in ("fp32", "int8")
    )
    assert rounded == exact


@pytest.mark.parametrize("method", WORD_METHODS)
def test_8_bits_are_chosen_where_words_come_with_the_reading(method: str) -> None:
    assert build(None, method).precision == ("int8" if method in {"head", "attention"} else "fp32")


def test_a_gpu_reads_in_full_precision() -> None:
    assert choose_precision(None, "cuda", "head") == "fp32"


@pytest.mark.parametrize(
    ("wished", "device", "words", "said"),
    [
        ("int4", "cpu", "head", "precision is 'int4'; allowed are fp32, int8, or None"),
        ("int8", "cuda", "head", "here are cuda and 'head': take 'fp32'"),
        ("int8", "cpu", "occlusion", "here are cpu and 'occlusion': take 'fp32'"),
    ],
)
def test_what_cannot_be_had_is_named(wished: str, device: str, words: str, said: str) -> None:
    with pytest.raises(HefInputError, match=said):
        choose_precision(wished, device, words)  # type: ignore[arg-type]  # as from a command line


def test_a_sem_without_a_choice_takes_no_precision() -> None:
    with pytest.raises(HefInputError, match=r"precision is 'int8', but .* offers no choice; leave it out"):
        load_sem("lexicon", precision="int8")
