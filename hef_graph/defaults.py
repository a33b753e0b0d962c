"""What stands in for what a caller leaves out: the shipped SEM, the embedded listener.

The only module outside the top row's functions that reaches for `sem/`; it is imported late, since torch is slow.
"""

import logging
from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel, BaseLLM

from hef_graph.chat.listener import EmbeddedListener
from hef_graph.chat.local import as_chat_model
from hef_graph.chat.models import ModelLike, build_model
from hef_graph.emotions import EMOTIONS
from hef_graph.errors import HefError, HefInputError, HefModelError
from hef_graph.types import Dialogue, EmotionAnalysis, ReplyCandidate, ReplyGenerator, SmallEmpatheticModel

_log = logging.getLogger(__name__)


def resolve_sem(sem: SmallEmpatheticModel | None) -> SmallEmpatheticModel:
    """The given small empathetic model (SEM), else the shipped one.

    Raises:
        HefInputError: something else was given.
    """
    if sem is None:
        shipped: SmallEmpatheticModel = _shipped_sem()
        return shipped
    if isinstance(sem, type) or not isinstance(sem, SmallEmpatheticModel):
        raise HefInputError(f"sem is {type(sem).__name__}; a SEM has `name`, `labels` and `analyze(dialogues)`")
    return sem


def build_listener(sem: SmallEmpatheticModel) -> EmbeddedListener:
    """The embedded listener: the SEM writes itself if it can, else the shipped one writes for it."""
    speaker = sem if isinstance(sem, ReplyGenerator) else ShippedSpeaker()
    return EmbeddedListener(reader=sem, speaker=speaker, spare=SpareReader())


def resolve_model(model: ModelLike, listener: EmbeddedListener) -> BaseChatModel:
    """The given chat model, one around a local pipeline, the one behind a "provider:name" string, or the listener.

    Raises:
        HefModelError: the string cannot be set up, or the language model is no `HuggingFacePipeline`.
        HefInputError: something else was given.
    """
    if model is None:
        return listener
    if isinstance(model, str):
        return build_model(model)
    if isinstance(model, BaseLLM):
        return as_chat_model(model)
    if not isinstance(model, BaseChatModel):
        raise HefInputError(f"model is {type(model).__name__}; give a chat model, a 'provider:name' string, or None")
    return model


def resolve_sem_or_missing(sem: SmallEmpatheticModel | None, *, strict: bool) -> SmallEmpatheticModel:
    """`resolve_sem`; a shipped SEM that cannot be loaded is one that fails at every turn, unless `strict`.

    Raises:
        HefInputError: something else than a SEM was given.
        HefError: with `strict`, the shipped SEM cannot be loaded.
    """
    try:
        return resolve_sem(sem)
    except HefInputError:
        raise
    except (HefError, ImportError, OSError) as error:
        if strict:
            raise
        _log.warning("the shipped small empathetic model cannot be loaded (%s); turns go on without it", error)
        return MissingSem()


class MissingSem:
    """Stands for a SEM that could not be loaded: every reading fails, and the turn goes on without it."""

    name = "no small empathetic model"
    labels = EMOTIONS

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        """Raise `HefModelError`."""
        raise HefModelError(f"no small empathetic model is there to read {len(dialogues)} dialogues")


class SpareReader:
    """The lexicon SEM, which needs neither weights nor torch, loaded when the SEM in use has failed."""

    name = "the lexicon"

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions it knows."""
        return tuple(_lexicon_sem().labels)

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        """As the lexicon SEM's."""
        return list(_lexicon_sem().analyze(dialogues))


class ShippedSpeaker:
    """The shipped SEM, loaded when it first has to speak for a SEM without a decoder."""

    name = "the shipped SEM"

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions it can speak from."""
        return tuple(_shipped_sem().labels)

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        """As the shipped SEM's."""
        return list(_shipped_sem().analyze(dialogues))

    def propose_replies(self, dialogue: Dialogue, emotion: str, *, count: int) -> list[ReplyCandidate]:
        """As the shipped SEM's."""
        return list(_shipped_sem().propose_replies(dialogue, emotion, count=count))


def _lexicon_sem() -> Any:
    from hef_graph.sem import load_sem  # noqa: PLC0415  needed only where the SEM has failed

    return load_sem("lexicon")


def _shipped_sem() -> Any:
    from hef_graph.sem import load_sem  # noqa: PLC0415  torch is slow to import

    return load_sem()
