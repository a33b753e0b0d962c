from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from hef_graph.corpus import Conversation, contexts_of, set_aside, write_conversations
from hef_graph.emotions import EMOTIONS
from hef_graph.sem import TransformerSem, load_sem, recipe
from hef_graph.sem.config import SemConfig
from hef_graph.sem.dataset import ReplyExample
from hef_graph.sem.phases import EmotionPhase, ReplyPhase
from hef_graph.sem.recipe import Recipe, build_model, train_sem
from tests.sem.tiny import CONFIG, CONVERSATIONS, FAST

KEPT, ASIDE = set_aside(CONVERSATIONS)
ONCE = replace(FAST, epochs=1)


@pytest.fixture
def plan(tmp_path: Path, minilm: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """A recipe for a tiny SEM."""
    sizes = {name: getattr(CONFIG, name) for name in ("hidden_size", "feed_forward_size", "attention_heads")}
    layers = {name: getattr(CONFIG, name) for name in ("encoder_layers", "decoder_layers", "max_tokens")}
    tiny_config = partial(SemConfig, **sizes, **layers, max_reply_tokens=12, decoder_vocab_size=100)
    monkeypatch.setattr(recipe, "SemConfig", tiny_config)
    write_conversations(CONVERSATIONS, tmp_path / "data.jsonl")
    return Recipe(tmp_path / "data.jsonl", tmp_path / "run", pretrained=minilm, emotion=ONCE, reply=ONCE)


@pytest.fixture
def phases(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[list[Any], list[Any]]]:
    """What each phase is given to learn from and to be judged by."""
    given: dict[str, tuple[list[Any], list[Any]]] = {}

    def note(phase: Callable[..., Any], name: str, *arguments: Any) -> Any:
        given[name] = arguments[2:]
        return phase(*arguments)

    monkeypatch.setattr(recipe, "EmotionPhase", partial(note, EmotionPhase, "emotion"))
    monkeypatch.setattr(recipe, "ReplyPhase", partial(note, ReplyPhase, "reply"))
    return given


def test_the_recipe_leaves_a_checkpoint_that_reads_and_speaks(plan: Recipe) -> None:
    train_sem(plan)
    sem = load_sem(plan.output, device="cpu")
    assert {score.label for score in sem.analyze([["my dog died"]])[0].emotions} == set(EMOTIONS)
    assert isinstance(sem, TransformerSem)
    assert isinstance(sem.propose_replies(["my dog died"], "sad", count=2), list)


def test_each_phase_reports_its_measures_per_epoch(plan: Recipe) -> None:
    history = train_sem(replace(plan, emotion=FAST))
    assert {phase: len(epochs) for phase, epochs in history.items()} == {"emotion": 2, "reply": 1}
    assert {"acc_1", "score"} <= history["emotion"][0].keys()


def test_without_reply_epochs_the_sem_only_reads(plan: Recipe) -> None:
    history = train_sem(replace(plan, reply=replace(ONCE, epochs=0)))
    assert history.keys() == {"emotion"}
    sem = load_sem(plan.output, device="cpu")
    assert isinstance(sem, TransformerSem)
    assert sem._model.decoder is None


def test_the_conversations_set_aside_are_never_learned(plan: Recipe, phases: dict[str, Any]) -> None:
    train_sem(plan)
    learned, aside = phases["emotion"]
    assert (len(learned), len(aside)) == (len(contexts_of(KEPT)), len(contexts_of(ASIDE)))
    assert aside


def test_replies_of_both_sides_are_learned_but_judged_on_listeners_only(plan: Recipe, phases: dict[str, Any]) -> None:
    train_sem(plan)
    learned, aside = phases["reply"]
    assert len(learned) == sum(len(c.utterances) - 1 for c in KEPT)
    assert len(aside) == sum(len(c.utterances) // 2 for c in ASIDE)


def test_replies_fit_the_decoder(plan: Recipe, phases: dict[str, Any]) -> None:
    train_sem(plan)
    learned: list[ReplyExample] = phases["reply"][0]
    assert max(max(example.reply) for example in learned) < 100
    assert max(len(example.reply) for example in learned) <= 12


@pytest.mark.parametrize(("situations", "more"), [(False, 0), (True, len(KEPT))])
def test_situations_are_learned_on_request(
    plan: Recipe, phases: dict[str, Any], *, situations: bool, more: int
) -> None:
    train_sem(replace(plan, situations=situations))
    assert len(phases["emotion"][0]) == len(contexts_of(KEPT)) + more
    assert len(phases["emotion"][1]) == len(contexts_of(ASIDE))


def test_a_conversation_without_situation_teaches_none(plan: Recipe, phases: dict[str, Any]) -> None:
    write_conversations([replace(conversation, situation="") for conversation in CONVERSATIONS], plan.data)
    train_sem(replace(plan, situations=True))
    assert len(phases["emotion"][0]) == len(contexts_of(KEPT))


def test_emotions_are_saved_before_replies_are_learned(plan: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(recipe, "ReplyPhase", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train_sem(plan)
    assert load_sem(plan.output, device="cpu").analyze([["my dog died"]])


def test_an_interrupted_recipe_goes_on_where_it_stopped(plan: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    first = train_sem(plan)
    monkeypatch.setattr(EmotionPhase, "loss", None)
    monkeypatch.setattr(ReplyPhase, "loss", None)
    assert train_sem(plan) == first


def test_the_32_emotions_are_the_labels_of_conversations_that_use_some_of_them(plan: Recipe) -> None:
    assert build_model(plan, KEPT)[0].config.labels == EMOTIONS


def test_other_labels_are_taken_from_the_conversations_in_alphabetical_order(plan: Recipe) -> None:
    conversations = [Conversation(str(n), label, "", ("a", "b")) for n, label in enumerate(("zen", "sad", "bored"))]
    assert build_model(plan, conversations)[0].config.labels == ("bored", "sad", "zen")


def test_the_model_fits_its_tokenizer(plan: Recipe) -> None:
    model, tokenizer = build_model(plan, KEPT)
    assert model.config.vocab_size == len(tokenizer.vocabulary)
    assert model.encoder.embeddings.token.num_embeddings == len(tokenizer.vocabulary)


def test_the_encoder_starts_from_the_pretrained_one(plan: Recipe, minilm_weights: dict[str, Tensor]) -> None:
    bias = build_model(plan, KEPT)[0].encoder.embeddings.norm.bias
    assert torch.equal(bias, minilm_weights["embeddings.LayerNorm.bias"])


def test_the_vocabulary_follows_the_words_of_the_conversations(plan: Recipe) -> None:
    vocabulary = build_model(plan, KEPT)[1].vocabulary
    assert vocabulary.index("the") < vocabulary.index("away")


def test_the_decoder_starts_from_the_encoder_that_learned_emotions(
    plan: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "train", lambda phase, config, folder: [phase.module])
    history: dict[str, list[Any]] = train_sem(plan)
    encoder, decoder = history["emotion"][0][0], history["reply"][0]
    assert torch.equal(decoder.embeddings.token.weight, encoder.embeddings.token.weight[:100])
