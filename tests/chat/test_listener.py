import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_core.messages import AIMessage, HumanMessage

from hef_graph.chat.listener import FIXED_REPLY, OPENING, EmbeddedListener, fixed_answer, pleasantness
from hef_graph.chat.outcome import Outcome, read_outcome
from hef_graph.errors import HefInputError
from hef_graph.turn import Evidence
from hef_graph.types import CauseWords, EmotionScore, ReplyCandidate, Turn
from tests.fakes import SpeakingStubSem, StubSem

SAID = "I lost my cat."


def listener(sem: SpeakingStubSem) -> EmbeddedListener:
    return EmbeddedListener(reader=sem, speaker=sem)


def test_the_chosen_listener_is_not_degraded() -> None:
    outcome = read_outcome(listener(SpeakingStubSem()).invoke(SAID))
    assert outcome == Outcome("sad", "That sounds hard. What happened then?", None)


def test_a_proposal_that_claims_a_life_of_its_own_is_passed_over() -> None:
    replies = [ReplyCandidate("My own cat ran away too.", -1.0, 2.0), ReplyCandidate("Oh no!", -2.0, 1.0)]
    assert listener(SpeakingStubSem(replies=replies)).invoke(SAID).text == "Oh no!"


def test_a_proposal_that_feels_as_the_dialogue_does_is_preferred() -> None:
    replies = [ReplyCandidate("What a party!", -1.0, 1.0), ReplyCandidate("And it died!", -1.0, 1.0)]
    sem = SpeakingStubSem(replies=replies)
    assert listener(sem).invoke("At the party it died, and it died, and it died.").text == "And it died!"


@pytest.mark.parametrize("greeting", ["hi", "Hello!", "hey, you", "..."])
def test_before_anything_is_told_the_listener_only_opens(greeting: str) -> None:
    assert listener(SpeakingStubSem()).invoke(greeting).text == OPENING


def test_the_decoder_is_asked_for_the_likeliest_emotion() -> None:
    sem = SpeakingStubSem()
    listener(sem).invoke("I won the party.")
    assert sem.emotions_asked == ["joyful"]


def test_evidence_that_was_already_read_is_taken_over() -> None:
    reader, speaker = StubSem(), SpeakingStubSem()
    evidence = Evidence((EmotionScore("lonely", 0.9),), CauseWords())
    informed = EmbeddedListener(reader=reader, speaker=speaker, evidence=evidence)
    assert read_outcome(informed.invoke(SAID)).emotion == "lonely"
    assert (reader.analyze_calls, speaker.emotions_asked) == (0, ["lonely"])


def test_another_sems_decoder_speaks_from_the_nearest_emotion_it_knows() -> None:
    reader, speaker = StubSem(["grief", "glee"], {"lost": "grief"}), SpeakingStubSem()
    outcome = read_outcome(EmbeddedListener(reader=reader, speaker=speaker).invoke(SAID))
    assert outcome.emotion == "grief"
    assert speaker.emotions_asked == ["sad"]


@pytest.mark.parametrize("speaker", [None, StubSem(), SpeakingStubSem(replies=[])], ids=["none", "mute", "wordless"])
def test_without_a_proposal_the_text_is_fixed(speaker: StubSem | None) -> None:
    assert EmbeddedListener(reader=StubSem(), speaker=speaker).invoke(SAID).text == FIXED_REPLY


def test_the_listener_sees_the_whole_conversation() -> None:
    sem = SpeakingStubSem()
    listener(sem).invoke([HumanMessage("Hello."), AIMessage("Hi!"), HumanMessage(SAID)])
    spoken = [Turn("speaker", "Hello."), Turn("listener", "Hi!"), Turn("speaker", SAID)]
    assert spoken in sem.dialogues_read


def test_the_listener_refuses_a_conversation_without_a_users_text() -> None:
    with pytest.raises(HefInputError):
        listener(SpeakingStubSem()).invoke([AIMessage("Hi!")])


def test_the_reply_streams_in_one_piece() -> None:
    pieces = [str(chunk.text) for chunk in listener(SpeakingStubSem()).stream(SAID)]
    assert [piece for piece in pieces if piece] == ["That sounds hard. What happened then?"]


def test_below_a_failing_model_the_listener_names_the_cause() -> None:
    outcome = listener(SpeakingStubSem()).answer([Turn("speaker", SAID)], "timeout")
    assert outcome.degraded_reason == "timeout"


def test_two_listeners_never_share_a_remembered_answer() -> None:
    set_llm_cache(InMemoryCache())
    try:
        other = SpeakingStubSem(replies=[ReplyCandidate("Oh dear.", -1.0, 1.0)])
        assert listener(SpeakingStubSem()).invoke(SAID).text != listener(other).invoke(SAID).text
    finally:
        set_llm_cache(None)


def test_the_fixed_answer_needs_no_model_and_names_the_cause() -> None:
    assert read_outcome(fixed_answer("timeout", "sad")) == Outcome("sad", FIXED_REPLY, "timeout")


def test_pleasantness_is_the_share_of_the_pleasant_families() -> None:
    scores = [EmotionScore("joyful", 0.5), EmotionScore("grateful", 0.2), EmotionScore("sad", 0.2)]
    assert pleasantness([*scores, EmotionScore("a label of another set", 0.1)]) == pytest.approx(0.7)


def test_no_claim_is_shown_even_if_every_proposal_makes_one() -> None:
    replies = [ReplyCandidate("My own cat ran away too.", -0.1, 5.0), ReplyCandidate("I lost mine as well.", -0.2, 5.0)]
    assert listener(SpeakingStubSem(replies=replies)).invoke(SAID).text == FIXED_REPLY


class BrokenSpeaker(SpeakingStubSem):
    def propose_replies(self, dialogue: object, emotion: str, *, count: int) -> list[ReplyCandidate]:
        raise MemoryError


@pytest.mark.parametrize(("reason", "said"), [(None, "listener"), ("timeout", "timeout")])
def test_a_decoder_that_fails_leaves_the_fixed_reply(reason: str | None, said: str) -> None:
    outcome = listener(BrokenSpeaker()).answer([Turn("speaker", SAID)], reason)
    assert (outcome.emotion, outcome.response, outcome.degraded_reason) == ("sad", FIXED_REPLY, said)
