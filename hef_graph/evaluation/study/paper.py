"""The paper's own figures, quoted to stand beside ours: Yang et al. 2024, arXiv 2402.11801, Tables 1 to 7 and Figure 3.

Every figure is a text, digit for digit as printed; what a table does not print is not here. All were measured on the
test split of EmpatheticDialogues. Of Figure 3 the paper's text holds no points: it is a picture only. Quoted for
it are the accuracies that Tables 2 and 4 print at a stated k2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

PAPER: Final = "Yang et al. 2024, arXiv 2402.11801"
SPLIT: Final = "test"
"""The split of EmpatheticDialogues that the paper measures on."""

Kind: TypeAlias = Literal["SEM", "LLM", "HEF"]
"""A small empathetic model, a large language model alone, or both together."""


@dataclass(frozen=True, slots=True)
class QuotedScores:
    """One system's row."""

    kind: Kind
    name: str
    figures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuotedVerdict:
    """One aspect of one comparison; ties are not printed."""

    first: str
    second: str
    aspect: str
    win: str
    lose: str


@dataclass(frozen=True, slots=True)
class QuotedCase:
    """One dialogue of the case study."""

    emotion: str
    about: str
    """What the dialogue is about, in our words: its text is EmpatheticDialogues' and is not printed again here."""
    responses: tuple[tuple[str, str], ...]
    """Name and response."""


@dataclass(frozen=True, slots=True)
class QuotedPoint:
    """An accuracy that a table prints for a number of prioritised emotions."""

    model: str
    k2: int
    """0 for the LLM alone."""
    accuracy: float
    table: int
    """Which table prints it."""


TITLES: Final[Mapping[int, str]] = {
    1: "Emotion accuracy of the SEM: the right emotion among the k most probable",
    2: "Automatic evaluation",
    3: "Human-like evaluation: HEF against the LLM alone",
    4: "Ablation: automatic evaluation",
    5: "Ablation: human-like evaluation",
    6: "Number of cause words (k1), without prioritised emotions",
    7: "Case study",
}
FIGURE_3_TITLE: Final = "Emotion accuracy across different models"

TABLE_1: Final = (QuotedScores("SEM", "ESCM_tt", ("42.02", "66.39", "87", "96.57")),)
"""Acc_1, Acc_3, Acc_10, Acc_20."""

TABLE_2: Final = (
    QuotedScores("SEM", "KEMP", ("39.31", "36.89", "0.55", "2.29")),
    QuotedScores("SEM", "CEM", ("39.11", "36.11", "0.66", "2.99")),
    QuotedScores("SEM", "CASE", ("40.2", "35.37", "0.74", "4.01")),
    QuotedScores("SEM", "ESCM", ("41.19", "34.82", "1.19", "4.11")),
    QuotedScores("SEM", "ESCM_tt", ("42.02", "35.07", "1.39", "4.42")),
    QuotedScores("LLM", "Llama2-7b", ("3.06", "-", "26.18", "66.93")),
    QuotedScores("LLM", "Llama2-13b", ("4.52", "-", "5.46", "29.17")),
    QuotedScores("LLM", "ChatGLM3-6b", ("24.31", "-", "37.75", "75.03")),
    QuotedScores("LLM", "Mistral-7b", ("26.77", "-", "3.76", "23.85")),
    QuotedScores("LLM", "ChatGPT", ("37.9", "-", "3.58", "21.38")),
    QuotedScores("HEF", "Llama2-7b c10", ("5.57", "-", "24.02", "66.37")),
    QuotedScores("HEF", "Llama2-13b c3", ("7.09", "-", "6.24", "31.86")),
    QuotedScores("HEF", "ChatGLM3-6b c3", ("27.21", "-", "42.23", "80.08")),
    QuotedScores("HEF", "Mistral-7b c3", ("31.36", "-", "3.41", "22.69")),
    QuotedScores("HEF", "ChatGPT c20,w1", ("45.63", "-", "3.36", "20.9")),
)
"""Accuracy, perplexity, Distinct-1, Distinct-2; c: prioritised emotions (k2), w: cause words (k1)."""

