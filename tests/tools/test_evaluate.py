import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.corpus import contexts_of, read_conversations
from hef_graph.errors import HefInputError
from hef_graph.evaluation.reccon import folds, read_reccon
from tests.fakes import StubSem, reply_json
from tests.servers import OpenAIServer
from tools import evaluate


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["evaluate", *map(str, arguments)])
    return evaluate.main()


def test_every_context_is_read_and_the_report_is_printed_and_written(
    sem_folder: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = data_file.with_name("report.json")
    assert run(monkeypatch, "--data", data_file, "--sem", sem_folder, "--output", output) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads(output.read_text())
    assert report["reading"]["contexts"] == len(contexts_of(read_conversations(data_file)))
    assert 0 <= report["reading"]["acc_1"] <= report["reading"]["acc_3"] <= report["reading"]["acc_20"] == 100


def test_the_parts_are_halves_of_the_conversations(
    sem_folder: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = []
    for part in ("all", "a", "b"):
        run(monkeypatch, "--data", data_file, "--sem", sem_folder, "--part", part)
        counts.append(json.loads(capsys.readouterr().out)["reading"]["contexts"])
    assert counts[0] == counts[1] + counts[2] > counts[1] > 0


@pytest.fixture
def reccon_file(tmp_path: Path) -> Path:
    """One made-up dialogue in RECCON's form."""
    turn = {"speaker": "A", "text": "The old ferry sank !", "emotion": "fear"}
    marked = turn | {"cause_turns": [1], "cause_spans": ["ferry sank"]}
    path = tmp_path / "reccon.jsonl"
    path.write_text(json.dumps({"dialogue_id": "d1", "turns": [marked]}))
    return path


def test_cause_words_are_compared_with_marked_ones_without_conversations(
    sem_folder: Path, reccon_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--causes", reccon_file, reccon_file, "--sem", sem_folder) == 0
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert [row["method"] for row in report["causes"]["rows"]][:2] == ["random", "IDF"]
    assert (report["causes"]["cases"], "reading" in report) == (2, False)
    assert "2 turns of 1 dialogues" in printed.err


def test_a_fifth_of_the_marked_dialogues_is_enough_for_slow_words(
    sem_folder: Path, reccon_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dialogue = json.loads(reccon_file.read_text())
    many = [json.dumps(dialogue | {"dialogue_id": f"d{number}"}) for number in range(40)]
    reccon_file.write_text("\n".join(many))
    run(monkeypatch, "--causes", reccon_file, "--sem", sem_folder, "--first-fold")
    assert json.loads(capsys.readouterr().out)["causes"]["cases"] == len(folds(read_reccon([reccon_file]).cases)[0])


def test_deletion_is_measured_on_so_many_contexts(
    sem_folder: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "--data", data_file, "--sem", sem_folder, "--deletion", 4)
    printed = capsys.readouterr()
    assert json.loads(printed.out)["deletion"]["contexts"] <= 4
    assert "words deleted" in printed.err


def test_candidates_are_measured_on_demand(
    sem_folder: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "--data", data_file, "--sem", sem_folder, "--candidates")
    printed = capsys.readouterr()
    assert len(json.loads(printed.out)["candidates"]["coverages"]) == 4
    assert "Adaptive candidates" in printed.err
    assert "Reliability" in printed.err


def test_a_way_to_weigh_words_is_handed_on(
    reccon_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: dict[str, object] = {}

    def load(source: object, **options: object) -> StubSem:
        asked.update(options)
        return StubSem()

    monkeypatch.setattr(evaluate, "load_sem", load)
    run(monkeypatch, "--causes", reccon_file, "--words", "occlusion")
    assert asked["words"] == "occlusion"
    assert json.loads(capsys.readouterr().out)["causes"]["rows"][2]["method"] == "occlusion"
    run(monkeypatch, "--causes", reccon_file)
    assert json.loads(capsys.readouterr().out)["causes"]["rows"][2]["method"] == "stub"


@pytest.mark.parametrize("arguments", [(), ("--causes", "x.jsonl", "--candidates"), ("--deletion", "3")])
def test_measures_that_need_conversations_ask_for_them(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, *arguments)
    assert ended.value.code == 2
    assert "give conversations with --data" in capsys.readouterr().err


def test_writing_is_measured_on_demand(
    sem_folder: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "--data", data_file, "--sem", sem_folder, "--writing")
    assert json.loads(capsys.readouterr().out)["writing"]["perplexity"] > 1


def test_replies_are_shown_for_the_first_conversations_by_id(
    sem_folder: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "--data", data_file, "--sem", sem_folder, "--show", 3)
    shown = [reply["conv_id"] for reply in json.loads(capsys.readouterr().out)["replies"]]
    assert shown == sorted(c.conv_id for c in contexts_of(read_conversations(data_file)))[:3]


def test_any_source_can_be_measured(
    data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--data", data_file, "--sem", "lexicon") == 0
    assert json.loads(capsys.readouterr().out)["sem"].startswith("the lexicon SEM")


def test_a_sem_that_only_reads_cannot_be_measured_writing(data_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HefInputError, match="only reads; leave out --writing and --show"):
        run(monkeypatch, "--data", data_file, "--sem", "lexicon", "--writing")


STUDY = ("--sem", "lexicon", "--sample", 4)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "answers"


@pytest.mark.parametrize("number", range(1, 8))
def test_each_table_of_the_paper_is_one_command(
    number: int, data_file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--data", data_file, *STUDY, "--table", number, "--cache", cache) == 0
    printed = capsys.readouterr()
    assert f"Table {number}. " in printed.err
    assert "quoted (test)" in printed.err
    assert ("not measured" in printed.err) == (number != 1)
    assert json.loads(printed.out)["study"]["tables"][0]["number"] == number


def test_the_decoder_is_measured_for_table_2(
    sem_folder: Path, data_file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--data", data_file, "--sem", sem_folder, "--sample", 4, "--table", 2, "--cache", cache)
    assert run(monkeypatch, *arguments) == 0
    [system] = json.loads(capsys.readouterr().out)["study"]["systems"].values()
    assert system["perplexity"] > 1
    assert system["scores"]["response_coverage"]["value"] >= 0


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """Answers every question of a listener; a judge finds no verdict in it."""
    with OpenAIServer(reply_json("sad", "Oh no, how come?")) as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        yield running


def test_a_model_is_measured_alone_and_with_hef_and_never_asked_twice(
    server: OpenAIServer,
    data_file: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ("--data", data_file, *STUDY, "--table", 2, "--model", "openai:gpt-4.1-mini", "--cache", cache)
    reports = []
    for _ in range(2):
        assert run(monkeypatch, *arguments) == 0
        reports.append(json.loads(capsys.readouterr().out)["study"])
    assert len(server.requests) == 2 * 4
    assert list(reports[0]["systems"])[1:] == ["openai:gpt-4.1-mini", "openai:gpt-4.1-mini c10,w3"]
    assert reports[0]["tables"] == reports[1]["tables"]
    assert reports[0]["systems"]["openai:gpt-4.1-mini"]["scores"]["cost"] > 0


def test_a_whole_run_is_one_page_with_its_figure(
    data_file: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    arguments = ("--data", data_file, *STUDY, "--table", 1, "--figure", 3, "--cache", cache)
    assert run(monkeypatch, *arguments, "--report", tmp_path / "study.html") == 0
    assert "data:image/png;base64," in (tmp_path / "study.html").read_text()
    assert (tmp_path / "study.figure-3.png").read_bytes().startswith(b"\x89PNG")


def test_prompts_are_exported_without_a_key_and_answers_come_back(
    data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--data", data_file, *STUDY, "--model", "any:model", "--cache", tmp_path / "answers")
    assert run(monkeypatch, *arguments, "--export-prompts", tmp_path / "out") == 0
    imports = []
    for name, path in (("any:model", "any_model.jsonl"), ("any:model c10,w3", "any_model_c10,w3.jsonl")):
        asked = [json.loads(line) for line in (tmp_path / "out" / path).read_text().splitlines()]
        answers = [json.dumps({"custom_id": each["custom_id"], "text": reply_json("sad", "Oh.")}) for each in asked]
        (tmp_path / path).write_text("\n".join(answers))
        imports += ["--import-answers", f"{name}={tmp_path / path}"]
    capsys.readouterr()
    assert run(monkeypatch, *arguments, "--table", 2, *imports) == 0
    assert len(json.loads(capsys.readouterr().out)["study"]["comparisons"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--table", "2", "--report", "study.pdf"), "give a name in .html or .md"),
        (("--table", "2", "--model", "nobody:nothing"), "the model 'nobody:nothing' cannot be set up"),
        (("--table", "2", "--answers", "x=missing.jsonl"), "no such file: missing.jsonl"),
        (("--model", "a:b"), "add --table N or --figure 3"),
    ],
)
def test_a_study_that_cannot_be_is_refused_in_one_line(
    arguments: tuple[str, ...],
    message: str,
    data_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["evaluate", "--data", str(data_file), "--sem", "lexicon", *arguments])
    monkeypatch.chdir(data_file.parent)
    assert end_in_one_line("evaluate", evaluate.main) == 2
    assert message in capsys.readouterr().err
