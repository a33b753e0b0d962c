"""hef_graph: chat agents that answer with the speaker's emotion and its cause in view.

The public names are loaded when first used: `import hef_graph` imports neither torch nor LangGraph.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hef_graph.chat_model import EmpatheticChatModel
    from hef_graph.crisis import CrisisEvent, CrisisPolicy, CrisisSignal, Resource
    from hef_graph.emotions import EMOTIONS
    from hef_graph.errors import HefCheckpointError, HefError, HefInputError, HefModelError, HefReplyError
    from hef_graph.graph import (
        Disclosure,
        HefContext,
        HefOptions,
        HefState,
        aforget,
        aforget_user,
        create_hef_graph,
        forget,
        forget_user,
    )
    from hef_graph.middleware import EmpathyMiddleware
    from hef_graph.profiles import load_profile
    from hef_graph.sem import load_sem
    from hef_graph.tool import create_emotion_tool
    from hef_graph.turn import ReadingOptions
    from hef_graph.types import CauseWords, EmotionAnalysis, EmotionScore, SmallEmpatheticModel, Turn, WordScore

__version__ = "0.1.0"

_HOMES = {
    "EMOTIONS": "emotions",
    "CauseWords": "types",
    "CrisisEvent": "crisis",
    "CrisisPolicy": "crisis",
    "CrisisSignal": "crisis",
    "Disclosure": "graph",
    "EmotionAnalysis": "types",
    "EmotionScore": "types",
    "EmpatheticChatModel": "chat_model",
    "EmpathyMiddleware": "middleware",
    "HefCheckpointError": "errors",
    "HefContext": "graph",
    "HefError": "errors",
    "HefInputError": "errors",
    "HefModelError": "errors",
    "HefOptions": "graph",
    "HefReplyError": "errors",
    "ReadingOptions": "turn",
    "HefState": "graph",
    "Resource": "crisis",
    "SmallEmpatheticModel": "types",
    "Turn": "types",
    "WordScore": "types",
    "aforget": "graph",
    "aforget_user": "graph",
    "create_emotion_tool": "tool",
    "create_hef_graph": "graph",
    "forget": "graph",
    "forget_user": "graph",
    "load_profile": "profiles",
    "load_sem": "sem",
}

__all__ = [
    "EMOTIONS",
    "CauseWords",
    "CrisisEvent",
    "CrisisPolicy",
    "CrisisSignal",
    "Disclosure",
    "EmotionAnalysis",
    "EmotionScore",
    "EmpatheticChatModel",
    "EmpathyMiddleware",
    "HefCheckpointError",
    "HefContext",
    "HefError",
    "HefInputError",
    "HefModelError",
    "HefOptions",
    "HefReplyError",
    "HefState",
    "ReadingOptions",
    "Resource",
    "SmallEmpatheticModel",
    "Turn",
    "WordScore",
    "aforget",
    "aforget_user",
    "create_emotion_tool",
    "create_hef_graph",
    "forget",
    "forget_user",
    "load_profile",
    "load_sem",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
