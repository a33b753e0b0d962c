"""Bring your own small empathetic model (SEM): anything with `name`, `labels` and `analyze`.

Here a word list stands for it, with labels of its own; they flow through to the reply's schema.

python examples/custom_sem.py
"""

from collections.abc import Sequence

from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import HumanMessage

from hef_graph import EmotionAnalysis, EmotionScore, WordScore, create_hef_graph
from hef_graph.types import Dialogue, turns_from_dialogue

MOODS = {"late": "stressed", "deadline": "stressed", "holiday": "relaxed", "beach": "relaxed"}


class WordListSem:
    """Counts words of two moods."""

    name = "a word list"
    labels = ("stressed", "relaxed")

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        """One analysis for each dialogue."""
        return [self._read(dialogue) for dialogue in dialogues]

    def _read(self, dialogue: Dialogue) -> EmotionAnalysis:
        turn, text = len(dialogue) - 1, turns_from_dialogue(dialogue)[-1].text
        words = [word.strip(".,!?") for word in text.split()]
        moods = [MOODS[word] for word in words if word in MOODS]
        share = (moods.count("stressed") + 1) / (len(moods) + 2)
        scores = [EmotionScore("stressed", share), EmotionScore("relaxed", 1 - share)]
        found = [word for word in words if word in MOODS] or words[:1]
        marks = tuple(
            WordScore(word, turn, text.index(word), text.index(word) + len(word), 1 / len(found)) for word in found
        )
        return EmotionAnalysis(tuple(sorted(scores, key=lambda score: -score.probability)), marks)


def main() -> None:
    """Answer one message with a scripted model; a real one is one changed line: model = "openai:gpt-4.1-mini"."""
    model = FakeListChatModel(responses=['{"emotion": "stressed", "response": "What is due first?"}'])
    graph = create_hef_graph(model, sem=WordListSem())
    out = graph.invoke({"messages": [HumanMessage("The deadline is tomorrow and I am late.")]})
    print("candidates:", out["emotion_candidates"])
    print("cause words:", out["cause_words"])
    print(f"{out['emotion']} › {out['messages'][-1].text}")


if __name__ == "__main__":
    main()
