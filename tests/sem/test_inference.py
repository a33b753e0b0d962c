from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.errors import HefInputError
from hef_graph.sem import inference
from hef_graph.sem.config import SemConfig
from hef_graph.sem.generation import SampledReply
from hef_graph.sem.inference import TransformerSem, choose_device
from hef_graph.sem.tokenization import END_ID
from hef_graph.sem.word_weights import WORD_METHODS
from hef_graph.types import EmotionAnalysis, ReplyGenerator, SmallEmpatheticModel, Turn
from tests.sem.tiny import (
    CONFIG,
    CONVERSATIONS,
    LABELS,
    VOCABULARY,
    build_model,
    build_sem,
    build_tokenizer,
    without_decoder,
)

DIALOGUES = [list(conversation.utterances) for conversation in CONVERSATIONS]
HEADED = replace(CONFIG, cause_head=True, presence_head=True)
ODD = "aZé\u0301ßİ中\U0001f600\u200b\ud800 .'’-"


def _numbers(analyses: list[EmotionAnalysis]) -> list[float]:
    emotions = [score.probability for a in analyses for score in sorted(a.emotions, key=lambda s: s.label)]
    return emotions + [word.weight for a in analyses for word in a.words]


def test_the_sem_satisfies_both_protocols(sem: TransformerSem) -> None:
    assert isinstance(sem, SmallEmpatheticModel)
    assert isinstance(sem, ReplyGenerator)


def test_its_name_says_where_it_runs(sem: TransformerSem) -> None:
    assert sem.name == "tiny on cpu"


def test_its_labels_are_those_it_was_trained_on(sem: TransformerSem) -> None:
    assert sem.labels == LABELS


def test_no_dialogues_give_no_analyses(sem: TransformerSem) -> None:
    assert sem.analyze([]) == []


def test_all_labels_are_given_most_probable_first(sem: TransformerSem) -> None:
    for analysis in sem.analyze(DIALOGUES):
        probabilities = [score.probability for score in analysis.emotions]
        assert probabilities == sorted(probabilities, reverse=True)
        assert {score.label for score in analysis.emotions} == set(LABELS)


def test_probabilities_are_the_softmax_of_the_logits(sem: TransformerSem, monkeypatch: pytest.MonkeyPatch) -> None:
    logits = torch.tensor([[0.2, 0.1, 0.4, 0.3]]).log()
    read = sem._read
    monkeypatch.setattr(sem, "_read", lambda encoded: read(encoded)._replace(logits=logits))
    [analysis] = sem.analyze([["my dog died"]])
    assert [score.label for score in analysis.emotions] == ["joyful", "sad", "afraid", "angry"]
    assert [score.probability for score in analysis.emotions] == pytest.approx([0.4, 0.3, 0.2, 0.1])


