"""One reading by the small empathetic model (SEM) that may fail, or take too long, without failing the turn."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from hef_graph.chat.deadline import Deadline
from hef_graph.errors import HefError, HefModelError
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
    in_time = Deadline.after(deadline.remaining * SEM_SHARE)
    try:
        return in_time.call(lambda: weigh_evidence(read(), turns, options))
    except Exception as error:  # noqa: BLE001  a SEM of any make: the model can answer without it
        if strict:
            raise as_model_error(error) from None
        _log.warning("the small empathetic model failed with %s; the turn goes on without it", _kind(error))
        return Evidence((), CauseWords(), failure=SEM_FAILED)


@contextmanager
def naming_failures() -> Iterator[None]:
    """Around a call of a SEM: what it raises becomes a `HefModelError`, unless it is an error of ours."""
    try:
        yield
    except HefError:
        raise
    except Exception as error:  # noqa: BLE001  a SEM of any make
        raise as_model_error(error) from None


def as_model_error(error: Exception) -> HefModelError:
    """What a SEM raised, without its text, which may repeat what it was reading; our own errors never do."""
    if isinstance(error, HefModelError):
        return error
    told = f": {error}" if isinstance(error, HefError) else ""
    return HefModelError(f"the small empathetic model failed with {type(error).__name__}{told}")


def _kind(error: Exception) -> str:
    """The kind of what went wrong first, where one of our own errors stands for it."""
    cause = error.__cause__ or error.__context__
    return type(cause if isinstance(error, HefModelError) and cause else error).__name__
