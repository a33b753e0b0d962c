"""What a caller may set per call (`HefContext`) and per graph (`HefOptions`)."""

from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from typing import ClassVar, Final

from pydantic import ConfigDict

from hef_graph.candidates import K2
from hef_graph.chat.methods import Method
from hef_graph.crisis import DEFAULT_POLICY, CrisisPolicy
from hef_graph.errors import HefInputError
from hef_graph.graph.disclosure import Disclosure
from hef_graph.profiles import load_profile
from hef_graph.turn import ReadingOptions


@dataclass(frozen=True)
class HefContext:
    """Settings of one call; a form in LangGraph Studio."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)  # the form explains itself

    model: str | None = None
    """Another chat model for this call, as "provider:name"; None keeps the graph's."""
    k1: int = 3
    """Cause words."""
    k2: K2 = 10
    """Prioritised emotions: a number, or "adaptive"."""
    coverage: float = 0.95
    """With `k2="adaptive"`: in what share of cases the right emotion is to be among the prioritised ones."""
    two_stage: bool = True
    """Two-stage emotion prediction on or off."""
    cause_perception: bool = True
    """Emotion cause perception on or off."""
    deadline: float = 30.0
    """Seconds for the whole turn; then the rung below the LLM answers."""
    locale: str | None = None
    """Country of the user, as a two-letter code."""
    user_id: str | None = None
    """Who the user is: with a graph that has a store, the key of memory across conversations."""

    def __post_init__(self) -> None:
        if isinstance(self.deadline, str) or not self.deadline > 0:
            raise HefInputError(f"deadline is {self.deadline!r}; allowed are seconds above 0")
        if not isinstance(self.user_id, str | None):
            raise HefInputError(f"user_id is {type(self.user_id).__name__}; allowed are texts, or None")
        _ = self.reading

    @cached_property
    def reading(self) -> ReadingOptions:
        """The part that the steps of a turn need."""
        return ReadingOptions(self.k1, self.k2, self.coverage, self.two_stage, self.cause_perception)

    def reading_over(self, profile: ReadingOptions) -> ReadingOptions:
        """`reading`, where what is left at its default takes the profile's value."""
        return _put_over(self.reading, profile)


DEFAULT_CONTEXT: Final = HefContext()
"""What a call without settings has."""


@lru_cache(maxsize=64)
def _put_over(given: ReadingOptions, profile: ReadingOptions) -> ReadingOptions:
    plain = asdict(ReadingOptions())
    return replace(profile, **{name: value for name, value in asdict(given).items() if value != plain[name]})


@dataclass(frozen=True)
class HefOptions:
    """Settings of one graph."""

    profile: str | None = None
    """How much evidence the model in use is shown: a preset's name or a .toml file (`hef_graph.profiles`)."""
    strict: bool = False
    """Raise the typed error of a failing model instead of answering from the rung below."""
    crisis_policy: CrisisPolicy | None = DEFAULT_POLICY
    """What is a crisis and how it is answered (`SAFETY.md`); None switches the check off, at your own risk."""
    disclosure: bool | Disclosure = True
    """Give notice that an AI answers, at a conversation's start and every three hours; or a notice of your own."""
    keep_messages: int | None = 40
    """So many of the newest messages stay in the state; None keeps all."""
    structured_method: Method | None = None
    """How the model is asked for the reply's schema at first; None chooses by what the model can do."""

    @property
    def notice(self) -> Disclosure | None:
        """The notice that an AI answers; None without one."""
        return self.disclosure if isinstance(self.disclosure, Disclosure) else Disclosure() if self.disclosure else None

    @cached_property
    def profile_reading(self) -> ReadingOptions:
        """What the profile says; the defaults without one."""
        return load_profile(self.profile) if self.profile else ReadingOptions()

    def __post_init__(self) -> None:
        _ = self.profile_reading
        if self.keep_messages is not None and self.keep_messages < 2:  # noqa: PLR2004  a question and its answer
            raise HefInputError(f"keep_messages is {self.keep_messages!r}; allowed are 2 or more, or None for all")
