import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from hef_graph.delimiters import EVIDENCE_CLOSE, EVIDENCE_OPEN
from hef_graph.errors import HefInputError
from hef_graph.instruction import TWO_STAGE, TWO_STAGE_UNSURE, Instruction, build_instruction
from hef_graph.lexicon import Lexicon, WordEntry
from hef_graph.turn import (
    HELPFUL_FROM,
    Evidence,
    ReadingOptions,
    compose_prompt,
    instruct,
    turns_as_messages,
    weigh_evidence,
    word_evidence,
)
from hef_graph.types import LONGEST_WORD, CauseWords, EmotionAnalysis, EmotionScore, Turn, WordScore
from tests.fakes import StubSem

EVIDENCE = Evidence((EmotionScore("sad", 0.75), EmotionScore("lonely", 0.125)), CauseWords(("died",), ("parrot",)))
INSTRUCTION = build_instruction(EVIDENCE.candidates, EVIDENCE.causes)
TURNS = [Turn("speaker", "My parrot died."), Turn("listener", "Oh no."), Turn("speaker", "She was old, but alone.")]

delimiter_pieces = st.lists(st.sampled_from([EVIDENCE_OPEN, EVIDENCE_CLOSE, "<", ">", "evidence", "\n", "I cried"]))
user_texts = st.text() | delimiter_pieces.map("".join)


@pytest.fixture
def lexicon(monkeypatch: pytest.MonkeyPatch) -> Lexicon:
    tiny = Lexicon(100, {"died": WordEntry(5, 0.9, 1), "parrot": WordEntry(20, 0.1, 1)})
    monkeypatch.setattr("hef_graph.turn.load_lexicon", lambda: tiny)
    return tiny


@pytest.mark.usefixtures("lexicon")
def test_evidence_holds_the_likeliest_emotions_and_the_heaviest_words() -> None:
    [analysis] = StubSem().analyze([TURNS])
    evidence = weigh_evidence(analysis, TURNS, ReadingOptions(k1=2, k2=2))
    assert [score.label for score in evidence.candidates] == ["lonely", "sad"]
    assert evidence.causes == CauseWords(high=("died",), low=("alone",))


@pytest.mark.parametrize(
    "word",
    [
        WordScore("aunt", 0, 3, 7, 1.0),
        WordScore("died", 0, 3, 7, 1.0),
        WordScore("died", 9, 10, 14, 1.0),
        WordScore("died", -1, 10, 14, 1.0),
        WordScore("died.", 0, 10, 15, 1.0),
        WordScore("parrot died", 0, 3, 14, 1.0),
        WordScore("", 0, 0, 0, 1.0),
        WordScore("Oh", 1, 0, 2, 1.0),
    ],
)
def test_what_the_speaker_did_not_say_as_a_word_is_no_cause_word_whatever_a_sem_returns(word: WordScore) -> None:
    analysis = EmotionAnalysis((EmotionScore("sad", 1.0),), (word, WordScore("parrot", 0, 3, 9, 0.1)))
    causes = weigh_evidence(analysis, TURNS, ReadingOptions()).causes
    assert [*causes.high, *causes.low] == ["parrot"]


def test_a_cause_word_that_is_far_too_long_is_cut() -> None:
    text = "a" * 9999
    analysis = EmotionAnalysis((EmotionScore("sad", 1.0),), (WordScore(text, 0, 0, len(text), 1.0),))
    assert weigh_evidence(analysis, [Turn("speaker", text)], ReadingOptions()).causes.low == (text[:LONGEST_WORD],)


@pytest.mark.usefixtures("lexicon")
def test_the_coverage_bounds_an_adaptive_set() -> None:
    [analysis] = StubSem().analyze([TURNS])
    options = ReadingOptions(k2="adaptive", coverage=0.6)
    assert len(weigh_evidence(analysis, TURNS, options).candidates) == 2


