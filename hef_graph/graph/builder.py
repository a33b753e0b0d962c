"""`create_hef_graph`: the parts put together."""

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeAlias

from langgraph._internal._constants import CONFIG_KEY_DURABILITY
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.store.base import BaseStore
from langgraph.types import Checkpointer

from hef_graph.chat.local import constrain, is_local
from hef_graph.chat.models import ModelLike
from hef_graph.crisis import CrisisPolicy
from hef_graph.defaults import build_listener, resolve_model, resolve_sem_or_missing
from hef_graph.errors import HefInputError
from hef_graph.graph.context import HefContext, HefOptions
from hef_graph.graph.entrance import guard_input
from hef_graph.graph.nodes import ANALYZE_EMOTION, BUILD_INSTRUCTION, CHECK_CRISIS, HAND_OVER, RESPOND, Nodes
from hef_graph.graph.state import HefInput, HefState, TurnState
from hef_graph.graph.twins import Twins
from hef_graph.profiles import load_profile
from hef_graph.tool import create_emotion_tool
from hef_graph.types import SmallEmpatheticModel

WHOLE_TURNS: Final = "exit"
"""A turn is written once, when it ends, well or not, or waits for a human: a sixth of the bytes of a checkpoint a node,
and no half turn is left by a process that is killed. `invoke(…, durability="async")` overrides it."""

AT_ONCE: Final = 32
"""Nodes that may run at once, far more than do. Unsaid, LangGraph counts the machine's cores in every turn, 0.2 ms on a
slow one (measured). `invoke(…, {"max_concurrency": N})` overrides it."""

HefGraph: TypeAlias = CompiledStateGraph[TurnState, HefContext, HefInput, HefState]


def create_hef_graph(
    model: ModelLike = None,
    *,
    sem: SmallEmpatheticModel | None = None,
    system_prompt: str | None = None,
    options: HefOptions | None = None,
    profile: str | Path | None = None,
    checkpointer: Checkpointer = None,
    store: BaseStore | None = None,
) -> HefGraph:
    """A compiled graph that answers with the speaker's emotion and its cause in view.

    ```python
    graph = create_hef_graph()
    out = graph.invoke({"messages": [("user", "I lost my job today.")]})
    out["emotion"], out["messages"][-1].text
    ```

    Args:
        model: a chat model, a "provider:name" string, or None for the embedded listener.
        sem: the small empathetic model (SEM) that reads the dialogue; None for the shipped one.
        system_prompt: the application's own words to the model, placed before ours.
        options: settings of this graph; settings of a single call are a `HefContext`.
        profile: how much evidence the model is shown: short for `HefOptions(profile=…)`.
        checkpointer: remembers conversations by `thread_id`.
        store: memory across conversations: with it, what a user (`HefContext.user_id`) felt is kept and recalled in
            later threads; `forget_user` deletes it.

    Raises:
        HefModelError: the model string cannot be set up, or a local model cannot be held to the schema.
        HefInputError: `model` or `sem` is of another kind, or `profile` is not what `options` says.
    """
    chosen = _with_profile(options or HefOptions(), profile)
    reader = resolve_sem_or_missing(sem, strict=chosen.strict)
    listener = build_listener(reader)
    answering = resolve_model(model, listener)
    if is_local(answering):
        constrain(answering, tuple(reader.labels))  # what is missing shows here, and no first turn reads a vocabulary
    nodes = Nodes(
        sem=reader,
        tool_for=lru_cache(maxsize=16)(lambda reading: create_emotion_tool(reader, options=reading)),
        model=answering,
        listener=listener,
        system_prompt=system_prompt,
        options=chosen,
        store=store,
    )
    graph = _wire(nodes, chosen.crisis_policy).compile(checkpointer=checkpointer, store=store, name="hef")
    guard_input(graph)
    graph.config = {"max_concurrency": AT_ONCE, "configurable": {CONFIG_KEY_DURABILITY: WHOLE_TURNS}}
    return graph


def _with_profile(options: HefOptions, profile: str | Path | None) -> HefOptions:
    if profile is None:
        return options
    if options.profile and load_profile(profile) != options.profile_reading:
        raise HefInputError(f"profile is {str(profile)!r}, but options say {options.profile!r}; give one of them")
    return replace(options, profile=str(profile))


def _wire(nodes: Nodes, policy: CrisisPolicy | None) -> StateGraph[TurnState, HefContext, HefInput, HefState]:
    graph = StateGraph(TurnState, context_schema=HefContext, input_schema=HefInput, output_schema=HefState)
    graph.add_node(CHECK_CRISIS, nodes.check_crisis)
    graph.add_node(ANALYZE_EMOTION, nodes.analyze_emotion)
    graph.add_node(BUILD_INSTRUCTION, Twins(nodes.build_instruction, nodes.abuild_instruction))
    graph.add_node(RESPOND, Twins(nodes.respond, nodes.arespond))
    graph.add_edge(START, CHECK_CRISIS)
    if policy is None:
        graph.add_edge(CHECK_CRISIS, ANALYZE_EMOTION)
    else:
        after_crisis = HAND_OVER if policy.hand_over else END
        graph.add_conditional_edges(CHECK_CRISIS, _is_crisis, {True: after_crisis, False: ANALYZE_EMOTION})
        if policy.hand_over:
            graph.add_node(HAND_OVER, nodes.hand_over)
            graph.add_edge(HAND_OVER, END)
    for source, target in pairwise([ANALYZE_EMOTION, BUILD_INSTRUCTION, RESPOND, END]):
        graph.add_edge(source, target)
    return graph


def _is_crisis(state: TurnState) -> bool:
    return state.get("crisis") is not None
