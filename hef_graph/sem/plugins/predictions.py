"""A small empathetic model (SEM) whose predictions were made elsewhere and lie in a file.

This is how a research system plugs in that cannot be installed any more: what it predicted is looked up by dialogue.

The file is UTF-8 JSONL, one dialogue a line:

    {"dialogue": ["I lost my job.", "Oh no, how?", "They closed the plant."],
     "emotions": {"sad": 0.6, "anxious": 0.3, "angry": 0.1},
     "words": [{"word": "closed", "turn": 2, "start": 5, "end": 11, "weight": 0.7},
               {"word": "plant", "turn": 2, "start": 16, "end": 21, "weight": 0.3}]}

- `dialogue`: texts that alternate speaker and listener and end with the speaker. It is found again by its texts,
  with every run of white space read as one space; letters, case and punctuation count.
- `emotions`: label → probability, summing to 1 (a miss of 0.001 is rescaled). A label that other lines name and this
  one does not has probability 0 here. The labels of the SEM are those of all lines, in the order they first appear.
- `words` (may be missing): weights from 0 on, rescaled to sum to 1; `word` is `dialogue[turn][start:end]`, offsets
  count code points. Without it every word of the dialogue weighs the same.

The same dialogue may come twice with the same prediction, not with different ones. Other keys are ignored.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from hef_graph.errors import HefInputError
from hef_graph.sem.plugins.exchange import (
    MOST_PROBABLE,
    as_number,
    as_object,
    dialogue_from_json,
    is_label,
    read_json,
    sum_of,
    words_from_json,
)
from hef_graph.sem.tokenization import find_words
from hef_graph.types import Dialogue, EmotionAnalysis, EmotionScore, Turn, WordScore, turns_from_dialogues

Key: TypeAlias = tuple[str, ...]
"""A dialogue's texts with plain white space."""

LONGEST_LINE: Final = 8 * 1024 * 1024
"""Characters: a file without line ends must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One line of the file."""

    emotions: tuple[EmotionScore, ...]
    """In the order of the line."""
    words: tuple[WordScore, ...] | None
    """Offsets count the characters that are not white space: they hold for every spacing of the dialogue."""


class FileSem:
    """A SEM that looks up what a file predicts; satisfies `SmallEmpatheticModel`.

    Args:
        name: to show to people.
        predictions: by the dialogue's texts, as `key_of` gives them.
    """

    def __init__(self, name: str, predictions: dict[Key, Prediction]) -> None:
        self._name, self._predictions = name, predictions
        named = (score.label for prediction in predictions.values() for score in prediction.emotions)
        self._labels = tuple(dict.fromkeys(named))

    @property
    def name(self) -> str:
        """The file, and how many dialogues it holds."""
        return f"{self._name} ({len(self._predictions)} predictions)"

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all lines, in the order they first appear."""
        return self._labels

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        """The predictions for the dialogues, in order.

        Raises:
            HefInputError: a dialogue cannot be read, or is not in the file.
        """
        return [self._look_up(index, turns) for index, turns in enumerate(turns_from_dialogues(dialogues))]

    def _look_up(self, index: int, turns: Sequence[Turn]) -> EmotionAnalysis:
        texts = [turn.text for turn in turns]
        prediction = self._predictions.get(key_of(texts))
        if prediction is None:
            raise HefInputError(
                f"dialogue {index} of {len(texts)} turns is not among the {len(self._predictions)} that {self._name} "
                "predicts; it is found by its exact texts, white space apart"
            )
        words = _equal_words(texts) if prediction.words is None else _placed(prediction.words, texts)
        return EmotionAnalysis(self._complete(prediction), words)

    def _complete(self, prediction: Prediction) -> tuple[EmotionScore, ...]:
        """All labels, most probable first."""
        named = {score.label: score for score in prediction.emotions}
        scores = [named.get(label) or EmotionScore(label, 0.0) for label in self._labels]
        return tuple(sorted(scores, key=lambda score: -score.probability))


def load_predictions(path: str | Path) -> FileSem:
    """The SEM that a file of predictions stands for.

    Raises:
        HefInputError: no such file, no predictions in it, or a line that cannot be used (named by its number).
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise HefInputError(f"no such file: {path}")
    predictions: dict[Key, Prediction] = {}
    try:
        for number, line in _lines(path):
            _add(predictions, line, f"{path}, line {number}")
    except UnicodeDecodeError as error:
        raise HefInputError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise HefInputError(f"{path} cannot be read: {error}") from error
    if not predictions:
        raise HefInputError(f"{path} holds no predictions; expected one JSON object a line")
    return FileSem(path.name, predictions)


