"""Files of a Hugging Face sequence classifier → model and tokenizer. Weights are safetensors, and no code is run."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch

from hef_graph.errors import HefCheckpointError, HefError, HefInputError
from hef_graph.sem.plugins.huggingface_limits import check_folder, find_weights
from hef_graph.sem.plugins.huggingface_text import panics_as_errors

DOWNLOADED: Final = ("*.json", "*.txt", "*.model", "*.safetensors")
"""Neither pickles nor code are fetched from the hub."""

EXTRA: Final = "a Hugging Face classifier as SEM needs transformers: pip install 'hef-graph[huggingface]'"


class Classifier(NamedTuple):
    """What a folder holds."""

    model: Any
    """A `PreTrainedModel` with a head for sequence classification, in single precision, ready to read."""
    tokenizer: Any
    """A `PreTrainedTokenizerFast`."""
    labels: tuple[str, ...]


@lru_cache(maxsize=8)
def download_snapshot(hub_id: str) -> Path:
    """The folder of a hub repository's files: from the network, or without one the copy in the hub's cache.

    Raises:
        HefCheckpointError: there is no such repository, it may not be read, or there is neither network nor copy.
    """
    try:
        from huggingface_hub import errors, snapshot_download  # noqa: PLC0415  slow to import
    except ImportError as error:
        raise HefInputError(EXTRA) from error
    missing = f"there is no folder {hub_id!r} here, and "
    try:
        return Path(snapshot_download(hub_id, allow_patterns=list(DOWNLOADED), ignore_patterns=["*/*"]))
    except errors.GatedRepoError as error:
        raise HefCheckpointError(f"{hub_id!r} is gated: accept its terms on the hub, then `hf auth login`") from error
    except errors.RepositoryNotFoundError as error:
        raise HefCheckpointError(f"{missing}the hub has no model of that name that you may read") from error
    except (OSError, ValueError) as error:
        reason = _first_line(error)
        raise HefCheckpointError(f"{missing}it cannot be had from the Hugging Face hub now ({reason})") from error


def read_classifier(folder: Path) -> Classifier:
    """Load a folder that `save_pretrained` wrote.

    Raises:
        HefCheckpointError: no safetensors, no fast tokenizer, code of its own, or no usable classifier.
        HefInputError: transformers is not installed.
    """
    check_folder(folder)
    if (folder / "adapter_config.json").exists():
        raise HefCheckpointError(
            f"{folder} is an adapter for another model; merge it into that model and save the whole"
        )
    try:
        model, tokenizer, unset = _read(folder)
    except HefError:
        raise
    except Exception as error:  # foreign files in a foreign library: nobody can list what it raises
        raise HefCheckpointError(_explain(folder, error)) from error
    if unset:
        raise HefCheckpointError(
            f"{folder} is no trained sequence classifier: its weights lack {', '.join(sorted(unset)[:3])}"
        )
    _check_tokenizer(folder, model, tokenizer)
    return Classifier(model.eval().requires_grad_(False), tokenizer, _read_labels(folder, model.config))


def find_window(model: Any, tokenizer: Any) -> int:
    """The most tokens that both take, special tokens included; 512 where neither says."""
    sizes = [int(tokenizer.model_max_length), int(getattr(model.config, "max_position_embeddings", 0) or 0)]
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
            unused = 0 if module.padding_idx is None else module.padding_idx + 1  # RoBERTa counts from there
            sizes.append(module.num_embeddings - unused)
    return min((size for size in sizes if 0 < size < _NO_LIMIT), default=512)


_NO_LIMIT: Final = 10**6
"""Tokenizers that know no limit give a far larger number."""


def _read(folder: Path) -> tuple[Any, Any, set[str]]:
    """Model, tokenizer, and the names of weights that the files do not set."""
    try:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: PLC0415  takes seconds
    except ImportError as error:
        raise HefInputError(EXTRA) from error
    with _silence(), panics_as_errors():
        _check_shape(folder)
        model, info = AutoModelForSequenceClassification.from_pretrained(
            str(folder),
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
        tokenizer = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    return model, tokenizer, set(info["missing_keys"])


def _check_shape(folder: Path) -> None:
    """The model that `config.json` describes has its weights: what is missing would be made up, gigabytes of it."""
    from transformers import AutoConfig, AutoModelForSequenceClassification  # noqa: PLC0415  takes seconds

    config = AutoConfig.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    library: Any = AutoModelForSequenceClassification  # partly untyped
    with torch.device("meta"):  # takes no memory
        empty = library.from_config(config, trust_remote_code=False, dtype=torch.float32)
    described = sum(parameter.numel() for parameter in empty.parameters())
    size = sum(path.stat().st_size for path in find_weights(folder))
    if described > size:
        raise ValueError(f"config.json describes a model of {described} numbers, the weights have {size} bytes")


def _check_tokenizer(folder: Path, model: Any, tokenizer: Any) -> None:
    if not getattr(tokenizer, "is_fast", False):
        raise HefCheckpointError(f"{folder} has no fast tokenizer (tokenizer.json); save one with `save_pretrained`")
    if len(tokenizer) <= len(tokenizer.all_special_ids):  # what the library makes of missing files
        raise HefCheckpointError(
            f"{folder} has no tokenizer files (tokenizer.json); save the tokenizer beside the model"
        )
    known = model.get_input_embeddings().num_embeddings
    if (pieces := _pieces_in_use(tokenizer)) > known:
        raise HefCheckpointError(f"{folder}: the tokenizer has {pieces} pieces, the model knows only {known}")


def _pieces_in_use(tokenizer: Any) -> int:
    """One more than the greatest id that a text can get; special tokens beyond it are never read from a text."""
    ids = tokenizer.backend_tokenizer.get_vocab(with_added_tokens=False).values()
    added = (index for index, token in tokenizer.added_tokens_decoder.items() if not token.special)
    return 1 + max([*ids, *added], default=-1)


def _read_labels(folder: Path, config: Any) -> tuple[str, ...]:
    labels = tuple(str(config.id2label[index]).strip() for index in sorted(config.id2label))
    if config.problem_type == "regression" or len(labels) < 2:  # noqa: PLR2004  a choice needs two
        raise HefCheckpointError(
            f"{folder} gives one number, not emotions; a SEM needs a classifier of 2 labels or more"
        )
    if len(set(labels)) != len(labels) or not all(label and label.isprintable() for label in labels):
        raise HefCheckpointError(
            f"{folder}: the labels in config.json must be different and not empty, each in one line, got {labels}"
        )
    return labels


def _explain(folder: Path, error: Exception) -> str:
    if "trust_remote_code" in str(error):
        return f"{folder} needs code of its own (auto_map in config.json), which is never run; give a model without"
    if "ignore_mismatched_sizes" in str(error):
        return (
            f"{folder} cannot be loaded as a sequence classifier: its weights are not of the shapes of its config.json"
        )
    return f"{folder} cannot be loaded as a sequence classifier: {_first_line(error)}"


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


@contextmanager
def _silence() -> Iterator[None]:
    """No progress bars and no loading report: what is wrong is said in one sentence of ours."""
    from transformers import utils  # noqa: PLC0415  takes seconds

    logging: Any = utils.logging  # partly untyped
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
