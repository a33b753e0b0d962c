"""What a user says stays out of logs, warnings and errors, whatever fails; and nothing is traced unasked."""

import asyncio
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from typing_extensions import override

from hef_graph.chat_model import EmpatheticChatModel
from hef_graph.cli import main
from hef_graph.crisis import CrisisPolicy
from hef_graph.errors import HefError
from hef_graph.graph import HefContext, HefOptions, create_hef_graph
from hef_graph.middleware import EmpathyMiddleware
from hef_graph.tool import create_emotion_tool
from hef_graph.types import Dialogue, EmotionAnalysis, EmotionScore, WordScore, turns_from_dialogue
from tests.agents import ToolModel, agent_on
from tests.fakes import Answer, Interrupted, ScriptedModel, SpeakingStubSem, reply_json
from tests.inputs import UNREADABLE, each
from tests.runs import MODES, Mode, run_turn
from tests.stores import DownStore

CANARY: Final = "plover"

TEXT: Final = f"My {CANARY} died, and {CANARY}s never come back."


def repeat() -> NoReturn:
    """Fail as libraries do that show what they were given, and what came before."""
    try:
        raise KeyError(TEXT)  # noqa: TRY301  the chain is the point
    except KeyError as error:
        raise RuntimeError(f"cannot read {TEXT!r}") from error


class RepeatingSem(SpeakingStubSem):
    """Fails with the text that it reads."""

    @override
    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        repeat()


@dataclass
class GarblingSem(SpeakingStubSem):
    """Gives back what is no analysis."""

    given: Any = None

    def __post_init__(self) -> None:
        super().__init__()

    @override
    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        turns_from_dialogue(dialogues[0])
        analyses: list[EmotionAnalysis] = self.given
        return analyses


SAD: Final = (EmotionScore("sad", 1.0),)

SEMS: Final[dict[str, SpeakingStubSem]] = {
    "repeats the text": RepeatingSem(),
    "gives nothing": GarblingSem([]),
    "gives none": GarblingSem(None),
    "gives the text": GarblingSem([TEXT]),
    "gives words of nobody's": GarblingSem([EmotionAnalysis(SAD, (WordScore(TEXT, 7, 0, 3, 1.0),))]),
    "gives words of no form": GarblingSem([EmotionAnalysis(SAD, (TEXT,))]),  # type: ignore[arg-type]
}


class ProviderError(Exception):
    """As providers' clients raise them: the request is in the text."""

    status_code = 400


MODELS: Final[dict[str, list[Answer]]] = {
    "repeats the text": [RuntimeError(TEXT)],
    "refuses the request": [ProviderError(f"cannot take {TEXT!r}")],
    "answers nothing": [""] * 3,
    "answers without an object": [f"No object, {TEXT!r}"] * 3,
    "names no emotion": [reply_json(TEXT, "Oh.")] * 3,
    "names something else": ['{"emotion": {"' + TEXT + '": 1}, "response": 5}'] * 3,
    "writes too little": [f'{{"emotion": "sad", "response": "{TEXT[:20]}'] * 3,
    "breaks off": [Interrupted(reply_json("sad", TEXT)[:40], RuntimeError(TEXT))] * 3,
    "was cut": [AIMessage(reply_json("sad", TEXT)[:40], response_metadata={"finish_reason": "length"})] * 3,
}


class RepeatingStore(DownStore):
    """Cannot be reached, and says for what."""

    @override
    def batch(self, ops: Any) -> NoReturn:
        repeat()

    @override
    async def abatch(self, ops: Any) -> NoReturn:
        repeat()


class RepeatingPolicy(CrisisPolicy):
    """Fails with the text that it looks at."""

    @override
    def detect(self, messages: Any) -> NoReturn:
        repeat()


@dataclass
class Watch:
    """All that was said beside the results."""

    errors: list[str] = field(default_factory=list)

    @contextmanager
    def over(self) -> Iterator[None]:
        """Note how it fails."""
        try:
            yield
        except HefError as error:
            self.errors.append("".join(traceback.format_exception(error)))


