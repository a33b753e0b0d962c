import json
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph

from hef_graph.graph import HefContext, HefGraph, HefOptions, create_hef_graph
from tests.fakes import REPLIES, Answer, ScriptedModel, SpeakingStubSem, reply_json
from tests.runs import Mode, run_turn, say, thread

SAID = "I lost my cat."

REPLY = 'Oh no! "Lost", you say? {Poor} you 😢.'

SENTENCES = ["Oh no!", ' "Lost", you say?', " {Poor} you 😢."]

NODES = ["check_crisis", "analyze_emotion", "build_instruction", "respond"]

streamed = pytest.mark.parametrize("mode", ["stream", "astream"])


def scripted(*answers: Answer, **options: Any) -> HefGraph:
    model = ScriptedModel(answers=list(answers) or [reply_json("lonely", REPLY)])
    return create_hef_graph(model, sem=SpeakingStubSem(), **options)


async def events(graph: Any, mode: str, **options: Any) -> list[Any]:
    """All that a streamed turn yields."""
    if mode == "stream":
        return list(graph.stream(say(SAID), **options))
    return [event async for event in graph.astream(say(SAID), **options)]


@streamed
async def test_the_tokens_are_the_replys_sentences(mode: Mode) -> None:
    run = await run_turn(scripted(), mode, SAID)
    assert "".join(run.tokens) == REPLY == run.out["messages"][-1].text
    assert [token for token in run.tokens if token] == SENTENCES


@streamed
async def test_no_brace_of_the_json_is_among_the_tokens(mode: Mode) -> None:
    run = await run_turn(scripted(reply_json("lonely", "Oh no, poor you.")), mode, SAID)
    assert not any("{" in token or "emotion" in token for token in run.tokens)


@streamed
async def test_the_tokens_are_chunks_of_one_message_of_the_last_node(mode: str) -> None:
    chunks = await events(scripted(), mode, stream_mode="messages")
    assert {type(message) for message, _ in chunks} == {AIMessageChunk}
    assert len({message.id for message, _ in chunks}) == 1
    assert {metadata["langgraph_node"] for _, metadata in chunks} == {"respond"}


@streamed
async def test_the_streamed_message_is_the_one_in_the_state(mode: str) -> None:
    told = await events(scripted(), mode, stream_mode=["messages", "values"])
    [chunk_id] = {data[0].id for kind, data in told if kind == "messages"}
    assert told[-1][1]["messages"][-1].id == chunk_id


@streamed
async def test_a_repaired_answer_streams_only_what_counts(mode: Mode) -> None:
    run = await run_turn(scripted(reply_json("blue", "Wrong."), reply_json("sad", "Right.")), mode, SAID)
    assert "".join(run.tokens) == "Right."


@streamed
async def test_the_listener_below_a_failing_model_streams_too(mode: Mode) -> None:
    run = await run_turn(scripted(ConnectionError("no route")), mode, SAID)
    assert "".join(run.tokens) == REPLIES[0].text


@streamed
async def test_the_chosen_listener_streams_its_reply_once(mode: Mode) -> None:
    run = await run_turn(create_hef_graph(sem=SpeakingStubSem()), mode, SAID)
    assert [token for token in run.tokens if token] == [REPLIES[0].text]


@streamed
async def test_a_forgotten_message_is_no_token(mode: str) -> None:
    graph = scripted(*[reply_json("sad", "Oh.")] * 2, options=HefOptions(keep_messages=2), checkpointer=InMemorySaver())
    graph.invoke(say(SAID), thread("1"))
    chunks = await events(graph, mode, stream_mode="messages", config=thread("1"))
    assert "".join(message.text for message, _ in chunks) == "Oh."
    assert {message.type for message, _ in chunks} == {"AIMessageChunk"}


@streamed
async def test_a_slow_model_leaves_the_stream_to_the_listener(mode: Mode) -> None:
    graph = create_hef_graph(ScriptedModel(answers=["late"], delay=5), sem=SpeakingStubSem())
    run = await run_turn(graph, mode, SAID, HefContext(deadline=0.2))
    assert ("".join(run.tokens), run.out["degraded_reason"]) == (REPLIES[0].text, "timeout")


@streamed
async def test_updates_name_the_four_nodes_in_order(mode: str) -> None:
    updates = await events(scripted(), mode, stream_mode="updates")
    assert [name for update in updates for name in update] == NODES


@streamed
async def test_values_grow_to_the_whole_state(mode: str) -> None:
    values = await events(scripted(), mode, stream_mode="values")
    assert [message.text for message in values[0]["messages"]] == [SAID]
    assert "instruction" in values[-2]
    assert values[-1]["structured_response"] == {"emotion": "lonely", "response": REPLY}


