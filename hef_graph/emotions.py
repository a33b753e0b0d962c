"""The 32 emotion labels of EmpatheticDialogues and the families they fall into."""

from typing import Final, Literal, TypeAlias

Family: TypeAlias = Literal["joy", "love", "surprise", "sadness", "anger", "fear", "shame"]

FAMILIES: Final[dict[str, Family]] = {
    "afraid": "fear",
    "angry": "anger",
    "annoyed": "anger",
    "anticipating": "joy",
    "anxious": "fear",
    "apprehensive": "fear",
    "ashamed": "shame",
    "caring": "love",
    "confident": "joy",
    "content": "joy",
    "devastated": "sadness",
    "disappointed": "sadness",
    "disgusted": "anger",
    "embarrassed": "shame",
    "excited": "joy",
    "faithful": "love",
    "furious": "anger",
    "grateful": "love",
    "guilty": "shame",
    "hopeful": "joy",
    "impressed": "surprise",
    "jealous": "anger",
    "joyful": "joy",
    "lonely": "sadness",
    "nostalgic": "sadness",
    "prepared": "joy",
    "proud": "joy",
    "sad": "sadness",
    "sentimental": "love",
    "surprised": "surprise",
    "terrified": "fear",
    "trusting": "love",
}
"""Coarse family of each label, grouped after the basic emotions of Shaver et al. (1987)."""

EMOTIONS: Final[tuple[str, ...]] = tuple(FAMILIES)
"""The labels in the fixed (alphabetical) order of every score vector."""

PLEASANT: Final[frozenset[Family]] = frozenset({"joy", "love", "surprise"})
"""Families whose stories one congratulates rather than comforts."""


def family_of(label: str) -> Family | None:
    """The coarse family of an EmpatheticDialogues label; None for a label of another set."""
    return FAMILIES.get(label)
