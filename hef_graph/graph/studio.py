"""The graph as LangGraph's development server loads it (`langgraph.json`): for Studio and Agent Chat UI.

The environment variable `HEF_MODEL` names the chat model, as in "openai:gpt-4.1-mini"; without it the embedded
listener answers.
"""

import os
from typing import Final

from hef_graph.graph.builder import HefGraph, create_hef_graph

# The server imports this module once, in a thread, before it takes requests, and calls `make_graph` in its event loop
# for every one of them: the weights are read here, so that no request waits for a file.
_GRAPH: Final = create_hef_graph(os.environ.get("HEF_MODEL") or None)


def make_graph() -> HefGraph:
    """The one graph of this process, without a checkpointer: the server brings its own."""
    return _GRAPH
