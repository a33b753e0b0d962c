"""Written examples as `examples/README.md` says that they are written."""

from pathlib import Path
from typing import Any

import pytest

from hef_graph.crisis.examples import FOLDER, Example, Label, read_examples
from hef_graph.errors import HefInputError


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Write `ours.txt` and read its folder."""

    def read(text: str) -> list[Example]:
        (tmp_path / "ours.txt").write_text(text, "utf-8")
        return read_examples(tmp_path)

    return read


def test_a_header_says_what_the_lines_below_it_are(read: Any) -> None:
    [first, second] = read("## pills | suicidal_active | self | current\nI have counted them.\nTonight.\n")
    label = Label("suicidal_active", "self", "current")
    assert first == Example(("I have counted them.",), label, "ours/pills")
    assert second == Example(("Tonight.",), label, "ours/pills")


def test_a_header_of_none_says_why(read: Any) -> None:
    [only] = read("## dying-to | none | idiom\nI am dying to see that film!\n")
    assert only.label == Label(None, kind="idiom")


def test_a_new_header_begins_a_new_family(read: Any) -> None:
    both = read("## a | none | idiom\nOne.\n## b | abuse | other | past\nTwo.\n")
    assert [(each.family, each.label.category) for each in both] == [("ours/a", None), ("ours/b", "abuse")]


def test_an_arrow_separates_the_turns(read: Any) -> None:
    [only] = read("## a | none | answered\nHello. => Oh no, what happened? => Nothing new.\n")
    assert only.turns == ("Hello.", "Oh no, what happened?", "Nothing new.")


def test_empty_lines_are_skipped(read: Any) -> None:
    assert len(read("\n## a | none | idiom\n\nOne.\n   \nTwo.\n\n")) == 2


def test_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.txt").write_text(f"## x | none | idiom\nOf {name}.\n", "utf-8")
    (tmp_path / "notes.md").write_text("not read", "utf-8")
    assert [each.turns for each in read_examples(tmp_path)] == [("Of a.",), ("Of b.",)]


@pytest.mark.parametrize(
    "header",
    [
        "## pills",
        "## pills | suicidal_active",
        "## pills | suicidal_active | self",
        "## pills | suicide | self | current",
        "## pills | suicidal_active | me | current",
        "## pills | suicidal_active | self | soon",
        "## pills | suicidal_active | self | current | more",
        "## pills | None | idiom",
    ],
)
def test_a_header_of_another_form_is_refused_with_its_place(read: Any, header: str) -> None:
    with pytest.raises(HefInputError, match=r"ours\.txt:2: .*## family \| category \| who \| time"):
        read(f"\n{header}\nText.\n")


def test_an_example_before_the_first_header_is_refused_with_its_place(read: Any) -> None:
    with pytest.raises(HefInputError, match=r"ours\.txt:1: .*before the first header"):
        read("Text.\n")


def test_the_shipped_training_examples_have_the_format() -> None:
    found = read_examples(FOLDER / "train")
    assert {each.label.category is None for each in found} == {True, False}
    assert all(all(each.turns) for each in found)