def test_analyses_come_in_the_order_given(sem: TransformerSem, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = [sem.analyze([dialogue])[0] for dialogue in DIALOGUES]
    monkeypatch.setattr(inference, "BATCH_SIZE", 5)
    together = sem.analyze(DIALOGUES)
    assert [a.words[0].word for a in together] == [a.words[0].word for a in alone]
    assert _numbers(together) == pytest.approx(_numbers(alone), abs=1e-5)


@given(st.lists(st.text(max_size=40) | st.text(alphabet=ODD, max_size=40), min_size=1, max_size=3))
@settings(deadline=None, max_examples=50)
def test_for_any_text_the_words_are_parts_of_it_and_all_sums_are_1(texts: list[str]) -> None:
    [analysis] = build_sem().analyze([texts])
    assert all(word.word == texts[word.turn][word.start : word.end] for word in analysis.words)
    assert sum(score.probability for score in analysis.emotions) == pytest.approx(1)
    assert sum(word.weight for word in analysis.words) == pytest.approx(1 if analysis.words else 0)
    assert all(word.weight >= 0 for word in analysis.words)


@pytest.mark.parametrize("text", ["", "   ", "?!", "\U0001f600", "\ud800"])
def test_a_text_without_any_word_gives_no_words_and_a_valid_distribution(sem: TransformerSem, text: str) -> None:
    [analysis] = sem.analyze([[text]])
    assert analysis.words == ()
    assert sum(score.probability for score in analysis.emotions) == pytest.approx(1)


def test_the_confidence_is_the_first_emotions_probability(sem: TransformerSem) -> None:
    for analysis in sem.analyze(DIALOGUES):
        assert analysis.confidence == analysis.emotions[0].probability


@pytest.mark.parametrize(("presence", "share"), [(0.0, 0.0), (0.25, 0.5), (0.5, 1.0), (0.9, 1.0)])
def test_a_text_that_more_likely_carries_no_emotion_lowers_the_confidence(
    sem: TransformerSem, monkeypatch: pytest.MonkeyPatch, presence: float, share: float
) -> None:
    read = sem._read
    monkeypatch.setattr(sem, "_read", lambda padded: read(padded)._replace(presence=torch.tensor([presence])))
    [analysis] = sem.analyze([["my dog died"]])
    assert analysis.confidence == pytest.approx(share * analysis.emotions[0].probability)
    assert analysis.in_domain


def test_out_of_domain_the_confidence_is_that_of_chance_and_the_emotions_stay() -> None:
    limits = ((0.0, 0.1, 0.0, 4.0), ())
    [one], [other] = (build_sem(replace(CONFIG, rarity=each)).analyze([["my dog died"]]) for each in limits)
    assert (one.in_domain, one.confidence) == (False, 1 / len(LABELS))
    assert (other.in_domain, one.emotions, one.words) == (True, other.emotions, other.words)


def test_each_dialogue_is_in_domain_or_not_by_itself() -> None:
    sem = build_sem(replace(CONFIG, rarity=(3.0, 1.0, 0.0, 4.0)))
    analyses = sem.analyze([["my dog died"], ["zzqqx kkjj vvbb"], ["?!"]])
    assert [analysis.in_domain for analysis in analyses] == [True, False, False]


def test_the_thresholds_of_the_checkpoint_are_passed_on() -> None:
    [analysis] = build_sem(replace(CONFIG, thresholds=((0.9, 0.05),))).analyze([["my dog died"]])
    assert analysis.thresholds == ((0.9, 0.05),)


def _with_words(words: str | None, config: SemConfig = HEADED) -> TransformerSem:
    return TransformerSem("tiny", build_model(config), build_tokenizer(), torch.device("cpu"), words=words)


@pytest.mark.parametrize("words", WORD_METHODS)
def test_words_are_weighed_by_the_method_asked_for_and_emotions_stay(words: str) -> None:
    found, default = (_with_words(method).analyze(DIALOGUES) for method in (words, None))
    assert (_numbers(found) == _numbers(default)) == (words == "head")
    for one, other in zip(found, default, strict=True):
        assert one.emotions == other.emotions
        assert [(word.turn, word.start) for word in one.words] == [(word.turn, word.start) for word in other.words]


def test_a_model_without_cause_head_weighs_words_by_attention() -> None:
    assert _with_words(None, CONFIG).analyze(DIALOGUES) == _with_words("attention", CONFIG).analyze(DIALOGUES)


def test_a_method_that_the_model_has_not_is_refused() -> None:
    with pytest.raises(HefInputError, match="words is 'head'; this SEM has attention"):
        _with_words("head", CONFIG)


@pytest.mark.parametrize("words", WORD_METHODS)
@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_a_caller_may_have_switched_gradients_off(words: str, mode: Any) -> None:
    sem = _with_words(words)
    with mode():
        inside = sem.analyze([["my dog died"]])
    assert inside == sem.analyze([["my dog died"]])


@pytest.mark.parametrize("words", WORD_METHODS)
@pytest.mark.parametrize("text", ["", "?!", "\U0001f600"])
def test_without_any_word_every_method_gives_none(words: str, text: str) -> None:
    one, other = _with_words(words).analyze([[text], ["my dog died"]])
    assert (one.words, len(other.words)) == ((), 3)
    assert one.confidence is not None


def test_words_count_turns_from_the_dialogues_first_even_if_the_window_starts_later(sem: TransformerSem) -> None:
    [analysis] = sem.analyze([["my dog died"] * 20 + ["we won"]])
    assert [word.turn for word in analysis.words][-3:] == [19, 20, 20]
    assert analysis.words[0].turn > 0


def test_texts_and_turns_read_alike(sem: TransformerSem) -> None:
    turns = [Turn("speaker", "my dog died"), Turn("listener", "oh no"), Turn("speaker", "yes")]
    assert sem.analyze([turns]) == sem.analyze([["my dog died", "oh no", "yes"]])


def test_texts_end_with_the_speaker(sem: TransformerSem) -> None:
    turns = [Turn("listener", "oh no"), Turn("speaker", "yes")]
    assert sem.analyze([turns]) == sem.analyze([["oh no", "yes"]])


@pytest.mark.parametrize(
    ("dialogues", "message"),
    [
        ("my dog died", r"write \[\[text\]\]"),
        (["my dog died"], "got one text"),
        ([[]], "is empty"),
        ([["my dog died"], []], "is empty"),
        ([["my dog died", 5]], "turn 1 is int"),
        ([[None]], "turn 0 is NoneType"),
    ],
)
def test_what_is_not_a_list_of_dialogues_is_refused(sem: TransformerSem, dialogues: Any, message: str) -> None:
    with pytest.raises(HefInputError, match=message):
        sem.analyze(dialogues)


def test_several_threads_read_as_one(sem: TransformerSem) -> None:
    with ThreadPoolExecutor(4) as pool:
        parallel = list(pool.map(lambda dialogue: sem.analyze([dialogue]), DIALOGUES * 4))
    assert parallel == [sem.analyze([dialogue]) for dialogue in DIALOGUES * 4]


def _script(monkeypatch: pytest.MonkeyPatch, *texts: str) -> None:
    """Let the decoder draw the given texts."""
    ids = [tuple(VOCABULARY.index(piece) for piece in text.split()) for text in texts]
    drawn = [SampledReply((*pieces, END_ID), -1.0 - n, 0.5 + n) for n, pieces in enumerate(ids)]
    monkeypatch.setattr(inference, "sample_replies", lambda *arguments: drawn)


def test_replies_are_text_as_people_write_it(sem: TransformerSem, monkeypatch: pytest.MonkeyPatch) -> None:
    _script(monkeypatch, "oh no , who did that ?")
    assert [reply.text for reply in sem.propose_replies(["my dog"], "sad")] == ["Oh no, who did that?"]


def test_replies_keep_the_users_names(sem: TransformerSem, monkeypatch: pytest.MonkeyPatch) -> None:
    _script(monkeypatch, "the storm was loud")
    assert sem.propose_replies(["we met Storm"], "sad")[0].text == "The Storm was loud."


def test_replies_that_read_the_same_come_once(sem: TransformerSem, monkeypatch: pytest.MonkeyPatch) -> None:
    _script(monkeypatch, "will you pay", "will u pay")
    assert [reply.text for reply in sem.propose_replies(["a"], "sad")] == ["Will you pay."]


def test_a_reply_carries_its_own_scores(sem: TransformerSem, monkeypatch: pytest.MonkeyPatch) -> None:
    _script(monkeypatch, "oh no", "well done")
    scores = [(r.text, r.log_probability, r.specificity) for r in sem.propose_replies(["a"], "sad")]
    assert scores == [("Oh no.", -1.0, 0.5), ("Well done.", -2.0, 1.5)]


def test_the_same_input_gives_the_same_replies(sem: TransformerSem) -> None:
    first = sem.propose_replies(["my dog died"], "sad", count=60)
    assert first
    assert len(first) <= 60
    assert sem.propose_replies(["my dog died"], "sad", count=60) == first


def test_another_emotion_gives_other_replies(sem: TransformerSem) -> None:
    sad, joyful = (sem.propose_replies(["my dog died"], emotion, count=60) for emotion in ("sad", "joyful"))
    assert sad != joyful


@pytest.mark.parametrize("emotion", ["Sad", "", "ecstatic"])
def test_an_unknown_emotion_is_refused_and_the_known_ones_named(sem: TransformerSem, emotion: str) -> None:
    with pytest.raises(HefInputError, match=rf"does not know the emotion '{emotion}'; it knows \('afraid', .*'sad'\)"):
        sem.propose_replies(["my dog died"], emotion)


def test_a_sem_without_decoder_refuses_to_reply() -> None:
    with pytest.raises(HefInputError, match="only reads; it has no decoder"):
        build_sem(without_decoder()).propose_replies(["my dog died"], "sad")


@pytest.mark.parametrize("dialogue", [[], "my dog died"])
def test_a_dialogue_that_cannot_be_read_gets_no_replies(sem: TransformerSem, dialogue: Any) -> None:
    with pytest.raises(HefInputError):
        sem.propose_replies(dialogue, "sad")


def test_decoded_replies_come_in_the_order_given(sem: TransformerSem, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = [sem.decode_replies([dialogue])[0] for dialogue in DIALOGUES]
    monkeypatch.setattr(inference, "BATCH_SIZE", 5)
    assert sem.decode_replies(DIALOGUES) == alone
    assert len(set(alone)) > 1


def test_likelihoods_come_in_the_order_given(sem: TransformerSem, monkeypatch: pytest.MonkeyPatch) -> None:
    replies = ["oh no", "well done !", "i am so sorry , was it old ?", "wow"] * 3
    pairs = zip(DIALOGUES, replies, strict=True)
    alone = [sem.reply_log_likelihoods([dialogue], [reply])[0] for dialogue, reply in pairs]
    monkeypatch.setattr(inference, "BATCH_SIZE", 5)
    assert sem.reply_log_likelihoods(DIALOGUES, replies) == pytest.approx(alone, abs=1e-3)
    assert max(alone) < 0


def test_the_temperature_flattens_the_distribution() -> None:
    sharp, flat = (build_sem(replace(CONFIG, temperature=value)).analyze([["my dog"]])[0] for value in (1.0, 50.0))
    assert flat.emotions[0].probability < sharp.emotions[0].probability
    assert flat.emotions[0].label == sharp.emotions[0].label


def test_a_count_below_one_is_refused() -> None:
    with pytest.raises(HefInputError, match="count is 0"):
        build_sem().propose_replies(["we lost"], "sad", count=0)


@pytest.mark.parametrize("device", ["toaster", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(device: str) -> None:
    with pytest.raises(HefInputError, match=f"device is '{device}'"):
        choose_device(device)


def test_no_dialogue_at_all_is_refused() -> None:
    with pytest.raises(HefInputError, match="got int"):
        build_sem().analyze([5])  # type: ignore[list-item]  # what a user might pass
