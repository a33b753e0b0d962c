"""From a file of conversations to a trained checkpoint: the whole recipe of a SEM."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from hef_graph.corpus import Context, Conversation, contexts_of, labelled_texts, read_conversations, set_aside
from hef_graph.emotions import EMOTIONS
from hef_graph.errors import HefInputError
from hef_graph.sem.checkpoint import FILES, load_checkpoint, save_checkpoint
from hef_graph.sem.config import SemConfig
from hef_graph.sem.dataset import EmotionExample, emotion_examples, reply_examples
from hef_graph.sem.modeling import EmpatheticModel
from hef_graph.sem.phases import (
    EMOTION_DEFAULTS,
    REPLY_DEFAULTS,
    EmotionPhase,
    ReplyPhase,
    measure_logits,
    predict_logits,
)
from hef_graph.sem.pretrained import find_pretrained, load_pretrained_encoder, prune_vocabulary, warm_start_decoder
from hef_graph.sem.soft_labels import read_soft_labels
from hef_graph.sem.tokenization import DialogueTokenizer
from hef_graph.sem.training import TrainingConfig, fingerprint, train
from hef_graph.sem.votes import VotesPhase, add_votes, weigh_votes


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
    votes: TrainingConfig | None = None
    """Also learn a linear part beside the encoder, over word pieces and their pairs (`votes.py`)."""
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
        HefInputError: data that cannot be used, nothing to train, or a folder with another run.
        HefCheckpointError: start weights that cannot be used.
    """
    _check_recipe(recipe)
    torch.manual_seed(recipe.emotion.seed)
    shop = _open_workshop(recipe)
    model, vocabulary = shop.model, shop.tokenizer.vocabulary
    history: dict[str, list[dict[str, float]]] = {}
    if recipe.emotion.epochs:
        history["emotion"] = _learn_emotions(shop)
        save_checkpoint(recipe.output, model, vocabulary)
    if recipe.votes:
        history["votes"] = _learn_votes(shop, recipe.votes)
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
        if recipe.emotion.epochs:
            _forget_fitted(model)
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


def situations_of(conversations: Iterable[Conversation]) -> list[Context]:
    """The situation texts, each as a dialogue of one turn."""
    return [Context(c.conv_id, c.emotion, (c.situation,), "") for c in conversations if c.situation]


def _check_recipe(recipe: Recipe) -> None:
    if not recipe.emotion.epochs and not recipe.reply.epochs and not recipe.votes:
        raise HefInputError("emotion epochs and reply epochs are both 0; there is nothing to train")
    if recipe.start is None and not recipe.emotion.epochs:
        raise HefInputError("emotion epochs are 0 without a checkpoint to go on from; give at least 1, or --start")
    if recipe.start is not None and recipe.start.resolve() == recipe.output.resolve():
        raise HefInputError(f"{recipe.output} is both start and output; give the new run a folder of its own")


def _open_workshop(recipe: Recipe) -> Workshop:
    conversations = read_conversations(recipe.data)
    model, tokenizer = build_model(recipe, conversations)
    unknown = {c.emotion for c in conversations} - set(model.config.labels)
    if unknown:
        raise HefInputError(f"{recipe.data} has emotions that {recipe.start} does not know: {sorted(unknown)}")
    shop = Workshop(recipe, model, tokenizer, *set_aside(conversations))
    if recipe.emotion.epochs:
        check_labelled(shop.kept, shop.aside)
    if recipe.reply.epochs:
        _check_replies(shop)
    return shop


def check_labelled(kept: list[Conversation], aside: list[Conversation]) -> None:
    """Raise `HefInputError` unless emotions can be learned from these conversations and judged on those set aside."""
    found = {conversation.emotion for conversation in kept + aside}
    if len(found) == 1:
        raise HefInputError(f"all conversations have the label {found.pop()!r}; give two labels or more")
    for part, conversations in (("learned from", kept), ("set aside", aside)):
        if not labelled_texts(conversations):
            raise HefInputError(f"none of the {len(conversations)} conversations {part} has a text; give more of them")


def _check_replies(shop: Workshop) -> None:
    if shop.model.decoder is None and not shop.recipe.emotion.epochs and not shop.recipe.votes:
        raise HefInputError(f"emotion epochs are 0 and {shop.recipe.start} has no decoder; there is nothing to train")
    for part, conversations in (("learned from", shop.kept), ("set aside", shop.aside)):
        if not contexts_of(conversations):
            raise HefInputError(
                f"none of the {len(conversations)} conversations {part} has a reply; give more of them, or "
                "--reply-epochs 0 for a SEM that only reads"
            )


def _forget_fitted(model: EmpatheticModel) -> None:
    """What was fitted to the reading part does not fit it once it learns: heads, votes, temperature, thresholds."""
    model.cause_head = model.presence_head = model.votes = None
    model.config = replace(
        model.config, temperature=1.0, thresholds=(), cause_head=False, presence_head=False, ngram_buckets=0
    )


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
    recipe = shop.recipe
    phase = EmotionPhase(shop.model, recipe.emotion, *_emotion_examples(shop))
    return train(phase, recipe.emotion, recipe.output, data=_fingerprint(shop))


def _learn_votes(shop: Workshop, config: TrainingConfig) -> list[dict[str, float]]:
    """The votes' measures, then those of the whole reading part with the votes weighed in."""
    model, (examples, held) = add_votes(shop.model), _emotion_examples(shop)
    history = train(VotesPhase(model, config, examples, held), config, shop.recipe.output, data=_fingerprint(shop))
    device = torch.device(config.device)
    scale = weigh_votes(model, held, device)
    return [*history, {**measure_logits(*predict_logits(model, held, device)), "scale": scale}]


def _emotion_examples(shop: Workshop) -> tuple[list[EmotionExample], list[EmotionExample]]:
    """To learn from, and set aside."""
    recipe, labels = shop.recipe, shop.model.config.labels
    texts = labelled_texts(shop.kept) + (situations_of(shop.kept) if recipe.situations else [])
    teacher = read_soft_labels(recipe.teacher, labels) if recipe.teacher else None
    examples = emotion_examples(texts, shop.tokenizer, labels, teacher)
    if teacher is not None and all(example.teacher is None for example in examples):
        raise HefInputError(f"{recipe.teacher} knows none of the texts of {recipe.data}; train the teacher on them")
    return examples, emotion_examples(labelled_texts(shop.aside), shop.tokenizer, labels)


def _learn_replies(shop: Workshop) -> list[dict[str, float]]:
    recipe, config = shop.recipe, shop.model.config
    longest = config.max_reply_tokens
    examples = reply_examples(shop.kept, shop.tokenizer, config.labels, max_tokens=longest)
    held = reply_examples(shop.aside, shop.tokenizer, config.labels, max_tokens=longest, speakers=False)
    phase = ReplyPhase(shop.model, recipe.reply, examples, held)
    return train(phase, recipe.reply, recipe.output, data=_fingerprint(shop))


def _fingerprint(shop: Workshop) -> str:
    """Of all that is learned from."""
    recipe = shop.recipe
    files = [recipe.teacher, recipe.start and recipe.start / FILES.weights]
    content = [path.read_bytes() for path in files if path]
    return fingerprint(shop.model.config.labels, shop.kept, shop.aside, recipe.situations, *content)
