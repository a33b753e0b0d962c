import os
from pathlib import Path

import pytest

from hef_graph.errors import HefCheckpointError
from hef_graph.files import check_size, read_object, read_text


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.json"


def test_a_file_within_the_limit_is_read(path: Path) -> None:
    path.write_text('{"ä": [1]}', "utf-8")
    assert read_text(path, most=20) == '{"ä": [1]}'
    assert read_object(path, most=20) == {"ä": [1]}


def test_a_link_to_a_file_is_read(path: Path) -> None:
    path.with_name("other").write_text("{}")
    path.symlink_to("other")
    assert read_object(path, most=2) == {}


def test_a_larger_file_is_refused_with_both_sizes_and_never_read(path: Path) -> None:
    path.touch()
    os.truncate(path, 2**40)
    with pytest.raises(HefCheckpointError, match=rf"file\.json has {2**40} bytes; allowed are 20"):
        read_text(path, most=20)


@pytest.mark.parametrize("make", [lambda _: None, Path.mkdir, os.mkfifo, lambda p: p.symlink_to("/dev/zero")])
def test_what_is_no_plain_file_is_refused(make: object, path: Path) -> None:
    assert callable(make)
    make(path)
    with pytest.raises(HefCheckpointError, match=r"no such file: .*file\.json"):
        check_size(path, most=20)


def test_what_is_no_text_is_refused(path: Path) -> None:
    path.write_bytes(b"\xff")
    with pytest.raises(HefCheckpointError, match="is not text in UTF-8"):
        read_text(path, most=20)


def test_what_cannot_be_read_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> str:
        raise PermissionError("not yours")

    path.touch()
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(HefCheckpointError, match="cannot be read: not yours"):
        read_text(path, most=20)


@pytest.mark.parametrize("text", ["", "{", "[" * 10_000, '{"a":' * 10_000, "9" * 5000])
def test_what_is_no_json_is_refused(text: str, path: Path) -> None:
    path.write_text(text)
    with pytest.raises(HefCheckpointError, match="is not JSON"):
        read_object(path, most=10**6)


@pytest.mark.parametrize("text", ["[]", "null", "5", '"{}"'])
def test_json_that_is_no_object_is_refused(text: str, path: Path) -> None:
    path.write_text(text)
    with pytest.raises(HefCheckpointError, match="must hold a JSON object"):
        read_object(path, most=10**6)
