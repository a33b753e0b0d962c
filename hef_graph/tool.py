"""The small empathetic model (SEM) as a LangChain tool."""

import json
from collections.abc import Sequence
from typing import Any, Final

from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel, Field

from hef_graph.chat.reading import naming_failures
from hef_graph.defaults import resolve_sem
from hef_graph.turn import ReadingOptions, weigh_evidence
from hef_graph.types import EmotionAnalysis, SmallEmpatheticModel, Turn, turns_from_dialogue

TOOL_NAME: Final = "analyze_emotion"


class EmotionToolInput(BaseModel):
    """What the tool is called with."""

    dialogue: list[str] = Field(
        min_length=1,
        description="The dialogue's texts in order: speaker and listener alternate, the newest one is the speaker's.",
    )


def create_emotion_tool(sem: SmallEmpatheticModel | None = None, *, options: ReadingOptions | None = None) -> BaseTool:
    """A tool `analyze_emotion` that reads the speaker's emotion and its cause words from a dialogue.

    The model that calls it gets JSON: `{"emotions": [{"label", "probability"}], "cause_words": {"high", "low"},
    "confidence", "in_domain"}`; the tool message's artifact is the whole `EmotionAnalysis`. An input of another form is
    answered with a sentence that says what is expected. A SEM that fails raises `HefModelError`.

    Args:
        sem: the SEM; None for the shipped one.
        options: how many emotions and words the JSON holds.
    """
    reader = resolve_sem(sem)
    chosen = options or ReadingOptions()

    def analyze_emotion(dialogue: list[str]) -> tuple[str, EmotionAnalysis]:
        turns, analysis = read_dialogue(reader, dialogue)
        with naming_failures():
            return json.dumps(_describe(analysis, turns, chosen), ensure_ascii=False), analysis

    return StructuredTool.from_function(
        analyze_emotion,
        name=TOOL_NAME,
        description="Reads which emotions the speaker of a dialogue feels, and which of their words carry them.",
        args_schema=EmotionToolInput,
        response_format="content_and_artifact",
        handle_validation_error=_explain,
    )


def read_dialogue(sem: SmallEmpatheticModel, dialogue: Sequence[str]) -> tuple[list[Turn], EmotionAnalysis]:
    """A dialogue's turns, and what the SEM reads in them.

    Raises:
        HefModelError: the SEM failed.
    """
    turns = turns_from_dialogue(dialogue)
    with naming_failures():
        [analysis] = sem.analyze([turns])
    return turns, analysis


def _explain(error: Any) -> str:
    """What the model that called is told of an input that cannot be used; nothing of it is repeated."""
    problems = error.errors(include_input=False, include_context=False, include_url=False)
    told = [f"{'.'.join(map(str, problem['loc'])) or 'input'}: {problem['msg']}" for problem in problems[:3]]
    return f'{TOOL_NAME} needs {{"dialogue": [text, …]}}, the newest text the speaker\'s; {"; ".join(told)}'


def _describe(analysis: EmotionAnalysis, turns: Sequence[Turn], options: ReadingOptions) -> dict[str, Any]:
    evidence = weigh_evidence(analysis, turns, options).to_json()
    emotions = [{**score, "probability": round(score["probability"], 4)} for score in evidence["emotion_candidates"]]
    confidence = None if analysis.confidence is None else round(analysis.confidence, 4)
    return {
        "emotions": emotions,
        "cause_words": evidence["cause_words"],
        "confidence": confidence,
        "in_domain": analysis.in_domain,
    }
