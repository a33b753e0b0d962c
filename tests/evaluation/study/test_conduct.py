import json
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage

from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.answers import Answer, write_answers
from hef_graph.evaluation.study.conduct import conduct, export
from hef_graph.evaluation.study.prices import Price, PriceTable
from hef_graph.evaluation.study.published import PublishedFile
from hef_graph.evaluation.study.runner import RunOptions
from hef_graph.evaluation.study.studies import Arm, Pair
from tests.evaluation.study.made_up import CONTEXTS, JUDGE, LLM, READING, RIGHT, WRONG, Models, request, study, verdict
from tests.fakes import StubSem

ALONE, WHOLE = Arm("LLM", LLM), Arm("HEF", LLM, READING)
ROWS = len(CONTEXTS)


def test_the_sem_the_llm_and_both_together_answer_the_same_cases(tmp_path: Path) -> None:
    found = study(tmp_path, 2, build=Models(llm=[*WRONG, *RIGHT]))
    accuracies = {arm.kind: measured.scores.accuracy.value for arm, measured in found.measured.items()}
    assert accuracies == {"SEM": 100.0, "LLM": 100 / ROWS, "HEF": 100.0}
    assert found.remarks == ()


def test_only_hef_is_told_what_the_sem_read(tmp_path: Path) -> None:
    models = Models(llm=[*WRONG, *RIGHT])
    study(tmp_path, 2, build=models)
    told = ["sad" in str(prompt[-1].text) for prompt in models.built[LLM].prompts[::ROWS]]
    assert told == [False, True]


def test_what_was_answered_once_is_never_asked_again(tmp_path: Path) -> None:
    first = study(tmp_path, 2, build=Models(llm=[*WRONG, *RIGHT]))
    again = Models()
    second = study(tmp_path, 2, build=again)
    assert second.measured[WHOLE].answers == first.measured[WHOLE].answers
    assert again.built[LLM].calls == 0


def test_without_an_llm_no_model_is_built_and_the_sem_is_measured(tmp_path: Path) -> None:
    models = Models()
    found = conduct(request(tmp_path, 1, 2, 3, models=()), StubSem(), CONTEXTS, build=models)
    assert [arm.kind for arm in found.measured] == ["SEM"]
    assert models.built == {}


def test_a_judge_compares_both_orders(tmp_path: Path) -> None:
    models = Models(llm=[*WRONG, *RIGHT], judge=[verdict("first"), verdict("second")] * ROWS)
    found = study(tmp_path, 3, build=models, judge=JUDGE)
    report = found.verdicts[Pair(WHOLE, ALONE)]
    assert models.built[JUDGE].calls == 2 * ROWS
    assert (report.aspects["empathy"].win.value, report.aspects["relevance"].tie.value) == (100.0, 100.0)
    assert report.aspects["empathy"].agreement is not None


def test_opinions_are_kept_too(tmp_path: Path) -> None:
    judge = [verdict("first"), verdict("second")] * ROWS
    first = study(tmp_path, 3, build=Models(llm=[*WRONG, *RIGHT], judge=judge), judge=JUDGE)
    again = Models()
    second = study(tmp_path, 3, build=again, judge=JUDGE)
    assert again.built[JUDGE].calls == 0
    assert second.verdicts == first.verdicts


def paid(folder: Path, limit: float, price: Price) -> RunOptions:
    return RunOptions(folder / "answers", concurrency=1, max_cost=limit, progress=False, prices=PriceTable((price,)))


def test_a_cost_limit_leaves_what_it_stops_unmeasured(tmp_path: Path) -> None:
    run = paid(tmp_path, 0.0001, Price("ScriptedModel", 1.0, 1.0))
    found = study(tmp_path, 4, build=Models(llm=RIGHT * 4), run=run)
    assert found.measured == {}
    assert all("the cost limit is reached" in remark for remark in found.remarks)


