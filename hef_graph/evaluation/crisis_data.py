"""What the crisis classifier learns from: families of written examples, and ordinary talk."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hef_graph.corpus import read_conversations
from hef_graph.crisis.examples import Example
from hef_graph.crisis.normalisation import normalise
from hef_graph.crisis.rules import find_hits
from hef_graph.errors import HefInputError

ASIDE: Final = 0.03
"""Share of the families that choose the best epoch."""
COMMENTS: Final = 12_000
"""So many remarks are drawn."""


def set_families_aside(examples: Sequence[Example], *, seed: int = 0) -> tuple[list[Example], list[Example]]:
    """Examples to learn from and examples set aside; no family is in both."""
    families = sorted({each.family for each in examples})
    random.Random(seed).shuffle(families)  # noqa: S311  drawing, not cryptography
    chosen = set(families[: round(ASIDE * len(families))])
    return [e for e in examples if e.family not in chosen], [e for e in examples if e.family in chosen]


def ordinary_talk(conversations: Path, comments: Path | None = None, *, seed: int = 0) -> list[tuple[str, ...]]:
    """Each speaker's turn of the conversations with the two turns before it, and remarks by themselves.

    Those whose newest text holds a plain phrase of a crisis are left out: a few are true.

    Raises:
        HefInputError: a file is missing or has another form.
    """
    talk = [
        each.utterances[max(0, index - 2) : index + 1]
        for each in read_conversations(conversations)
        for index in range(0, len(each.utterances), 2)
    ]
    remarks = _read_comments(comments) if comments else []
    drawn = random.Random(seed).sample(remarks, min(COMMENTS, len(remarks)))  # noqa: S311  as above
    return [turns for turns in [*talk, *drawn] if not find_hits(normalise(turns[-1]).text)]


def _read_comments(path: Path) -> list[tuple[str, ...]]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise HefInputError(
            f"{path} is no file of remarks: {error}; expected text and other columns with tabs"
        ) from error
    return [(line.partition("\t")[0],) for line in lines if line.strip()]
