"""What a crisis signal is: the categories, and the value that travels.

Categories say what kind of help is due; there is no score of how likely anybody is to come to harm, since such scales
do not predict it (NICE NG225, recommendation 1.6).
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from hef_graph.errors import HefInputError

Category: TypeAlias = Literal[
    "suicidal_active",
    "suicidal_passive",
    "self_harm",
    "abuse",
    "harm_to_others",
    "medical_emergency",
    "child_at_risk",
]
"""`examples/README.md` says what each one covers."""

Time: TypeAlias = Literal["current", "past"]
Who: TypeAlias = Literal["self", "other"]

CATEGORIES: Final[tuple[Category, ...]] = get_args(Category)
TIMES: Final[tuple[Time, ...]] = get_args(Time)
WHO: Final[tuple[Who, ...]] = get_args(Who)

LONGEST_EVIDENCE: Final = 300
"""Characters of the user's text that a signal quotes at most."""


@dataclass(frozen=True, slots=True)
class CrisisSignal:
    """Something in the newest user message for which resources are due now."""

    category: Category
    time: Time = "current"
    """`past` for harm that is over but still hurts or was never told."""
    who: Who = "self"
    """Who is in danger: the user, or somebody else."""
    evidence: str = ""
    """The part of the newest user message that tells of it, word for word, at most `LONGEST_EVIDENCE` characters."""

    def __post_init__(self) -> None:
        for name, allowed in (("category", CATEGORIES), ("time", TIMES), ("who", WHO)):
            if getattr(self, name) not in allowed:
                raise HefInputError(f"{name} is {getattr(self, name)!r}; allowed are {', '.join(allowed)}")

    def to_json(self) -> dict[str, str]:
        """The state's `crisis`."""
        return {"category": self.category, "time": self.time, "who": self.who, "evidence": self.evidence}
