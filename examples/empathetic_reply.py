"""A conversation of three turns with memory, answered by the embedded listener.

Any other model is one changed line: create_hef_graph("openai:gpt-4.1-mini", checkpointer=InMemorySaver())

python examples/empathetic_reply.py
"""

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver

from hef_graph import HefContext, create_hef_graph

SAID = [
    "I finally passed my driving test today!",
    "It was my third try, so I was really nervous.",
    "My mom cried when I told her.",
]


def main() -> None:
    """Print each turn's emotion, cause words and reply."""
    graph = create_hef_graph(checkpointer=InMemorySaver())
    config: RunnableConfig = {"configurable": {"thread_id": "driving"}}
    for text in SAID:
        out = graph.invoke({"messages": [HumanMessage(text)]}, config, context=HefContext(k2=5))
        words = out["cause_words"]
        print(f"you › {text}")
        print(f"      {out['emotion']}; cause words: {', '.join(words['high'] + words['low'])}")
        print(f"hef › {out['messages'][-1].text}")
    print("emotions so far:", out["emotion_history"] + [out["emotion"]])


if __name__ == "__main__":
    main()
