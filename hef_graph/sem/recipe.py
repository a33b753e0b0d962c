"""From a file of conversations to a trained checkpoint: the whole recipe of a SEM."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from hef_graph.corpus import Context, Conversation, contexts_of, read_conversations, set_aside
from hef_graph.emotions import EMOTIONS
from hef_graph.errors import HefInputError
from hef_graph.sem.checkpoint import load_checkpoint, save_checkpoint
from hef_graph.sem.config import SemConfig
from hef_graph.sem.dataset import emotion_examples, reply_examples
from hef_graph.sem.modeling import EmpatheticModel
from hef_graph.sem.phases import EMOTION_DEFAULTS, REPLY_DEFAULTS, EmotionPhase, ReplyPhase
from hef_graph.sem.pretrained import find_pretrained, load_pretrained_encoder, prune_vocabulary, warm_start_decoder
from hef_graph.sem.soft_labels import read_soft_labels
from hef_graph.sem.tokenization import DialogueTokenizer
from hef_graph.sem.training import TrainingConfig, train


@dataclass(frozen=True, slots=True)
class Recipe:
    """Data, start weights and both phases' settings."""

    data: Path
    output: Path
    pretrained: Path | None = None
    start: Path | None = None
    """A checkpoint folder to go on from, decoder and vocabulary included, instead of the pretrained encoder."""
    teacher: Path | None = None
    """A larger model's soft labels (`tools/train_teacher.py`), learned from as `emotion.teacher_weight` says."""
    situations: bool = False
    """Also learn emotions from the situation texts, each as a dialogue of one turn."""
    emotion: TrainingConfig = EMOTION_DEFAULTS
    """With `epochs` 0 the reading part stays as `start` has it."""
    reply: TrainingConfig = REPLY_DEFAULTS
    """With `epochs` 0 a new SEM gets no decoder and only reads; one that goes on keeps the decoder it has."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What both phases share."""

    recipe: Recipe
    model: EmpatheticModel
    tokenizer: DialogueTokenizer
    kept: list[Conversation]
    aside: list[Conversation]


def train_sem(recipe: Recipe) -> dict[str, list[dict[str, float]]]:
    """Train and write the checkpoint; returns each phase's measures per epoch on the conversations set aside.

    Raises:
        HefInputError: data that cannot be used, or nothing to train.
        HefCheckpointError: start weights that cannot be used.
    """
    torch.manual_seed(recipe.emotion.seed)
    shop = _open_workshop(recipe)
    model, vocabulary = shop.model, shop.tokenizer.vocabulary
    history: dict[str, list[dict[str, float]]] = {}
    if recipe.emotion.epochs:
        history["emotion"] = _learn_emotions(shop)
        save_checkpoint(recipe.output, model, vocabulary)
    if model.decoder is not None and recipe.reply.epochs:
        if recipe.start is None:
            warm_start_decoder(model, model.decoder)
        history["reply"] = _learn_replies(shop)
        save_checkpoint(recipe.output, model, vocabulary)
    return history


def build_model(recipe: Recipe, conversations: list[Conversation]) -> tuple[EmpatheticModel, DialogueTokenizer]:
    """The model to train: the one to go on from, or a new one around the pretrained encoder.

    A new one takes the vocabulary and the labels of the conversations (the 32 if these cover them).
    """
    if recipe.start is not None:
        model, vocabulary = load_checkpoint(recipe.start, torch.device("cpu"))
        model.config = replace(model.config, temperature=1.0, thresholds=())
    else:
        model, vocabulary = _new_model(recipe, conversations)
    tokenizer = DialogueTokenizer(
        vocabulary, max_tokens=model.config.max_tokens, decoder_vocab_size=model.config.decoder_vocab_size
    )
    return model.to(torch.device(recipe.emotion.device)), tokenizer


def labels_of(conversations: Iterable[Conversation]) -> tuple[str, ...]:
    """The 32 emotions if they cover the conversations', else the conversations' own in alphabetical order."""
    found = {conversation.emotion for conversation in conversations}
    return EMOTIONS if found <= set(EMOTIONS) else tuple(sorted(found))


def _open_workshop(recipe: Recipe) -> Workshop:
    if recipe.start is None and not recipe.emotion.epochs:
        raise HefInputError("emotion epochs are 0 without a checkpoint to go on from; give at least 1, or --start")
    conversations = read_conversations(recipe.data)
    model, tokenizer = build_model(recipe, conversations)
    unknown = {c.emotion for c in conversations} - set(model.config.labels)
    if unknown:
        raise HefInputError(f"{recipe.data} has emotions that {recipe.start} does not know: {sorted(unknown)}")
    return Workshop(recipe, model, tokenizer, *set_aside(conversations))


def _new_model(recipe: Recipe, conversations: list[Conversation]) -> tuple[EmpatheticModel, list[str]]:
    folder = find_pretrained(recipe.pretrained)
    vocabulary = prune_vocabulary(folder, (text for c in conversations for text in c.utterances))
    config = SemConfig(vocab_size=len(vocabulary), labels=labels_of(conversations))
    if recipe.reply.epochs == 0:
        config = replace(config, decoder_layers=0)
    model = EmpatheticModel(config)
    load_pretrained_encoder(model, folder, vocabulary)
    return model, vocabulary


def _learn_emotions(shop: Workshop) -> list[dict[str, float]]:
    recipe, labels = shop.recipe, shop.model.config.labels
    contexts = contexts_of(shop.kept)
    if recipe.situations:
        contexts += [Context(c.conv_id, c.emotion, (c.situation,), "") for c in shop.kept if c.situation]
    teacher = read_soft_labels(recipe.teacher, labels) if recipe.teacher else None
    examples = emotion_examples(contexts, shop.tokenizer, labels, teacher)
    held = emotion_examples(contexts_of(shop.aside), shop.tokenizer, labels)
    return train(EmotionPhase(shop.model, recipe.emotion, examples, held), recipe.emotion, recipe.output)


def _learn_replies(shop: Workshop) -> list[dict[str, float]]:
    recipe, config = shop.recipe, shop.model.config
    longest = config.max_reply_tokens
    examples = reply_examples(shop.kept, shop.tokenizer, config.labels, max_tokens=longest)
    held = reply_examples(shop.aside, shop.tokenizer, config.labels, max_tokens=longest, speakers=False)
    return train(ReplyPhase(shop.model, recipe.reply, examples, held), recipe.reply, recipe.output)
