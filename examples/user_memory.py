"""Memory across conversations: what a user felt on Monday is taken up on Tuesday, until the user wants it forgotten.

It needs a store and a `user_id`; without either nothing is kept. InMemoryStore ends with the program; PostgresStore of
langgraph-checkpoint-postgres, or SqliteStore, stay.

python examples/user_memory.py
"""

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore

from hef_graph import HefContext, create_hef_graph, forget_user
from hef_graph.graph import HefGraph

USER = "ada@example.org"


def talk(graph: HefGraph, day: str, text: str) -> None:
    """Say something in the day's conversation, and show what the model is told of earlier ones."""
    config: RunnableConfig = {"configurable": {"thread_id": day}}
    out = graph.invoke({"messages": [HumanMessage(text)]}, config, context=HefContext(user_id=USER))
    recalled = [line for line in out["instruction"].splitlines() if "earlier conversation" in line]
    print(f"{day}: {text}\n  felt: {out['emotion']}\n  recalled: {recalled[0] if recalled else 'nothing'}")


def main() -> None:
    """Two conversations, and a third after the user was forgotten."""
    store = InMemoryStore()
    graph = create_hef_graph(checkpointer=InMemorySaver(), store=store)
    talk(graph, "Monday", "My exam is tomorrow and I am so nervous about it.")
    talk(graph, "Tuesday", "Hello, it is me again.")
    for item in store.search(()):
        print("kept:", item.value["moments"])
    print("forgotten conversations:", forget_user(store, USER))
    talk(graph, "Wednesday", "Hello, how are you?")


if __name__ == "__main__":
    main()