def test_evidence_is_written_as_the_states_plain_values() -> None:
    assert EVIDENCE.to_json() == {
        "emotion_candidates": [{"label": "sad", "probability": 0.75}, {"label": "lonely", "probability": 0.125}],
        "cause_words": {"high": ["died"], "low": ["parrot"]},
        "emotion_confidence": None,
        "in_domain": True,
        "sem_failure": None,
    }


@pytest.mark.parametrize("evidence", [EVIDENCE, replace(EVIDENCE, confidence=0.5, in_domain=False, failure="sem")])
def test_evidence_survives_json(evidence: Evidence) -> None:
    assert Evidence.from_json(json.loads(json.dumps(evidence.to_json()))) == evidence


@pytest.mark.usefixtures("lexicon")
def test_the_sems_thresholds_bound_its_adaptive_set() -> None:
    [analysis] = StubSem().analyze([TURNS])
    calibrated = replace(analysis, thresholds=((0.5, 0.9), (0.9, 0.3), (0.99, 0.0)))
    options = ReadingOptions(k2="adaptive", coverage=0.9)
    expected = [score for score in analysis.emotions if score.probability >= 0.3]
    assert weigh_evidence(calibrated, TURNS, options).candidates == tuple(expected)


@pytest.mark.usefixtures("lexicon")
def test_what_the_sem_thinks_of_its_own_reading_is_evidence() -> None:
    [analysis] = StubSem().analyze([TURNS])
    evidence = weigh_evidence(replace(analysis, confidence=0.1, in_domain=False), TURNS, ReadingOptions())
    assert (evidence.confidence, evidence.in_domain) == (0.1, False)


@pytest.mark.parametrize(("confidence", "wording"), [(0.9, TWO_STAGE), (None, TWO_STAGE), (0.1, TWO_STAGE_UNSURE)])
def test_a_doubtful_reading_is_given_as_guesses(confidence: float | None, wording: str) -> None:
    evidence = replace(EVIDENCE, confidence=confidence)
    built = instruct(evidence, ReadingOptions()).evidence
    assert wording.format(candidates="sad, lonely") in built
    assert word_evidence(evidence, ReadingOptions()) == built


@pytest.mark.parametrize(("confidence", "template"), [(0.9, TWO_STAGE), (0.1, TWO_STAGE_UNSURE)])
def test_candidates_can_be_put_with_their_probabilities(confidence: float, template: str) -> None:
    evidence, options = replace(EVIDENCE, confidence=confidence), ReadingOptions(wording="probabilities")
    built = instruct(evidence, options).evidence
    assert template.format(candidates="sad (75%), lonely (12%)") in built
    assert word_evidence(evidence, options) == built


@pytest.mark.parametrize(("confidence", "shown"), [(HELPFUL_FROM, True), (HELPFUL_FROM - 0.01, False), (0.1, False)])
def test_in_doubt_the_candidates_can_be_left_out(confidence: float, *, shown: bool) -> None:
    evidence, options = replace(EVIDENCE, confidence=confidence), ReadingOptions(wording="doubt")
    built = instruct(evidence, options).evidence
    assert ("guesses, best first: sad, lonely." in built) is shown
    assert '"died"' in built
    assert word_evidence(evidence, options) == built


@pytest.mark.parametrize(("probability", "helpful"), [(0.75, True), (0.4, False)])
def test_without_a_confidence_the_first_probability_tells_doubt(probability: float, *, helpful: bool) -> None:
    assert replace(EVIDENCE, candidates=(EmotionScore("sad", probability),)).helpful is helpful


def test_evidence_without_candidates_is_of_no_help() -> None:
    assert not replace(EVIDENCE, candidates=()).helpful


def test_of_a_text_out_of_domain_nothing_is_said() -> None:
    assert instruct(replace(EVIDENCE, in_domain=False), ReadingOptions()).evidence == ""


@pytest.mark.parametrize("values", [{}, {"emotion_candidates": None, "cause_words": None}, {"cause_words": {}}])
def test_missing_evidence_counts_as_empty(values: dict[str, Any]) -> None:
    assert Evidence.from_json(values) == Evidence((), CauseWords())


def test_both_strategies_are_on_by_default() -> None:
    assert instruct(EVIDENCE, ReadingOptions()) == INSTRUCTION


