from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from hef_graph.corpus import Conversation, contexts_of, set_aside, write_conversations
from hef_graph.emotions import EMOTIONS
from hef_graph.errors import HefInputError
from hef_graph.sem import TransformerSem, load_sem, recipe
from hef_graph.sem.checkpoint import load_checkpoint, save_checkpoint
from hef_graph.sem.dataset import ReplyExample
from hef_graph.sem.phases import EmotionPhase, ReplyPhase
from hef_graph.sem.recipe import Recipe, build_model, train_sem
from hef_graph.sem.soft_labels import write_soft_labels
from tests.sem import tiny
from tests.sem.tiny import CONFIG, CONVERSATIONS, FAST, LABELS, VOCABULARY, without_decoder

CPU = torch.device("cpu")
KEPT, ASIDE = set_aside(CONVERSATIONS)
ONCE = replace(FAST, epochs=1)
NEVER = replace(FAST, epochs=0)
FITTED = replace(CONFIG, temperature=2.0, thresholds=((0.5, 0.1),), cause_head=True, presence_head=True)


@pytest.fixture
def plan(tmp_path: Path, minilm: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """A recipe for a tiny SEM."""
    monkeypatch.setattr(recipe, "SemConfig", tiny.build_recipe_config)
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
    monkeypatch.setattr(recipe, "train", lambda phase, *_, **__: [phase.module])
    history: dict[str, list[Any]] = train_sem(plan)
    encoder, decoder = history["emotion"][0][0], history["reply"][0]
    assert torch.equal(decoder.embeddings.token.weight, encoder.embeddings.token.weight[:100])


def _refused(plan: Recipe, message: str) -> None:
    """Before anything is trained or written."""
    with pytest.raises(HefInputError, match=message):
        train_sem(plan)
    assert not plan.output.exists()


def _write(plan: Recipe, *conversations: Conversation) -> Recipe:
    write_conversations(conversations, plan.data)
    return plan


def _unanswered(conversations: Iterable[Conversation]) -> list[Conversation]:
    return [replace(conversation, utterances=conversation.utterances[:1]) for conversation in conversations]


@pytest.fixture
def going_on(plan: Recipe, checkpoint: Path) -> Recipe:
    """A recipe that goes on from a checkpoint with heads and calibration."""
    save_checkpoint(checkpoint, tiny.build_model(FITTED), VOCABULARY)
    return replace(plan, start=checkpoint, pretrained=None)


def test_going_on_keeps_weights_labels_and_vocabulary(going_on: Recipe) -> None:
    model, tokenizer = build_model(going_on, KEPT)
    expected = tiny.build_model(FITTED).encoder.state_dict()
    torch.testing.assert_close(model.encoder.state_dict(), expected, rtol=1e-3, atol=1e-3)
    assert model.config.labels == LABELS
    assert tuple(tokenizer.vocabulary) == VOCABULARY


def test_going_on_forgets_what_was_fitted_to_the_reading_part(going_on: Recipe) -> None:
    model, _ = build_model(going_on, KEPT)
    assert model.config == CONFIG
    assert (model.cause_head, model.presence_head) == (None, None)


@pytest.mark.parametrize(
    ("off", "learned", "changed"),
    [("emotion", "reply", {"decoder"}), ("reply", "emotion", {"encoder", "pooling", "head"})],
)
def test_without_epochs_a_part_stays_as_it_was(going_on: Recipe, off: str, learned: str, changed: set[str]) -> None:
    never: dict[str, Any] = {off: NEVER}
    assert train_sem(replace(going_on, **never)).keys() == {learned}
    before, after = (load_checkpoint(folder, CPU)[0] for folder in (going_on.start, going_on.output) if folder)
    old = before.state_dict()
    assert {name.split(".")[0] for name, new in after.state_dict().items() if not old[name].equal(new)} == changed
    assert after.config == (FITTED if off == "emotion" else CONFIG)


def test_going_on_with_emotions_that_the_start_does_not_know_is_refused(going_on: Recipe) -> None:
    strange = [replace(CONVERSATIONS[0], emotion="wistful"), *CONVERSATIONS[1:]]
    _refused(_write(going_on, *strange), r"has emotions that .*checkpoint does not know: \['wistful'\]")


def test_a_start_that_is_also_the_output_is_refused(going_on: Recipe) -> None:
    with pytest.raises(HefInputError, match="both start and output; give the new run a folder of its own"):
        train_sem(replace(going_on, start=going_on.output))


@pytest.mark.parametrize(
    ("change", "message"),
    [({"reply": NEVER}, "there is nothing to train"), ({"start": None}, "give at least 1, or --start")],
)
def test_no_emotion_epochs_need_a_start_and_reply_epochs(going_on: Recipe, change: Any, message: str) -> None:
    _refused(replace(going_on, emotion=NEVER, **change), message)


def test_no_emotion_epochs_and_no_decoder_are_refused(going_on: Recipe, checkpoint: Path) -> None:
    save_checkpoint(checkpoint, tiny.build_model(without_decoder()), VOCABULARY)
    _refused(replace(going_on, emotion=NEVER), "has no decoder; there is nothing to train")


def test_a_teachers_soft_labels_reach_the_examples(plan: Recipe, phases: dict[str, Any]) -> None:
    texts = [context.turns for context in contexts_of(KEPT)]
    logits = torch.arange(float(len(texts)))[:, None] + torch.zeros(1, 32)
    write_soft_labels(plan.data.with_name("soft"), texts, logits, EMOTIONS)
    train_sem(replace(plan, teacher=plan.data.with_name("soft"), emotion=replace(ONCE, teacher_weight=0.7)))
    assert [example.teacher[0].item() for example in phases["emotion"][0]] == list(range(len(texts)))
    assert {example.teacher for example in phases["emotion"][1]} == {None}


def test_a_teacher_that_knows_none_of_the_texts_is_refused(plan: Recipe) -> None:
    write_soft_labels(plan.data.with_name("soft"), [("never said",)], torch.zeros(1, 32), EMOTIONS)
    _refused(replace(plan, teacher=plan.data.with_name("soft")), "soft knows none of the texts of .*data.jsonl")


def test_a_label_that_only_the_conversations_set_aside_have_is_a_label(plan: Recipe) -> None:
    aside = [replace(conversation, emotion="wistful") for conversation in ASIDE]
    train_sem(_write(plan, *KEPT, *aside))
    assert "wistful" in load_sem(plan.output, device="cpu").labels


def test_two_conversations_are_enough(plan: Recipe) -> None:
    history = train_sem(_write(plan, *CONVERSATIONS[2:4]))
    assert {phase: len(epochs) for phase, epochs in history.items()} == {"emotion": 1, "reply": 1}


@pytest.mark.parametrize("emotion", ["sad", "wistful"])
def test_one_label_is_refused(plan: Recipe, emotion: str) -> None:
    alike = [replace(conversation, emotion=emotion) for conversation in CONVERSATIONS]
    _refused(_write(plan, *alike), f"all conversations have the label '{emotion}'; give two labels or more")


def test_texts_that_nobody_answered_teach_emotions(plan: Recipe, phases: dict[str, Any]) -> None:
    history = train_sem(replace(_write(plan, *_unanswered(CONVERSATIONS)), reply=NEVER))
    assert history.keys() == {"emotion"}
    assert [len(part) for part in phases["emotion"]] == [len(KEPT), len(ASIDE)]


@pytest.mark.parametrize(("alone", "part"), [(CONVERSATIONS, "learned from"), (ASIDE, "set aside")])
def test_without_answers_no_replies_can_be_learned(plan: Recipe, alone: list[Conversation], part: str) -> None:
    given = [c for c in CONVERSATIONS if c not in alone] + _unanswered(alone)
    _refused(_write(plan, *given), f"{part} has a reply; give more of them, or --reply-epochs 0")


@pytest.mark.parametrize(("empty", "part"), [(KEPT, "learned from"), (ASIDE, "set aside")])
def test_conversations_without_any_text_are_refused(plan: Recipe, empty: list[Conversation], part: str) -> None:
    given = [replace(c, utterances=()) if c in empty else c for c in CONVERSATIONS]
    _refused(_write(plan, *given), f"none of the {len(empty)} conversations {part} has a text")


def test_the_folder_of_a_run_with_other_data_is_refused(plan: Recipe) -> None:
    train_sem(plan)
    _write(plan, replace(CONVERSATIONS[0], emotion="lonely"), *CONVERSATIONS[1:])
    with pytest.raises(HefInputError, match=r"emotion\.latest\.pt is of a run with other data"):
        train_sem(plan)
    (plan.output / "emotion.latest.pt").unlink()
    with pytest.raises(HefInputError, match=r"reply\.latest\.pt is of a run with other data"):
        train_sem(plan)


@pytest.mark.parametrize("change", [{"situations": True}, {"teacher": Path("soft")}])
def test_situations_and_a_teacher_are_other_data(plan: Recipe, change: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    train_sem(plan)
    monkeypatch.chdir(plan.data.parent)
    write_soft_labels(Path("soft"), [CONVERSATIONS[0].utterances[:1]], torch.zeros(1, 32), EMOTIONS)
    with pytest.raises(HefInputError, match="is of a run with other data"):
        train_sem(replace(plan, **change))
