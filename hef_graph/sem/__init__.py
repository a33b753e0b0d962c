"""Small empathetic models (SEMs): the only part of the package that imports torch, and only for a SEM that needs it."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, overload

from hef_graph.errors import HefCheckpointError, HefInputError
from hef_graph.files import MEGABYTE, read_object
from hef_graph.types import SmallEmpatheticModel

if TYPE_CHECKING:
    from hef_graph.sem.inference import TransformerSem

__all__ = ["TransformerSem", "load_sem"]

FORMS: Final = (
    "give a folder that holds model.safetensors, config.json and vocab.txt, the folder or hub id of a Hugging Face "
    "sequence classifier, the http address of `hef serve-sem`, a .jsonl file of predictions, 'lexicon', or 'shipped'"
)
"""What `load_sem` takes, for people."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)


@overload
def load_sem(
    source: None = None, *, device: str | None = None, words: str | None = None, precision: str | None = None
) -> "TransformerSem": ...


@overload
def load_sem(
    source: str | Path, *, device: str | None = None, words: str | None = None, precision: str | None = None
) -> SmallEmpatheticModel: ...


def load_sem(
    source: str | Path | None = None,
    *,
    device: str | None = None,
    words: str | None = None,
    precision: str | None = None,
) -> SmallEmpatheticModel:
    """The shipped SEM, or another one; models are loaded once per source and device.

    Args:
        source: None or "shipped"; "lexicon"; a checkpoint folder of ours; the folder or the hub id ("org/name") of a
            Hugging Face sequence classifier; the http address of a served SEM; a .jsonl file of predictions. A folder
            that is called like one of these is given as "./name".
        device: "cpu", "cuda", "cuda:1" …; None takes a GPU where there is one. Only for SEMs that run here on torch.
        words: how cause words are found, for SEMs that offer a choice; None for the SEM's own way.
        precision: for checkpoints of ours: "fp32", "int8" on a CPU, about twice as fast, or "bf16", for GPUs; None
            takes int8 on a CPU and fp32 elsewhere.

    Raises:
        HefCheckpointError: no such SEM, or files that cannot be used.
        HefInputError: a device that this machine has not, a way to find words or a precision that the SEM has not; a
            bad address, or a file of predictions that cannot be read.
        HefModelError: a served SEM that does not answer.
    """
    if source is None or source == "shipped":
        from hef_graph.sem.checkpoint import SHIPPED  # noqa: PLC0415  torch is slow to import

        return _load_folder(SHIPPED, device, words, precision)
    without_choice = _load_without_torch(source)
    if without_choice is None:
        folder = _find_folder(source)
        return _load_folder(
            folder, device, words, precision, name="" if Path(source).expanduser().is_dir() else str(source)
        )
    for name, value in {"words": words, "precision": precision}.items():
        if value is not None:
            raise HefInputError(f"{name} is {value!r}, but {without_choice.name} offers no choice; leave it out")
    return without_choice


def _load_without_torch(source: str | Path) -> SmallEmpatheticModel | None:
    """The SEM of a source that needs no torch; None for the others."""
    if source == "lexicon":
        from hef_graph.sem.plugins.lexicon import load_lexicon_sem  # noqa: PLC0415  only one plug-in is needed

        return load_lexicon_sem()
    if isinstance(source, str) and source.startswith(("http://", "https://")):
        from hef_graph.sem.plugins.remote import load_remote_sem  # noqa: PLC0415  only one plug-in is needed

        return load_remote_sem(source)
    if str(source).endswith(".jsonl"):
        from hef_graph.sem.plugins.predictions import load_predictions  # noqa: PLC0415  only one plug-in is needed

        return load_predictions(Path(source).expanduser())
    return None


def _find_folder(source: str | Path) -> Path:
    """The folder of a SEM: as given, or the downloaded copy of a hub repository."""
    try:
        folder = Path(source).expanduser().resolve()
        if folder.is_dir() and source != "":
            return folder
    except (OSError, ValueError, RuntimeError) as error:  # too long, a zero in it, an unknown home
        raise HefCheckpointError(f"no SEM at {source!r}: {error}; {FORMS}") from error
    if folder.exists() or isinstance(source, Path) or not _HUB_ID.fullmatch(source):
        raise HefCheckpointError(f"no SEM at {str(folder)!r}: {FORMS}")
    from hef_graph.sem.plugins.huggingface_files import download_snapshot  # noqa: PLC0415  only for a hub id

    return download_snapshot(source)


def _load_folder(
    folder: Path, device: str | None, words: str | None, precision: str | None, *, name: str = ""
) -> SmallEmpatheticModel:
    """The SEM of a folder; `name` is shown to people where the folder's own says nothing."""
    from hef_graph.sem.inference import choose_device, load_transformer_sem  # noqa: PLC0415  torch is slow to import

    place = choose_device(device)
    if not _is_foreign(folder):
        return load_transformer_sem(folder, place, words, precision)
    if precision not in {None, "fp32"}:
        raise HefInputError(
            f"precision is {precision!r}, but {folder} is no checkpoint of ours, which 'fp32' is read in"
        )
    from hef_graph.sem.plugins.huggingface import load_huggingface_sem  # noqa: PLC0415  only one plug-in is needed

    return load_huggingface_sem(folder, place, words, name)


def _is_foreign(folder: Path) -> bool:
    """Whether the folder holds a model of the large library: a readable `config.json` without our `format`."""
    try:
        return "format" not in read_object(folder / "config.json", most=MEGABYTE)
    except HefCheckpointError:
        return False


def __getattr__(name: str) -> Any:
    """`TransformerSem`, when first asked for: it needs torch."""
    if name != "TransformerSem":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from hef_graph.sem.inference import TransformerSem  # noqa: PLC0415  torch is slow to import

    return TransformerSem
