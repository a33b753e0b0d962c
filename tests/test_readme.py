"""What the README shows is what happens."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def seen(output: str) -> tuple[str, list[str], str]:
    """Emotion, candidates and cause words; the reply's wording and the last digits may differ between processors."""
    emotion, candidates = output.partition(" › ")[0], re.findall(r"'label': '(\w+)'", output)
    return emotion, candidates, output[output.rindex("{") :].strip()


def test_the_embedding_example_sees_what_the_readme_says(capsys: pytest.CaptureFixture[str]) -> None:
    [example] = blocks("python")
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102  the README's own code
    assert seen(capsys.readouterr().out) == seen(blocks("text")[0])


def test_the_embedding_example_is_short() -> None:
    assert len(blocks("python")[0].splitlines()) <= 15


@pytest.mark.parametrize("name", re.findall(r"tools/\w+\.py|tests/\w+\.py|hef_graph/[\w/]+\.(?:md|py)", README))
def test_every_file_that_the_readme_names_exists(name: str) -> None:
    assert (Path(__file__).parents[1] / name).is_file()
