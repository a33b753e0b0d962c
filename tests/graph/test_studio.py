"""What LangGraph Studio and Agent Chat UI ask a server for, asked of the real `langgraph dev`: offline, blocking calls
forbidden."""

import runpy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any

import pytest

from hef_graph.graph import HefContext, HefState
from tests.runs import say
from tests.servers import OpenAIServer
from tests.studio import ROOT, Event, StudioServer, run_studio

pytestmark = pytest.mark.slow

NODES = ["check_crisis", "analyze_emotion", "build_instruction", "respond"]

MODES = ["values", "updates", "messages", "messages-tuple", "custom", "events", "debug", "tasks", "checkpoints"]

SHOWN = {
    "values": "values",
    "updates": "updates",
    "messages": "messages/partial",
    "messages-tuple": "messages",
    "custom": "custom",
    "events": "events",
    "debug": "debug",
    "tasks": "tasks",
    "checkpoints": "checkpoints",
}
"""The events that each stream mode is there for."""

LOST = "My dog ran away and I keep looking for him."

WRITTEN = "That is a long search. Where did you see him last?"

JSON_MODEL = {"model": "openai:test-model"}
"""The options of a call that is answered by `writer`."""


@pytest.fixture(scope="module")
def writer() -> Iterator[OpenAIServer]:
    """A model that writes its reply as JSON, as asked."""
    with OpenAIServer(f'{{"emotion": "sad", "response": "{WRITTEN}"}}') as server:
        yield server


@pytest.fixture(scope="module")
def studio(writer: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioServer]:
    """The server; the embedded listener answers, unless a call names the model that writes JSON."""
    environment = {"OPENAI_BASE_URL": writer.base_url, "OPENAI_API_KEY": "none"}
    with run_studio(tmp_path_factory.mktemp("studio"), environment) as server:
        yield server


@pytest.fixture(scope="module")
def schemas(studio: StudioServer) -> Any:
    [assistant] = studio.post("/assistants/search", {"graph_id": "hef"})
    return studio.get(f"/assistants/{assistant['assistant_id']}/schemas")


@pytest.fixture(scope="module")
def streams(studio: StudioServer) -> dict[str, list[Event]]:
    """A turn streamed in each mode, all at the same time."""
    with ThreadPoolExecutor(len(MODES)) as pool:
        return dict(zip(MODES, pool.map(lambda mode: studio.stream(LOST, mode), MODES), strict=True))


def test_the_server_starts_without_a_settings_file(studio: StudioServer) -> None:
    assert studio.get("/ok")["ok"] is True
    assert not (studio.log.parent / ".env").exists()


def test_the_graph_is_found_by_its_name(studio: StudioServer) -> None:
    found = studio.post("/assistants/search")
    assert [each["name"] for each in found if each["graph_id"] == "hef"] == ["hef"]


def test_a_turn_begins_with_messages(schemas: Any) -> None:
    assert (list(schemas["input_schema"]["properties"]), schemas["input_schema"]["required"]) == (
        ["messages"],
        ["messages"],
    )


def test_studio_is_told_every_key_that_a_turn_leaves_behind(schemas: Any) -> None:
    assert set(schemas["output_schema"]["properties"]) == set(HefState.__annotations__)


def test_the_options_of_a_call_are_a_form_with_their_defaults(schemas: Any) -> None:
    shown = {name: field["default"] for name, field in schemas["context_schema"]["properties"].items()}
    assert shown == {field.name: field.default for field in fields(HefContext)}


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("model", ["string", "null"]),
        ("k1", ["integer"]),
        ("k2", ["integer", "string"]),
        ("coverage", ["number"]),
        ("two_stage", ["boolean"]),
        ("cause_perception", ["boolean"]),
        ("deadline", ["number"]),
        ("locale", ["string", "null"]),
        ("user_id", ["string", "null"]),
    ],
)
def test_the_form_knows_the_type_of_an_option(name: str, types: list[str], schemas: Any) -> None:
    field = schemas["context_schema"]["properties"][name]
    assert [each["type"] for each in field.get("anyOf", [field])] == types


@pytest.mark.parametrize("query", ["", "?xray=true"])
def test_the_steps_of_a_turn_are_drawn_by_their_names(query: str, studio: StudioServer) -> None:
    drawn = [node["id"] for node in studio.get(f"/assistants/hef/graph{query}")["nodes"]]
    assert drawn == ["__start__", *NODES, "__end__"]


def test_a_turn_is_answered_in_plain_text(studio: StudioServer) -> None:
    out = studio.say(LOST)
    assert set(out) >= set(HefState.__annotations__)
    assert [message["type"] for message in out["messages"]] == ["human", "ai"]
    assert out["messages"][-1]["content"] == out["structured_response"]["response"] != ""