@pytest.fixture
def watch(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[Watch]:
    """Whatever the test does: the canary is nowhere but in the results."""
    caplog.set_level("DEBUG")
    watch = Watch()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        yield watch
    printed = capfd.readouterr()
    told = [*watch.errors, *(str(each.message) for each in warned), caplog.text, printed.out, printed.err]
    told += [str(record.args) + str(record.exc_info) for record in caplog.records]
    assert CANARY not in "\n".join(told)


pytestmark = pytest.mark.usefixtures("watch")

either = pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
in_every_mode = pytest.mark.parametrize("mode", MODES)
"""That nothing is told is what the fixture checks."""


def test_the_watch_sees_what_is_told(watch: Watch) -> None:
    with watch.over():
        raise HefError("crake")
    assert "crake" in watch.errors[0]


@in_every_mode
@either
@each(SEMS)
async def test_a_sem_that_fails_in_a_graph(given: SpeakingStubSem, strict: bool, mode: Mode, watch: Watch) -> None:
    model = ScriptedModel(answers=[reply_json("sad", "Oh no.")])
    graph = create_hef_graph(
        model, sem=given, options=HefOptions(strict=strict, crisis_policy=None), checkpointer=InMemorySaver()
    )
    with watch.over():
        await run_turn(graph.with_config(configurable={"thread_id": "1"}), mode, TEXT)


@in_every_mode
@either
@each(MODELS)
async def test_a_model_that_fails_in_a_graph(given: list[Answer], strict: bool, mode: Mode, watch: Watch) -> None:
    graph = create_hef_graph(
        ScriptedModel(answers=list(given)), sem=SpeakingStubSem(), options=HefOptions(strict=strict, crisis_policy=None)
    )
    with watch.over():
        await run_turn(graph, mode, TEXT)


@in_every_mode
async def test_a_store_and_a_policy_that_fail_in_a_graph(mode: Mode) -> None:
    model = ScriptedModel(answers=[reply_json("sad", "Oh no.")])
    options = HefOptions(crisis_policy=RepeatingPolicy())
    graph = create_hef_graph(model, sem=SpeakingStubSem(), store=RepeatingStore(), options=options)
    await run_turn(graph, mode, TEXT, HefContext(user_id="ada"))


@pytest.mark.parametrize("awaited", [False, True], ids=["sync", "async"])
@either
@each(SEMS)
async def test_a_sem_that_fails_in_an_agent(given: SpeakingStubSem, strict: bool, awaited: bool, watch: Watch) -> None:
    agent = agent_on(ToolModel(answers=["Oh no."]), EmpathyMiddleware(given, strict=strict, crisis_policy=None))
    asked = {"messages": [HumanMessage(TEXT)]}
    with watch.over():
        await agent.ainvoke(asked) if awaited else agent.invoke(asked)


@each(SEMS)
def test_a_sem_that_fails_as_a_tool(given: SpeakingStubSem, watch: Watch) -> None:
    with watch.over():
        create_emotion_tool(given).invoke({"dialogue": [TEXT]})


@either
@each(SEMS)
def test_a_sem_that_fails_in_a_chat_model(given: SpeakingStubSem, strict: bool, watch: Watch) -> None:
    inner = ScriptedModel(answers=[reply_json("sad", "Oh.")])
    model = EmpatheticChatModel(model=inner, sem=given, strict=strict, crisis_policy=None)
    with watch.over():
        list(model.stream(TEXT))


@pytest.mark.parametrize("call", ["invoke", "ainvoke", "stream"])
@either
@each(MODELS)
def test_a_model_that_fails_in_a_chat_model(given: list[Answer], strict: bool, call: str, watch: Watch) -> None:
    inner = ScriptedModel(answers=list(given))
    model = EmpatheticChatModel(model=inner, sem=SpeakingStubSem(), strict=strict, crisis_policy=None)
    ways: dict[str, Callable[[], object]] = {
        "invoke": lambda: model.invoke(TEXT),
        "ainvoke": lambda: asyncio.run(model.ainvoke(TEXT)),
        "stream": lambda: list(model.stream(TEXT)),
    }
    with watch.over():
        ways[call]()


TOLD: Final[dict[str, Any]] = {
    "a text": TEXT,
    "a list": [TEXT],
    "an object without role": {"messages": [{"text": TEXT}]},
    "an unknown role": {"messages": [(TEXT, TEXT)]},
    "content of another kind": {"messages": [{"role": "user", "content": {"text": TEXT}}]},
    "not the newest": {"messages": [("user", TEXT), ("assistant", TEXT)]},
}


@each(TOLD)
def test_an_input_that_cannot_be_read(given: Any, watch: Watch) -> None:
    with watch.over():
        create_hef_graph(ScriptedModel(answers=[]), sem=SpeakingStubSem()).invoke(given)
    messages: Any = given["messages"] if isinstance(given, dict) else {"text": given}
    with watch.over():
        EmpatheticChatModel(model=ScriptedModel(answers=[]), sem=SpeakingStubSem()).invoke(messages)
    assert len(watch.errors) == 2


@each(UNREADABLE)
def test_a_dialogue_that_is_none(given: Any, watch: Watch) -> None:
    for dialogue in (TEXT, [TEXT, given]):
        with watch.over():
            turns_from_dialogue(dialogue)
    assert len(watch.errors) == 2


MISPLACED: Final = (
    [TEXT],
    ["reply", *TEXT.split()],
    ["reply", "--k2", "0", TEXT],
    ["analyze", TEXT, "--input", "x"],
    ["chat", TEXT],
)


class TestAtTheCommandLine:
    @pytest.fixture(autouse=True)
    def _at_home(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("HEF_HOME", str(tmp_path / "home"))
        monkeypatch.delenv("HEF_MODEL", raising=False)
        monkeypatch.chdir(tmp_path)
        self.read_with(monkeypatch, SpeakingStubSem())

    def read_with(self, monkeypatch: pytest.MonkeyPatch, sem: SpeakingStubSem) -> None:
        for module in ("analyze", "chat"):
            monkeypatch.setattr(f"hef_graph.cli.{module}.load_sem", lambda _source: sem)

    @pytest.mark.parametrize("arguments", MISPLACED)
    def test_a_message_where_none_belongs(self, arguments: list[str]) -> None:
        assert main(arguments) == 2

    @each(SEMS)
    def test_a_sem_that_fails(self, given: SpeakingStubSem, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.read_with(monkeypatch, given)
        (tmp_path / "in.jsonl").write_text(f'"{TEXT}"\n')
        assert main(["analyze", "--json", "--input", "in.jsonl", "--output", "out.jsonl"]) in {0, 2}

    @pytest.mark.parametrize("line", [f'"{TEXT}', f'{{"{TEXT}": 1}}', f'[["{TEXT}"]]', f'"\\ud800{TEXT}', f"{TEXT}"])
    def test_a_line_that_is_no_dialogue(self, line: str, tmp_path: Path) -> None:
        (tmp_path / "in.jsonl").write_text(f"{line}\n")
        assert main(["analyze", "--input", "in.jsonl"]) == 2
