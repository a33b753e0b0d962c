"""Which versions of LangChain, LangGraph and the OpenAI client the tests run on: `make test-lowest` and `make
test-latest` say so in `HEF_VERSIONS`."""

import os
import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT: Final = Path(__file__).parents[1]
VERSIONS: Final = os.environ.get("HEF_VERSIONS")


def declared() -> dict[str, Requirement]:
    """The family's requirements, the extras' too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [text for extra in project["optional-dependencies"].values() for text in extra]
    found = [Requirement(text) for text in [*project["dependencies"], *extras]]
    return {each.name: each for each in found if re.match("langchain|langgraph|langsmith|openai", each.name)}


FAMILY: Final = {name: each for name, each in declared().items() if name not in {"langchain-tests", "langgraph-cli"}}
"""Without the tools: nothing of ours is built on them."""


def floor(requirement: Requirement) -> str:
    [lowest] = [each.version for each in requirement.specifier if each.operator == ">="]
    return lowest


def pinned(name: str) -> str:
    [version] = re.findall(rf"^{name}==(.+)$", (ROOT / "constraints.txt").read_text("utf-8"), flags=re.MULTILINE)
    return str(version)


def wanted(requirement: Requirement) -> SpecifierSet:
    """The versions that this run is for."""
    if VERSIONS == "lowest":
        return SpecifierSet(f"=={floor(requirement)}")
    return requirement.specifier & SpecifierSet(f">={pinned(requirement.name)}" if VERSIONS == "latest" else "")


@pytest.mark.parametrize("name", FAMILY)
def test_the_tests_run_on_the_versions_that_were_asked_for(name: str) -> None:
    assert distribution(name).version in wanted(FAMILY[name])


@pytest.mark.skipif(VERSIONS is None, reason="only where other versions are asked for")
@pytest.mark.parametrize("name", FAMILY)
def test_other_versions_come_from_an_environment_of_their_own(name: str) -> None:
    assert f".versions/{VERSIONS}/" in Path(str(distribution(name).locate_file(""))).as_posix() + "/"


@pytest.mark.parametrize("name", FAMILY)
def test_a_pinned_version_is_one_that_the_package_allows(name: str) -> None:
    assert pinned(name) in FAMILY[name].specifier
