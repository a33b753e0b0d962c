"""What no source of the project may call, as it would run what a file or a user says; read from the source."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
SOURCES: Final = sorted(path for part in ("hef_graph", "tools", "examples") for path in (ROOT / part).rglob("*.py"))

MODULES: Final = set("pickle _pickle cPickle cloudpickle dill joblib jsonpickle marshal shelve yaml jinja2".split())
"""Reading with them runs code; `jinja2` fills templates that can."""

CALLS: Final = {
    "eval": "runs a text",
    "exec": "runs a text",
    "compile": "makes code of a text",
    "__import__": "takes a module by a text",
    "os.system": "runs a shell",
    "os.popen": "runs a shell",
    "subprocess.getoutput": "runs a shell",
    "subprocess.getstatusoutput": "runs a shell",
    "tempfile.mktemp": "gives a name that somebody else may take first",
    "mktemp": "as above",
    "torch.hub.load": "fetches code and runs it",
    "torch.jit.load": "runs what the file says",
}

NAMES: Final = {"load_prompt", "load_prompt_from_config", "pickle_fallback", "astream_log", "extractall"}
"""Functions, methods and options, whatever they are taken from."""

OPTIONS: Final = {"trust_remote_code": True, "shell": True, "allow_pickle": True, "weights_only": False}
"""Options, by keyword or by the key of a dictionary, and the value that each must never have."""


def violations(source: str) -> list[str]:
    return [
        found for node in ast.walk(ast.parse(source)) for found in [*_imported(node), *_called(node), *_named(node)]
    ]


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and not node.level:
        names = [f"{node.module}.{alias.name}" for alias in node.names]
    elif isinstance(node, ast.Call) and _dotted(node.func).endswith("import_module"):
        names = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    else:
        return
    yield from (name for name in names if name.split(".")[0] in MODULES)
    yield from (name for name in names if f"{name}.".startswith("langchain_core.load."))


def _called(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    name = _dotted(node.func)
    if name in CALLS:
        yield name
    options = {keyword.arg: keyword.value for keyword in node.keywords}
    if name == "torch.load" and not _is(options.get("weights_only"), value=True):
        yield "torch.load without weights_only=True"


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name | ast.Attribute | ast.alias | ast.keyword):
        name = _dotted(node).rpartition(".")[2]
        yield from {name} & NAMES
    if isinstance(node, ast.keyword):
        yield from _option(node.arg, node.value)
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            yield from _option(key.value if isinstance(key, ast.Constant) else None, value)
    if isinstance(node, ast.Constant) and node.value == "jinja2":
        yield "jinja2"


def _option(name: object, value: ast.expr) -> Iterator[str]:
    """The option, unless its value is plainly the one that is allowed."""
    if isinstance(name, str) and name in OPTIONS and not _is(value, value=not OPTIONS[name]):
        yield name


def _is(node: ast.expr | None, *, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _dotted(node: ast.AST) -> str:
    """A name as it is written: `torch.hub.load`; "" for what has none."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return str(getattr(node, "id", None) or getattr(node, "name", None) or getattr(node, "arg", None) or "")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_calls_what_could_run_what_a_file_says(path: Path) -> None:
    assert violations(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "import yaml as y",
        "def read():\n    import dill",
        "import_module('marshal')",
        "importlib.import_module('shelve')",
        "eval(text)",
        "exec(text)",
        "compile(text, '', 'exec')",
        "__import__(name)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.load(path, weights_only=strict)",
        "AutoModel.from_pretrained(path, trust_remote_code=True)",
        "AutoModel.from_pretrained(path, trust_remote_code=given)",
        "options = {'trust_remote_code': True}",
        "np.load(path, allow_pickle=True)",
        "from langchain_core.load import loads",
        "from langchain_core.load.load import load",
        "import langchain_core.load",
        "from langchain_core import load",
        "from langchain_core.prompts import load_prompt",
        "prompts.load_prompt(path)",
        "PromptTemplate.from_template(text, template_format='jinja2')",
        "JsonPlusSerializer(pickle_fallback=True)",
        "graph.astream_log(state)",
        "subprocess.run(text, shell=True)",
        "os.system(text)",
        "tempfile.mktemp()",
        "archive.extractall(folder)",
    ],
)
def test_the_rule_sees_what_is_forbidden(source: str) -> None:
    assert violations(source)


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "re.compile(text)",
        "ast.literal_eval(text)",
        "json.loads(text)",
        "torch.load(path, weights_only=True, map_location='cpu')",
        "AutoModel.from_pretrained(path, trust_remote_code=False)",
        "subprocess.run([program], shell=False)",
        "from hef_graph.sem import load_sem",
        "from langchain_core.messages import load_nothing",
        "tempfile.mkdtemp()",
        "'a pickle in a text'",
    ],
)
def test_the_rule_lets_other_calls_pass(source: str) -> None:
    assert violations(source) == []