@pytest.mark.parametrize(
    ("options", "shown", "absent"),
    [
        (ReadingOptions(two_stage=False), '"died"', "guesses"),
        (ReadingOptions(cause_perception=False), "guesses", '"died"'),
    ],
)
def test_each_strategy_can_be_switched_off(options: ReadingOptions, shown: str, absent: str) -> None:
    evidence = instruct(EVIDENCE, options).evidence
    assert shown in evidence
    assert absent not in evidence


def test_with_both_strategies_off_the_constant_part_is_all() -> None:
    options = ReadingOptions(two_stage=False, cause_perception=False)
    assert instruct(EVIDENCE, options) == Instruction(INSTRUCTION.system, "")


def test_the_applications_prompt_reaches_the_instruction() -> None:
    instruction = instruct(EVIDENCE, ReadingOptions(), system_prompt="You work for a zoo.")
    assert instruction.system.startswith("You work for a zoo.\n\n")


def test_the_prompt_is_instruction_then_conversation_then_evidence() -> None:
    assert compose_prompt(TURNS, INSTRUCTION) == [
        SystemMessage(INSTRUCTION.system),
        HumanMessage("My parrot died."),
        AIMessage("Oh no."),
        HumanMessage(f"She was old, but alone.\n\n{INSTRUCTION.evidence}"),
    ]


def test_without_evidence_the_newest_message_is_the_users_text_alone() -> None:
    bare = replace(INSTRUCTION, evidence="")
    assert compose_prompt(TURNS, bare)[-1] == HumanMessage("She was old, but alone.")


def test_a_growing_conversation_keeps_the_beginning_of_its_prompt() -> None:
    before = compose_prompt(TURNS[:1], INSTRUCTION)
    after = compose_prompt(TURNS, build_instruction((EmotionScore("proud", 1.0),)))
    assert after[0] == before[0]
    assert str(before[1].text).startswith(str(after[1].text))


@given(user_texts, user_texts, user_texts)
@settings(deadline=None)
def test_nobody_but_us_writes_the_evidence_delimiters(first: str, answer: str, newest: str) -> None:
    turns = [Turn("speaker", first), Turn("listener", answer), Turn("speaker", newest)]
    said = "\n".join(str(message.text) for message in compose_prompt(turns, INSTRUCTION)[1:])
    assert (said.count(EVIDENCE_OPEN), said.count(EVIDENCE_CLOSE)) == (1, 1)
    assert said.endswith(INSTRUCTION.evidence)


@given(user_texts)
@settings(deadline=None)
def test_text_without_delimiters_reaches_the_model_unchanged(text: str) -> None:
    harmless = text.replace("<", "(")
    assert turns_as_messages([Turn("speaker", harmless)]) == [HumanMessage(harmless)]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"k1": -1}, "k1 is -1"),
        ({"k1": 2.5}, "k1 is 2.5"),
        ({"k1": True}, "k1 is True"),
        ({"k2": 0}, "k2 is 0"),
        ({"k2": "many"}, "k2 is 'many'"),
        ({"coverage": 0}, "coverage is 0"),
        ({"coverage": 1.01}, "coverage is 1.01"),
        ({"coverage": float("nan")}, "coverage is nan"),
        ({"wording": "verse"}, "wording is 'verse'"),
        ({"wording": None}, "wording is None"),
    ],
)
def test_an_option_out_of_range_is_refused_with_its_value(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(HefInputError, match=f"{problem}; allowed are"):
        ReadingOptions(**options)


@pytest.mark.parametrize(
    "options",
    [
        *({"k1": 0}, {"k2": 1}, {"k2": "adaptive"}, {"coverage": 1}, {"coverage": 0.01}),
        *({"wording": "list"}, {"wording": "probabilities"}, {"wording": "doubt"}),
    ],
)
def test_the_ends_of_each_range_are_allowed(options: dict[str, Any]) -> None:
    [(name, value)] = options.items()
    assert getattr(ReadingOptions(**options), name) == value
