import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hef_graph.corpus import Conversation, contexts_of
from hef_graph.errors import HefInputError
from hef_graph.sem.dataset import (
    IGNORED,
    ReplyExample,
    as_turns,
    bucket_batches,
    collate_dialogues,
    collate_emotions,
    collate_replies,
    emotion_examples,
    reply_examples,
)
from hef_graph.sem.soft_labels import SoftLabels, text_key
from hef_graph.sem.tokenization import END_ID, FIRST_ID, LISTENER_ID, PAD_ID, SPEAKER_ID
from tests.sem.tiny import CONVERSATIONS, LABELS, build_tokenizer, encode

TOKENIZER = build_tokenizer()
SHORT, LONG = encode("my dog"), encode("my dog", "oh no")


def _replies(*utterances: str, speakers: bool = True) -> list[ReplyExample]:
    conversation = Conversation("1", "sad", "", utterances)
    return reply_examples([conversation], TOKENIZER, LABELS, max_tokens=6, speakers=speakers)


def test_turns_alternate_from_the_speaker() -> None:
    assert [turn.role for turn in as_turns(["a", "b", "c"])] == ["speaker", "listener", "speaker"]


def test_an_emotion_example_holds_the_context_and_the_index_of_its_label() -> None:
    first = emotion_examples(contexts_of(CONVERSATIONS[3:]), TOKENIZER, LABELS)[1]
    assert first.dialogue == encode("he broke my window", "who did that ?", "my rude friend")
    assert first.label == LABELS.index("angry")


def test_an_emotion_example_holds_what_the_teacher_thinks_of_its_text() -> None:
    contexts, logits = contexts_of(CONVERSATIONS[:1]), torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    seen = emotion_examples(contexts, TOKENIZER, LABELS, SoftLabels([text_key(contexts[0].turns)], logits))[0]
    assert seen.teacher is not None
    assert torch.equal(seen.teacher, logits[0])


def test_an_emotion_example_that_the_teacher_did_not_see_has_no_soft_label() -> None:
    [example] = emotion_examples(contexts_of(CONVERSATIONS[:1]), TOKENIZER, LABELS, SoftLabels([], torch.zeros(0, 4)))
    assert example.teacher is None


def test_emotions_that_are_no_labels_are_named() -> None:
    with pytest.raises(HefInputError, match=r"does not know: \['afraid', 'sad'\]"):
        emotion_examples(contexts_of(CONVERSATIONS), TOKENIZER, ("angry", "joyful"))


def test_every_utterance_after_the_first_is_a_reply_to_all_before_it() -> None:
    examples = _replies("my dog died", "oh no", "yes")
    assert [example.dialogue for example in examples] == [encode("my dog died"), encode("my dog died", "oh no")]
    assert [example.reply[:-1] for example in examples] == [encode("oh no").ids[1:-1], encode("yes").ids[1:-1]]


def test_without_speakers_only_the_listeners_utterances_are_replies() -> None:
    examples = _replies("a", "oh no", "yes", "wow", speakers=False)
    assert [example.reply[0] for example in examples] == [encode("oh").ids[1], encode("wow").ids[1]]


def test_a_reply_knows_the_emotion_of_its_conversation() -> None:
    assert {example.emotion for example in _replies("a", "b", "c")} == {LABELS.index("sad")}


def test_a_reply_is_cut_to_the_longest_allowed() -> None:
    [example] = _replies("a", "he should pay for it , my rude friend")
    assert len(example.reply) == 6
    assert example.reply[-1] == END_ID


@pytest.mark.parametrize(
    ("utterances", "voice"),
    [
        (("my dog died", "that is sad"), LISTENER_ID),
        (("my dog died", "i am so sorry"), LISTENER_ID),
        (("my dog died", "my dog died too last year"), SPEAKER_ID),
        (("my dog died", "oh no", "it was old"), SPEAKER_ID),
    ],
)
def test_a_listener_who_tells_of_their_own_life_is_trained_as_a_speaker(
    utterances: tuple[str, ...], voice: int
) -> None:
    assert _replies(*utterances)[-1].voice == voice


