"""How many tokens a text has, without a download: an estimate that says how it was made."""

import hashlib
import math
import os
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

Counting: TypeAlias = Literal["o200k", "characters / 4"]
"""o200k: the model's own tokens · characters / 4: a rule of thumb, for English."""

CHARACTERS_PER_TOKEN: Final = 4

_TABLE: Final = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
"""The address under which tiktoken keeps its table; never opened here."""

_TABLE_SHA256: Final = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
"""Of the table: a damaged one would make tiktoken delete and download it."""


@dataclass(frozen=True, slots=True)
class TokenCount:
    """A number of tokens and where it comes from; the two are printed together."""

    count: int
    how: Counting

    def show(self) -> str:
        """For people.

        >>> TokenCount(1234, "characters / 4").show()
        '1,234 tokens (characters / 4)'
        """
        return f"{self.count:,} tokens ({self.how})"


def count_tokens(text: str, model_name: str | None) -> TokenCount:
    """The text's tokens: by o200k for a model that uses it, where its table is on this machine; else by length.

    >>> count_tokens("How are you?", "somebody:their-model")
    TokenCount(count=3, how='characters / 4')
    """
    encoding = _o200k() if uses_o200k(model_name) else None
    if encoding is None:
        return TokenCount(math.ceil(len(text) / CHARACTERS_PER_TOKEN), "characters / 4")
    return TokenCount(len(encoding.encode_ordinary(text)), "o200k")


def uses_o200k(model_name: str | None) -> bool:
    """Whether tiktoken knows the model as one of o200k's; `provider:` or `owner/` may stand before its name."""
    name = model_name or ""
    return any(
        _encoding_of(each).startswith("o200k") for each in (name, name.partition(":")[2], name.rpartition("/")[2])
    )


def _encoding_of(model_name: str) -> str:
    try:
        return str(import_module("tiktoken").encoding_name_for_model(model_name))
    except (ImportError, KeyError):  # tiktoken comes with the extra `openai`
        return ""


def _o200k() -> Any:
    """The encoding; None where making it would need a download."""
    table = _table_path()
    return import_module("tiktoken").get_encoding("o200k_base") if table is not None and _is_whole(table) else None


def _table_path() -> Path | None:
    """Where tiktoken looks for the table; None where it is told to keep none."""
    by_default = str(Path(tempfile.gettempdir()) / "data-gym-cache")
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR", by_default))
    name = hashlib.sha1(_TABLE.encode()).hexdigest()  # noqa: S324  tiktoken's name for a file, no secret
    return Path(folder) / name if folder else None


def _is_whole(table: Path) -> bool:
    try:
        return _digest(table, table.stat().st_mtime_ns) == _TABLE_SHA256
    except OSError:
        return False


@lru_cache(maxsize=4)
def _digest(table: Path, _changed: int) -> str:
    return hashlib.sha256(table.read_bytes()).hexdigest()
