"""Plain phrases decide by themselves; whatever else is said, the classifier reads."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.crisis import CrisisSignal, detector
from hef_graph.crisis.classifier import CrisisReading
from hef_graph.crisis.detector import LONG, NEW_FROM, CrisisDetector, load_detector
from hef_graph.crisis.examples import FOLDER, Example, read_examples, read_file
from hef_graph.crisis.rules import ENOUGH, FEW_SENTENCES
from hef_graph.crisis.signals import LONGEST_EVIDENCE, Category
from hef_graph.errors import HefCheckpointError
from hef_graph.evaluation.crisis_report import EVERY_OTHER, EVERY_SIGNAL, judge_examples, shares
from hef_graph.types import Turn, turns_from_dialogue
from tests.crisis.classifiers import StubClassifier, reading

PLAIN: Final = "I want to kill myself."
FRAMED: Final = "In the movie she wants to die. I want to kill myself, she says in that film."
OBLIQUE: Final = "I have given my zebra away."
MARKED: Final[dict[str, Category]] = {"zebra": "suicidal_passive"}
ORDINARY: Final = "We walked along the canal and talked. "
EXPLICIT: Final = list(read_file(FOLDER / "test" / "explicit.txt"))


def detect(classifier: Any, *texts: str) -> CrisisSignal | None:
    """What is found in the last text, after the others."""
    return CrisisDetector(classifier).detect(turns_from_dialogue(texts))


class TestAPlainPhrase:
    def test_is_a_signal_where_the_classifier_hears_none(self) -> None:
        assert detect(StubClassifier(quiet=0.06), PLAIN) == CrisisSignal("suicidal_active", evidence=PLAIN)

    def test_is_none_where_the_classifier_is_all_but_certain_of_it(self) -> None:
        assert detect(StubClassifier(quiet=0.04), PLAIN) is None

    def test_is_a_signal_if_its_sentence_alone_is_one_whatever_stands_around_it(self) -> None:
        stub = StubClassifier({"kill": "suicidal_active"}, soothing="zoo")
        assert detect(stub, f"The zoo was shut. {PLAIN} What a zoo.") == CrisisSignal("suicidal_active", evidence=PLAIN)

    def test_that_is_harmless_does_not_hide_another_one(self) -> None:
        stub = StubClassifier({"die": "suicidal_passive"}, quiet=0.01)
        found = detect(stub, f"{PLAIN} I want to die.")
        assert found is not None
        assert found.category == "suicidal_passive"

    def test_is_a_signal_without_a_classifier(self) -> None:
        assert detect(None, PLAIN) == CrisisSignal("suicidal_active", evidence=PLAIN)

    def test_of_the_speakers_own_death_is_never_a_threat_to_others(self) -> None:
        stub = StubClassifier({"kill": "harm_to_others"}, other=0.9)
        assert detect(stub, PLAIN) == CrisisSignal("suicidal_active", evidence=PLAIN)

    def test_takes_what_it_is_about_from_a_classifier_that_hears_it_too(self) -> None:
        stub = StubClassifier({"kill": "abuse"}, other=0.9, past=0.8)
        assert detect(stub, PLAIN) == CrisisSignal("abuse", "past", "other", PLAIN)

    def test_of_harm_to_others_is_about_others(self) -> None:
        found = detect(None, "I am going to kill him tonight.")
        assert found is not None
        assert (found.category, found.who) == ("harm_to_others", "other")

    def test_is_quoted_with_its_sentence_as_the_user_wrote_it(self) -> None:
        found = detect(None, f"{ORDINARY}Well,  I want to K1LL my\u200bself!! Bye.")
        assert found is not None
        assert found.evidence == "Well,  I want to K1LL my\u200bself!!"

    @pytest.mark.parametrize(("times", "expected"), [(ENOUGH - 1, False), (ENOUGH, True)])
    def test_said_so_often_that_the_search_ends_is_a_signal(self, times: int, *, expected: bool) -> None:
        """Behind them may stand one that nobody has looked at."""
        said = ORDINARY * (FEW_SENTENCES + 1) + f"{PLAIN} " * times
        assert (detect(StubClassifier(quiet=0.01), said) is not None) is expected

    def test_in_a_frame_is_left_to_the_classifier(self) -> None:
        assert detect(StubClassifier(), FRAMED) is None
        assert detect(StubClassifier({"kill": "suicidal_active"}), FRAMED) is not None
        assert detect(None, FRAMED) is None

    def test_outside_a_frame_counts_though_another_stands_in_one(self) -> None:
        said = f"In the movie she wants to die. {ORDINARY * 3}{PLAIN}"
        assert detect(StubClassifier(), said) == CrisisSignal("suicidal_active", evidence=PLAIN)

    @pytest.mark.parametrize("place", [0, 100_000, 200_000])
    def test_is_found_wherever_in_a_long_message(self, place: int) -> None:
        long = ORDINARY * 5500
        cut = long.find(". ", place) + 2 if place else 0
        found = detect(StubClassifier(), f"{long[:cut]}{PLAIN} {long[cut:]}")
        assert found == CrisisSignal("suicidal_active", evidence=PLAIN)

    def test_of_a_child_who_is_beaten_is_of_a_child_at_risk(self) -> None:
        found = detect(None, "I'm 12 and my dad beats me.")
        assert found is not None
        assert found.category == "child_at_risk"


class TestTheClassifier:
    def test_decides_where_no_phrase_stands(self) -> None:
        found = detect(StubClassifier(MARKED), OBLIQUE)
        assert found == CrisisSignal("suicidal_passive", evidence=OBLIQUE)

    @pytest.mark.parametrize(("signal", "expected"), [(0.49, False), (0.5, True), (0.51, True)])
    def test_decides_by_its_threshold(self, signal: float, *, expected: bool) -> None:
        found = detect(StubClassifier(MARKED, threshold=0.5, signal=signal), OBLIQUE)
        assert (found is not None) is expected

    def test_says_who_and_when(self) -> None:
        found = detect(StubClassifier(MARKED, other=0.7, past=0.7), OBLIQUE)
        assert found is not None
        assert (found.who, found.time) == ("other", "past")

    def test_reads_the_normalised_message_with_the_two_turns_before_it(self) -> None:
        stub = StubClassifier(quiet=0.001)
        detect(stub, "One.", "Two.", "Three.", "Four.", "I like T3A.")
        assert stub.read_texts == [("i like t3a.", ("three.", "four."))]

    @pytest.mark.parametrize(
        ("hidden", "alone", "expected"), [(0.2, 0.9, True), (0.2, 0.7, False), (0.001, 0.999, False), (0.4, 0.2, False)]
    )
    def test_counts_a_message_in_doubt_by_itself_too(self, hidden: float, alone: float, *, expected: bool) -> None:
        """The mean of both log-odds decides, unless what was said before leaves no doubt, or makes it likelier."""
        talk = ("I made soup.", "Nice!", OBLIQUE)
        assert (detect(HidingClassifier(MARKED, signal=alone, hidden=hidden), *talk) is not None) is expected

    @pytest.mark.parametrize(("words", "expected"), [(LONG - 1, False), (LONG, True)])
    def test_counts_a_long_message_by_itself_alone(self, words: int, *, expected: bool) -> None:
        said = "zebra" + " here" * (words - 1)
        found = detect(HidingClassifier(MARKED, signal=0.6, hidden=0.1), "I made soup.", "Nice!", said)
        assert (found is not None) is expected

    def test_reads_the_end_of_a_long_turn_before(self) -> None:
        stub = StubClassifier(quiet=0.001)
        detect(stub, "a" * 5 + "b" * 5000 + "c", "Hello.")
        [(_, (context,))] = stub.read_texts
        assert len(context) <= 600
        assert context.endswith("c")

    def test_reads_few_stretches_of_a_long_message(self) -> None:
        stub = StubClassifier()
        detect(stub, ORDINARY * 3000)
        assert len(stub.read_texts) <= 10

    def test_reads_later_stretches_after_the_messages_beginning(self) -> None:
        stub = StubClassifier(quiet=0.001)
        detect(stub, "Earlier.", "Yes?", "It began. " + ORDINARY * 30)
        contexts = [context for _, context in stub.read_texts]
        assert contexts[0] == ("earlier.", "yes?")
        assert all(len(each) == 1 and each[0].startswith("it began.") for each in contexts[1:])

    def test_finds_a_signal_at_the_end_of_a_long_message(self) -> None:
        found = detect(StubClassifier(MARKED), f"{ORDINARY * 3000}{OBLIQUE}")
        assert found == CrisisSignal("suicidal_passive", evidence=OBLIQUE)

    def test_quotes_the_sentence_that_tells(self) -> None:
        found = detect(StubClassifier(MARKED), f"We had tea. {OBLIQUE} It rained.")
        assert found == CrisisSignal("suicidal_passive", evidence=OBLIQUE)

    def test_is_not_asked_about_a_script_that_it_does_not_know(self) -> None:
        stub = StubClassifier({"зебра": "abuse"})
        assert detect(stub, "Моя зебра ушла домой.") is None
        assert stub.read_texts == []

    @pytest.mark.parametrize(("text", "expected"), [(PLAIN, True), (ORDINARY, False)])
    def test_that_fails_leaves_the_phrases_to_decide(self, text: str, *, expected: bool) -> None:
        assert (detect(BrokenClassifier(), text) is not None) is expected


@dataclass
class HidingClassifier(StubClassifier):
    """Hears less behind other talk."""

    hidden: float = 0.1

    def read(self, newest: str, context: Sequence[str] = ()) -> CrisisReading:
        return reading("suicidal_passive", self.hidden) if context else super().read(newest)


class BrokenClassifier(StubClassifier):
    """Weights of another shape."""

    def read(self, newest: str, context: Sequence[str] = ()) -> CrisisReading:
        raise ValueError("cannot reshape array")


@pytest.mark.parametrize(("alone", "expected"), [(NEW_FROM - 0.01, False), (NEW_FROM + 0.01, True)])
def test_after_a_signal_a_message_must_tell_of_one_by_itself(alone: float, *, expected: bool) -> None:
    """What was said before makes every answer to an offer of help sound like a signal."""
    stub = HidingClassifier({"zebra": "abuse", "please": "abuse"}, hidden=0.9)
    stub.quiet = alone
    talk = (OBLIQUE, "Here are people who help.", "Yes, I would like to.")
    assert (detect(stub, *talk) is not None) is expected


class TestAShortAnswer:
    ASKED: Final = "Are you thinking of killing yourself?"

    @pytest.mark.parametrize("answer", ["yeah", "Yes, tonight.", "I am", "maybe"])
    def test_admits_to_what_was_asked(self, answer: str) -> None:
        found = detect(StubClassifier(), "I feel low.", self.ASKED, answer)
        assert found == CrisisSignal("suicidal_active", evidence=answer)

    def test_without_the_question_is_none(self) -> None:
        assert detect(StubClassifier(), "yeah") is None
        assert detect(StubClassifier(), "I feel low.", "Do you like tea?", "yeah") is None

    def test_to_an_earlier_question_is_none(self) -> None:
        assert detect(StubClassifier(), "Hi.", self.ASKED, "no", "Good. Do you like tea?", "yeah") is None


class TestEvidence:
    def test_is_no_longer_than_it_may_be(self) -> None:
        found = detect(None, "so " * 60 + "I want to kill myself " + "and so on " * 60)
        assert found is not None
        assert len(found.evidence) <= LONGEST_EVIDENCE

    @settings(max_examples=150, deadline=None)
    @given(
        st.text(max_size=200),
        st.sampled_from([PLAIN, "k1ll my s e l f", "kill myself", OBLIQUE, "我不想活了"]),
        st.text(max_size=200),
    )
    def test_is_a_piece_of_the_newest_message(self, before: str, said: str, behind: str) -> None:
        newest = f"{before} {said} {behind}"
        found = detect(StubClassifier(MARKED), "zebra kill myself", "Hm.", newest)
        assert found is None or found.evidence in newest
        assert found is None or 0 < len(found.evidence) <= LONGEST_EVIDENCE

    def test_is_nothing_that_was_said_before(self) -> None:
        assert detect(StubClassifier(MARKED), PLAIN, "I hear you.", "Thank you, I will call them.") is None


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(max_size=120), min_size=1, max_size=4))
def test_whatever_is_said_is_read(texts: list[str]) -> None:
    turns = [Turn("listener" if (len(texts) - 1 - i) % 2 else "speaker", text) for i, text in enumerate(texts)]
    stub: Any = StubClassifier(MARKED)
    found = CrisisDetector(stub).detect(turns)
    assert found is None or found.evidence in texts[-1]


@pytest.mark.parametrize("flood", [ORDINARY, "kill ", "want to ", "我今天很好。", "\u200b", "!"], ids=repr)
def test_a_long_message_takes_less_than_a_second(flood: str) -> None:
    text = (flood * 50_000)[:50_000]
    start = time.process_time()
    detect(StubClassifier(MARKED), text)
    assert time.process_time() - start < 0.7


class TestTheShippedDetector:
    @pytest.fixture(autouse=True)
    def _anew(self) -> Any:
        load_detector.cache_clear()
        yield
        load_detector.cache_clear()

    def test_without_weights_goes_on_with_plain_phrases_and_says_so(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail() -> None:
            raise HefCheckpointError("weights are missing")

        monkeypatch.setattr(detector, "load_classifier", fail)
        with caplog.at_level(logging.WARNING):
            assert load_detector().detect([Turn("speaker", PLAIN)]) is not None
        assert "goes on with plain phrases alone: weights are missing" in caplog.text

    def test_is_loaded_once(self) -> None:
        assert load_detector() is load_detector()

    @pytest.mark.parametrize("told", EXPLICIT, ids=lambda told: told.turns[-1][:40])
    def test_finds_every_explicit_statement_with_and_without_its_weights(self, told: Example) -> None:
        turns = turns_from_dialogue(told.turns)
        assert CrisisDetector(None).detect(turns) is not None
        assert load_detector().detect(turns) is not None

    def test_tells_most_signals_from_look_alikes(self) -> None:
        """A floor far below what is measured: weights that do not belong to the tokenizer fall under it."""
        judged = judge_examples(load_detector(), read_examples(FOLDER / "dev")[::8])
        found = shares(judged)
        assert found[EVERY_SIGNAL].percent >= 80
        assert found[EVERY_OTHER].percent <= 15

    def test_finds_a_plain_phrase_with_and_without_its_weights(self) -> None:
        assert load_detector().detect([Turn("speaker", PLAIN)]) is not None
