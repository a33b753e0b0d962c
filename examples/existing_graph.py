"""The empathetic graph as a node of a larger agent: feelings go to it, orders go to a desk.

python examples/existing_graph.py
"""

import re
from collections.abc import Iterator
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph

from hef_graph import create_hef_graph

ORDER = re.compile(r"\border (?:number )?#?(\d+)", re.IGNORECASE)


def route(state: MessagesState) -> str:
    """An order number goes to the desk; everything else is talk."""
    return "desk" if ORDER.search(state["messages"][-1].text) else "listener"


def desk(state: MessagesState) -> MessagesState:
    """Stands for the application's own tools."""
    number = ORDER.findall(state["messages"][-1].text)[0]
    return {"messages": [AIMessage(f"Order {number} left our store this morning.")]}


def main() -> None:
    """Ask the support bot two questions, and stream the second answer's words through the parent graph."""
    graph = StateGraph(MessagesState)
    graph.add_node("listener", create_hef_graph())
    graph.add_node("desk", desk)
    graph.add_conditional_edges(START, route, ["listener", "desk"])
    graph.add_edge("listener", END)
    graph.add_edge("desk", END)
    bot = graph.compile()

    out = bot.invoke({"messages": [HumanMessage("Where is order 4711?")]})
    print("bot ›", out["messages"][-1].text)
    question: MessagesState = {"messages": [HumanMessage("I feel so stupid, I ordered the wrong gift for my dad.")]}
    print("bot ›", end=" ")
    streamed: Iterator[Any] = bot.stream(question, stream_mode="messages", subgraphs=True)
    for _, (token, _) in streamed:
        print(token.text, end="", flush=True)
    print()


if __name__ == "__main__":
    main()
