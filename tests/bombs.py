"""Files that would do something to who opens them carelessly; all they ever do is create a marker."""

import io
import json
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import torch


class Touch:
    """Unpickling it creates a file."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._marker,)


def pickled(marker: Path) -> bytes:
    """A plain pickle."""
    return pickle.dumps({"weights": Touch(marker)}, protocol=2)


def torch_saved(marker: Path) -> bytes:
    """What `torch.save` makes of it."""
    file = io.BytesIO()
    torch.save({"weights": Touch(marker)}, file)
    return file.getvalue()


def code(marker: Path) -> str:
    """A Python module."""
    return f"from pathlib import Path\nPath({str(marker)!r}).touch()\n"


def safetensors(header: Any, body: bytes = b"", *, size: int | None = None) -> bytes:
    """A file of weights with a header that may lie; `size` is what it says of the header's length."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + body


def tensor(kind: str, shape: list[int], first: int, last: int) -> dict[str, Any]:
    """A header about one tensor."""
    return {"head.output.weight": {"dtype": kind, "shape": shape, "data_offsets": [first, last]}}


def zip_bomb() -> bytes:
    """100 MB of zeros in 100 kB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10**8))
    return file.getvalue()


def tar_bomb() -> bytes:
    """A compressed archive with a member outside the folder."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        member = tarfile.TarInfo("../../outside")
        member.size = 10**8
        archive.addfile(member, io.BytesIO(bytes(10**8)))
    return file.getvalue()