@streamed
async def test_emotion_candidates_and_cause_words_arrive_before_the_first_word(mode: str) -> None:
    told = await events(scripted(), mode, stream_mode=["custom", "messages"])
    first, settled = [data for kind, data in told if kind == "custom"]
    assert first["type"] == "emotion"
    assert (first["emotion"], first["settled"]) == ("sad", False)
    assert first["emotion_candidates"][0]["label"] == "sad"
    assert first["cause_words"]["high"] + first["cause_words"]["low"] == ["lost", "cat"]
    assert settled == {**first, "emotion": "lonely", "settled": True}
    kinds = [kind for kind, data in told if kind == "custom" or data[0].text]
    assert kinds[:2] == ["custom", "custom"]
    assert "custom" not in kinds[2:]


@streamed
async def test_the_state_names_the_sems_emotion_until_the_model_has_settled_it(mode: str) -> None:
    values = await events(scripted(), mode, stream_mode="values")
    assert [value.get("emotion") for value in values][-3:] == ["sad", "sad", "lonely"]


@streamed
async def test_the_settled_emotion_is_announced_once_whatever_streams(mode: str) -> None:
    for answers in ([reply_json("lonely", REPLY)], [ConnectionError()], [reply_json("blue", "x."), "prose"]):
        told = await events(scripted(*answers), mode, stream_mode="custom")
        assert [event["settled"] for event in told] == [False, True]
        assert (await events(scripted(*answers), mode, stream_mode="values"))[-1]["emotion"] == told[-1]["emotion"]


def parent_of(graph: HefGraph) -> CompiledStateGraph[MessagesState, None, MessagesState, MessagesState]:
    builder = StateGraph(MessagesState)
    builder.add_node("hef", graph)
    builder.add_edge(START, "hef")
    return builder.compile()


@streamed
async def test_a_parent_that_streams_its_subgraphs_sees_the_words(mode: str) -> None:
    told = await events(parent_of(scripted()), mode, stream_mode="messages", subgraphs=True)
    inner = [message.text for namespace, (message, _) in told if namespace]
    assert [text for text in inner if text] == SENTENCES


async def test_the_sem_shows_as_a_tool_run_with_input_and_output() -> None:
    told = [event async for event in scripted().astream_events(say(SAID), version="v2")]
    tool_runs = [event for event in told if event["name"] == "analyze_emotion" and "tool" in event["event"]]
    assert [event["event"] for event in tool_runs] == ["on_tool_start", "on_tool_end"]
    assert tool_runs[0]["data"]["input"] == {"dialogue": [SAID]}
    assert '"label": "sad"' in tool_runs[1]["data"]["output"].content


async def test_the_tool_run_shows_as_many_emotions_as_the_call_asks_for() -> None:
    events = scripted().astream_events(say(SAID), version="v2", context=HefContext(k2=2))
    [output] = [event["data"]["output"].content async for event in events if event["event"] == "on_tool_end"]
    assert len(json.loads(output)["emotions"]) == 2


async def test_the_words_stream_as_events_of_the_wrapper() -> None:
    told = [event async for event in scripted().astream_events(say(SAID), version="v2")]
    wrapper = [event for event in told if event["event"] == "on_chat_model_stream" and event["name"] == "ReplyModel"]
    assert "".join(event["data"]["chunk"].text for event in wrapper) == REPLY


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
async def test_the_new_event_protocol_sees_the_words() -> None:
    stream = await scripted().astream_events(say(SAID), version="v3")
    texts = ["".join([piece async for piece in message.text]) async for message in stream.messages]
    assert texts == [REPLY]


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
def test_the_new_event_protocol_sees_the_words_in_sync_code() -> None:
    stream = scripted().stream_events(say(SAID), version="v3")
    assert ["".join(message.text) for message in stream.messages] == [REPLY]


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
async def test_a_parents_new_event_protocol_sees_the_words_in_its_subgraph() -> None:
    stream = await parent_of(scripted()).astream_events(say(SAID), version="v3")
    texts = []
    async for inner in stream.subgraphs:
        texts += ["".join([piece async for piece in message.text]) async for message in inner.messages]
    assert texts == [REPLY]


async def test_a_parents_events_see_the_words() -> None:
    told = [event async for event in parent_of(scripted()).astream_events(say(SAID), version="v2")]
    wrapper = [event for event in told if event["event"] == "on_chat_model_stream" and event["name"] == "ReplyModel"]
    assert "".join(event["data"]["chunk"].text for event in wrapper) == REPLY


@streamed
async def test_a_parent_that_streams_its_subgraphs_hears_the_emotion_first(mode: str) -> None:
    told = await events(parent_of(scripted()), mode, stream_mode=["custom", "messages"], subgraphs=True)
    kinds = [kind for namespace, kind, _ in told if namespace]
    assert kinds[0] == "custom"
