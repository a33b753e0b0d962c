import argparse
from pathlib import Path

import pytest

from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.command import StudyRequest, add_study_arguments, read_request
from hef_graph.evaluation.study.published import PublishedFile
from hef_graph.turn import ReadingOptions


def read(*arguments: str) -> StudyRequest | None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("some/valid.jsonl"))
    parser.add_argument("--part", default="all")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    add_study_arguments(parser)
    return read_request(parser.parse_args(arguments))


def asked(*arguments: str) -> StudyRequest:
    request = read(*arguments)
    assert request is not None
    return request


def test_without_a_table_or_figure_there_is_no_study() -> None:
    assert read() is None


@pytest.mark.parametrize("arguments", [("--model", "a:b"), ("--k1", "0"), ("--report", "x.html"), ("--sample", "9")])
def test_a_flag_of_a_study_asks_for_a_table(arguments: tuple[str, str]) -> None:
    with pytest.raises(HefInputError, match=f"{arguments[0]} is for a study; add --table N or --figure 3"):
        read(*arguments)


def test_the_data_is_called_by_its_file_and_part() -> None:
    assert asked("--table", "1").data == "valid"
    assert asked("--table", "1", "--part", "b").data == "valid, part b"


def test_what_is_said_one_by_one_stands_above_the_profile() -> None:
    request = asked("--table", "2", "--profile", "mistral-7b", "--k2", "adaptive", "--wording", "doubt")
    expected = ReadingOptions(k1=1, k2="adaptive", cause_perception=False, wording="doubt")
    assert request.reading == expected


def test_prompts_are_exported_for_table_2_unless_others_are_named() -> None:
    assert asked("--export-prompts", "somewhere").tables == (2,)
    assert asked("--export-prompts", "somewhere", "--table", "4").tables == (4,)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("--report", "out/study.html"), "out/study.figure-3.png"),
        (("--output", "out/study.json"), "out/study.figure-3.png"),
        ((), "runs/study.figure-3.png"),
    ],
)
def test_the_figure_lies_beside_the_report_or_the_output(arguments: tuple[str, ...], name: str) -> None:
    assert asked("--figure", "3", *arguments).picture == Path(name)


def test_imported_answers_under_another_name_are_a_row_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").touch()
    given = [f"{name}={tmp_path / 'a.jsonl'}" for name in ("a:b", "people")]
    arguments = [word for each in given for word in ("--import-answers", each)]
    assert asked("--table", "2", "--model", "a:b", *arguments).entrants("stub").files == ("people",)


def test_what_a_published_system_printed_is_a_row_of_its_own(tmp_path: Path) -> None:
    for name in ("output.txt", "a.jsonl"):
        (tmp_path / name).touch()
    given = ["--answers", f"MIME=mime/beam:{tmp_path / 'output.txt'}", "--answers", f"ours={tmp_path / 'a.jsonl'}"]
    request = asked("--table", "2", *given)
    assert request.published == {"MIME": PublishedFile("mime", tmp_path / "output.txt", "beam")}
    assert request.answers == {"ours": tmp_path / "a.jsonl"}
    assert set(request.entrants("stub").files) == {"MIME", "ours"}


def test_a_printed_text_without_its_system_is_refused(tmp_path: Path) -> None:
    (tmp_path / "output.txt").touch()
    with pytest.raises(HefInputError, match=r"say who printed .*output\.txt: --answers 'MIME=SYSTEM:.*one of moel"):
        asked("--table", "2", "--answers", f"MIME={tmp_path / 'output.txt'}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--answers", "MIME=mime:missing.txt"), "no such file: missing.txt"),
        (("--answers", "MIME=mime/sampled:x.txt"), "decoding is 'sampled'"),
        (("--answers", "nameless"), "not NAME=FILE"),
        (("--answers", "a=missing.jsonl"), "no such file: missing.jsonl"),
        (("--report", "study.pdf"), "give a name in .html or .md"),
        (("--concurrency", "0"), "concurrency is 0"),
        (("--max-cost", "-1"), "max_cost is -1.0"),
        (("--profile", "gpt-9"), "the profile 'gpt-9' is not known"),
        (("--k2", "0"), "k2"),
        (("--prices", "missing.toml"), "cannot be read"),
    ],
)
def test_values_that_cannot_be_are_said_in_one_line(arguments: tuple[str, str], message: str) -> None:
    with pytest.raises(HefInputError, match=message):
        read("--table", "2", *arguments)


@pytest.mark.parametrize("arguments", [("--table", "8"), ("--figure", "2"), ("--table", "1", "--sample", "0")])
def test_what_does_not_exist_cannot_be_asked_for(arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit, match="2"):
        read(*arguments)
