"""The graph with a model of OpenAI's, or of any server that speaks its protocol: first the emotion, then the words.

OPENAI_API_KEY=… python examples/openai_model.py [MODEL]      (OPENAI_BASE_URL for another server)
"""

import os
import sys
from collections.abc import Iterator
from typing import Any

from dotenv import load_dotenv
from langchain_core.messages import HumanMessage

from hef_graph import HefOptions, create_hef_graph

SAID = "I got the job! But it means that I have to move away from my sister."


def main() -> None:
    """Stream one turn; without a key, say so and end."""
    load_dotenv()
    if not os.environ.get("OPENAI_API_KEY"):
        print("skipped: OPENAI_API_KEY is not set; every other example runs without a key")
        return
    name = sys.argv[1] if len(sys.argv) > 1 else "gpt-4.1-mini"
    graph = create_hef_graph(f"openai:{name}", options=HefOptions(profile="chatgpt"))
    said: Any = {"messages": [HumanMessage(SAID)]}
    streamed: Iterator[Any] = graph.stream(said, stream_mode=["custom", "messages", "values"])
    print(f"you › {SAID}")
    for kind, data in streamed:
        if kind == "custom":
            print(f"      {data['emotion']} ({'settled' if data['settled'] else 'the SEM guesses'})")
        elif kind == "messages":
            print(data[0].text, end="", flush=True)
        else:
            out = data
    print(f"\n      degraded_reason: {out['degraded_reason']}")


if __name__ == "__main__":
    main()
