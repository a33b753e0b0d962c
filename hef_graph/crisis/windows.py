"""What of a message the classifier reads: all of a short one; of a long one the ends, and where phrases stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hef_graph.crisis.rules import Hit, Sentence, split_sentences

WINDOW: Final = 380
"""Characters read at once: about as many as the classifier's tokens hold."""
MOST_WINDOWS: Final = 6


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of whole sentences."""

    start: int
    end: int


def choose_windows(text: str, hits: Sequence[Hit]) -> list[Window]:
    """At most `MOST_WINDOWS` windows in reading order; all of the text, where that is enough."""
    windows = _cut(split_sentences(text))
    if len(windows) <= MOST_WINDOWS:
        return windows
    around = [
        index for index, window in enumerate(windows) if any(window.start <= hit.start < window.end for hit in hits)
    ]
    edges = [0, len(windows) - 1, 1, len(windows) - 2]
    chosen = dict.fromkeys([*edges[:2], *_spaced(around, MOST_WINDOWS - len(edges)), *edges[2:]])
    spread = _spaced(range(len(windows)), MOST_WINDOWS)
    return [windows[index] for index in sorted([*chosen, *(i for i in spread if i not in chosen)][:MOST_WINDOWS])]


def _cut(sentences: Sequence[Sentence]) -> list[Window]:
    """Sentences gathered up to `WINDOW` characters; each window begins with the last sentence of the one before."""
    windows: list[Window] = []
    start, last = 0, 0
    for index, sentence in enumerate(sentences):
        if sentence.end - sentences[start].start > WINDOW and index > start:
            windows.append(Window(sentences[start].start, sentences[index - 1].end))
            start, last = max(index - 1, start + 1), index
    if sentences and (not windows or last < len(sentences)):
        windows.append(Window(sentences[start].start, sentences[-1].end))
    return windows


def _spaced(indices: Sequence[int], count: int) -> list[int]:
    """Up to `count` of the indices, the first and the last among them, at even distances."""
    if len(indices) <= count:
        return list(indices)
    return [indices[round(step * (len(indices) - 1) / (count - 1))] for step in range(count)]
