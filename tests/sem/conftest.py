"""Fixtures shared by the tests of the small empathetic model (SEM)."""

from pathlib import Path

import pytest
from torch import Tensor

from hef_graph.sem.checkpoint import save_checkpoint
from hef_graph.sem.inference import TransformerSem
from hef_graph.sem.modeling import Decoder, EmpatheticModel
from tests.sem import tiny


@pytest.fixture(scope="session")
def model() -> EmpatheticModel:
    """An untrained model that no test changes."""
    return tiny.build_model()


@pytest.fixture(scope="session")
def decoder(model: EmpatheticModel) -> Decoder:
    """The decoder of `model`."""
    assert model.decoder is not None
    return model.decoder


@pytest.fixture(scope="session")
def sem() -> TransformerSem:
    """An untrained SEM that no test changes."""
    return tiny.build_sem()


@pytest.fixture
def checkpoint(tmp_path: Path, model: EmpatheticModel) -> Path:
    """A checkpoint folder of `model`, free to be damaged."""
    folder = tmp_path / "checkpoint"
    save_checkpoint(folder, model, tiny.VOCABULARY)
    return folder


@pytest.fixture
def minilm(tmp_path: Path) -> Path:
    """A folder in MiniLM's format."""
    folder = tmp_path / "minilm"
    tiny.write_minilm(folder)
    return folder


@pytest.fixture
def minilm_weights(minilm: Path) -> dict[str, Tensor]:
    """The weights in the folder."""
    return tiny.write_minilm(minilm)
