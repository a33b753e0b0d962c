import json
from pathlib import Path
from typing import Any

import pytest

from hef_graph.errors import HefInputError
from hef_graph.evaluation.reccon import CauseCase, find_span, folds, read_reccon
from hef_graph.types import Turn


def turn(text: str, *causes: tuple[object, str], speaker: str = "A", emotion: str = "anger") -> dict[str, Any]:
    places, spans = [place for place, _ in causes], [span for _, span in causes]
    return {"speaker": speaker, "text": text, "emotion": emotion, "cause_turns": places, "cause_spans": spans}


def write(folder: Path, *dialogues: list[dict[str, Any]], name: str = "reccon.jsonl") -> Path:
    path = folder / name
    rows = [json.dumps({"dialogue_id": f"d{n}", "turns": turns}) for n, turns in enumerate(dialogues)]
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


FENCE = turn("My neighbour painted our fence purple .", (1, "painted our fence"))


def case(text: str, *spans: str) -> CauseCase:
    found = [find_span(text, span) for span in spans]
    return CauseCase("d", "anger", (Turn("speaker", text),), tuple(span for span in found if span))


def test_a_case_is_an_emotional_turn_with_its_marked_span(tmp_path: Path) -> None:
    data = read_reccon([write(tmp_path, [FENCE])])
    [found] = data.cases
    assert (found.dialogue_id, found.emotion) == ("d0", "anger")
    assert [found.turns[-1].text[start:end] for start, end in found.spans] == ["painted our fence"]


def test_the_turn_that_feels_is_the_speakers_newest_and_the_others_are_listeners(tmp_path: Path) -> None:
    first, other = turn("Look !", emotion="neutral"), turn("At what ?", speaker="B", emotion="neutral")
    later = turn("Great .", speaker="B", emotion="neutral")
    third = {**FENCE, "cause_turns": [3]}
    [found] = read_reccon([write(tmp_path, [first, other, third, later])]).cases
    assert [said.role for said in found.turns] == ["speaker", "listener", "speaker"]
    assert found.turns[-1].text == FENCE["text"]


@pytest.mark.parametrize(
    "other",
    [
        {**FENCE, "emotion": "neutral"},
        {**FENCE, "cause_turns": [2]},
        {**FENCE, "cause_turns": ["b"], "cause_spans": ["b"]},
        {**FENCE, "cause_turns": [], "cause_spans": []},
    ],
    ids=["neutral", "another turn's", "not in the dialogue", "none"],
)
def test_a_turn_without_emotion_or_cause_of_its_own_is_no_case(tmp_path: Path, other: dict[str, Any]) -> None:
    data = read_reccon([write(tmp_path, [other])])
    assert (data.cases, data.found) == ((), 0)


def test_only_spans_of_the_turn_itself_are_marked(tmp_path: Path) -> None:
    both = turn("The purple fence fell !", (1, "fell"), (2, "purple fence"))
    earlier = turn("It fell !", emotion="neutral")
    [found] = read_reccon([write(tmp_path, [earlier, both])]).cases
    assert [found.turns[-1].text[start:end] for start, end in found.spans] == ["purple fence"]


@pytest.mark.parametrize(
    "spans", [["My neighbour painted our fence purple ."], ["our"], ["My", "neighbour painted our fence purple"]]
)
def test_a_span_of_all_content_words_or_of_none_makes_no_usable_case(tmp_path: Path, spans: list[str]) -> None:
    data = read_reccon([write(tmp_path, [turn(FENCE["text"], *((1, span) for span in spans))])])
    assert (data.cases, data.found) == ((), 1)


def test_spans_that_the_turn_does_not_hold_are_counted(tmp_path: Path) -> None:
    data = read_reccon([write(tmp_path, [turn(FENCE["text"], (1, "sold our fence"), (1, "purple"))])])
    assert (len(data.cases), data.found, data.spans_not_found) == (1, 1, 1)


def test_several_files_are_read_in_order(tmp_path: Path) -> None:
    paths = [write(tmp_path, [FENCE], name=name) for name in ("a.jsonl", "b.jsonl")]
    assert len(read_reccon(paths).cases) == 2


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ("our fence", "our fence"),
        ("Our FENCE", "our fence"),
        ("our  fence purple.", "our fence purple ."),
        ("her fence", None),
        (" ", None),
    ],
)
def test_a_span_is_found_exactly_or_whatever_its_case_and_spacing(span: str, expected: str | None) -> None:
    found = find_span(FENCE["text"], span)
    assert (FENCE["text"][slice(*found)] if found else None) == expected


def test_an_exact_occurrence_goes_before_an_earlier_one_in_another_case() -> None:
    assert find_span("Purple , so purple !", "purple") == (12, 18)


def test_words_are_content_words_and_marked_where_a_span_holds_them_whole() -> None:
    found = case("I don ' t like the purple-ish fence", "like the purple")
    assert [found.turns[-1].text[start:end] for start, end in found.words] == ["purple-ish", "fence"]
    assert found.marked == (False, False)


def test_a_case_with_some_content_words_marked_is_usable() -> None:
    assert case("A purple fence", "purple").usable
    assert not case("A purple fence", "purple fence").usable


def many(count: int) -> list[CauseCase]:
    return [CauseCase(f"d{n // 2}", "anger", (Turn("speaker", f"turn {n}"),), ()) for n in range(count)]


def test_every_case_is_in_one_fold_and_every_dialogue_too() -> None:
    split = folds(many(200))
    assert sorted(c.turns[0].text for fold in split for c in fold) == sorted(c.turns[0].text for c in many(200))
    dialogues = [{c.dialogue_id for c in fold} for fold in split]
    assert sum(map(len, dialogues)) == len(set().union(*dialogues)) == 100


def test_folds_are_of_about_one_size() -> None:
    assert all(150 < len(fold) < 250 for fold in folds(many(1000)))


def test_a_dialogue_stays_in_its_fold_whatever_else_is_there() -> None:
    assert [case for case in folds(many(100))[2] if case in many(40)] == folds(many(40)[::-1])[2][::-1]


def test_one_fold_is_refused() -> None:
    with pytest.raises(HefInputError, match="count is 1; allowed are whole numbers from 2 on"):
        folds(many(4), 1)


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[]",
        '{"dialogue_id": "d"}',
        '{"dialogue_id": "d", "turns": [{"speaker": "A", "text": "Oh"}]}',
        json.dumps({"dialogue_id": "d", "turns": [{**FENCE, "cause_turns": [1, 1]}]}),
    ],
)
def test_a_line_of_another_form_is_refused_by_its_number(tmp_path: Path, line: str) -> None:
    path = write(tmp_path, [FENCE])
    path.write_text(path.read_text("utf-8") + line, "utf-8")
    with pytest.raises(HefInputError, match=r"reccon\.jsonl, line 2: not a RECCON dialogue"):
        read_reccon([path])


def test_a_missing_file_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match=r"no such file: .*gone\.jsonl"):
        read_reccon([tmp_path / "gone.jsonl"])


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "old.jsonl").write_bytes("café".encode("latin-1"))
    with pytest.raises(HefInputError, match="cannot be read: 'utf-8'"):
        read_reccon([tmp_path / "old.jsonl"])
