"""What the caller passes along reaches the model inside: callbacks, tags, metadata; and each token is counted once."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from langchain_core.callbacks import BaseCallbackHandler, get_usage_metadata_callback
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import RunnableConfig
from typing_extensions import override

from hef_graph.graph import HefGraph, create_hef_graph
from tests.fakes import ScriptedModel, SpeakingStubSem, reply_json
from tests.runs import MODES, Mode, say

USAGE: Any = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}

every_mode = pytest.mark.parametrize("mode", MODES)


@dataclass
class Run:
    """One start of a chat model, as a tracer sees it."""

    name: str
    run_id: UUID
    parent: UUID | None
    tags: list[str]
    metadata: dict[str, Any]


@dataclass
class Recorder(BaseCallbackHandler):
    """Keeps the runs of chat models."""

    runs: list[Run] = field(default_factory=list)
    raise_error = True

    @override
    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.runs.append(Run(serialized["name"], run_id, parent_run_id, tags or [], metadata or {}))

    def named(self, name: str) -> Run:
        [found] = [run for run in self.runs if run.name == name]
        return found


def graph() -> HefGraph:
    answer = AIMessage(reply_json("sad", "Oh no."), usage_metadata=USAGE, response_metadata={"model_name": "tiny"})
    return create_hef_graph(ScriptedModel(answers=[answer]), sem=SpeakingStubSem())


async def run(mode: Mode, config: RunnableConfig) -> None:
    said, modes = say("I lost my cat."), ["messages", "values"]
    match mode:
        case "invoke":
            graph().invoke(said, config)
        case "ainvoke":
            await graph().ainvoke(said, config)
        case "stream":
            list(graph().stream(said, config, stream_mode=modes))  # type: ignore[arg-type]  # modes are plain strings
        case "astream":
            _ = [event async for event in graph().astream(said, config, stream_mode=modes)]  # type: ignore[arg-type]  # as above


@every_mode
async def test_the_models_run_carries_the_callers_tags_and_metadata(mode: Mode) -> None:
    recorder = Recorder()
    await run(mode, {"callbacks": [recorder], "tags": ["mine"], "metadata": {"team": "care"}})
    inner = recorder.named("ScriptedModel")
    assert {"mine", "nostream"} <= set(inner.tags)
    assert inner.metadata["team"] == "care"


@every_mode
async def test_the_models_run_is_a_child_of_the_answers(mode: Mode) -> None:
    recorder = Recorder()
    await run(mode, {"callbacks": [recorder]})
    assert recorder.named("ScriptedModel").parent == recorder.named("ReplyModel").run_id


@every_mode
async def test_each_token_is_counted_once(mode: Mode) -> None:
    with get_usage_metadata_callback() as counted:
        await run(mode, {})
    assert {name: usage["total_tokens"] for name, usage in counted.usage_metadata.items()} == {"tiny": 7}
