"""The cases of a study: what every system is asked, and what people said."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import AIMessage, HumanMessage

from hef_graph.corpus import Context
from hef_graph.errors import HefInputError
from hef_graph.messages import turns_from_messages
from hef_graph.types import Turn, turns_from_dialogue


@dataclass(frozen=True, slots=True)
class Case:
    """One dialogue to answer."""

    case_id: str
    """The conversation's id and the index of the listener's turn that is asked for, as `hit:1_conv:2#3`."""
    conv_id: str
    """Cases of one conversation are not independent: intervals draw whole conversations."""
    turns: tuple[str, ...]
    """Alternating speaker and listener, ending with the speaker."""
    emotion: str
    """The gold label."""
    reference: str
    """What the listener said."""


def cases_of(contexts: Sequence[Context]) -> list[Case]:
    """One case a context, in order.

    Raises:
        HefInputError: two conversations share an id and so their cases would.
    """
    cases = [Case(f"{c.conv_id}#{len(c.turns)}", c.conv_id, c.turns, c.emotion, c.reply) for c in contexts]
    [(most_common, count)] = Counter(case.case_id for case in cases).most_common(1) or [("", 0)]
    if count > 1:
        raise HefInputError(
            f"the case {most_common!r} occurs {count} times; give each conversation a conv_id of its own"
        )
    return cases


def sample_cases(cases: Sequence[Case], *, count: int | None, seed: int) -> list[Case]:
    """`count` cases drawn without replacement, in their original order; all of them for None, or if there are fewer.

    The draw depends on the ids and the seed alone: not on the order of the file.
    """
    if count is None or count >= len(cases):
        return list(cases)
    drawn = set(random.Random(seed).sample(sorted(case.case_id for case in cases), count))  # noqa: S311  no secret
    return [case for case in cases if case.case_id in drawn]


def turns_of(case: Case) -> list[Turn]:
    """The dialogue as the product takes it in.

    Raises:
        HefInputError: there is nothing to answer in it.
    """
    kinds = {"speaker": HumanMessage, "listener": AIMessage}
    try:
        return turns_from_messages([kinds[turn.role](turn.text) for turn in turns_from_dialogue(case.turns)])
    except HefInputError as error:
        raise HefInputError(f"the case {case.case_id} cannot be asked: {error}") from error
