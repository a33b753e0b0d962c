from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from langchain_core.messages import HumanMessage

from hef_graph import create_hef_graph
from hef_graph.errors import HefCheckpointError, HefInputError
from hef_graph.reply import json_schema
from hef_graph.sem import load_sem
from hef_graph.sem.plugins import huggingface
from hef_graph.sem.plugins.huggingface import HuggingFaceSem, load_huggingface_sem
from hef_graph.types import EmotionAnalysis, SmallEmpatheticModel
from tests.fakes import ScriptedModel, reply_json
from tests.sem.plugins.classifiers import LABELS, write_bart, write_bert, write_gpt2, write_roberta

DIALOGUES = [
    ["my dog died"],
    ["we won"],
    ["My dog 🐕 died!", "oh no", "and then 🎉🎉 it came back"],
    ["who took it away and then came back", "the dog", "no"],
    ["🎉 zebra-crossings aren't ours"],
]
WRITERS = {"bert": write_bert, "roberta": write_roberta, "gpt2": write_gpt2}


@pytest.fixture(scope="module", params=WRITERS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of each kind on disk, which no test changes."""
    return WRITERS[request.param](tmp_path_factory.mktemp("classifier") / request.param)


@pytest.fixture(scope="module", params=[("bert", "gradient-norm"), ("roberta", "occlusion"), ("gpt2", "gradient-norm")])
def sem(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> HuggingFaceSem:
    """A classifier of each kind, and both ways to find cause words."""
    kind, words = request.param
    return load_huggingface_sem(WRITERS[kind](tmp_path_factory.mktemp("sem") / kind), "cpu", words)


def _numbers(analyses: list[EmotionAnalysis]) -> list[float]:
    emotions = [score.probability for a in analyses for score in sorted(a.emotions, key=lambda s: s.label)]
    return emotions + [word.weight for a in analyses for word in a.words]


def test_a_classifier_satisfies_the_protocol(sem: HuggingFaceSem) -> None:
    assert isinstance(sem, SmallEmpatheticModel)


def test_its_labels_are_those_of_its_config_in_their_order(sem: HuggingFaceSem) -> None:
    assert sem.labels == LABELS


def test_its_name_is_the_folders_and_says_where_it_runs(folder: Path) -> None:
    assert load_huggingface_sem(folder, "cpu").name == f"{folder.name} on cpu"


def test_all_labels_come_most_probable_first_and_sum_to_1(sem: HuggingFaceSem) -> None:
    for analysis in sem.analyze(DIALOGUES):
        probabilities = [score.probability for score in analysis.emotions]
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) == pytest.approx(1)
        assert {score.label for score in analysis.emotions} == set(LABELS)
        assert analysis.confidence == probabilities[0]


def test_words_are_parts_of_the_texts_as_given_and_their_weights_sum_to_1(sem: HuggingFaceSem) -> None:
    for dialogue, analysis in zip(DIALOGUES, sem.analyze(DIALOGUES), strict=True):
        assert all(word.word == dialogue[word.turn][word.start : word.end] for word in analysis.words)
        assert sum(word.weight for word in analysis.words) == pytest.approx(1)
        assert min(word.weight for word in analysis.words) >= 0


def test_words_after_an_emoji_are_found(sem: HuggingFaceSem) -> None:
    [analysis] = sem.analyze([["🎉 it's we🎉won"]])
    assert [word.word for word in analysis.words] == ["it's", "we", "won"]


def test_a_dialogue_reads_the_same_alone_and_in_a_batch(sem: HuggingFaceSem) -> None:
    alone = [sem.analyze([dialogue])[0] for dialogue in DIALOGUES]
    assert _numbers(sem.analyze(DIALOGUES)) == pytest.approx(_numbers(alone), abs=1e-5)


def test_small_batches_give_the_same(sem: HuggingFaceSem, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _numbers(sem.analyze(DIALOGUES))
    monkeypatch.setattr(huggingface, "TOKENS_AT_ONCE", 60)
    assert _numbers(sem.analyze(DIALOGUES)) == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize("words", ["gradient-norm", "occlusion"])
def test_a_model_whose_batches_differ_reads_each_text_alone(tmp_path: Path, words: str) -> None:
    sem = load_huggingface_sem(write_bart(tmp_path), "cpu", words)
    alone = [sem.analyze([dialogue])[0] for dialogue in DIALOGUES]
    assert _numbers(sem.analyze(DIALOGUES)) == pytest.approx(_numbers(alone), abs=1e-5)


def test_padding_leaves_the_usual_models_alone(tmp_path: Path) -> None:
    assert load_huggingface_sem(write_bert(tmp_path / "bert"), "cpu")._batches_agree
    assert load_huggingface_sem(write_roberta(tmp_path / "roberta"), "cpu")._batches_agree


def test_a_model_that_cannot_be_read_this_way_says_so_when_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("einsum(): the shapes differ\nand more")

    monkeypatch.setattr(huggingface, "gradient_norm", fail)
    with pytest.raises(
        HefCheckpointError, match=r"with words='gradient-norm' .*'occlusion'.*: einsum\(\): the shapes differ$"
    ):
        load_huggingface_sem(write_bert(tmp_path), "cpu")


def test_other_texts_give_other_probabilities(sem: HuggingFaceSem) -> None:
    first, second, *_ = sem.analyze(DIALOGUES)
    assert _numbers([first])[:3] != pytest.approx(_numbers([second])[:3], abs=1e-3)


def test_several_threads_read_as_one(sem: HuggingFaceSem) -> None:
    with ThreadPoolExecutor(4) as pool:
        parallel = list(pool.map(lambda dialogue: sem.analyze([dialogue])[0], DIALOGUES * 3))
    assert _numbers(parallel) == pytest.approx(_numbers(sem.analyze(DIALOGUES * 3)), abs=1e-5)


def test_the_two_ways_weigh_words_differently(folder: Path) -> None:
    gradients, hidden = (load_huggingface_sem(folder, "cpu", words) for words in ("gradient-norm", "occlusion"))
    assert _numbers(gradients.analyze(DIALOGUES)) != pytest.approx(_numbers(hidden.analyze(DIALOGUES)), abs=1e-2)
    assert [a.emotions for a in gradients.analyze(DIALOGUES[:1])] == [a.emotions for a in hidden.analyze(DIALOGUES[:1])]


def test_gradients_are_the_default(folder: Path) -> None:
    default, named = (load_huggingface_sem(folder, "cpu", words) for words in (None, "gradient-norm"))
    assert default.analyze(DIALOGUES[:1]) == named.analyze(DIALOGUES[:1])


def test_the_gradient_is_that_of_the_models_own_embeddings(tmp_path: Path) -> None:
    """For a BERT `inputs_embeds` means the same, so that the two must agree."""
    sem = load_huggingface_sem(write_bert(tmp_path), "cpu")
    model = sem._model
    ids = torch.tensor([[2, *sem._encoder._tokenizer.encode("my dog died", add_special_tokens=False).ids, 3]])
    source = model.get_input_embeddings()(ids).detach().requires_grad_()
    logs = model(inputs_embeds=source).logits.log_softmax(dim=-1)
    wanted = torch.autograd.grad(logs.max(), source)[0].norm(dim=-1)[0, 1:-1]
    [analysis] = sem.analyze([["my dog died"]])
    assert [w.weight for w in analysis.words] == pytest.approx((wanted / wanted.sum()).tolist(), abs=1e-4)


def test_occlusion_weighs_a_word_by_what_the_text_loses_without_it(tmp_path: Path) -> None:
    sem = load_huggingface_sem(write_bert(tmp_path), "cpu", "occlusion")
    ids = torch.tensor([[2, *sem._encoder._tokenizer.encode("my dog died", add_special_tokens=False).ids, 3]])
    masks = torch.ones(4, 5, dtype=torch.long)
    masks[1, 1] = masks[2, 2] = masks[3, 3] = 0
    logs = sem._model(input_ids=ids.expand(4, -1), attention_mask=masks).logits.log_softmax(dim=-1)
    falls = (logs[0].max() - logs[1:, logs[0].argmax()]).clamp(min=0)
    [analysis] = sem.analyze([["my dog died"]])
    assert [w.weight for w in analysis.words] == pytest.approx((falls / falls.sum()).tolist(), abs=1e-4)


def test_several_labels_at_a_time_are_shares_of_their_sum(tmp_path: Path) -> None:
    sem = load_huggingface_sem(write_bert(tmp_path, problem_type="multi_label_classification"), "cpu")
    ids = torch.tensor([[2, *sem._encoder._tokenizer.encode("we won", add_special_tokens=False).ids, 3]])
    sigmoids = sem._model(input_ids=ids).logits[0].sigmoid()
    [analysis] = sem.analyze([["we won"]])
    found = {score.label: score.probability for score in analysis.emotions}
    assert [found[label] for label in LABELS] == pytest.approx((sigmoids / sigmoids.sum()).tolist(), abs=1e-5)


@pytest.mark.parametrize("text", ["", " ", "?!", "🎉", "\ud800"])
def test_a_text_without_any_word_gives_no_words_and_a_valid_distribution(sem: HuggingFaceSem, text: str) -> None:
    [analysis] = sem.analyze([[text]])
    assert analysis.words == ()
    assert sum(score.probability for score in analysis.emotions) == pytest.approx(1)


def test_words_count_turns_from_the_dialogues_first_even_if_the_window_starts_later(sem: HuggingFaceSem) -> None:
    [analysis] = sem.analyze([["my dog died"] * 20 + ["we won"]])
    assert [word.turn for word in analysis.words][-2:] == [20, 20]
    assert analysis.words[0].turn > 0


def test_all_scores_zero_means_equal_weights(tmp_path: Path) -> None:
    sem = load_huggingface_sem(write_bert(tmp_path), "cpu")
    with torch.no_grad():
        sem._model.classifier.weight.zero_()
    [analysis] = sem.analyze([["my dog"]])
    assert [word.weight for word in analysis.words] == [0.5, 0.5]


def test_no_dialogues_give_no_analyses(sem: HuggingFaceSem) -> None:
    assert sem.analyze([]) == []


@pytest.mark.parametrize("dialogues", ["my dog died", ["my dog died"], [[]], 5])
def test_what_is_not_a_list_of_dialogues_is_refused(sem: HuggingFaceSem, dialogues: Any) -> None:
    with pytest.raises(HefInputError):
        sem.analyze(dialogues)


def test_an_unknown_way_to_find_words_is_refused_and_the_known_ones_named(folder: Path) -> None:
    with pytest.raises(HefInputError, match=r"words is 'attention'.*'gradient-norm', 'occlusion'"):
        load_huggingface_sem(folder, "cpu", "attention")


@pytest.mark.parametrize("write", [write_bert, write_roberta])
def test_its_labels_flow_through_the_graph_into_the_replys_schema(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    sem = load_sem(write(tmp_path), device="cpu")
    model = ScriptedModel(answers=[reply_json("glowing", "What a day that must have been.")])
    out = create_hef_graph(model=model, sem=sem).invoke({"messages": [HumanMessage("we won the game")]})
    assert out["structured_response"] == {"emotion": "glowing", "response": "What a day that must have been."}
    assert {candidate["label"] for candidate in out["emotion_candidates"]} <= set(LABELS)
    assert out["degraded_reason"] is None


def test_a_label_that_only_the_shipped_sem_knows_is_not_in_the_schema(folder: Path) -> None:
    sem = load_sem(folder, device="cpu")
    model = ScriptedModel(answers=[reply_json("sad", "Oh."), reply_json("sad", "Oh.")])
    out = create_hef_graph(model=model, sem=sem).invoke({"messages": [HumanMessage("we won the game")]})
    assert out["emotion"] in LABELS
    assert out["degraded_reason"] == "label"
    assert json_schema(sem.labels)["properties"]["emotion"]["enum"] == list(LABELS)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_reads_as_the_cpu_does(folder: Path) -> None:
    here, there = (load_huggingface_sem(folder, device) for device in ("cpu", "cuda"))
    assert _numbers(there.analyze(DIALOGUES)) == pytest.approx(_numbers(here.analyze(DIALOGUES)), abs=1e-3)
