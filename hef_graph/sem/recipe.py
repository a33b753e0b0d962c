"""From a file of conversations to a trained checkpoint: the whole recipe of a SEM."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from hef_graph.corpus import Context, Conversation, contexts_of, read_conversations, set_aside
from hef_graph.emotions import EMOTIONS
from hef_graph.sem.checkpoint import save_checkpoint
from hef_graph.sem.config import SemConfig
from hef_graph.sem.dataset import emotion_examples, reply_examples
from hef_graph.sem.modeling import EmpatheticModel
from hef_graph.sem.phases import EMOTION_DEFAULTS, REPLY_DEFAULTS, EmotionPhase, ReplyPhase
from hef_graph.sem.pretrained import find_pretrained, load_pretrained_encoder, prune_vocabulary, warm_start_decoder
from hef_graph.sem.tokenization import DialogueTokenizer
from hef_graph.sem.training import TrainingConfig, train


@dataclass(frozen=True, slots=True)
class Recipe:
    """Data, start weights and both phases' settings."""

    data: Path
    output: Path
    pretrained: Path | None = None
    situations: bool = False
    """Also learn emotions from the situation texts, each as a dialogue of one turn."""
    emotion: TrainingConfig = EMOTION_DEFAULTS
    reply: TrainingConfig = REPLY_DEFAULTS
    """With `epochs` 0 the SEM gets no decoder and only reads."""


def train_sem(recipe: Recipe) -> dict[str, list[dict[str, float]]]:
    """Train and write the checkpoint; returns each phase's measures per epoch on the conversations set aside."""
    torch.manual_seed(recipe.emotion.seed)
    kept, aside = set_aside(read_conversations(recipe.data))
    model, tokenizer = build_model(recipe, kept)
    history = {"emotion": _learn_emotions(recipe, model, tokenizer, kept, aside)}
    save_checkpoint(recipe.output, model, tokenizer.vocabulary)
    if model.decoder is not None:
        warm_start_decoder(model, model.decoder)
        history["reply"] = _learn_replies(recipe, model, tokenizer, kept, aside)
        save_checkpoint(recipe.output, model, tokenizer.vocabulary)
    return history


def build_model(recipe: Recipe, conversations: list[Conversation]) -> tuple[EmpatheticModel, DialogueTokenizer]:
    """The untrained model around the pretrained encoder, with the vocabulary of the conversations."""
    folder = find_pretrained(recipe.pretrained)
    vocabulary = prune_vocabulary(folder, (text for c in conversations for text in c.utterances))
    found = {conversation.emotion for conversation in conversations}
    labels = EMOTIONS if found <= set(EMOTIONS) else tuple(sorted(found))
    config = SemConfig(vocab_size=len(vocabulary), labels=labels)
    if recipe.reply.epochs == 0:
        config = replace(config, decoder_layers=0)
    model = EmpatheticModel(config)
    load_pretrained_encoder(model, folder, vocabulary)
    tokenizer = DialogueTokenizer(
        vocabulary, max_tokens=config.max_tokens, decoder_vocab_size=config.decoder_vocab_size
    )
    return model.to(torch.device(recipe.emotion.device)), tokenizer


def _learn_emotions(
    recipe: Recipe,
    model: EmpatheticModel,
    tokenizer: DialogueTokenizer,
    kept: list[Conversation],
    aside: list[Conversation],
) -> list[dict[str, float]]:
    contexts = contexts_of(kept)
    if recipe.situations:
        contexts += [Context(c.conv_id, c.emotion, (c.situation,), "") for c in kept if c.situation]
    labels = model.config.labels
    examples = emotion_examples(contexts, tokenizer, labels)
    held = emotion_examples(contexts_of(aside), tokenizer, labels)
    return train(EmotionPhase(model, recipe.emotion, examples, held), recipe.emotion, recipe.output)


def _learn_replies(
    recipe: Recipe,
    model: EmpatheticModel,
    tokenizer: DialogueTokenizer,
    kept: list[Conversation],
    aside: list[Conversation],
) -> list[dict[str, float]]:
    labels, longest = model.config.labels, model.config.max_reply_tokens
    examples = reply_examples(kept, tokenizer, labels, max_tokens=longest)
    held = reply_examples(aside, tokenizer, labels, max_tokens=longest, speakers=False)
    return train(ReplyPhase(model, recipe.reply, examples, held), recipe.reply, recipe.output)
