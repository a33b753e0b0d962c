"""The small empathetic model (SEM) as a LangChain tool."""

import json
from collections.abc import Sequence
from typing import Any, Final

from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel, Field

from hef_graph.defaults import resolve_sem
from hef_graph.turn import ReadingOptions, weigh_evidence
from hef_graph.types import EmotionAnalysis, SmallEmpatheticModel, turns_from_dialogue

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
    "confidence", "in_domain"}`; the tool message's artifact is the whole `EmotionAnalysis`.

    Args:
        sem: the SEM; None for the shipped one.
        options: how many emotions and words the JSON holds.
    """
    reader = resolve_sem(sem)
    chosen = options or ReadingOptions()

    def analyze_emotion(dialogue: list[str]) -> tuple[str, EmotionAnalysis]:
        turns = turns_from_dialogue(dialogue)
        [analysis] = reader.analyze([turns])
        return json.dumps(_describe(analysis, dialogue, chosen), ensure_ascii=False), analysis

    return StructuredTool.from_function(
        analyze_emotion,
        name=TOOL_NAME,
        description="Reads which emotions the speaker of a dialogue feels, and which of their words carry them.",
        args_schema=EmotionToolInput,
        response_format="content_and_artifact",
    )


def _describe(analysis: EmotionAnalysis, dialogue: Sequence[str], options: ReadingOptions) -> dict[str, Any]:
    evidence = weigh_evidence(analysis, turns_from_dialogue(dialogue), options).to_json()
    emotions = [{**score, "probability": round(score["probability"], 4)} for score in evidence["emotion_candidates"]]
    confidence = None if analysis.confidence is None else round(analysis.confidence, 4)
    return {
        "emotions": emotions,
        "cause_words": evidence["cause_words"],
        "confidence": confidence,
        "in_domain": analysis.in_domain,
    }
