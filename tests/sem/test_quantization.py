from dataclasses import replace

import pytest
import torch
from torch import nn

from hef_graph.errors import HefInputError
from hef_graph.sem import load_sem
from hef_graph.sem.config import SemConfig
from hef_graph.sem.dataset import collate_dialogues
from hef_graph.sem.inference import TransformerSem
from hef_graph.sem.quantization import (
    Int8CauseHead,
    Int8Linear,
    Precision,
    can_quantise,
    choose_precision,
    compile_layers,
    in_whole_numbers,
    reader_in,
)
from hef_graph.sem.word_weights import WORD_METHODS
from hef_graph.types import EmotionAnalysis, turns_from_dialogue
from tests.sem.tiny import CONFIG, CONVERSATIONS, build_model, build_tokenizer

DIALOGUES = [list(conversation.utterances) for conversation in CONVERSATIONS]
RANGES = ((-4.0, 4.0),) * (4 * CONFIG.encoder_layers + 1)
HEADED = replace(CONFIG, cause_head=True, presence_head=True, activation_ranges=RANGES)
OLDER = replace(HEADED, activation_ranges=RANGES[:-1])
"""As before format 4."""

pytestmark = pytest.mark.skipif(not can_quantise(), reason="torch cannot multiply 8 bits on this CPU")


def build(precision: str | None, words: str | None = None) -> TransformerSem:
    model = build_model(HEADED)
    return TransformerSem("tiny", model, build_tokenizer(), torch.device("cpu"), words=words, precision=precision)


def probabilities(analyses: list[EmotionAnalysis]) -> list[float]:
    return [score.probability for each in analyses for score in sorted(each.emotions, key=lambda s: s.label)]


def test_a_layer_in_8_bits_answers_nearly_as_before() -> None:
    torch.manual_seed(0)
    linear, hidden = nn.Linear(96, 32), torch.randn(3, 5, 96)
    torch.testing.assert_close(Int8Linear([linear], (-4.0, 4.0))(hidden), linear(hidden).detach(), rtol=0, atol=0.1)


def test_layers_of_one_input_are_multiplied_side_by_side() -> None:
    torch.manual_seed(0)
    first, second, hidden = nn.Linear(16, 4), nn.Linear(16, 8), torch.randn(3, 16)
    both, alone = Int8Linear([first, second], (-3.0, 3.0)), Int8Linear([second], (-3.0, 3.0))
    assert torch.equal(both(hidden)[:, 4:], alone(hidden))


@pytest.mark.filterwarnings("ignore:torch.quantize_per")
def test_a_matrix_in_whole_numbers_is_as_torch_itself_would_make_it() -> None:
    torch.manual_seed(0)
    weight = torch.randn(64, 96) * torch.logspace(-6, 3, 64)[:, None]
    weight[7] = 0.0
    made = in_whole_numbers(weight)
    zeros = torch.zeros(64, dtype=torch.long)
    assert torch.equal(
        made.int_repr(),
        torch.quantize_per_channel(weight, made.q_per_channel_scales(), zeros, 0, torch.qint8).int_repr(),
    )
    assert made.int_repr().abs().amax(dim=1).tolist() == [0 if row == 7 else 127 for row in range(64)]


def test_numbers_far_out_of_the_range_are_cut() -> None:
    linear = nn.Linear(1, 1, bias=False)
    linear.bias = nn.Parameter(torch.zeros(1))
    nn.init.ones_(linear.weight)
    told = Int8Linear([linear], (-1.0, 2.0))(torch.tensor([[0.5], [2.0], [9.0], [-9.0]]))
    assert told.flatten().tolist() == pytest.approx([0.5, 2.0, 2.8, -1.0], abs=0.03)


@pytest.mark.parametrize("expected", [(0.0, 0.0), (2.0, 3.0), (-3.0, -2.0)])
def test_any_range_can_be_told(expected: tuple[float, float]) -> None:
    assert Int8Linear([nn.Linear(4, 2)], expected)(torch.ones(1, 4)).isfinite().all()


def test_a_row_of_zeros_stays_one() -> None:
    linear = nn.Linear(8, 2)
    nn.init.zeros_(linear.weight)
    assert torch.equal(Int8Linear([linear], (-1.0, 1.0))(torch.ones(1, 8)), linear.bias.detach()[None])


def _in_8_bits(config: SemConfig) -> set[str]:
    """What is multiplied in 8 bits, but for the encoder's layers, of which all must be."""
    reader = reader_in("int8", build_model(config))
    multiplied = {name for name, each in reader.named_modules() if isinstance(each, Int8Linear)}
    heads = {name for name in multiplied if not name.startswith("encoder.layers.")}
    assert len(multiplied - heads) == 4 * CONFIG.encoder_layers
    return heads


