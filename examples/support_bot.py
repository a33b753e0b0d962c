"""The empathetic graph inside a support bot: orders go to a desk, feelings to a listener, and the bot remembers both.

python examples/support_bot.py
"""

import re
from collections.abc import Iterator
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph

from hef_graph import HefState, create_hef_graph

ORDER = re.compile(r"\border (?:number )?#?(\d+)", re.IGNORECASE)

SAID = ["Where is order 4711?", "It broke on the way. I am so disappointed!", "It was a gift for my dad."]


def route(state: HefState) -> str:
    """An order number goes to the desk; everything else is talk."""
    return "desk" if ORDER.search(state["messages"][-1].text) else "listener"


def desk(state: HefState) -> dict[str, Any]:
    """Stands for the application's own tools."""
    [number, *_] = ORDER.findall(state["messages"][-1].text)
    return {"messages": [AIMessage(f"Order {number} left our store this morning.")], "emotion": None}


def build_bot() -> Any:
    """A parent graph whose state has the listener's keys, so that the emotion reaches it."""
    graph = StateGraph(HefState)
    graph.add_node("listener", create_hef_graph(system_prompt="You work for a gift shop."))
    graph.add_node("desk", desk)
    graph.add_conditional_edges(START, route, ["listener", "desk"])
    graph.add_edge("listener", END)
    graph.add_edge("desk", END)
    return graph.compile(checkpointer=InMemorySaver())


def main() -> None:
    """Hold one conversation, streaming the listener's words through the parent graph."""
    bot, config = build_bot(), RunnableConfig(configurable={"thread_id": "1"})
    for said in SAID:
        streamed: Iterator[Any] = bot.stream(
            {"messages": [HumanMessage(said)]}, config, stream_mode="messages", subgraphs=True
        )
        print(f"you › {said}\nbot ›", "".join(token.text for _, (token, _) in streamed if token.type != "human"))
        print("      emotion:", bot.get_state(config).values["emotion"])


if __name__ == "__main__":
    main()