TABLE_3: Final = (
    QuotedVerdict("ChatGPT c20,w1", "ChatGPT", "Empathy", "86", "1"),
    QuotedVerdict("ChatGPT c20,w1", "ChatGPT", "Relevance", "44", "0"),
    QuotedVerdict("ChatGPT c20,w1", "ChatGPT", "Fluency", "32", "0"),
    QuotedVerdict("Mistral-7b c3", "Mistral-7b", "Empathy", "48", "40"),
    QuotedVerdict("Mistral-7b c3", "Mistral-7b", "Relevance", "51", "23"),
    QuotedVerdict("Mistral-7b c3", "Mistral-7b", "Fluency", "34", "21"),
    QuotedVerdict("ChatGLM3-6b c3", "ChatGLM3", "Empathy", "63", "22"),
    QuotedVerdict("ChatGLM3-6b c3", "ChatGLM3", "Relevance", "54", "16"),
    QuotedVerdict("ChatGLM3-6b c3", "ChatGLM3", "Fluency", "52", "7"),
)
"""Of 100 dialogues, judged by GPT-4."""

TABLE_4: Final = (
    QuotedScores("LLM", "ChatGPT", ("37.9", "3.58", "21.38")),
    QuotedScores("HEF", "ChatGPT c20,w1", ("45.63", "3.36", "20.9")),
    QuotedScores("HEF", "ChatGPT c20", ("45.44", "3.59", "21.29")),
    QuotedScores("HEF", "ChatGPT w1", ("38.66", "3.57", "21.41")),
)
"""Accuracy, Distinct-1, Distinct-2."""

TABLE_5: Final = (
    QuotedVerdict("ChatGPT c20,w1", "ChatGPT w1", "Empathy", "89", "3"),
    QuotedVerdict("ChatGPT c20,w1", "ChatGPT w1", "Relevance", "68", "2"),
    QuotedVerdict("ChatGPT c20,w1", "ChatGPT w1", "Fluency", "39", "0"),
    QuotedVerdict("ChatGPT c20,w1", "ChatGPT c20", "Empathy", "77", "7"),
    QuotedVerdict("ChatGPT c20,w1", "ChatGPT c20", "Relevance", "74", "0"),
    QuotedVerdict("ChatGPT c20,w1", "ChatGPT c20", "Fluency", "65", "0"),
)

TABLE_6: Final = (
    QuotedScores("HEF", "ChatGPT w1", ("38.66", "3.57", "21.41")),
    QuotedScores("HEF", "ChatGPT w5", ("38.32", "3.54", "21.93")),
    QuotedScores("HEF", "ChatGPT w10", ("38.17", "3.61", "22.11")),
    QuotedScores("HEF", "ChatGPT w15", ("37.84", "3.63", "22.11")),
)
"""Accuracy, Distinct-1, Distinct-2; printed with the measures as rows."""

TABLE_7: Final = (
    QuotedCase(
        "Proud",
        "An emergency in the family, and savings that were enough for it.",
        (
            (
                "ChatGPT",
                (
                    "I'm so glad to hear that everything worked out for you. It's wonderful that you were able to help "
                    "your family in their time of need."
                ),
            ),
            (
                "ChatGPT c20,w1",
                (
                    "That's wonderful to hear that you were prepared for the emergency and that you'll be getting "
                    "reimbursed. It's definitely a relief to have that financial cushion."
                ),
            ),
        ),
    ),
    QuotedCase(
        "Sentimental",
        "The thought of a father who died some years ago.",
        (
            (
                "ChatGPT",
                (
                    "I'm so sorry to hear about your dad. Losing a loved one is incredibly tough and it's normal to "
                    "still feel sad years later."
                ),
            ),
            (
                "ChatGPT c20,w1",
                (
                    "I'm so sorry to hear about your dad. It's completely normal to feel sad when you think about him. "
                    "If you ever need to talk, I'm here for you."
                ),
            ),
        ),
    ),
)

FIGURE_3: Final = (
    QuotedPoint("Llama2-7b", 0, 3.06, 2),
    QuotedPoint("Llama2-7b", 10, 5.57, 2),
    QuotedPoint("Llama2-13b", 0, 4.52, 2),
    QuotedPoint("Llama2-13b", 3, 7.09, 2),
    QuotedPoint("ChatGLM3-6b", 0, 24.31, 2),
    QuotedPoint("ChatGLM3-6b", 3, 27.21, 2),
    QuotedPoint("Mistral-7b", 0, 26.77, 2),
    QuotedPoint("Mistral-7b", 3, 31.36, 2),
    QuotedPoint("ChatGPT", 0, 37.9, 2),
    QuotedPoint("ChatGPT", 20, 45.44, 4),
)
"""What Tables 2 and 4 print without cause words; the figure's other points are not in the paper's text."""
