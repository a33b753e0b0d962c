"""The shipped small empathetic model (SEM) at work: dialogues → analyses, and proposed replies."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from hef_graph.errors import HefInputError
from hef_graph.sem.checkpoint import SHIPPED, load_checkpoint
from hef_graph.sem.dataset import collate_dialogues
from hef_graph.sem.generation import Memory, SamplingConfig, sample_replies
from hef_graph.sem.modeling import EmpatheticModel, Reading
from hef_graph.sem.surface import restore_surface
from hef_graph.sem.tokenization import NOTHING, DialogueTokenizer, EncodedDialogue
from hef_graph.types import (
    Dialogue,
    EmotionAnalysis,
    EmotionScore,
    ReplyCandidate,
    Turn,
    WordScore,
    turns_from_dialogue,
)

BATCH_SIZE: Final = 64


class TransformerSem:
    """A trained `EmpatheticModel` behind the protocols `SmallEmpatheticModel` and `ReplyGenerator`."""

    def __init__(self, name: str, model: EmpatheticModel, tokenizer: DialogueTokenizer, device: torch.device) -> None:
        self._name, self._model, self._tokenizer, self._device = name, model, tokenizer, device

    @property
    def name(self) -> str:
        """The checkpoint's name and where it runs."""
        return f"{self._name} on {self._device}"

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotion labels it was trained on."""
        return self._model.config.labels

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        """Read dialogues in batches of similar length; the results come in the order given.

        Raises:
            HefInputError: a dialogue is empty, a bare text, or holds something else than texts or turns.
        """
        if isinstance(dialogues, str):
            raise HefInputError("analyze takes a list of dialogues, each a list of texts; write [[text]]")
        turns = [turns_from_dialogue(dialogue) for dialogue in dialogues]
        encoded = [self._tokenizer.encode(dialogue) for dialogue in turns]
        analyses: dict[int, EmotionAnalysis] = {}
        order = sorted(range(len(encoded)), key=lambda index: len(encoded[index].ids))
        for start in range(0, len(order), BATCH_SIZE):
            batch = order[start : start + BATCH_SIZE]
            reading = self._read([encoded[index] for index in batch])
            for row, index in enumerate(batch):
                analyses[index] = self._interpret(turns[index], encoded[index], reading, row)
        return [analyses[index] for index in range(len(turns))]

    def propose_replies(self, dialogue: Dialogue, emotion: str, *, count: int = 24) -> list[ReplyCandidate]:
        """Sample replies that the decoder holds likely after the dialogue, given the emotion.

        Raises:
            HefInputError: the SEM does not know the emotion, or has no decoder.
        """
        if self._model.decoder is None:
            raise HefInputError(f"the SEM {self.name} only reads; it has no decoder to reply with")
        if emotion not in self.labels:
            raise HefInputError(f"the SEM {self.name} does not know the emotion {emotion!r}; it knows {self.labels}")
        turns = turns_from_dialogue(dialogue)
        encoded = self._tokenizer.encode(turns)
        memory = Memory(self._read([encoded]).states, self._read([NOTHING]).states)
        config = SamplingConfig(count=count)
        sampled = sample_replies(self._model.decoder, memory, self.labels.index(emotion), config)
        spoken = [turn.text for turn in turns]
        return [
            ReplyCandidate(
                restore_surface(self._tokenizer.decode_reply(reply.ids), spoken),
                reply.log_probability,
                reply.specificity,
            )
            for reply in sampled
        ]

    @torch.inference_mode()
    def _read(self, encoded: Sequence[EncodedDialogue]) -> Reading:
        reading: Reading = self._model(*collate_dialogues(encoded).to(self._device))
        return reading

    def _interpret(
        self, turns: Sequence[Turn], encoded: EncodedDialogue, reading: Reading, row: int
    ) -> EmotionAnalysis:
        probabilities = torch.softmax(reading.logits[row].double(), dim=-1).tolist()
        scores = [EmotionScore(label, p) for label, p in zip(self.labels, probabilities, strict=True)]
        emotions = tuple(sorted(scores, key=lambda score: -score.probability))
        return EmotionAnalysis(emotions, _word_scores(turns, encoded, reading.attention[row]))


@lru_cache(maxsize=8)
def load_transformer_sem(folder: Path, device: str | None) -> TransformerSem:
    """Load a checkpoint folder once per folder and device; without a device, a GPU where there is one."""
    place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    model, vocabulary = load_checkpoint(folder, place)
    config = model.config
    tokenizer = DialogueTokenizer(
        vocabulary, max_tokens=config.max_tokens, decoder_vocab_size=config.decoder_vocab_size
    )
    name = "the shipped SEM (MiniLM-L6)" if folder == SHIPPED else folder.name
    return TransformerSem(name, model, tokenizer, place)


def _word_scores(turns: Sequence[Turn], encoded: EncodedDialogue, attention: Tensor) -> tuple[WordScore, ...]:
    """Pooling attention summed over each word's tokens; punctuation drops out, and the rest adds up to 1."""
    weights = attention.double().tolist()
    raw = [sum(weights[token] for token in word.tokens) for word in encoded.words]
    total = sum(raw) or 1.0
    return tuple(
        WordScore(turns[word.turn].text[word.start : word.end], word.turn, word.start, word.end, weight / total)
        for word, weight in zip(encoded.words, raw, strict=True)
    )
