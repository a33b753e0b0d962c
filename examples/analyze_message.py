"""Read the emotion and its cause words in a dialogue: the small empathetic model (SEM) alone.

python examples/analyze_message.py
"""

from hef_graph import load_sem

DIALOGUE = [
    "My brother moved to Canada last week.",
    "That is far away. Do you two talk often?",
    "We used to cook together every Sunday. The kitchen feels so empty now.",
]


def main() -> None:
    """Print the five most likely emotions and the five heaviest words."""
    [analysis] = load_sem().analyze([DIALOGUE])
    for score in analysis.emotions[:5]:
        print(f"{score.label:<13} {score.probability:6.1%}")
    for word in sorted(analysis.words, key=lambda word: -word.weight)[:5]:
        said = DIALOGUE[word.turn]
        print(f"turn {word.turn}: {said[: word.start]}[{word.word}]{said[word.end :]}  ({word.weight:.2f})")


if __name__ == "__main__":
    main()