def key_of(texts: Sequence[str]) -> Key:
    """What a dialogue is found by."""
    return tuple(" ".join(text.split()) for text in texts)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that hold something, with their numbers; never more of one than is allowed."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE + 1), ""), start=1):
            if len(line) > LONGEST_LINE:
                raise HefInputError(f"{path}, line {number} has more than {LONGEST_LINE} characters")
            if line.strip():
                yield number, line


def _add(predictions: dict[Key, Prediction], line: str, where: str) -> None:
    try:
        fields = as_object(read_json(line), "the line")
        texts = dialogue_from_json(fields.get("dialogue"))
        if not all(isinstance(text, str) for text in texts):
            raise HefInputError("dialogue holds objects; expected texts")  # noqa: TRY301  the line is named below
        key = key_of([str(text) for text in texts])
        prediction = Prediction(_emotions(fields.get("emotions")), _words(fields.get("words"), [str(t) for t in texts]))
        if predictions.setdefault(key, prediction) != prediction:
            raise HefInputError("an earlier line predicts another thing for this dialogue")  # noqa: TRY301  as above
    except HefInputError as error:
        raise HefInputError(f"{where}: {error}") from None


def _emotions(value: Any) -> tuple[EmotionScore, ...]:
    given = as_object(value, "emotions")
    if not given or not all(map(is_label, given)):
        raise HefInputError("emotions are missing or a label is empty or unprintable; expected {label: probability, …}")
    places = [f"the probability of label {number}" for number in range(1, len(given) + 1)]
    numbers = [as_number(n, place, most=MOST_PROBABLE) for n, place in zip(given.values(), places, strict=True)]
    total = sum_of(numbers, "emotions", "probabilities")
    return tuple(EmotionScore(label, number / total) for label, number in zip(given, numbers, strict=True))


def _words(value: Any, texts: Sequence[str]) -> tuple[WordScore, ...] | None:
    if value is None:
        return None
    words = words_from_json(value, texts, where="words", rescale=True)
    if any(word.word.split() != [word.word] for word in words):
        raise HefInputError("a word holds white space; give each word by itself")
    return tuple(_counted(word, texts[word.turn]) for word in words)


def _counted(word: WordScore, text: str) -> WordScore:
    """The word with offsets that leave white space out."""
    start = len("".join(text[: word.start].split()))
    return WordScore(word.word, word.turn, start, start + len(word.word), word.weight)


def _placed(words: Sequence[WordScore], texts: Sequence[str]) -> tuple[WordScore, ...]:
    """The words with offsets into these texts."""
    places = [[index for index, letter in enumerate(text) if not letter.isspace()] for text in texts]
    starts = [places[word.turn][word.start] for word in words]
    return tuple(
        WordScore(word.word, word.turn, start, start + len(word.word), word.weight)
        for word, start in zip(words, starts, strict=True)
    )


def _equal_words(texts: Sequence[str]) -> tuple[WordScore, ...]:
    """All words of the dialogue, of equal weight."""
    spans = [(turn, start, end) for turn, text in enumerate(texts) for start, end in find_words(text)]
    return tuple(WordScore(texts[turn][start:end], turn, start, end, 1 / len(spans)) for turn, start, end in spans)
