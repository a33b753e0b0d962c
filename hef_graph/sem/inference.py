"""The shipped small empathetic model (SEM) at work: dialogues → analyses, and proposed replies."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from hef_graph.errors import HefInputError
from hef_graph.sem.checkpoint import SHIPPED, load_checkpoint
from hef_graph.sem.config import SemConfig
from hef_graph.sem.cores import releasing_thread_pool, share_cores
from hef_graph.sem.dataset import DialogueBatch, ReplyExample, collate_dialogues, collate_replies
from hef_graph.sem.domain import DomainCheck
from hef_graph.sem.generation import Memory, SamplingConfig, sample_replies
from hef_graph.sem.likelihood import decode_greedily, length_order, total_log_likelihoods
from hef_graph.sem.modeling import Decoder, EmpatheticModel, Reading
from hef_graph.sem.quantization import Precision, choose_precision, compile_layers, reader_in
from hef_graph.sem.surface import close_sentence, restore_surface
from hef_graph.sem.tokenization import LISTENER_ID, NOTHING, DialogueTokenizer, EncodedDialogue
from hef_graph.sem.traced import TracedReader
from hef_graph.sem.word_weights import check_method, weigh_words
from hef_graph.types import (
    Dialogue,
    EmotionAnalysis,
    EmotionScore,
    ReplyCandidate,
    Turn,
    WordScore,
    turns_from_dialogues,
)

BATCH_SIZE: Final = 64
GPU_BATCH_SIZE: Final = 512
CACHED_TOKENS: Final = 512
"""What a CPU reads at once: with more, the numbers between two layers no longer fit its caches (measured)."""


class TransformerSem:
    """A trained `EmpatheticModel` behind the protocols `SmallEmpatheticModel` and `ReplyGenerator`."""

    def __init__(
        self,
        name: str,
        model: EmpatheticModel,
        tokenizer: DialogueTokenizer,
        device: torch.device,
        *,
        words: str | None = None,
        precision: str | None = "fp32",
    ) -> None:
        """`words` names the method of the word weights (`word_weights.py`); None takes the model's best.

        `precision` is how `analyze` multiplies (`quantization.py`); None takes the fastest.
        """
        self._name, self._model, self._tokenizer, self._device = name, model, tokenizer, device
        self._words = check_method(words, model)
        self._precision = choose_precision(precision, device.type, self._words, model.config)
        self._reader = reader_in(self._precision, model)
        self._read_batch: Callable[..., Reading] = self._reader
        if self._precision == "int8":
            self._read_batch = TracedReader(self._reader)
        if self._precision == "bf16" and device.type == "cuda":
            compile_layers(self._reader)
        self._domain = DomainCheck(tokenizer.vocabulary, model.config.rarity)

    @property
    def name(self) -> str:
        """The checkpoint's name and where it runs."""
        return f"{self._name} on {self._device}"

    @property
    def config(self) -> SemConfig:
        """The model's shape and labels."""
        return self._model.config

    @property
    def precision(self) -> Precision:
        """How `analyze` multiplies."""
        return self._precision

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotion labels it was trained on."""
        return self._model.config.labels

    @property
    def workers(self) -> int:
        """How many threads read the most together: one for each core, or one on a GPU."""
        return torch.get_num_threads() if self._device.type == "cpu" else 1

    def share_cores(self, workers: int) -> None:
        """The calling thread is one of so many that read side by side (`cores.share_cores`)."""
        if self._device.type == "cpu":
            share_cores(workers)

    @releasing_thread_pool()
    @torch.inference_mode(False)  # gradients weigh words, whatever mode the caller is in
    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        """Read dialogues in batches of similar length; the results come in the order given.

        Raises:
            HefInputError: a dialogue is empty, a bare text, or holds something else than texts or turns.
        """
        turns, encoded = self._encode(dialogues)
        analyses: dict[int, EmotionAnalysis] = {}
        for batch in self._reading_order(encoded):
            members = [encoded[index] for index in batch]
            padded = collate_dialogues(members).to(self._device)
            reading = self._read(padded)
            weights = weigh_words(self._reader, members, padded, reading, self._words)
            for row, index in enumerate(batch):
                analyses[index] = self._interpret(turns[index], encoded[index], reading, row, weights[row])
        return [analyses[index] for index in range(len(turns))]

    @releasing_thread_pool()
    def propose_replies(self, dialogue: Dialogue, emotion: str, *, count: int = 24) -> list[ReplyCandidate]:
        """Sample replies that the decoder holds likely after the dialogue, given the emotion.

        Raises:
            HefInputError: the SEM does not know the emotion, or has no decoder.
        """
        if emotion not in self.labels:
            raise HefInputError(f"the SEM {self.name} does not know the emotion {emotion!r}; it knows {self.labels}")
        if count < 1:
            raise HefInputError(f"count is {count!r}; allowed are whole numbers from 1 on")
        decoder = self._decoder()
        [turns], [encoded] = self._encode([dialogue])
        memory = Memory(self._states(encoded), self._states(NOTHING))
        sampled = sample_replies(decoder, memory, self.labels.index(emotion), SamplingConfig(count=count))
        texts = [close_sentence(self._write(reply.ids, turns)) for reply in sampled]
        different = dict(zip(texts, sampled, strict=True))  # other tokens may read the same
        return [ReplyCandidate(text, r.log_probability, r.specificity) for text, r in different.items()]

    def decode_replies(self, dialogues: Sequence[Dialogue]) -> list[str]:
        """One greedily decoded reply for each dialogue, given its predicted emotion.

        Raises:
            HefInputError: the SEM has no decoder, or as in `analyze`.
        """
        decoder = self._decoder()
        turns, encoded = self._encode(dialogues)
        replies: dict[int, str] = {}
        for batch in _batches(encoded, BATCH_SIZE):
            padded = collate_dialogues([encoded[index] for index in batch]).to(self._device)
            for index, ids in zip(batch, decode_greedily(self._model, decoder, padded), strict=True):
                replies[index] = self._write(ids, turns[index])
        return [replies[index] for index in range(len(turns))]

    def reply_log_likelihoods(self, dialogues: Sequence[Dialogue], replies: Sequence[str]) -> list[float]:
        """Total natural log-likelihood of each reply after its dialogue (see `likelihood.total_log_likelihoods`).

        Raises:
            HefInputError: the SEM has no decoder, or as in `analyze`.
        """
        decoder, longest = self._decoder(), self._model.config.max_reply_tokens
        _, encoded = self._encode(dialogues)
        ids = [tuple(self._tokenizer.encode_reply(reply, max_tokens=longest)) for reply in replies]
        pairs = zip(encoded, ids, strict=True)
        examples = [ReplyExample(dialogue, 0, LISTENER_ID, reply) for dialogue, reply in pairs]
        likelihoods: dict[int, float] = {}
        for batch in _batches(encoded, BATCH_SIZE):
            padded = collate_replies([examples[index] for index in batch]).to(self._device)
            totals = total_log_likelihoods(self._model, decoder, padded).tolist()
            likelihoods |= dict(zip(batch, totals, strict=True))
        return [likelihoods[index] for index in range(len(examples))]

    def _reading_order(self, encoded: Sequence[EncodedDialogue]) -> list[list[int]]:
        lengths = [len(dialogue.ids) for dialogue in encoded]
        if self._device.type == "cpu":
            return length_order(lengths, batch_size=BATCH_SIZE, tokens=CACHED_TOKENS)
        return length_order(lengths, batch_size=GPU_BATCH_SIZE)

    def _encode(self, dialogues: Sequence[Dialogue]) -> tuple[list[list[Turn]], list[EncodedDialogue]]:
        turns = turns_from_dialogues(dialogues)
        return turns, [self._tokenizer.encode(dialogue) for dialogue in turns]

    def _decoder(self) -> Decoder:
        if self._model.decoder is None:
            raise HefInputError(f"the SEM {self.name} only reads; it has no decoder to reply with")
        return self._model.decoder

    def _write(self, ids: Sequence[int], turns: Sequence[Turn]) -> str:
        return restore_surface(self._tokenizer.decode_reply(ids), [turn.text for turn in turns])

    @torch.inference_mode()
    def _read(self, padded: DialogueBatch) -> Reading:
        return self._read_batch(*padded)

    @torch.inference_mode()
    def _states(self, encoded: EncodedDialogue) -> Tensor:
        """What the decoder looks at, in full precision: `(1, tokens, hidden)`."""
        padded = collate_dialogues([encoded]).to(self._device)
        states: Tensor = self._model.encoder(padded.ids, padded.roles, padded.mask)
        return states

    def _interpret(
        self, turns: Sequence[Turn], encoded: EncodedDialogue, reading: Reading, row: int, weights: Sequence[float]
    ) -> EmotionAnalysis:
        probabilities = torch.softmax(reading.logits[row].double(), dim=-1).tolist()
        scores = [EmotionScore(label, p) for label, p in zip(self.labels, probabilities, strict=True)]
        emotions = tuple(sorted(scores, key=lambda score: -score.probability))
        in_domain = self._domain.accepts(encoded.spoken)
        presence = 1.0 if reading.presence is None else float(reading.presence[row])
        return EmotionAnalysis(
            emotions,
            _word_scores(turns, encoded, weights),
            confidence=_confidence(emotions, presence, in_domain=in_domain),
            in_domain=in_domain,
            thresholds=self._model.config.thresholds,
        )


@lru_cache(maxsize=8)
def load_transformer_sem(
    folder: Path, device: str, words: str | None = None, precision: str | None = None
) -> TransformerSem:
    """Load a checkpoint folder once per folder, device, method of the word weights and precision."""
    place = torch.device(device)
    model, vocabulary = load_checkpoint(folder, place)
    config = model.config
    tokenizer = DialogueTokenizer(
        vocabulary, max_tokens=config.max_tokens, decoder_vocab_size=config.decoder_vocab_size
    )
    name = "the shipped SEM (MiniLM-L6)" if folder == SHIPPED else folder.name
    return TransformerSem(name, model, tokenizer, place, words=words, precision=precision)


def choose_device(wished: str | None) -> str:
    """The wished device, else a GPU where there is one.

    Raises:
        HefInputError: torch knows no such device, or this machine has none.
    """
    if wished is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        place = torch.device(wished)
        torch.empty(1, device=place)
    except (RuntimeError, AssertionError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise HefInputError(f"device is {wished!r}, which cannot be used here: {reason}") from error
    return str(place)


def _batches(encoded: Sequence[EncodedDialogue], size: int) -> list[list[int]]:
    return length_order([len(dialogue.ids) for dialogue in encoded], batch_size=size)


def _confidence(emotions: Sequence[EmotionScore], presence: float, *, in_domain: bool) -> float:
    """The first emotion's probability, lowered where the text more likely carries none; chance out of domain."""
    if not in_domain:
        return min(emotions[0].probability, 1 / len(emotions))
    return emotions[0].probability * min(1.0, 2 * presence)


def _word_scores(turns: Sequence[Turn], encoded: EncodedDialogue, weights: Sequence[float]) -> tuple[WordScore, ...]:
    return tuple(
        WordScore(turns[word.turn].text[word.start : word.end], word.turn, word.start, word.end, weight)
        for word, weight in zip(encoded.words, weights, strict=True)
    )
