"""`EmpatheticChatModel` behind LangChain's older memory, which chains in use still have."""

from typing import Any

import pytest
from langchain_core.chat_history import BaseChatMessageHistory, InMemoryChatMessageHistory
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.history import RunnableWithMessageHistory

from hef_graph.chat_model import EmpatheticChatModel
from tests.fakes import ScriptedModel, SpeakingStubSem, StubSem, reply_json

pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainDeprecationWarning")

SAID = ["My cat died.", "Thanks, that helps."]
REPLIES = ["Oh no, poor cat.", "I am glad."]

ANNA: RunnableConfig = {"configurable": {"session_id": "anna"}}


class Memory:
    """Conversations by session."""

    def __init__(self) -> None:
        self.kept: dict[str, InMemoryChatMessageHistory] = {}

    def __call__(self, session_id: str) -> BaseChatMessageHistory:
        return self.kept.setdefault(session_id, InMemoryChatMessageHistory())


def remembering(memory: Memory, sem: StubSem | None = None) -> Runnable[Any, Any]:
    prompt = ChatPromptTemplate.from_messages(
        [("system", "You work for a vet."), MessagesPlaceholder("history"), ("human", "{said}")]
    )
    scripted = ScriptedModel(answers=[reply_json("sad", REPLIES[0]), reply_json("grateful", REPLIES[1])])
    model = EmpatheticChatModel(model=scripted, sem=sem or SpeakingStubSem())
    return RunnableWithMessageHistory(prompt | model, memory, input_messages_key="said", history_messages_key="history")


def test_each_turn_is_read_with_the_turns_before() -> None:
    sem = StubSem()
    chain = remembering(Memory(), sem) | StrOutputParser()
    assert [chain.invoke({"said": said}, ANNA) for said in SAID] == REPLIES
    assert [turn.text for turn in sem.dialogues_read[-1]] == [SAID[0], REPLIES[0], SAID[1]]


def test_the_memory_keeps_texts_and_emotions_and_no_evidence() -> None:
    memory = Memory()
    chain = remembering(memory)
    for said in SAID:
        chain.invoke({"said": said}, ANNA)
    kept = memory.kept["anna"].messages
    assert [message.text for message in kept] == [SAID[0], REPLIES[0], SAID[1], REPLIES[1]]
    assert [message.response_metadata["hef"]["emotion"] for message in kept[1::2]] == ["sad", "grateful"]


async def test_a_stream_is_remembered_as_the_words_that_were_shown() -> None:
    memory = Memory()
    chain = remembering(memory)
    shown = "".join([chunk.text async for chunk in chain.astream({"said": SAID[0]}, ANNA)])
    assert [message.text for message in memory.kept["anna"].messages] == [SAID[0], shown] == [SAID[0], REPLIES[0]]
