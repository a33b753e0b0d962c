"""Any Hugging Face sequence classifier as a small empathetic model (SEM); its cause words come by attribution."""

import math
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

import torch
from torch import Tensor
from torch.nn import functional

from hef_graph.errors import HefCheckpointError, HefInputError
from hef_graph.sem.attribution import gradient_norm, occlusion
from hef_graph.sem.cores import releasing_thread_pool
from hef_graph.sem.likelihood import length_order
from hef_graph.sem.plugins.huggingface_files import Classifier, find_window, read_classifier
from hef_graph.sem.plugins.huggingface_text import DialogueEncoder, EncodedText
from hef_graph.types import (
    Dialogue,
    EmotionAnalysis,
    EmotionScore,
    Turn,
    WordScore,
    turns_from_dialogue,
    turns_from_dialogues,
)

CauseMethod = Literal["gradient-norm", "occlusion"]

TOKENS_AT_ONCE: Final = 2048
"""Size of a batch, in tokens: the way back of a large model holds about 2 MB for each."""


TRIAL: Final = (["so"], ["so", "oh", "that is how it was 🫠 ﷺ ꙮ\u0301 0_0"])
"""Dialogues of different lengths, with signs that few vocabularies hold: is a model usable as we use it?"""


class HuggingFaceSem:
    """A sequence classifier behind the protocol `SmallEmpatheticModel`.

    Probabilities are the softmax of the logits. A classifier of several labels at a time (`problem_type` in its
    config.json is "multi_label_classification") gives sigmoids, which are divided by their sum here: shares of what it
    hears, no longer the probability that a label applies.

    A word's weight is the greatest score among its tokens, divided by the sum over all words of the window; every word
    weighs the same where all scores are 0.

    Args:
        name: shown to people.
        classifier: model, tokenizer and labels.
        device: where it runs.
        cause_method: "gradient-norm" (one pass back) or "occlusion" (one pass forward per word).
    """

    def __init__(
        self,
        name: str,
        classifier: Classifier,
        *,
        device: torch.device,
        cause_method: CauseMethod = "gradient-norm",
    ) -> None:
        self._name, self._labels, self._device, self._method = name, classifier.labels, device, cause_method
        self._model, tokenizer = classifier.model.to(device), classifier.tokenizer
        window = find_window(self._model, tokenizer)
        self._encoder = DialogueEncoder(
            tokenizer.backend_tokenizer, separator=tokenizer.sep_token_id, max_tokens=window
        )
        self._given = threading.local()
        reader = self._model.get_encoder() if self._model.config.is_encoder_decoder else self._model
        self._embed = reader.get_input_embeddings()
        self._embed.register_forward_hook(self._replace_embeddings)
        self._batches_agree = self._try_batch()

    @property
    def name(self) -> str:
        """The folder's or the hub's name, and where it runs."""
        return f"{self._name} on {self._device}"

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in the order of the model's outputs, as its config.json spells them."""
        return self._labels

    @releasing_thread_pool()
    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        """Read dialogues in batches of similar length; the results come in the order given.

        Raises:
            HefInputError: a dialogue is empty, a bare text, or holds something else than texts or turns.
        """
        turns = turns_from_dialogues(dialogues)
        encoded = [self._encoder.encode(dialogue) for dialogue in turns]
        analyses: dict[int, EmotionAnalysis] = {}
        for batch in self._batches(encoded):
            texts = [encoded[index] for index in batch]
            ids, mask = self._pad(texts)
            probabilities = self._log_probabilities(ids, mask).double().softmax(dim=-1).tolist()
            scores = self._score_words(texts, ids, mask)
            for index, text, shares, raw in zip(batch, texts, probabilities, scores, strict=True):
                emotions = _rank(self._labels, shares)
                words = _word_scores(turns[index], text, raw)
                analyses[index] = EmotionAnalysis(emotions, words, emotions[0].probability)
        return [analyses[index] for index in range(len(turns))]

    def _batches(self, encoded: Sequence[EncodedText]) -> list[list[int]]:
        lengths = [len(text.ids) for text in encoded]
        return length_order(lengths, batch_size=self._batch_size(max(lengths, default=1)))

    def _batch_size(self, length: int) -> int:
        return max(1, TOKENS_AT_ONCE // length) if self._batches_agree else 1

    def _try_batch(self) -> bool:
        """Whether a padded batch reads as its texts do alone; models without padding token, or with one end, differ."""
        if self._padding is None:
            return False
        texts = [self._encoder.encode(turns_from_dialogue(dialogue)) for dialogue in TRIAL]
        try:
            together = self._log_probabilities(*self._pad(texts))
        except (ValueError, RuntimeError):
            return False
        alone = torch.cat([self._log_probabilities(*self._pad([text])) for text in texts])
        return torch.allclose(together, alone, atol=1e-3)

    @property
    def _padding(self) -> int | None:
        padding: int | None = getattr(self._model.config, "pad_token_id", None)
        return padding

    def _pad(self, texts: Sequence[EncodedText]) -> tuple[Tensor, Tensor]:
        """Ids and mask, both `(batch, tokens)`."""
        length = max(len(text.ids) for text in texts)
        ids = [[*text.ids, *[self._padding or 0] * (length - len(text.ids))] for text in texts]
        mask = [[position < len(text.ids) for position in range(length)] for text in texts]
        return torch.tensor(ids, device=self._device), torch.tensor(mask, device=self._device)

    def _score_words(self, texts: Sequence[EncodedText], ids: Tensor, mask: Tensor) -> list[list[float]]:
        """One number, 0 or more, for each word of each text."""
        if self._method == "occlusion":
            return [self._hide_words(text, row) for text, row in zip(texts, ids, strict=True)]
        with torch.no_grad():
            embedded = self._embed(ids)
        scores = gradient_norm(embedded, lambda given: self._read_embedded(ids, mask, given)).double().tolist()
        return [
            [max(row[token] for token in word.tokens) for word in text.words]
            for text, row in zip(texts, scores, strict=True)
        ]

    def _hide_words(self, text: EncodedText, ids: Tensor) -> list[float]:
        """How far the winner's log-probability falls without each word; `ids` `(tokens,)` may be padded."""
        own = ids[: len(text.ids)]
        size = self._batch_size(len(own))

        def read(masks: Tensor) -> Tensor:
            return torch.cat([self._log_probabilities(own.expand(len(m), -1), m) for m in torch.split(masks, size)])

        falls = occlusion(torch.ones_like(own, dtype=torch.bool), read, [word.tokens for word in text.words])
        return [fall if math.isfinite(fall) else 0.0 for fall in falls]  # some models read nothing at all as NaN

    def _read_embedded(self, ids: Tensor, mask: Tensor, embedded: Tensor) -> Tensor:
        """Log-probabilities with other token embeddings `(batch, tokens, hidden)` than those of the ids.

        Models with a decoder, and those that look for the last token, want the ids themselves: `inputs_embeds` would
        not do.
        """
        self._given.embedded = embedded
        try:
            return self._forward(ids, mask)
        finally:
            self._given.__dict__.clear()

    def _replace_embeddings(self, _module: Any, _arguments: Any, output: Tensor) -> Tensor:
        """The embeddings given in this thread, once; else those that were looked up."""
        given: Tensor | None = self._given.__dict__.pop("embedded", None)
        if given is not None and given.shape != output.shape:
            raise ValueError(f"its embeddings are {tuple(output.shape)}, expected {tuple(given.shape)}")
        return output if given is None else given

    @torch.inference_mode()
    def _log_probabilities(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self._forward(ids, mask)

    def _forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Log-probabilities `(batch, labels)`; each row's probabilities sum to 1."""
        logits = self._model(input_ids=ids, attention_mask=mask.long()).logits
        if self._model.config.problem_type == "multi_label_classification":
            return functional.logsigmoid(logits).log_softmax(dim=-1)
        return logits.log_softmax(dim=-1)


@lru_cache(maxsize=8)
def load_huggingface_sem(folder: Path, device: str, words: str | None = None, name: str = "") -> HuggingFaceSem:
    """Load a folder once per device and way to find cause words.

    Raises:
        HefCheckpointError: the folder holds no classifier that can be used, or not in this way.
        HefInputError: there is no such way to find cause words, or transformers is not installed.
    """
    methods = get_args(CauseMethod)
    if words is not None and words not in methods:
        raise HefInputError(f"words is {words!r}; for a Hugging Face classifier allowed are {methods}")
    method = cast("CauseMethod", words or methods[0])
    classifier = read_classifier(folder)
    try:
        sem = HuggingFaceSem(name or folder.name, classifier, device=torch.device(device), cause_method=method)
        _check_probabilities(sem.analyze(TRIAL))
    except Exception as error:  # a foreign model's code: nobody can list what it raises
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise HefCheckpointError(
            f"{folder} is loaded but cannot be read with words={method!r} (of {methods}): {reason}"
        ) from error
    return sem


def _check_probabilities(analyses: Sequence[EmotionAnalysis]) -> None:
    if not all(math.isfinite(score.probability) for analysis in analyses for score in analysis.emotions):
        raise ValueError("its probabilities are no numbers, so its weights are damaged")


def _rank(labels: Sequence[str], probabilities: Sequence[float]) -> tuple[EmotionScore, ...]:
    scores = [EmotionScore(label, p) for label, p in zip(labels, probabilities, strict=True)]
    return tuple(sorted(scores, key=lambda score: -score.probability))


def _word_scores(turns: Sequence[Turn], text: EncodedText, raw: Sequence[float]) -> tuple[WordScore, ...]:
    """The words with their share of all scores."""
    total = sum(raw)
    weights = [score / total for score in raw] if total else [1 / len(raw)] * len(raw) if raw else []
    return tuple(
        WordScore(turns[word.turn].text[word.start : word.end], word.turn, word.start, word.end, weight)
        for word, weight in zip(text.words, weights, strict=True)
    )
