"""The encoder computes what torch computes, from weights that take a quarter of the place."""

import subprocess
import sys
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hef_graph.crisis.encoder import Array, Encoder, dequantise, quantise
from tests.crisis.classifiers import HEADS, LAYERS, tiny_weights

IDS: Final = np.array([2, 30, 31, 9, 3, 14, 15, 3])
KINDS: Final = np.array([0, 0, 0, 0, 0, 1, 1, 1])


@pytest.fixture(scope="module")
def pair() -> Any:
    """The trained kind of model in torch, with random weights, and the same exported."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    from hef_graph.evaluation.crisis_model import CrisisModel, export_weights  # noqa: PLC0415  needs transformers

    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=60,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=170,
        hidden_act="gelu_pytorch_tanh",
    )
    model = CrisisModel(transformers.BertModel(config, add_pooling_layer=False)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model, Encoder(export_weights(model), config.num_attention_heads)


@pytest.mark.parametrize(("own", "context"), [(1, 0), (2, 0), (20, 0), (7, 5), (97, 65)])
def test_the_logits_are_torchs(pair: Any, own: int, context: int) -> None:
    torch = pytest.importorskip("torch")
    model, encoder = pair
    ids = np.random.default_rng(own).integers(0, 60, own + context)
    kinds = np.array([0] * own + [1] * context)
    with torch.inference_mode():
        given = [torch.from_numpy(each)[None] for each in (ids, kinds, np.ones_like(ids))]
        expected = model(*given)[0].numpy()
    assert np.abs(encoder.read(ids, kinds) - expected).max() < 1e-4


def test_every_trained_weight_is_exported(pair: Any) -> None:
    model, encoder = pair
    assert encoder.layers == 3
    exported = sum(weight.size for weight in encoder.weights.values())
    assert exported == sum(parameter.numel() for parameter in model.parameters())


def test_its_names_are_those_of_the_export(pair: Any) -> None:
    _, encoder = pair
    assert {name.replace("layers.2.", "layers.1.") for name in encoder.weights} == set(tiny_weights())


def test_there_are_as_many_layers_as_weights_for_them() -> None:
    assert Encoder(tiny_weights(), HEADS).layers == LAYERS


def test_reading_is_deterministic_and_leaves_the_weights_alone() -> None:
    weights = tiny_weights()
    first = Encoder(weights, HEADS).read(IDS, KINDS)
    assert np.array_equal(first, Encoder(weights, HEADS).read(IDS, KINDS))
    assert all(np.array_equal(value, weights[name]) for name, value in tiny_weights().items())


def test_the_context_counts() -> None:
    encoder = Encoder(tiny_weights(), HEADS)
    assert not np.allclose(encoder.read(IDS, KINDS), encoder.read(IDS[:5], KINDS[:5]))


NUMBERS: Final = st.floats(-100, 100, width=32)


@settings(max_examples=100, deadline=None)
@given(arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(1, 8)), elements=NUMBERS))
def test_an_unpacked_matrix_is_off_by_half_a_step_at_most(matrix: Array) -> None:
    """A step is the row's largest value over 127."""
    unpacked = dequantise(quantise({"a": matrix}))["a"]
    step = np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-8) / 127
    assert (np.abs(unpacked - matrix) <= 0.501 * step).all()


def test_a_vector_is_kept_in_half_precision() -> None:
    vector = np.array([1.0, 1 / 3, -2.5], np.float32)
    assert np.array_equal(dequantise(quantise({"b": vector}))["b"], vector.astype(np.float16).astype(np.float32))


def test_what_is_unpacked_has_the_names_shapes_and_precision_of_what_was_packed() -> None:
    weights = tiny_weights()
    unpacked = dequantise(quantise(weights))
    assert {name: (v.shape, v.dtype) for name, v in unpacked.items()} == {
        name: (v.shape, np.dtype(np.float32)) for name, v in weights.items()
    }


def test_packed_weights_read_alike() -> None:
    weights = tiny_weights()
    packed = Encoder(dequantise(quantise(weights)), HEADS).read(IDS, KINDS)
    assert np.abs(packed - Encoder(weights, HEADS).read(IDS, KINDS)).max() < 0.2


def test_reading_needs_no_torch() -> None:
    code = (
        "import sys, numpy; from hef_graph.crisis.encoder import Encoder; "
        "from tests.crisis.classifiers import *; "
        "Encoder(tiny_weights(), HEADS).read(numpy.array([2, 9, 3]), numpy.array([0, 0, 0])); "
        "print([name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
