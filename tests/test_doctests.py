"""The examples in docstrings hold."""

import doctest
import importlib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "hef_graph"
SHOWN = [path for path in PACKAGE.rglob("*.py") if ">>>" in path.read_text("utf-8")]


def test_some_docstrings_show_examples() -> None:
    assert len(SHOWN) >= 3


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.stem)
def test_the_examples_of_a_module_hold(path: Path) -> None:
    name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    assert doctest.testmod(importlib.import_module(name)).failed == 0
