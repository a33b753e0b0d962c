"""The wheel: everything inside, and it works where the source is not."""

import json
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel; its dependencies are lent by the environment of the tests."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    site = next(folder.glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (site / "lent.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin" / "python"


@pytest.mark.parametrize(
    "name",
    [
        "hef_graph/py.typed",
        "hef_graph/lexicon.tsv",
        "hef_graph/sem/MODEL_CARD.md",
        "hef_graph/sem/weights/model.safetensors",
        "hef_graph/sem/weights/config.json",
        "hef_graph/sem/weights/vocab.txt",
        "hef_graph/sem/weights/NOTICE",
    ],
)
def test_the_wheel_holds_what_the_package_needs(name: str, wheel: Path) -> None:
    assert name in zipfile.ZipFile(wheel).namelist()


def test_the_wheel_holds_nothing_but_the_package(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert all(top == "hef_graph" or top.endswith(".dist-info") for top in tops)


def test_the_weights_stay_below_60_megabytes() -> None:
    files = (ROOT / "hef_graph" / "sem" / "weights").iterdir()
    assert sum(file.stat().st_size for file in files) <= 60_000_000


def test_the_installed_wheel_answers_offline(installed: Path, tmp_path: Path) -> None:
    code = "import sys; from hef_graph.cli import main; sys.exit(main(['reply', '--json', 'My cat died yesterday.']))"
    offline = {"PATH": "", "HF_HUB_OFFLINE": "1", "HEF_HOME": str(tmp_path), "http_proxy": "http://127.0.0.1:9"}
    run = subprocess.run(
        [str(installed), "-c", code], cwd=tmp_path, env=offline, check=True, capture_output=True, text=True
    )
    answer = json.loads(run.stdout)["structured_response"]
    assert answer["emotion"] in {"sad", "devastated", "sentimental"}
    assert len(answer["response"].split()) > 2


def test_the_installed_wheel_is_the_one_that_answers(installed: Path, tmp_path: Path) -> None:
    where = [str(installed), "-c", "import hef_graph; print(hef_graph.__file__)"]
    printed = subprocess.run(where, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert printed.startswith(str(installed.parents[1]))