def test_the_heads_are_multiplied_in_8_bits_too() -> None:
    plain, causes = (
        {"pooling.projection", "head.dense"},
        {"cause_head.pooled", *(f"cause_head.parts.{i}" for i in range(3))},
    )
    assert _in_8_bits(HEADED) == plain | causes | {"presence_head.dense"}
    assert _in_8_bits(replace(HEADED, cause_head=False, presence_head=False)) == plain


def test_the_heads_of_an_older_checkpoint_stay_as_they_are() -> None:
    assert _in_8_bits(OLDER) == set()


def test_the_cause_head_reads_nearly_the_same_of_states_that_it_does_not_join() -> None:
    torch.manual_seed(0)
    head = build_model(HEADED).cause_head
    assert head is not None
    size, count = CONFIG.hidden_size, CONFIG.encoder_layers + 1
    layers, pooled, ranges = torch.randn(count, 2, 5, size), torch.randn(2, size), [(-4.0, 4.0)] * count
    found, exact = Int8CauseHead(head, ranges)(list(layers), pooled), head.eval()(list(layers), pooled)
    assert float(exact.detach().std()) > 0.1
    torch.testing.assert_close(found, exact.detach(), rtol=0, atol=0.03)


def test_all_other_weights_are_shared_and_the_model_is_left_alone() -> None:
    model = build_model(HEADED)
    names = [name for name, _ in model.named_parameters()]
    shared = {id(parameter) for parameter in reader_in("int8", model).parameters()}
    assert [name for name, _ in model.named_parameters()] == names
    assert shared < {id(parameter) for parameter in model.parameters()}


def test_in_8_bits_it_reads_nearly_the_same() -> None:
    exact, rounded = (probabilities(build(precision).analyze(DIALOGUES)) for precision in ("fp32", "int8"))
    assert rounded == pytest.approx(exact, abs=0.02)
    assert rounded != exact


@pytest.mark.parametrize("precision", ["fp32", "int8", "bf16"])
def test_company_changes_nothing(precision: str) -> None:
    sem = build(precision)
    alone = [sem.analyze([dialogue])[0] for dialogue in DIALOGUES]
    together = sem.analyze(DIALOGUES)
    allowed = 2e-2 if precision == "bf16" else 1e-5
    assert probabilities(together) == pytest.approx(probabilities(alone), abs=allowed)
    assert [each.emotions[0].label for each in together] == [each.emotions[0].label for each in alone]


def test_in_bfloat16_it_reads_nearly_the_same() -> None:
    exact, rounded = (probabilities(build(precision).analyze(DIALOGUES)) for precision in ("fp32", "bf16"))
    assert rounded == pytest.approx(exact, abs=0.02)
    assert rounded != exact


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_compiled_layers_read_the_same_at_any_length(precision: Precision) -> None:
    model = build_model(HEADED).eval()
    reader = reader_in(precision, model)
    batches = [collate_dialogues([build_tokenizer().encode(turns_from_dialogue(each))]) for each in DIALOGUES]
    with torch.inference_mode():
        plain = [reader(*batch).logits for batch in batches]
        compiled = compile_layers(reader_in(precision, model), backend="eager")
        torch.testing.assert_close([compiled(*batch).logits for batch in batches], plain)


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


def test_a_gpu_reads_in_full_precision_unless_told_otherwise() -> None:
    assert choose_precision(None, "cuda", "head", HEADED) == "fp32"
    assert choose_precision("bf16", "cuda", "head", HEADED) == "bf16"


def test_a_checkpoint_without_ranges_is_read_in_full_precision() -> None:
    assert choose_precision(None, "cpu", "head", CONFIG) == "fp32"
    with pytest.raises(HefInputError, match="this checkpoint lacks activation_ranges"):
        choose_precision("int8", "cpu", "head", CONFIG)


@pytest.mark.parametrize(
    ("wished", "device", "words", "said"),
    [
        ("int4", "cpu", "head", "precision is 'int4'; allowed are fp32, int8, bf16, or None"),
        ("int8", "cuda", "head", "here are cuda and 'head': take 'fp32'"),
        ("bf16", "cuda", "occlusion", "precision is 'bf16', which needs words by head or attention, not 'occlusion'"),
        ("int8", "cpu", "occlusion", "here are cpu and 'occlusion': take 'fp32'"),
    ],
)
def test_what_cannot_be_had_is_named(wished: str, device: str, words: str, said: str) -> None:
    with pytest.raises(HefInputError, match=said):
        choose_precision(wished, device, words, HEADED)  # type: ignore[arg-type]  # as from a command line


def test_a_sem_without_a_choice_takes_no_precision() -> None:
    with pytest.raises(HefInputError, match=r"precision is 'int8', but .* offers no choice; leave it out"):
        load_sem("lexicon", precision="int8")
