"""How likely the decoder finds given replies, and the replies it finds likeliest: for evaluation, batch by batch."""

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from hef_graph.sem.dataset import IGNORED, DialogueBatch, ReplyBatch
from hef_graph.sem.modeling import Decoder, EmpatheticModel
from hef_graph.sem.tokenization import END_ID, LISTENER_ID, PAD_ID, SPEAKER_ID

VOICES: Final = {LISTENER_ID: 0.73, SPEAKER_ID: 0.27}
"""Share of each voice among the listeners' replies of the training conversations (see `claims.claims_a_life`)."""

MOST_PADDED: Final = 1.25
"""How many times as long as a batch's shortest dialogue its longest may be."""


@torch.inference_mode()
def total_log_likelihoods(model: EmpatheticModel, decoder: Decoder, batch: ReplyBatch) -> Tensor:
    """Natural log-likelihood `(batch,)` of each whole reply, `[SEP]` included.

    The emotion is the model's own prediction, and which voice speaks is summed over: nothing is known of the reply.
    """
    reading = model(*batch.dialogues)
    emotions = reading.logits.argmax(dim=-1)
    parts = [
        math.log(share) + _log_likelihood(decoder, batch, reading.states, emotions, voice)
        for voice, share in VOICES.items()
    ]
    return torch.logsumexp(torch.stack(parts), dim=0)


@torch.inference_mode()
def decode_greedily(model: EmpatheticModel, decoder: Decoder, dialogues: DialogueBatch) -> list[list[int]]:
    """The likeliest next token at each step, in the listener's voice, given the predicted emotion."""
    reading = model(*dialogues)
    emotions = reading.logits.argmax(dim=-1)
    caches = decoder.start(reading.states)
    ids = torch.full((len(emotions), 1), LISTENER_ID, device=emotions.device)
    done = torch.zeros(len(emotions), dtype=torch.bool, device=emotions.device)
    for _ in range(decoder.embeddings.position.num_embeddings):
        logits, caches = decoder(ids[:, -1:], emotions, caches, dialogues.mask)
        latest = logits[:, -1].argmax(dim=-1).masked_fill(done, PAD_ID)
        ids = torch.cat([ids, latest[:, None]], dim=1)
        done |= latest == END_ID
        if bool(done.all()):
            break
    rows: list[list[int]] = ids[:, 1:].tolist()
    return rows


def _log_likelihood(decoder: Decoder, batch: ReplyBatch, states: Tensor, emotions: Tensor, voice: int) -> Tensor:
    inputs = batch.inputs.clone()
    inputs[:, 0] = voice
    logits, _ = decoder(inputs, emotions, decoder.start(states), batch.dialogues.mask)
    losses = functional.cross_entropy(
        logits.float().transpose(1, 2), batch.targets, ignore_index=IGNORED, reduction="none"
    )
    return -losses.sum(dim=1)


def length_order(lengths: Sequence[int], *, batch_size: int, tokens: float = math.inf) -> list[list[int]]:
    """Indices in batches of similar length, so that little is computed for padding.

    With its padding a batch of more than one holds at most so many `tokens`.
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda index: lengths[index]):
        newest, length = batches[-1] if batches else [], lengths[index]
        full = len(newest) == batch_size or (len(newest) + 1) * length > tokens
        if not newest or full or length > MOST_PADDED * lengths[newest[0]]:
            batches.append([index])
        else:
            newest.append(index)
    return batches
