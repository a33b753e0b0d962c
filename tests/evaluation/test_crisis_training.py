from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hef_graph.crisis.classifier import CrisisClassifier
from hef_graph.crisis.examples import Example, Label
from hef_graph.evaluation.crisis_training import DEFAULTS, CrisisRecipe, measure, train_classifier
from tests.evaluation.crisis_encoder import ABUSE, EXAMPLES, ORDINARY, SIGNALS, write_encoder

TRAINING = replace(
    DEFAULTS, epochs=25, learning_rate=3e-3, new_learning_rate=3e-3, batch_size=4, precision="fp32", patience=25
)
TALK = [("the sun was lovely", "was the cat gone", "the cat is lovely"), ("my bread is lovely",)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[CrisisRecipe, list[dict[str, float]]]:
    """A finished run over a handful of sentences."""
    folder = tmp_path_factory.mktemp("crisis")
    encoder = write_encoder(folder / "encoder")
    recipe = CrisisRecipe(EXAMPLES, TALK, EXAMPLES, folder / "run", encoder, threshold=0.4, training=TRAINING, layers=2)
    return recipe, train_classifier(recipe)


def test_a_handful_of_sentences_is_learned_by_heart(run: tuple[CrisisRecipe, list[dict[str, float]]]) -> None:
    classifier = CrisisClassifier.load(run[0].output)
    assert all(classifier.read(text).category == "suicidal_active" for text in SIGNALS)
    assert all(classifier.read(text).signal > 0.5 for text in SIGNALS)
    assert all(classifier.read(text).signal < 0.5 for text in ORDINARY)


def test_who_and_when_are_learned_with_it(run: tuple[CrisisRecipe, list[dict[str, float]]]) -> None:
    classifier = CrisisClassifier.load(run[0].output)
    readings = [classifier.read(text, ["the cat is lovely"]) for text in ABUSE]
    assert {(reading.category, reading.who, reading.time) for reading in readings} == {("abuse", "other", "past")}


def test_each_epoch_is_measured_on_what_is_set_aside(run: tuple[CrisisRecipe, list[dict[str, float]]]) -> None:
    history = run[1]
    assert (len(history), max(epoch["recall_at_3"] for epoch in history)) == (TRAINING.epochs, 1.0)


def test_the_threshold_is_written_down(run: tuple[CrisisRecipe, list[dict[str, float]]]) -> None:
    assert CrisisClassifier.load(run[0].output).threshold == 0.4


def test_a_finished_run_is_not_trained_again(run: tuple[CrisisRecipe, list[dict[str, float]]]) -> None:
    assert train_classifier(run[0]) == run[1]


def test_a_run_goes_on_from_another_ones_weights(
    run: tuple[CrisisRecipe, list[dict[str, float]]], tmp_path: Path
) -> None:
    later = replace(
        run[0], start=run[0].output, output=tmp_path, training=replace(TRAINING, epochs=1, learning_rate=1e-6)
    )
    [history] = train_classifier(later)
    assert history["recall_at_3"] == 1.0


def test_a_run_that_goes_on_keeps_what_it_knows_and_learns_new_words(
    run: tuple[CrisisRecipe, list[dict[str, float]]], tmp_path: Path
) -> None:
    more = [*EXAMPLES, Example(("the 猫 is gone",), Label(None, kind="ordinary"), "new")]
    quiet = replace(TRAINING, epochs=1, learning_rate=0.0, new_learning_rate=0.0)
    train_classifier(replace(run[0], examples=more, start=run[0].output, output=tmp_path, training=quiet))
    before, after = CrisisClassifier.load(run[0].output), CrisisClassifier.load(tmp_path)
    assert {"猫"} == set(after.tokenizer.get_vocab()) - set(before.tokenizer.get_vocab())
    assert all(after.read(text).signal == pytest.approx(before.read(text).signal, abs=1e-3) for text in SIGNALS)


def test_the_lowest_layers_can_be_left_as_they_are(
    run: tuple[CrisisRecipe, list[dict[str, float]]], tmp_path: Path
) -> None:
    quick = replace(TRAINING, epochs=1)
    train_classifier(replace(run[0], start=run[0].output, output=tmp_path, training=quick, frozen_layers=1))
    before, after = (torch.load(folder / "crisis.best.pt", weights_only=True) for folder in (run[0].output, tmp_path))
    moved = {name for name, weight in after.items() if not torch.equal(weight, before[name])}
    assert not [name for name in moved if "embeddings" in name or "layer.0." in name]
    assert [name for name in moved if "layer.1." in name]


def test_recall_is_told_where_three_percent_are_false_alarms() -> None:
    found = [0.9, 0.8, 0.1, *[0.2] * 99, 0.95]
    assert measure([0, 0, 0, *[7] * 100], found)["recall_at_3"] == pytest.approx(2 / 3)


def test_nothing_set_aside_scores_nothing() -> None:
    assert measure([7, 7], [0.1, 0.2]) == {"score": 0.0}
