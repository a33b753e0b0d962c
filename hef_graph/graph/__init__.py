"""The LangGraph state machine: check_crisis → analyze_emotion → build_instruction → respond."""

from hef_graph.graph.builder import HefGraph, create_hef_graph
from hef_graph.graph.context import HefContext, HefOptions
from hef_graph.graph.disclosure import Disclosure
from hef_graph.graph.forgetting import aforget, aforget_user, forget, forget_user
from hef_graph.graph.state import HefInput, HefState

__all__ = [
    "Disclosure",
    "HefContext",
    "HefGraph",
    "HefInput",
    "HefOptions",
    "HefState",
    "aforget",
    "aforget_user",
    "create_hef_graph",
    "forget",
    "forget_user",
]
