import pytest

from hef_graph.emotions import EMOTIONS, FAMILIES, PLEASANT, family_of


def test_there_are_32_different_labels() -> None:
    assert len(EMOTIONS) == len(set(EMOTIONS)) == 32


def test_labels_are_lower_case_words_in_alphabetical_order() -> None:
    assert list(EMOTIONS) == sorted(EMOTIONS)
    assert all(label.isalpha() and label.islower() for label in EMOTIONS)


@pytest.mark.parametrize(
    ("label", "family"),
    [
        ("devastated", "sadness"),
        ("jealous", "anger"),
        ("apprehensive", "fear"),
        ("embarrassed", "shame"),
        ("grateful", "love"),
        ("prepared", "joy"),
        ("impressed", "surprise"),
    ],
)
def test_a_label_belongs_to_its_family(label: str, family: str) -> None:
    assert family_of(label) == family


@pytest.mark.parametrize("label", ["neutral", "Sad", ""])
def test_a_label_of_another_set_has_no_family(label: str) -> None:
    assert family_of(label) is None


def test_joy_love_and_surprise_are_the_pleasant_families() -> None:
    assert set(FAMILIES.values()) - PLEASANT == {"sadness", "anger", "fear", "shame"}
