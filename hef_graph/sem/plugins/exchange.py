"""Analyses and dialogues as plain JSON values, and back: what files and servers exchange, checked strictly.

An error names the field and the number that is wrong, as in `analyses[2].emotions[0].probability`; it never shows a
text, a word or a label, since those come from users.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NoReturn, TypeVar

from hef_graph.errors import HefInputError
from hef_graph.types import CoverageThresholds, Dialogue, EmotionAnalysis, EmotionScore, Turn, WordScore

FORMAT: Final = 1
"""The version of the format; it rises when a reader of the old one would misread the new one."""

SUM_TOLERANCE: Final = 1e-3
"""Numbers that should sum to 1 and miss it by no more are rescaled; a greater miss is an error."""

MOST_PROBABLE: Final = 1 + SUM_TOLERANCE
HEAVIEST: Final = 1e9
"""Weights are relative; one limit keeps their sum finite."""

_ROUNDING: Final = 1e-9
"""A sum this near to 1 is left as it is, so that what was written reads back equal."""

_ROLES: Final = ("speaker", "listener")

_Item = TypeVar("_Item")


def read_json(text: str | bytes) -> Any:
    """The JSON value of a text; NaN and Infinity are not JSON.

    Raises:
        HefInputError: the text is not JSON, or nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except HefInputError:
        raise
    except json.JSONDecodeError as error:
        raise HefInputError(f"not JSON ({error.msg} at line {error.lineno}, column {error.colno})") from None
    except UnicodeDecodeError as error:
        raise HefInputError(f"not UTF-8 text ({error.reason} at byte {error.start})") from None
    except RecursionError:
        raise HefInputError("the JSON is nested too deeply") from None
    except ValueError:  # a whole number of thousands of digits
        raise HefInputError("the JSON holds a number that cannot be read") from None