def test_a_judge_stops_at_the_cost_limit(tmp_path: Path) -> None:
    study(tmp_path, 3, build=Models(llm=[*WRONG, *RIGHT]))
    counted = AIMessage(verdict("first"), usage_metadata={"input_tokens": 9, "output_tokens": 9, "total_tokens": 18})
    models = Models(judge=[counted] * ROWS)
    run = paid(tmp_path, 40e-6, Price("ScriptedModel", 1.0, 1.0))
    found = study(tmp_path, 3, build=models, judge=JUDGE, run=run)
    assert found.verdicts == {}
    assert models.built[JUDGE].calls == 3
    assert "cost limit" in found.remarks[0]


def test_a_cost_limit_needs_the_judges_price(tmp_path: Path) -> None:
    run = paid(tmp_path, 1.0, Price("another", 1.0, 1.0))
    with pytest.raises(HefInputError, match="no price known for the judge 'scripted:judge'"):
        conduct(request(tmp_path, 3, models=(), judge=JUDGE, run=run), StubSem(), CONTEXTS, build=Models())


def test_imported_answers_stand_for_their_system(tmp_path: Path) -> None:
    lines = [json.dumps({"custom_id": f"c{n}#1", "text": text}) for n, text in enumerate(RIGHT)]
    (tmp_path / "batch.jsonl").write_text("\n".join(lines))
    models = Models(llm=WRONG)
    found = study(tmp_path, 2, build=models, imported={WHOLE.name: tmp_path / "batch.jsonl"})
    assert found.measured[WHOLE].scores.accuracy.value == 100.0
    assert models.built[LLM].calls == ROWS
    assert found.remarks == (f"{WHOLE.name}: imported, 8 of 8 cases answered, 0 without a valid emotion",)


def test_answers_of_somebody_else_are_scored_by_the_same_code(tmp_path: Path) -> None:
    write_answers([Answer(f"c{n}#1", "sad", response="Oh.") for n in range(ROWS)], tmp_path / "theirs.jsonl")
    theirs = request(tmp_path, 2, models=(), answers={"theirs": tmp_path / "theirs.jsonl"})
    found = conduct(theirs, StubSem(), CONTEXTS)
    assert found.measured[Arm("file", "theirs")].scores.accuracy.value == 25.0


def test_prompts_are_written_for_every_system_that_asks_a_model(tmp_path: Path) -> None:
    lines = export(request(tmp_path, 2, export=tmp_path / "prompts"), StubSem(), CONTEXTS)
    files = sorted(path.name for path in (tmp_path / "prompts").iterdir())
    assert files == ["scripted_llm.jsonl", "scripted_llm_c3,w2.jsonl"]
    assert f"--import-answers '{WHOLE.name}=FILE'" in lines[1]
    first = json.loads((tmp_path / "prompts" / files[1]).read_text().splitlines()[0])
    assert first["custom_id"] == "c0#1"
    assert "parrot" in first["messages"][-1]["content"]


def test_there_are_no_prompts_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match="name an LLM with --model"):
        export(request(tmp_path, 2, models=(), export=tmp_path), StubSem(), CONTEXTS)


def test_the_prioritised_emotions_of_hef_have_a_size_and_a_coverage(tmp_path: Path) -> None:
    found = study(tmp_path, 2, build=Models(llm=[*WRONG, *RIGHT]))
    sets = {arm.kind: measured.scores.candidates for arm, measured in found.measured.items()}
    assert sets["LLM"] is None
    assert sets["HEF"] is not None
    assert sets["HEF"].mean_size.value > 1


def test_what_a_published_system_printed_is_scored_without_asking_anybody(tmp_path: Path) -> None:
    blocks = [
        f"Emotion:{c.emotion}\nContext:{[c.turns[0].lower()]}\nPred:i see {n} .\n" for n, c in enumerate(CONTEXTS)
    ]
    (tmp_path / "kemp.txt").write_text("".join(blocks))
    theirs = request(tmp_path, 2, models=(), published={"KEMP": PublishedFile("kemp", tmp_path / "kemp.txt")})
    found = conduct(theirs, StubSem(), CONTEXTS, build=Models())
    assert found.measured[Arm("file", "KEMP")].answers[1].response == "i see 1 ."
    assert found.remarks[0].startswith("KEMP: imported, 8 of 8 cases answered, matched by context; 0 printed")
