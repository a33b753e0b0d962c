"""One reading by the small empathetic model (SEM) that may fail, or take too long, without failing the turn."""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from hef_graph.chat.deadline import Deadline
from hef_graph.errors import HefModelError
from hef_graph.turn import Evidence, ReadingOptions, weigh_evidence
from hef_graph.types import CauseWords, EmotionAnalysis, Turn

_log = logging.getLogger(__name__)

SEM_FAILED: Final = "sem"
"""`degraded_reason` of a turn that the large language model (LLM) had to answer without the SEM's evidence."""

SEM_SHARE: Final = 1 / 3
"""Of the turn's time, so much is the SEM's at most: a SEM that hangs leaves the rest to the LLM."""


def read_evidence(
    read: Callable[[], EmotionAnalysis],
    turns: Sequence[Turn],
    options: ReadingOptions,
    *,
    deadline: Deadline,
    strict: bool = False,
) -> Evidence:
    """What the SEM contributes to the turn; nothing, with `failure` set, if `read` raises or is not back in time.

    Args:
        read: calls the SEM on `turns`.
        turns: the dialogue that is read.
        options: how much of the analysis is kept.
        deadline: the whole turn's.
        strict: raise instead.

    Raises:
        HefModelError: with `strict`, the SEM failed.
    """
    try:
        analysis = Deadline.after(deadline.remaining * SEM_SHARE).call(read)
    except Exception as error:  # a SEM of any make: the model can answer without it
        if strict:
            raise HefModelError(f"the small empathetic model failed with {type(error).__name__}") from error
        _log.warning("the small empathetic model failed with %s; the turn goes on without it", type(error).__name__)
        return Evidence((), CauseWords(), failure=SEM_FAILED)
    return weigh_evidence(analysis, turns, options)