def test_dialogues_are_padded_to_the_longest() -> None:
    batch = collate_dialogues([SHORT, LONG])
    assert batch.ids[0].tolist() == [*SHORT.ids, *[PAD_ID] * (len(LONG.ids) - len(SHORT.ids))]
    assert batch.ids[1].tolist() == list(LONG.ids)


def test_the_mask_is_false_on_padding_only() -> None:
    batch = collate_dialogues([SHORT, LONG])
    assert batch.mask.sum(dim=1).tolist() == [len(SHORT.ids), len(LONG.ids)]
    assert batch.mask[0, : len(SHORT.ids)].all()


def test_padding_is_not_poolable() -> None:
    batch = collate_dialogues([SHORT, LONG])
    assert batch.poolable.dtype == torch.bool
    assert not (batch.poolable & ~batch.mask).any()


def test_roles_follow_their_dialogue_into_the_batch() -> None:
    assert collate_dialogues([LONG]).roles.tolist() == [list(LONG.roles)]


def test_labels_keep_the_order_of_their_dialogues() -> None:
    examples = emotion_examples(contexts_of(CONVERSATIONS), TOKENIZER, LABELS)
    dialogues, labels = collate_emotions(examples)
    assert labels.tolist() == [example.label for example in examples]
    assert dialogues.ids.shape[0] == len(examples)


def test_a_reply_is_predicted_from_its_voice_and_its_earlier_tokens() -> None:
    batch = collate_replies([ReplyExample(SHORT, 2, LISTENER_ID, (50, 51, END_ID))])
    assert batch.inputs.tolist() == [[LISTENER_ID, 50, 51]]
    assert batch.targets.tolist() == [[50, 51, END_ID]]


def test_the_padding_of_replies_is_no_target() -> None:
    examples = [ReplyExample(SHORT, 2, LISTENER_ID, reply) for reply in ((50, END_ID), (50, 51, 52, END_ID))]
    assert collate_replies(examples).targets[0].tolist() == [50, END_ID, IGNORED, IGNORED]
    assert collate_replies(examples).inputs[0].tolist() == [LISTENER_ID, 50, PAD_ID, PAD_ID]


def test_a_batch_moves_as_a_whole() -> None:
    batch = collate_replies([ReplyExample(SHORT, 2, LISTENER_ID, (50, END_ID))]).to(torch.device("meta"))
    tensors = [*batch.dialogues, batch.emotions, batch.inputs, batch.targets]
    assert all(tensor.is_meta for tensor in tensors)
    assert batch.dialogues.ids.shape == (1, len(SHORT.ids))


LENGTHS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=300)


@given(LENGTHS, st.integers(1, 5), st.integers(0, 9))
def test_batches_cover_each_example_exactly_once(lengths: list[tuple[int, ...]], batch_size: int, seed: int) -> None:
    batches = bucket_batches(lengths, batch_size=batch_size, seed=seed)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(1 <= len(batch) <= batch_size for batch in batches)


def test_the_same_seed_gives_the_same_batches() -> None:
    lengths = [(index % 7,) for index in range(100)]
    first, again, other = (bucket_batches(lengths, batch_size=4, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_examples_of_a_batch_have_similar_lengths() -> None:
    lengths = [(index % 10,) for index in range(200)]
    batches = bucket_batches(lengths, batch_size=20, seed=0)
    assert all(len({lengths[index] for index in batch}) == 1 for batch in batches)


def test_batches_are_not_in_the_order_of_length() -> None:
    lengths = [(index,) for index in range(100)]
    shortest = [min(batch) for batch in bucket_batches(lengths, batch_size=10, seed=0)]
    assert shortest != sorted(shortest)


def test_a_dialogue_without_words_is_batched_like_any_other() -> None:
    assert collate_dialogues([encode("")]).ids.tolist() == [[FIRST_ID, END_ID]]
