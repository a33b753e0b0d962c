from dataclasses import replace

import pytest

from hef_graph.chat.reranking import (
    FULL_LENGTH,
    WEIGHTS,
    RerankingWeights,
    Scene,
    asks_the_known,
    choose_reply,
    count_ungrounded,
    echoed_share,
    mistakes_person,
    score_reply,
    takes_up,
)
from hef_graph.lexicon import Lexicon, WordEntry
from hef_graph.types import CauseWords, ReplyCandidate, Turn

LEXICON = Lexicon(10_000, {"sad": WordEntry(5_000, 0.5, 10), "dinner": WordEntry(5, 0.1, 0)})

TURNS = (
    Turn("speaker", "My sister burnt the soup."),
    Turn("listener", "Oh no, what a day!"),
    Turn("speaker", "She cried over it."),
)

SCENE = Scene(TURNS, CauseWords(("Soup",), ("cried",)), LEXICON)

NOTHING = RerankingWeights(**dict.fromkeys(RerankingWeights.__dataclass_fields__, 0.0))


def candidate(text: str, log_probability: float = -1.0, specificity: float = 0.0) -> ReplyCandidate:
    return ReplyCandidate(text, log_probability, specificity)


def test_a_reply_takes_up_a_cause_word_of_either_weight() -> None:
    replies: list[list[str]] = [["the", "soup"], ["she", "cried"], ["soups"], []]
    assert [takes_up(words, SCENE.causes) for words in replies] == [True, True, False, False]


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["dinner", "dinner"], 1),
        (["unheard", "dinner"], 2),
        (["sad"], 0),
        (["soup"], 0),
        (["the", "yesterday"], 0),
    ],
    ids=["rare, twice", "unknown and rare", "common", "said before", "stop words"],
)
def test_rare_words_that_nobody_said_are_counted_once_each(words: list[str], count: int) -> None:
    assert count_ungrounded(words, SCENE) == count


@pytest.mark.parametrize(
    ("words", "share"),
    [
        (["oh", "no", "what", "a", "day"], 1.0),
        (["oh", "no", "poor"], 0.5),
        (["she", "cried", "over"], 0.0),
        (["oh"], 0.0),
        ([], 0.0),
    ],
    ids=["all said", "half said", "said by the speaker", "one word", "none"],
)
def test_an_echo_is_what_the_listener_has_already_said(words: list[str], share: float) -> None:
    assert echoed_share(words, SCENE) == share


def test_a_pronoun_needs_somebody_in_the_dialogue() -> None:
    words = ["he", "his", "she", "her", "they"]
    assert [mistakes_person([word], SCENE) for word in words] == [True, True, False, False, False]


def test_nobody_in_the_dialogue_is_neither_he_nor_she() -> None:
    scene = replace(SCENE, turns=[Turn("speaker", "It broke.")])
    assert [mistakes_person([word], scene) for word in ("he", "she", "it")] == [True, True, False]


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("Did your sister burn soup? Was it burnt soup?", True),
        ("Oh no! Is she your sister?", True),
        ("Did she call your mother?", False),
        ("Why was the soup burnt?", False),
        ("Is she?", False),
        ("The soup was burnt.", False),
    ],
)
def test_a_yes_or_no_question_about_what_was_said_asks_the_known(text: str, known: bool) -> None:
    assert asks_the_known(text, SCENE) is known


@pytest.mark.parametrize(
    ("weight", "better", "worse"),
    [
        ("known", candidate("Is she angry?"), candidate("Is she your sister?")),
        ("likelihood", candidate("Oh.", -0.5), candidate("Oh.", -1.5)),
        ("specificity", candidate("Oh.", specificity=1), candidate("Oh.", specificity=0)),
        ("cause", candidate("Poor soup."), candidate("Poor thing.")),
        ("question", candidate("Why?"), candidate("Why.")),
        ("repetition", candidate("Poor her. Poor soup."), candidate("Poor her! Poor her.")),
        ("acknowledgement", candidate("That is hard. Why?"), candidate("Oh! What did it taste like?")),
        ("ungrounded", candidate("A sad day."), candidate("A dinner day.")),
        ("echo", candidate("Poor her."), candidate("Oh no, what a day!")),
        ("pronoun", candidate("Is she well?"), candidate("Is he well?")),
        ("length", candidate("So it is then."), candidate("So.")),
    ],
)
def test_each_measure_alone_tells_the_better_reply(weight: str, better: ReplyCandidate, worse: ReplyCandidate) -> None:
    alone = replace(NOTHING, **{weight: getattr(WEIGHTS, weight)})
    assert score_reply(better, 0.5, SCENE, alone) > score_reply(worse, 0.5, SCENE, alone)


def test_a_reply_that_feels_as_the_dialogue_does_scores_more() -> None:
    alone = replace(NOTHING, agreement=WEIGHTS.agreement)
    assert score_reply(candidate("Oh."), 0.9, SCENE, alone) > score_reply(candidate("Oh."), 0.1, SCENE, alone)


def test_words_beyond_a_full_length_count_for_nothing() -> None:
    alone = replace(NOTHING, length=1.0)
    assert score_reply(candidate("so " * 50), 0.5, SCENE, alone) == FULL_LENGTH


def test_the_best_reply_is_chosen() -> None:
    replies = [candidate("Oh.", -3.0), candidate("Oh.", -1.0), candidate("Oh.", -2.0)]
    assert choose_reply(replies, [0.5, 0.5, 0.5], SCENE) is replies[1]


def test_of_equal_replies_the_first_is_chosen() -> None:
    replies = [candidate("Oh."), candidate("Oh."), candidate("Oh.")]
    assert choose_reply(replies, [0.5, 0.5, 0.5], SCENE) is replies[0]


def test_each_reply_needs_its_own_agreement() -> None:
    with pytest.raises(ValueError, match="shorter"):
        choose_reply([candidate("Oh."), candidate("Ah.")], [0.5], SCENE)


def test_curly_apostrophes_are_read_as_straight_ones() -> None:
    scene = replace(SCENE, turns=(Turn("speaker", "It’s the neighbour’s."),))
    assert count_ungrounded(["neighbour's"], scene) == 0
