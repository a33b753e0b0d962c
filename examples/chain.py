"""The whole flow as a chat model, in a chain that remembers a conversation and gives the emotion beside the reply.

python examples/chain.py

Answers come from the embedded listener, offline; a large language model is one changed line:
`EmpatheticChatModel(model="openai:gpt-4.1-mini")`.
"""

from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder

from hef_graph import EmpatheticChatModel

PROMPT = ChatPromptTemplate.from_messages(
    [("system", "You talk with people of {town}."), MessagesPlaceholder("history"), ("human", "{said}")]
)

SAID = ["My dog died last week.", "He was with me for twelve years. The house is so quiet now."]

LETTERS = ["I passed my exam, at last!", "My neighbour is drilling all night again."]


def felt(message: AIMessage) -> str:
    """The emotion that the answer was written from."""
    return str(message.response_metadata["hef"]["emotion"])


def main() -> None:
    """Talk over two turns, then answer two letters at once."""
    chain: Any = PROMPT | EmpatheticChatModel() | {"reply": StrOutputParser(), "emotion": felt}
    history: list[AnyMessage] = []
    for said in SAID:
        out = chain.invoke({"town": "Graz", "history": history, "said": said})
        history += [HumanMessage(said), AIMessage(out["reply"])]
        print(f"you › {said}\nhef › {out['reply']}\n      emotion: {out['emotion']}")

    for letter, out in zip(
        LETTERS, chain.batch([{"town": "Linz", "history": [], "said": letter} for letter in LETTERS]), strict=True
    ):
        print(f"letter › {letter}\n   hef › {out['reply']}\n         emotion: {out['emotion']}")


if __name__ == "__main__":
    main()
