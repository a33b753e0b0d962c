"""Small empathetic models (SEMs): the only part of the package that imports torch."""

from pathlib import Path

from hef_graph.errors import HefCheckpointError
from hef_graph.sem.checkpoint import FILES, SHIPPED
from hef_graph.sem.inference import TransformerSem, choose_device, load_transformer_sem

__all__ = ["TransformerSem", "load_sem"]


def load_sem(source: str | Path | None = None, *, device: str | None = None) -> TransformerSem:
    """The shipped SEM, or the one in a checkpoint folder; loaded once per folder and device.

    Args:
        source: a folder with `model.safetensors`, `config.json` and `vocab.txt`; None for the shipped one.
        device: "cpu", "cuda", "cuda:1" …; None takes a GPU where there is one.

    Raises:
        HefCheckpointError: no such folder, or files that cannot be used.
        HefInputError: a device that this machine has not.
    """
    folder = SHIPPED if source is None else Path(source).expanduser().resolve()
    if not folder.is_dir():
        raise HefCheckpointError(f"no SEM at {str(folder)!r}: give a folder that holds {FILES.listed}")
    return load_transformer_sem(folder, choose_device(device))
