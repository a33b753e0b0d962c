"""A conversation kept in an SQLite file: the program ends, starts again, and goes on where it stopped.

For many processes at once: PostgresSaver of langgraph-checkpoint-postgres instead of SqliteSaver.

python examples/sqlite_chat.py
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite import SqliteSaver

from hef_graph import HefOptions, create_hef_graph

STARTS = [
    ["My dog ran away last night.", "We looked for him everywhere, and I could not sleep."],
    ["I put up posters today, but nobody has called."],
]
"""What is said each time that the program runs."""

OURS: RunnableConfig = {"configurable": {"thread_id": "dog"}}


def run(file: Path, said: list[str]) -> None:
    """One start of the program: open the file, tell what is remembered, go on."""
    with SqliteSaver.from_conn_string(str(file)) as saver:
        graph = create_hef_graph(checkpointer=saver, options=HefOptions(keep_messages=20))
        kept = graph.get_state(OURS).values
        print(f"— start: {len(kept.get('messages', []))} messages remembered")
        for text in said:
            out = graph.invoke({"messages": [HumanMessage(text)]}, OURS, durability="exit")
            print(f"you › {text}\nhef › {out['messages'][-1].text}")
            print(f"      felt before: {out['emotion_history']}; now: {out['emotion']}")


def main() -> None:
    """Run the program twice over one file."""
    with TemporaryDirectory() as folder:
        for said in STARTS:
            run(Path(folder) / "chat.sqlite", said)


if __name__ == "__main__":
    main()
