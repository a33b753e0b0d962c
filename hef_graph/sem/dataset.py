"""Contexts → encoded examples → padded batches of similar length."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from hef_graph.claims import claims_a_life
from hef_graph.corpus import Context, Conversation
from hef_graph.errors import HefInputError
from hef_graph.sem.soft_labels import SoftLabels
from hef_graph.sem.tokenization import LISTENER_ID, PAD_ID, SPEAKER_ID, DialogueTokenizer, EncodedDialogue
from hef_graph.types import Turn

IGNORED = -100
"""Target value that the loss skips."""

_BATCHES_PER_POOL = 50
"""Examples are sorted by length inside pools of so many batches: little padding, yet well mixed."""


@dataclass(frozen=True, slots=True)
class EmotionExample:
    """A context and the index of its emotion."""

    dialogue: EncodedDialogue
    label: int
    teacher: Tensor | None = None
    """A larger model's logits `(labels,)` for the same text."""


@dataclass(frozen=True, slots=True)
class ReplyExample:
    """A history, the utterance that follows it, and in whose voice that is."""

    dialogue: EncodedDialogue
    emotion: int
    voice: int
    """Token id that starts the reply: a listener's, or a speaker's (somebody who talks about themselves)."""
    reply: tuple[int, ...]
    """Token ids, ended by `[SEP]`."""


class DialogueBatch(NamedTuple):
    """Padded dialogues; every tensor is `(batch, tokens)`."""

    ids: Tensor
    roles: Tensor
    mask: Tensor
    """False on padding."""
    poolable: Tensor

    def to(self, device: torch.device) -> "DialogueBatch":
        """The same batch on another device."""
        return DialogueBatch(*(tensor.to(device) for tensor in self))


class ReplyBatch(NamedTuple):
    """Padded histories and replies."""

    dialogues: DialogueBatch
    emotions: Tensor
    """`(batch,)`"""
    inputs: Tensor
    """`(batch, tokens)`: voice token, then the reply without its last token."""
    targets: Tensor
    """`(batch, tokens)`: the reply, `IGNORED` on padding."""

    def to(self, device: torch.device) -> "ReplyBatch":
        """The same batch on another device."""
        rest = (tensor.to(device) for tensor in (self.emotions, self.inputs, self.targets))
        return ReplyBatch(self.dialogues.to(device), *rest)


def as_turns(texts: Sequence[str]) -> list[Turn]:
    """Texts that alternate speaker and listener, from the first."""
    return [Turn("listener" if index % 2 else "speaker", text) for index, text in enumerate(texts)]


def emotion_examples(
    contexts: Sequence[Context],
    tokenizer: DialogueTokenizer,
    labels: Sequence[str],
    teacher: SoftLabels | None = None,
) -> list[EmotionExample]:
    """Encode contexts for the emotion task, each with what the teacher thinks of it.

    Raises:
        HefInputError: an emotion that is none of the labels.
    """
    index = {label: number for number, label in enumerate(labels)}
    unknown = {context.emotion for context in contexts} - set(labels)
    if unknown:
        raise HefInputError(f"the conversations have emotions that the SEM does not know: {sorted(unknown)}")
    return [
        EmotionExample(
            tokenizer.encode(as_turns(context.turns)),
            index[context.emotion],
            teacher.of(context.turns) if teacher else None,
        )
        for context in contexts
    ]


def reply_examples(
    conversations: Sequence[Conversation],
    tokenizer: DialogueTokenizer,
    labels: Sequence[str],
    *,
    max_tokens: int,
    speakers: bool = True,
) -> list[ReplyExample]:
    """Every utterance after the first, given all before it; `speakers=False` keeps the listeners' only."""
    index = {label: number for number, label in enumerate(labels)}
    examples: list[ReplyExample] = []
    for conversation in conversations:
        turns = as_turns(conversation.utterances)
        for number in range(1, len(turns), 1 if speakers else 2):
            history, reply = turns[:number], turns[number]
            examples.append(
                ReplyExample(
                    dialogue=tokenizer.encode(history),
                    emotion=index[conversation.emotion],
                    voice=_voice(reply),
                    reply=tuple(tokenizer.encode_reply(reply.text, max_tokens=max_tokens)),
                )
            )
    return examples


def collate_dialogues(dialogues: Sequence[EncodedDialogue]) -> DialogueBatch:
    """Pad to the longest dialogue."""
    parts = [d.ids for d in dialogues], [d.roles for d in dialogues], [d.poolable for d in dialogues]
    ids, roles, poolable = (_pad(rows, PAD_ID) for rows in parts)
    lengths = torch.tensor([len(dialogue.ids) for dialogue in dialogues])
    mask = torch.arange(ids.shape[1])[None, :] < lengths[:, None]
    return DialogueBatch(ids, roles, mask, poolable.bool())


def collate_emotions(examples: Sequence[EmotionExample]) -> tuple[DialogueBatch, Tensor]:
    """Dialogues and labels `(batch,)`."""
    dialogues = collate_dialogues([example.dialogue for example in examples])
    return dialogues, torch.tensor([example.label for example in examples])


def collate_replies(examples: Sequence[ReplyExample]) -> ReplyBatch:
    """Histories and replies, shifted for next-token prediction."""
    return ReplyBatch(
        dialogues=collate_dialogues([example.dialogue for example in examples]),
        emotions=torch.tensor([example.emotion for example in examples]),
        inputs=_pad([(example.voice, *example.reply[:-1]) for example in examples], PAD_ID),
        targets=_pad([example.reply for example in examples], IGNORED),
    )


def bucket_batches(lengths: Sequence[tuple[int, ...]], *, batch_size: int, seed: int) -> list[list[int]]:
    """Shuffled batches of example indices whose lengths are close; the same seed gives the same batches."""
    shuffle = random.Random(seed)  # noqa: S311  shuffling, not cryptography
    order = list(range(len(lengths)))
    shuffle.shuffle(order)
    pool_size = batch_size * _BATCHES_PER_POOL
    batches: list[list[int]] = []
    for start in range(0, len(order), pool_size):
        pool = sorted(order[start : start + pool_size], key=lambda index: lengths[index])
        batches += [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
    shuffle.shuffle(batches)
    return batches


def _voice(turn: Turn) -> int:
    """A listener who talks about themselves is heard as a speaker: the listener's voice stays with the user."""
    return LISTENER_ID if turn.role == "listener" and not claims_a_life(turn.text) else SPEAKER_ID


def _pad(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    width = max(len(row) for row in rows)
    return torch.tensor([[*row, *[value] * (width - len(row))] for row in rows])
