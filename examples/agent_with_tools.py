"""An agent with a tool of its own that sees how its customer feels.

python examples/agent_with_tools.py

The model is scripted, so that this runs offline; a real one is one changed line: `model = "openai:gpt-4.1-mini"`.
"""

from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolCall
from langchain_core.tools import tool
from typing_extensions import override

from hef_graph import EmpathyMiddleware

SAID = "My grandmother's ring still isn't back from you. I'm so scared that it got lost."

ANSWERS = [
    AIMessage("", tool_calls=[ToolCall(name="find_repair", args={"item": "ring"}, id="1", type="tool_call")]),
    AIMessage("It is safe. It lies in our workshop, and it will be back with you on Friday."),
]


class ScriptedModel(GenericFakeChatModel):
    """Gives the answers above, and prints the message that it is to answer."""

    @override
    def bind_tools(self, tools: Any, **kwargs: Any) -> "ScriptedModel":
        return self

    @override
    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Any:
        print(f"the model is shown › {messages[-1].type}: {messages[-1].text}\n")
        return super()._generate(messages, *args, **kwargs)


@tool
def find_repair(item: str) -> str:
    """Look up where an item is that a customer gave us to repair."""
    return f"{item}: in the workshop, ready on Friday"


def main() -> None:
    """Let a customer ask for a ring, and show what the agent made of it."""
    model = ScriptedModel(messages=iter(ANSWERS))
    agent = create_agent(
        model, [find_repair], system_prompt="You work for a jeweller.", middleware=[EmpathyMiddleware()]
    )
    out = agent.invoke({"messages": [{"role": "user", "content": SAID}]})
    print("emotion ›", out["emotion"])
    print("cause words ›", out["cause_words"])
    print("agent ›", out["messages"][-1].text)


if __name__ == "__main__":
    main()
