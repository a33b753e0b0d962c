"""What a study has to know of the models it asks: what sets one apart from another, its bill's name, what it wrote."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from functools import cached_property, reduce
from typing import Any, Final
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.outputs import LLMResult
from langchain_core.utils.json import parse_partial_json
from pydantic import BaseModel
from typing_extensions import override

from hef_graph import instruction as wording
from hef_graph.chat.listener import EmbeddedListener
from hef_graph.chat.local import is_local
from hef_graph.chat.methods import answer_text
from hef_graph.chat.outcome import Outcome
from hef_graph.evaluation.study.answers import Answer
from hef_graph.turn import HELPFUL_FROM, UNSURE_BELOW, ReadingOptions
from hef_graph.types import Dialogue, EmotionAnalysis, SmallEmpatheticModel, Turn, turns_from_dialogue

KEY_LENGTH: Final = 16

_WITHOUT_EFFECT: Final = frozenset(
    """name verbose cache callbacks tags metadata profile disable_streaming streaming stream_usage stream_chunk_timeout
    max_retries request_timeout timeout default_headers include_response_headers organization openai_organization
    rate_limiter delay""".split()
)
"""Fields of chat models that change how an answer travels, not what it says."""

_STOPS: Final = frozenset({"stop", "stop_sequences"})


def stable_hash(values: Any) -> str:
    """The same short text for the same plain values, on every machine and in every run."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:KEY_LENGTH]


def model_identity(model: BaseChatModel) -> dict[str, Any]:
    """What changes a chat model's answers, as plain values: its class and its settings (name, address, temperature…).

    Secrets are left out: an answer stays paid when a key is renewed.
    """
    return {"class": f"{type(model).__module__}.{type(model).__qualname__}", **_settings(model)}


def _settings(model: BaseModel) -> dict[str, Any]:
    """The plain fields, those of models inside the model too; a list is mostly state: only stop sequences count."""
    found: dict[str, Any] = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name, None)
        if name in _WITHOUT_EFFECT or value is None or (field.exclude and not isinstance(value, BaseModel)):
            continue
        if isinstance(value, BaseModel):
            found[name] = _settings(value)
        elif _is_plain(value) or (name in _STOPS and _is_plain_list(value)):
            found[name] = value
    return found


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_plain(key) and (_is_plain(each) or _is_plain_list(each)) for key, each in value.items())
    return value is None or isinstance(value, str | int | float)


def _is_plain_list(values: Any) -> bool:
    return isinstance(values, list | tuple) and all(_is_plain(value) or _is_plain_list(value) for value in values)


def priced_name(model: BaseChatModel) -> str | None:
    """The name under which a provider bills the model; None for one that runs here."""
    if is_local(model) or type(model).__module__.startswith("langchain_ollama."):
        return None
    names = (getattr(model, field, None) for field in ("model_name", "model", "model_id"))
    return next((name for name in names if isinstance(name, str) and name), type(model).__name__)


def shown_by(reading: ReadingOptions) -> dict[str, Any]:
    """What of the options reaches the model; empty if nothing does."""
    shown: dict[str, Any] = {}
    if reading.two_stage:
        adaptive = {"coverage": reading.coverage} if reading.k2 == "adaptive" else {}
        templates = [wording.TWO_STAGE, wording.TWO_STAGE_UNSURE, UNSURE_BELOW, HELPFUL_FROM]
        shown |= {"k2": reading.k2, "wording": reading.wording, "two_stage": templates, **adaptive}
    if reading.cause_perception:
        shown |= {"k1": reading.k1, "causes": [wording.HIGH_WORDS, wording.LOW_WORDS, wording.RELATE_WORDS]}
    return shown | {"naturally": wording.NATURALLY} if shown else {}


class RememberedSem:
    """A small empathetic model (SEM) that reads each dialogue once, however many systems of a study ask for it."""

    def __init__(self, sem: SmallEmpatheticModel) -> None:
        self._sem = sem
        self._read: dict[tuple[Turn, ...], EmotionAnalysis] = {}
        self._seconds: dict[tuple[Turn, ...], float] = {}

    @property
    def name(self) -> str:
        """The SEM's."""
        return self._sem.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The SEM's."""
        return self._sem.labels

    @cached_property
    def identity(self) -> dict[str, Any]:
        """`sem_identity` of the SEM."""
        return sem_identity(self._sem)

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        """As the SEM's; what is new is read in one batch."""
        keys = [tuple(turns_from_dialogue(dialogue)) for dialogue in dialogues]
        new = list(dict.fromkeys(key for key in keys if key not in self._read))
        if new:
            started = time.perf_counter()
            self._read.update(zip(new, self._sem.analyze(new), strict=True))
            self._seconds |= dict.fromkeys(new, (time.perf_counter() - started) / len(new))
        return [self._read[key] for key in keys]

    def seconds(self, turns: Sequence[Turn]) -> float:
        """How long a dialogue took to read: its share of its batch."""
        return self._seconds.get(tuple(turns), 0.0)


