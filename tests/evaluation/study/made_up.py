"""A small study of made-up dialogues, whose LLM and judge play a script."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from hef_graph.corpus import Context
from hef_graph.evaluation.study.command import StudyRequest
from hef_graph.evaluation.study.conduct import conduct
from hef_graph.evaluation.study.runner import RunOptions
from hef_graph.evaluation.study.studies import Study
from hef_graph.turn import ReadingOptions
from tests.fakes import Answer, ScriptedModel, StubSem, reply_json

LLM = "scripted:llm"
JUDGE = "scripted:judge"
READING = ReadingOptions(k1=2, k2=3)

SPOKEN = (
    ("sad", "My parrot died on Monday."),
    ("lonely", "I sit alone in this new town."),
    ("joyful", "We won the rowing cup!"),
    ("angry", "Somebody stole my tent."),
    ("afraid", "The cellar is so dark."),
    ("grateful", "My aunt paid the rent, a thousand thanks."),
    ("sad", "I lost the ring of my mother."),
    ("joyful", "The party went on until four."),
)

CONTEXTS = [Context(f"c{n}", emotion, (text,), "Tell me more.") for n, (emotion, text) in enumerate(SPOKEN)]
RIGHT = [reply_json(emotion, f"Oh, and then? {n}") for n, (emotion, _) in enumerate(SPOKEN)]
WRONG = [reply_json("grateful", "I see.")] * len(SPOKEN)


def verdict(place: str) -> str:
    return f'{{"empathy": "{place}", "relevance": "tie", "fluency": "{place}"}}'


class Models:
    """Builds the scripted models, and keeps them to be looked at."""

    def __init__(self, llm: Sequence[str | Exception | AIMessage] = (), judge: Sequence[str | AIMessage] = ()) -> None:
        self.built: dict[str, ScriptedModel] = {}
        self._scripts: dict[str, list[Answer]] = {LLM: [*llm], JUDGE: [*judge]}

    def __call__(self, name: str) -> BaseChatModel:
        return self.built.setdefault(name, ScriptedModel(answers=[*self._scripts[name]]))


def request(folder: Path, *tables: int, **others: Any) -> StudyRequest:
    """One call at a time, so that scripts are played in order."""
    run = RunOptions(folder / "answers", concurrency=1, progress=False)
    values = {"figure": False, "run": run, "models": (LLM,), "reading": READING, **others}
    return StudyRequest("made-up", tables, **values)


def study(folder: Path, *tables: int, build: Models, **others: Any) -> Study:
    return conduct(request(folder, *tables, **others), StubSem(), CONTEXTS, build=build)
