"""Over real HTTP, against a local server: what is asked of a provider, and what becomes of its answers."""

import threading
import time
from typing import Literal

import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from hef_graph.chat.deadline import AT_WORK
from hef_graph.graph import HefContext, HefGraph, HefOptions, create_hef_graph
from hef_graph.reply import json_schema
from tests.fakes import LABELS, SpeakingStubSem, reply_json
from tests.runs import MODES, Mode, run_turn
from tests.servers import USAGE, Completion, Failure, OpenAIServer

SAID = "I lost my cat."

STUB_REPLY = "That sounds hard. What happened then?"
"""What the embedded listener answers to that."""

every_mode = pytest.mark.parametrize("mode", MODES)

streamed = pytest.mark.parametrize("mode", ["stream", "astream"])


def graph_on(server: OpenAIServer, options: HefOptions | None = None) -> HefGraph:
    """A graph whose model is the server's."""
    model = ChatOpenAI(
        model="test-model", base_url=server.base_url, api_key=SecretStr("test"), max_retries=0, stream_usage=True
    )
    return create_hef_graph(model, sem=SpeakingStubSem(), options=options)


@every_mode
async def test_a_good_answer_comes_back_typed(mode: Mode) -> None:
    with OpenAIServer(reply_json("lonely", "Oh, poor you.")) as server:
        out = (await run_turn(graph_on(server), mode, SAID)).out
    assert out["structured_response"] == {"emotion": "lonely", "response": "Oh, poor you."}
    assert out["degraded_reason"] is None


@every_mode
async def test_a_repaired_answer_says_so(mode: Mode) -> None:
    with OpenAIServer(reply_json("blue", "Hm."), reply_json("lonely", "Oh.")) as server:
        out = (await run_turn(graph_on(server), mode, SAID)).out
    assert out["structured_response"] == {"emotion": "lonely", "response": "Oh."}
    assert out["degraded_reason"] == "repaired:label"


@every_mode
async def test_each_request_carries_the_strict_schema(mode: Mode) -> None:
    with OpenAIServer(reply_json("blue", "Hm."), reply_json("sad", "Oh.")) as server:
        await run_turn(graph_on(server), mode, SAID)
    assert len(server.requests) == 2
    for request in server.requests:
        asked = request["response_format"]["json_schema"]
        assert (request["response_format"]["type"], asked["strict"]) == ("json_schema", True)
        assert asked["schema"] == json_schema(LABELS)


async def test_the_schema_settles_one_of_the_labels_before_the_response() -> None:
    with OpenAIServer(reply_json("sad", "Oh.")) as server:
        await run_turn(graph_on(server), "invoke", SAID)
    fields = server.requests[0]["response_format"]["json_schema"]["schema"]["properties"]
    assert list(fields) == ["emotion", "response"]
    assert fields["emotion"]["enum"] == list(LABELS)


@streamed
async def test_a_streamed_turn_asks_for_a_stream(mode: Mode) -> None:
    with OpenAIServer(reply_json("sad", "Oh.")) as server:
        await run_turn(graph_on(server), mode, SAID)
    assert server.requests[0]["stream"] is True


TRICKY = {
    "quotes": 'She said "no", and \\then\\ "why?"',
    "line breaks": "One.\n\nTwo.\tThree.",
    "emoji": "Oh no 😢👩‍👩‍👧 poor you ❤️!",
    "other scripts": "Das tut mir leid: それは残念です。",
    "braces": 'As {"emotion": "sad"} goes, } it does {',
}


@streamed
@pytest.mark.parametrize("piece", [1, 2, 3, 7])
@pytest.mark.parametrize("response", TRICKY.values(), ids=TRICKY)
async def test_streamed_tokens_are_exactly_the_responses_words(response: str, piece: int, mode: Mode) -> None:
    """`reply_json` writes non-ASCII characters as escapes, an emoji as two of them."""
    with OpenAIServer(Completion(reply_json("sad", response), piece=piece)) as server:
        run = await run_turn(graph_on(server), mode, SAID)
    assert "".join(run.tokens) == run.out["structured_response"]["response"] == response


@every_mode
async def test_the_tokens_that_the_provider_counts_are_kept(mode: Mode) -> None:
    with OpenAIServer(reply_json("sad", "Oh.")) as server:
        message = (await run_turn(graph_on(server), mode, SAID)).out["messages"][-1]
    assert message.usage_metadata["total_tokens"] == USAGE["total_tokens"]


@every_mode
async def test_a_provider_that_stalls_is_given_up_at_the_deadline(mode: Mode) -> None:
    start = time.monotonic()
    with OpenAIServer(Completion(reply_json("sad", "Oh."), stall=20)) as server:
        out = (await run_turn(graph_on(server), mode, SAID, HefContext(deadline=0.5))).out
    assert (out["degraded_reason"], out["messages"][-1].text) == ("timeout", STUB_REPLY)
    assert time.monotonic() - start < 5