def sem_identity(sem: SmallEmpatheticModel) -> dict[str, Any]:
    """What changes a SEM's answers: its weights or predictions where it holds them, else its name; its labels.

    Where it runs is left out: it reads the same on every device.
    """
    if isinstance(sem, RememberedSem):
        return sem.identity
    model, predictions = getattr(sem, "_model", None), getattr(sem, "_predictions", None)
    if hasattr(model, "state_dict"):
        inside = {"weights_sha256": _hash_weights(model), "words": str(getattr(sem, "_words", None))}
    elif predictions:
        inside = {"predictions": stable_hash(repr(predictions))}
    else:
        inside = {"name": sem.name}
    return {"labels": list(sem.labels), **inside}


def _hash_weights(model: Any) -> str:
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().float().contiguous().numpy().tobytes())
    return digest.hexdigest()


class SilentListener(EmbeddedListener):
    """Stands where the embedded listener is the rung below a model: a study scores the model, so nothing is said.

    No label stands in for one that the model got wrong, either.
    """

    reader: Any = None

    @override
    def guess_emotion(self, turns: Sequence[Turn]) -> str:
        return ""

    @override
    def answer_in_time(self, turns: Sequence[Turn], degraded_reason: str | None = None) -> Outcome:
        return Outcome("", "", degraded_reason or "listener")


class Ear(BaseCallbackHandler):
    """Hears what a model wrote in all calls of one turn, before anything was mended, and counts all their tokens."""

    run_inline = True  # in the order of the calls, and before the turn ends

    def __init__(self) -> None:
        self.texts: list[str] = []
        """The JSON text of each call that came back."""
        self.usage: UsageMetadata | None = None
        """None where the provider counts nothing."""
        self._turn: UUID | None = None

    @override
    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[BaseMessage]], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """The first run is the turn itself; the model's calls are its children."""
        self._turn = self._turn or run_id

    @override
    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Keep what a call wrote."""
        for message in (getattr(each, "message", None) for batch in response.generations for each in batch):
            if run_id != self._turn and isinstance(message, BaseMessage):
                self.texts.append(answer_text(message))
                self._count(getattr(message, "usage_metadata", None))

    def _count(self, usage: UsageMetadata | None) -> None:
        if usage and "total_tokens" in usage:  # an answer from LangChain's cache may hold costs alone
            self.usage = reduce(add_usage, [self.usage, usage]) if self.usage else usage

    @property
    def emotion(self) -> str:
        """What stood in the emotion's place, the first time anything did; empty if nothing ever did."""
        return next(filter(None, map(written_emotion, self.texts)), "")


def written_emotion(text: str) -> str:
    """What stands in the emotion's place of a model's JSON text, valid or not, whole or cut; empty without one.

    >>> written_emotion('Sure! {"emotion": "very sad", "response": "Oh')
    'very sad'
    """
    start = text.find("{")
    try:
        values = parse_partial_json(text[start:]) if start >= 0 else None
    except (ValueError, RecursionError):
        return ""
    emotion = values.get("emotion") if isinstance(values, dict) else None
    return emotion.strip() if isinstance(emotion, str) else ""


def heard_answer(case_id: str, outcome: Outcome, ear: Ear, seconds: float) -> Answer:
    """A turn's outcome as a study keeps it; tokens are those of all calls, failed ones too."""
    usage = ear.usage or outcome.usage
    return Answer(
        case_id,
        outcome.emotion or None,
        ear.emotion,
        outcome.response,
        degraded_reason=outcome.degraded_reason,
        input_tokens=usage["input_tokens"] if usage else 0,
        output_tokens=usage["output_tokens"] if usage else 0,
        seconds=seconds,
    )


def read_answer(case_id: str, analysis: EmotionAnalysis, reply: str, seconds: float) -> Answer:
    """A SEM's reading, and the reply that its decoder wrote, as a study keeps them."""
    first = analysis.emotions[0]
    return Answer(
        case_id,
        first.label,
        first.label,
        reply,
        tuple(score.label for score in analysis.emotions),
        first.probability,
        seconds=seconds,
    )
