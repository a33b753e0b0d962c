"""The import rule of the design, and the sizes of the house, read from the source."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import hef_graph

ROOT = Path(hef_graph.__file__).parent.parent
PACKAGE = ROOT / "hef_graph"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
SOURCES = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "tools").rglob("*.py")])

ROWS = (
    {"emotions", "errors", "types", "claims", "corpus", "delimiters", "files"},
    {"messages", "candidates", "lexicon", "causes", "instruction", "reply", "crisis", "sem"},
    {"turn", "profiles", "chat"},
    {"defaults", "tool", "graph", "chat_model", "middleware"},
    {"evaluation", "cli", "ui"},
)
"""A part imports only parts of the rows above its own."""

SAME_ROW = {
    "types": {"errors"},
    "corpus": {"errors"},
    "files": {"errors"},
    "causes": {"lexicon"},
    "crisis": {"messages"},
    "profiles": {"turn"},
    "chat": {"turn"},
    "tool": {"defaults"},
    "graph": {"defaults", "tool"},
    "chat_model": {"defaults", "tool"},
    "middleware": {"defaults", "tool"},
}
"""What a part may import of its own row."""

TRAINING = {f"hef_graph.evaluation.crisis_{name}" for name in ("model", "training", "votes")}
"""The crisis classifier is trained with torch and read without: it may have neither torch nor a SEM in its own part."""

LONGEST_FILE = 300
LONGEST_BODY = 50


@dataclass(frozen=True)
class Import:
    target: str
    """The dotted name, with what is taken from it: `from a import b` is `a.b`."""
    lazy: bool
    """Inside a function."""


def read_imports(source: str, package: str) -> Iterator[Import]:
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inner = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        for target in targets_of(node, package):
            yield Import(target, id(node) in inner)


def targets_of(node: ast.AST, package: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
    base = ".".join([*above, *([node.module] if node.module else [])])
    return [f"{base}.{alias.name}" for alias in node.names]


def part_of(target: str) -> str:
    """The part that a name of the package belongs to: `hef_graph.load_sem` to `sem`."""
    name = target.split(".")[1] if "." in target else ""
    return hef_graph._HOMES.get(name, name)


def row_of(part: str) -> int:
    rows = [index for index, row in enumerate(ROWS) if part in row]
    assert len(rows) == 1, f"the part {part!r} needs one row in ROWS"
    return rows[0]


def may_import(part: str, found: Import) -> bool:
    root = found.target.split(".")[0]
    if root == "torch":
        return part == "sem" or (part in {"evaluation", "cli"} and found.lazy)
    if root == "langgraph":
        return part in {"graph", "chat_model", "middleware"} or (
            part == "cli" and found.target.startswith("langgraph.checkpoint.")
        )
    return root != "hef_graph" or may_import_part(part, part_of(found.target), found)


def may_import_part(part: str, other: str, found: Import) -> bool:
    if other in {part, "__version__"}:
        return True
    if other == "sem":
        by_default = found.lazy and found.target in {"hef_graph.sem.load_sem", "hef_graph.load_sem"}
        return row_of(part) == 4 or (part == "defaults" and by_default)
    return other in set().union(*ROWS[: row_of(part)]) | SAME_ROW.get(part, set())


def violations(module: str, source: str, *, is_package: bool = False) -> list[str]:
    package = module if is_package else module.rpartition(".")[0]
    wrong = [each.target for each in read_imports(source, package) if not may_import(module.split(".")[1], each)]
    return [target for target in wrong if not (module in TRAINING and target.split(".")[0] == "torch")]


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_only_what_its_row_allows(path: Path) -> None:
    assert violations(name_of(path), path.read_text("utf-8"), is_package=path.name == "__init__.py") == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("types", "from hef_graph.messages import clean_text"),
        ("messages", "import hef_graph.lexicon"),
        ("lexicon", "from hef_graph.causes import STOP_WORDS"),
        ("causes", "from .instruction import ROLE"),
        ("turn", "def load():\n    from hef_graph.sem import load_sem"),
        ("turn", "from hef_graph.chat.outcome import Outcome"),
        ("chat.listener", "from hef_graph.sem.config import SemConfig"),
        ("chat.listener", "from ..tool import TOOL_NAME"),
        ("chat.listener", "import langgraph.runtime"),
        ("tool", "from hef_graph.sem import load_sem"),
        ("tool", "from hef_graph import load_sem"),
        ("tool", "from langgraph.graph import END"),
        ("tool", "from hef_graph.graph import HefContext"),
        ("graph.builder", "def load():\n    from hef_graph.sem import TransformerSem"),
        ("graph.nodes", "import torch"),
        ("evaluation.metrics", "import torch.nn"),
        ("cli", "from langgraph.graph import END"),
        ("cli", "if TYPE_CHECKING:\n    from hef_graph.ui import serve"),
    ],
)
def test_the_rule_sees_an_import_that_breaks_it(module: str, source: str) -> None:
    assert len(violations(f"hef_graph.{module}", source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("causes", "from hef_graph.lexicon import Lexicon"),
        ("sem.training", "import torch"),
        ("sem.training", "from hef_graph.sem.config import SemConfig"),
        ("chat.ladder", "from .outcome import Outcome"),
        ("defaults", "def load():\n    from hef_graph.sem import load_sem"),
        ("graph.builder", "from langgraph.graph import END"),
        ("evaluation.metrics", "def measure():\n    import torch"),
        ("cli", "from langgraph.checkpoint.sqlite import SqliteSaver"),
        ("cli", "from hef_graph import __version__, create_hef_graph"),
        ("claims", "import re, torchvision_like"),
    ],
)
def test_the_rule_lets_other_imports_pass(module: str, source: str) -> None:
    assert violations(f"hef_graph.{module}", source) == []


def test_every_part_of_the_package_has_a_row() -> None:
    parts = {name_of(path).split(".")[1] for path in MODULES}
    assert parts <= set().union(*ROWS)


def test_no_part_has_two_rows() -> None:
    assert sum(len(row) for row in ROWS) == len(set().union(*ROWS))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_file_is_longer_than_300_lines(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_function_body_is_longer_than_50_lines(path: Path) -> None:
    assert [name for name, lines in body_lengths(path.read_text("utf-8")) if lines > LONGEST_BODY] == []


def body_lengths(source: str) -> Iterator[tuple[str, int]]:
    """Each function's name and the lines of its body, docstring apart."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            yield node.name, (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_a_body_is_measured_without_signature_and_docstring() -> None:
    source = 'def add(\n    a: int,\n) -> int:\n    """One.\n\n    Two.\n    """\n    b = a\n\n    return b\n'
    assert list(body_lengths(source)) == [("add", 3)]


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_module_has_a_name_that_says_nothing(path: Path) -> None:
    assert not set(name_of(path).split(".")) & {"utils", "common", "helpers", "manager"}


@pytest.mark.parametrize("module", ["hef_graph", "hef_graph.cli"])
def test_importing_the_package_leaves_torch_and_langgraph_unimported(module: str) -> None:
    code = f"import sys, {module}; print([name for name in ('torch', 'langgraph') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", hef_graph.__all__)
def test_every_public_name_can_be_found(name: str) -> None:
    found = getattr(hef_graph, name)
    assert getattr(found, "__name__", name) == name


def test_the_public_names_are_sorted_out_completely() -> None:
    assert set(hef_graph.__all__) == set(hef_graph._HOMES) <= set(dir(hef_graph))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'hef_graph' has no attribute 'load_sems'"):
        _ = hef_graph.load_sems
