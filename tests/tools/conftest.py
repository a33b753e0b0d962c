from pathlib import Path

import pytest

from hef_graph.corpus import Conversation, write_conversations
from hef_graph.sem.checkpoint import save_checkpoint
from tests.sem.tiny import CONVERSATIONS, VOCABULARY, build_model


@pytest.fixture
def sem_folder(tmp_path: Path) -> Path:
    """An untrained SEM on disk."""
    save_checkpoint(tmp_path / "sem", build_model(), VOCABULARY)
    return tmp_path / "sem"


@pytest.fixture
def data_file(tmp_path: Path) -> Path:
    """Enough made-up conversations for some to be set aside."""
    many = [Conversation(f"{n}-{c.conv_id}", c.emotion, "", c.utterances) for n in range(9) for c in CONVERSATIONS]
    write_conversations(many, tmp_path / "data.jsonl")
    return tmp_path / "data.jsonl"
