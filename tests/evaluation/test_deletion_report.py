import json
from collections.abc import Sequence

import pytest

from hef_graph.corpus import Context
from hef_graph.errors import HefInputError
from hef_graph.evaluation.deletion_report import DeletionReport, delete_words, report_deletion
from hef_graph.types import Dialogue, EmotionAnalysis, EmotionScore, Turn, WordScore, turns_from_dialogue
from tests.fakes import StubSem

TEXT = "Kite kite boat lamp rope tent"
CONTEXTS = [Context(f"c{number}", "sad", (TEXT,), "Oh.") for number in range(12)]


class KiteSem(StubSem):
    """Certain by 20 points for each kite it reads; weighs kites by `kite_weight`, other words by 1."""

    def __init__(self, kite_weight: float = 2.0) -> None:
        super().__init__()
        self._kite_weight = kite_weight

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        return [self._weigh(analysis) for analysis in super().analyze(dialogues)]

    def _weigh(self, analysis: EmotionAnalysis) -> EmotionAnalysis:
        kites = [word for word in analysis.words if word.word.lower() == "kite"]
        words = tuple(
            WordScore(w.word, w.turn, w.start, w.end, self._kite_weight if w in kites else 1.0) for w in analysis.words
        )
        sad = 0.5 + 0.2 * len(kites)
        return EmotionAnalysis((EmotionScore("sad", sad), EmotionScore("joyful", 1 - sad)), words)


def measure(sem: StubSem, contexts: Sequence[Context] = CONTEXTS, **options: int) -> DeletionReport:
    return report_deletion(sem, contexts, **options)


def test_the_drop_is_that_of_the_predicted_emotion_in_points() -> None:
    assert [drop.heaviest.value for drop in measure(KiteSem()).drops] == pytest.approx([20, 40, 40])


def test_random_words_drop_by_their_share_of_what_matters() -> None:
    drops = measure(KiteSem()).drops
    assert drops[0].random.value == pytest.approx(40 / 6, abs=5)
    assert drops[2].random.value == pytest.approx(5 * 40 / 6, abs=5)


def test_the_ratio_compares_the_two() -> None:
    drop = measure(KiteSem()).drops[0]
    assert drop.ratio
    assert drop.ratio.value == pytest.approx(drop.heaviest.value / drop.random.value)
    assert drop.ratio.low <= drop.ratio.value <= drop.ratio.high


def test_weights_on_words_that_do_not_matter_drop_nothing() -> None:
    assert [drop.heaviest.value for drop in measure(KiteSem(0.5)).drops] == pytest.approx([0, 0, 20])


def test_words_of_one_weight_are_taken_at_random() -> None:
    many = [Context(f"c{number}", "sad", (TEXT,), "") for number in range(200)]
    assert measure(KiteSem(1.0), many).drops[0].heaviest.value == pytest.approx(40 / 6, abs=2.5)


def test_the_emotion_followed_is_the_one_predicted_before() -> None:
    died = [Context("c", "sad", ("My hamster died",), "")]
    first = measure(StubSem(), died).drops[0]
    assert first.heaviest.value == pytest.approx(100 * (4 / 9 - 1 / 6))


def test_a_model_that_no_word_moves_has_no_ratio() -> None:
    first = measure(StubSem(keywords={})).drops[0]
    assert (first.heaviest.value, first.ratio) == (0.0, None)


def test_only_the_speakers_words_are_deleted() -> None:
    sem = StubSem()
    measure(sem, [Context("c", "sad", ("The lamp broke", "You lost a lamp?", "The lamp broke"), "")])
    assert {turns[1].text for turns in sem.dialogues_read} == {"You lost a lamp?"}


def test_contexts_without_a_content_word_of_the_speaker_are_left_out() -> None:
    assert measure(KiteSem(), [*CONTEXTS, Context("n", "sad", ("Why me?",), "")]).contexts == len(CONTEXTS)


def test_contexts_that_hold_no_content_words_at_all_are_refused() -> None:
    with pytest.raises(HefInputError, match="give at least one case"):
        measure(KiteSem(), [Context("n", "sad", ("Why me?",), "")])


def test_a_sample_is_of_the_wished_size_and_the_same_for_the_same_seed() -> None:
    first, second = StubSem(), StubSem()
    contexts = [Context(f"c{n}", "sad", (f"Lamp{n} died",), "") for n in range(30)]
    assert measure(first, contexts, sample=5, seed=3) == measure(second, contexts, sample=5, seed=3)
    assert first.dialogues_read == second.dialogues_read
    assert measure(StubSem(), contexts, sample=5).contexts == 5


def test_everything_is_read_in_two_calls() -> None:
    sem = StubSem()
    measure(sem)
    assert sem.analyze_calls == 2


def test_the_report_is_plain_json() -> None:
    assert json.loads(json.dumps(measure(KiteSem()).to_json()))["drops"][0]["k"] == 1


def words(text: str, *chosen: str) -> list[WordScore]:
    return [WordScore(w, 0, text.index(w), text.index(w) + len(w), 1.0) for w in chosen]


@pytest.mark.parametrize(
    ("text", "chosen", "expected"),
    [
        ("My dog died.", ["dog"], "My died."),
        ("My dog died.", ["My", "died"], "dog ."),
        ("Rain  again", [], "Rain  again"),
        ("dog", ["dog"], ""),
    ],
)
def test_deleting_words_closes_the_gap(text: str, chosen: list[str], expected: str) -> None:
    [turn] = delete_words([Turn("speaker", text)], words(text, *chosen))
    assert turn == Turn("speaker", expected)


def test_other_turns_stay_as_they_are() -> None:
    turns = turns_from_dialogue(["a dog", "my  dog", "a dog"])
    assert [turn.text for turn in delete_words(turns, words("a dog", "dog"))] == ["a", "my  dog", "a dog"]