def test_a_conversation_is_remembered(studio: StudioServer) -> None:
    thread = studio.open_thread()
    first = studio.say(LOST, thread)
    second = studio.say("Nobody has seen him.", thread)
    assert [message["content"] for message in second["messages"][:2]] == [LOST, first["messages"][-1]["content"]]
    assert second["emotion_history"] == [first["emotion"]]


def test_an_option_of_the_form_holds_for_its_call(studio: StudioServer) -> None:
    thread = studio.open_thread()
    assert len(studio.say(LOST, thread, context={**JSON_MODEL, "k2": 2})["emotion_candidates"]) == 2
    assert len(studio.say(LOST, thread, context=JSON_MODEL)["emotion_candidates"]) == HefContext().k2


def test_an_option_that_cannot_be_used_is_refused_by_name(studio: StudioServer) -> None:
    error = studio.say(LOST, context={"k2": 0})["__error__"]
    assert error["error"] == "HefInputError"
    assert "k2 is 0" in error["message"]


@pytest.mark.parametrize("mode", MODES)
def test_each_way_to_stream_brings_its_events_and_no_error(mode: str, streams: dict[str, list[Event]]) -> None:
    kinds = [event.kind for event in streams[mode]]
    assert "error" not in kinds
    assert SHOWN[mode] in kinds


def test_every_way_to_stream_that_the_server_offers_is_among_those_tried(studio: StudioServer) -> None:
    offered = studio.get("/openapi.json")["components"]["schemas"]["RunCreateStateful"]["properties"]["stream_mode"]
    assert set(offered["anyOf"][1]["enum"]) == set(MODES)


def test_all_ways_to_stream_work_together(studio: StudioServer) -> None:
    kinds = {event.kind for event in studio.stream(LOST, MODES)}
    assert kinds >= {kind for mode, kind in SHOWN.items() if mode != "messages"}
    assert "error" not in kinds


def test_the_steps_report_in_order(streams: dict[str, list[Event]]) -> None:
    updates = [event.data for event in streams["updates"] if event.kind == "updates"]
    assert [name for update in updates for name in update] == NODES


def test_a_model_that_writes_json_is_seen_to_write_text(studio: StudioServer, writer: OpenAIServer) -> None:
    events = studio.stream(LOST, "messages-tuple", context=JSON_MODEL)
    tokens = [event.data[0]["content"] for event in events if event.kind == "messages"]
    assert len([token for token in tokens if token]) == 2  # its sentences
    assert "".join(tokens) == WRITTEN
    assert writer.requests[-1]["stream"] is True


def test_a_growing_message_never_shows_json(studio: StudioServer) -> None:
    events = studio.stream(LOST, "messages", context=JSON_MODEL)
    seen = [event.data[0]["content"] for event in events if event.kind == "messages/partial"]
    assert seen[-1] == WRITTEN
    assert all(WRITTEN.startswith(text) for text in seen)


def test_the_server_catches_a_graph_that_blocks_its_event_loop(studio: StudioServer) -> None:
    body = {"assistant_id": "blocking", "input": {"messages": []}}
    assert studio.post(f"/threads/{studio.open_thread()}/runs/wait", body)["__error__"]["error"] == "BlockingError"
    assert any("BlockingError" in entry for entry in studio.trouble("blocking"))


@pytest.mark.parametrize("context", [{}, JSON_MODEL], ids=["listener", "model"])
def test_no_step_blocks_the_event_loop_or_fails(context: dict[str, Any], studio: StudioServer) -> None:
    studio.say(LOST, context=context)
    studio.stream(LOST, MODES, context=context)
    assert [entry for entry in studio.trouble("hef") if "HefInputError" not in entry] == []


@pytest.mark.parametrize(("name", "asked"), [("openai:test-model", 1), ("", 0)])
def test_the_environment_names_the_model(
    name: str, asked: int, writer: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEF_MODEL", name)
    monkeypatch.setenv("OPENAI_BASE_URL", writer.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    before = len(writer.requests)
    graph = runpy.run_path(str(ROOT / "hef_graph" / "graph" / "studio.py"))["make_graph"]()
    graph.invoke(say(LOST))
    assert len(writer.requests) - before == asked


def test_the_server_gets_one_graph_without_a_memory_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEF_MODEL", raising=False)
    make_graph = runpy.run_path(str(ROOT / "hef_graph" / "graph" / "studio.py"))["make_graph"]
    assert make_graph() is make_graph()
    assert make_graph().checkpointer is None