@streamed
async def test_a_provider_that_stalls_midway_leaves_the_words_shown(mode: Mode) -> None:
    reply = Completion(reply_json("lonely", "Oh, poor you. What happened?"), stall=20, stall_at=14)
    with OpenAIServer(reply) as server:
        run = await run_turn(graph_on(server), mode, SAID, HefContext(deadline=0.5))
    assert run.out["structured_response"]["response"] == "".join(run.tokens)
    assert "".join(run.tokens) == "Oh, poor you."
    assert (run.out["degraded_reason"], run.out["emotion"]) == ("timeout", "lonely")


@streamed
async def test_a_cut_stream_keeps_what_was_shown(mode: Mode) -> None:
    with OpenAIServer(Completion('{"emotion": "lonely", "response": "Oh no. What h', "length")) as server:
        run = await run_turn(graph_on(server), mode, SAID)
    assert run.out["structured_response"] == {"emotion": "lonely", "response": "Oh no."}
    assert "".join(run.tokens) == "Oh no."
    assert run.out["degraded_reason"] == "truncated"


def test_a_server_that_is_gone_is_no_connection() -> None:
    with OpenAIServer("unused") as server:
        graph = graph_on(server)
    out = graph.invoke({"messages": [HumanMessage(SAID)]})
    assert out["degraded_reason"] == "connection"


@every_mode
async def test_a_model_named_by_a_string_takes_address_and_key_from_the_environment(
    mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OpenAIServer(reply_json("lonely", "Oh.")) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "test")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        graph = create_hef_graph("openai:other-model", sem=SpeakingStubSem())
        out = (await run_turn(graph, mode, SAID)).out
    assert (out["emotion"], out["degraded_reason"]) == ("lonely", None)
    assert server.requests[0]["model"] == "other-model"


@every_mode
async def test_a_call_can_name_another_model(mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer(reply_json("lonely", "Oh.")) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "test")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        graph = create_hef_graph(sem=SpeakingStubSem())
        run = await run_turn(graph, mode, SAID, HefContext(model="openai:called-model"))
    assert run.out["structured_response"] == {"emotion": "lonely", "response": "Oh."}
    assert server.requests[0]["model"] == "called-model"


def test_an_unreadable_answer_never_reaches_the_user_as_json() -> None:
    with OpenAIServer('{"emotion": "sad", "respons": "Oh."}') as server:
        out = graph_on(server).invoke({"messages": [HumanMessage(SAID)]})
    assert "{" not in out["messages"][-1].text


@pytest.mark.parametrize("method", ["json_mode", "function_calling"])
async def test_the_way_of_asking_can_be_chosen(method: Literal["json_mode", "function_calling"]) -> None:
    with OpenAIServer(reply_json("lonely", "Oh.")) as server:
        out = (await run_turn(graph_on(server, HefOptions(structured_method=method)), "stream", SAID)).out
    assert ("tools" in server.requests[0]) == (method == "function_calling")
    assert out["structured_response"] == {"emotion": "lonely", "response": "Oh."}


UNKNOWN_FORMAT = Failure(400, {"error": {"message": "Unknown parameter: 'response_format'.", "type": "t", "code": "c"}})


@every_mode
async def test_what_a_provider_refused_is_not_asked_of_it_in_the_next_turn(mode: Mode) -> None:
    with OpenAIServer(UNKNOWN_FORMAT, reply_json("sad", "Oh."), reply_json("sad", "And now?")) as server:
        graph = graph_on(server)
        first, second = [(await run_turn(graph, mode, SAID)).out for _ in range(2)]
    assert (first["degraded_reason"], second["degraded_reason"]) == ("repaired:bad_request", None)
    assert ["tools" in request for request in server.requests] == [False, True, True]


@every_mode
async def test_another_bad_request_is_final(mode: Mode) -> None:
    with OpenAIServer(Failure(400)) as server:
        assert (await run_turn(graph_on(server), mode, SAID)).out["degraded_reason"] == "bad_request"
    assert len(server.requests) == 1


@every_mode
async def test_a_way_of_asking_that_was_chosen_moves_down_too(mode: Mode) -> None:
    with OpenAIServer(UNKNOWN_FORMAT, reply_json("lonely", "Oh.")) as server:
        out = (await run_turn(graph_on(server, HefOptions(structured_method="json_mode")), mode, SAID)).out
    assert (out["emotion"], out["degraded_reason"]) == ("lonely", "repaired:bad_request")
    assert ["response_format" in request for request in server.requests] == [True, False]


def test_a_client_that_waits_in_vain_ends_with_the_turn() -> None:
    of_other_tests = {each for each in threading.enumerate() if each.name == AT_WORK}
    with OpenAIServer(Completion(reply_json("sad", "Oh."), stall=20)) as server:
        graph_on(server).invoke({"messages": [HumanMessage(SAID)]}, context=HefContext(deadline=0.3))
        end = time.monotonic() + 2
        while any(each.name == AT_WORK for each in set(threading.enumerate()) - of_other_tests):
            assert time.monotonic() < end
            time.sleep(0.01)