def write_json(value: Any) -> bytes:
    """The value as ASCII JSON: lone surrogates survive as escapes, and NaN is a `ValueError`."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def analysis_to_json(analysis: EmotionAnalysis) -> dict[str, Any]:
    """All fields of an analysis as plain values."""
    return {
        "emotions": [{"label": score.label, "probability": score.probability} for score in analysis.emotions],
        "words": [
            {"word": w.word, "turn": w.turn, "start": w.start, "end": w.end, "weight": w.weight} for w in analysis.words
        ],
        "confidence": analysis.confidence,
        "in_domain": analysis.in_domain,
        "thresholds": [list(pair) for pair in analysis.thresholds],
    }


def analysis_from_json(value: Any, texts: Sequence[str], *, where: str = "analysis") -> EmotionAnalysis:
    """Read what `analysis_to_json` wrote about the dialogue with these texts.

    Emotions are put in falling order of probability; `confidence`, `in_domain` and `thresholds` may be missing.

    Raises:
        HefInputError: a field is missing, of another type or out of its range; a word is not at its place.
    """
    fields = as_object(value, where)
    confidence = fields.get("confidence")
    in_domain = fields.get("in_domain", True)
    if not isinstance(in_domain, bool):
        _refuse(f"{where}.in_domain", in_domain, "true or false")
    return EmotionAnalysis(
        emotions=_emotions(fields.get("emotions"), f"{where}.emotions"),
        words=words_from_json(fields.get("words"), texts, where=f"{where}.words"),
        confidence=None if confidence is None else as_number(confidence, f"{where}.confidence", most=1.0),
        in_domain=in_domain,
        thresholds=_thresholds(fields.get("thresholds", []), f"{where}.thresholds"),
    )


def words_from_json(value: Any, texts: Sequence[str], *, where: str, rescale: bool = False) -> tuple[WordScore, ...]:
    """Word weights that sum to 1 (or are all 0), each word at its place in the texts; in reading order.

    With `rescale` the weights may sum to anything, and are divided by it.

    Raises:
        HefInputError: as in `analysis_from_json`.
    """
    words = _each(value, where, lambda item, place: _word(item, texts, place))
    weights = [word.weight for word in words]
    free = rescale or not any(weights)
    total = math.fsum(weights) or 1.0 if free else sum_of(weights, where, "weights")
    scaled = [WordScore(w.word, w.turn, w.start, w.end, w.weight / total) for w in words]
    return tuple(sorted(scaled, key=lambda word: (word.turn, word.start)))


def dialogue_to_json(dialogue: Dialogue) -> list[Any]:
    """Texts as they are, turns as `{"role", "text"}`."""
    return [{"role": entry.role, "text": entry.text} if isinstance(entry, Turn) else entry for entry in dialogue]


def dialogue_from_json(value: Any, *, where: str = "dialogue") -> list[str] | list[Turn]:
    """A dialogue from a list of texts, or of objects with `role` (speaker or listener) and `text`.

    Raises:
        HefInputError: another value, an empty list, or texts and objects mixed.
    """
    entries = _list(value, where)
    if not entries:
        raise HefInputError(f"{where} is empty; give at least one text")
    if all(isinstance(entry, str) for entry in entries):
        return list(entries)
    return _each(entries, where, _turn)


def as_object(value: Any, where: str) -> Mapping[str, Any]:
    """The value, which is a JSON object."""
    return value if isinstance(value, dict) else _refuse(where, value, "an object")


def as_number(value: Any, where: str, *, least: float = 0.0, most: float = math.inf) -> float:
    """The value as a finite number from `least` to `most`.

    Raises:
        HefInputError: not a number, NaN, infinite, or out of the range.
    """
    span = f"a number from {least:g} " + ("on" if most == math.inf else f"to {most:g}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _refuse(where, value, span)
    try:
        number = float(value)
    except OverflowError:
        raise HefInputError(f"{where} is too large; allowed is {span}") from None
    if not math.isfinite(number) or not least <= number <= most:
        raise HefInputError(f"{where} is {number!r}; allowed is {span}")
    return number


def is_label(text: str) -> bool:
    """Whether a text can be an emotion label: it can be shown in one line, without control signs or surrogates."""
    return bool(text.strip()) and text.isprintable()


def sum_of(numbers: Sequence[float], where: str, kind: str) -> float:
    """What to divide numbers by that should sum to 1.

    Raises:
        HefInputError: they miss 1 by more than the tolerance.
    """
    total = math.fsum(numbers)
    if abs(total - 1.0) > SUM_TOLERANCE:
        raise HefInputError(f"the {kind} in {where} sum to {total:.6g}; allowed is 1 ± {SUM_TOLERANCE:g}")
    return 1.0 if abs(total - 1.0) <= _ROUNDING else total


def _emotions(value: Any, where: str) -> tuple[EmotionScore, ...]:
    scores = _each(value, where, _emotion)
    if len({score.label for score in scores}) < len(scores):
        raise HefInputError(f"{where} names a label twice; each label may come once")
    total = sum_of([score.probability for score in scores], where, "probabilities")
    scaled = [EmotionScore(score.label, score.probability / total) for score in scores]
    return tuple(sorted(scaled, key=lambda score: -score.probability))


def _emotion(value: Any, where: str) -> EmotionScore:
    fields = as_object(value, where)
    probability = as_number(fields.get("probability"), f"{where}.probability", most=MOST_PROBABLE)
    label = _text(fields.get("label"), f"{where}.label")
    if not is_label(label):
        raise HefInputError(f"{where}.label cannot be shown in one line; it holds signs that are not printable")
    return EmotionScore(label, probability)


def _word(value: Any, texts: Sequence[str], where: str) -> WordScore:
    fields = as_object(value, where)
    word = _text(fields.get("word"), f"{where}.word")
    turn = _index(fields.get("turn"), f"{where}.turn", most=len(texts) - 1)
    end = _index(fields.get("end"), f"{where}.end", most=len(texts[turn]))
    start = _index(fields.get("start"), f"{where}.start", most=end)
    if texts[turn][start:end] != word:
        raise HefInputError(f"{where}.word is not what turn {turn} holds from {start} to {end}; correct the offsets")
    return WordScore(word, turn, start, end, as_number(fields.get("weight"), f"{where}.weight", most=HEAVIEST))


def _turn(value: Any, where: str) -> Turn:
    fields = as_object(value, where)
    role, text = fields.get("role"), fields.get("text")
    if role not in _ROLES:
        _refuse(f"{where}.role", role, "speaker or listener")
    return Turn(role, text if isinstance(text, str) else _refuse(f"{where}.text", text, "a text"))


def _thresholds(value: Any, where: str) -> CoverageThresholds:
    pairs = tuple(_each(value, where, _threshold))
    if any(later[0] <= earlier[0] for earlier, later in pairwise(pairs)):
        raise HefInputError(f"{where} are not in rising order of coverage; sort them")
    return pairs


def _threshold(value: Any, where: str) -> tuple[float, float]:
    pair = _list(value, where)
    if len(pair) != 2:  # noqa: PLR2004  coverage and probability
        raise HefInputError(f"{where} holds {len(pair)} numbers; expected a coverage and a probability")
    return as_number(pair[0], f"{where}[0]", most=1.0), as_number(pair[1], f"{where}[1]", most=1.0)


def _each(value: Any, where: str, read: Callable[[Any, str], _Item]) -> list[_Item]:
    return [read(item, f"{where}[{index}]") for index, item in enumerate(_list(value, where))]


def _list(value: Any, where: str) -> list[Any]:
    return value if isinstance(value, list) else _refuse(where, value, "a list")


def _text(value: Any, where: str) -> str:
    return value if isinstance(value, str) and value else _refuse(where, value, "a text that is not empty")


def _index(value: Any, where: str, *, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        _refuse(where, value, "a whole number")
    if not 0 <= value <= most:
        raise HefInputError(f"{where} is out of range; allowed are whole numbers from 0 to {most}")
    return int(value)


def _refuse(where: str, value: Any, allowed: str) -> NoReturn:
    kind = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "missing or null"}
    raise HefInputError(f"{where} is {kind.get(type(value), 'a number')}; expected {allowed}")


def _refuse_constant(name: str) -> NoReturn:
    raise HefInputError(f"the JSON holds {name}, which is not a number; write a finite one")
