import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.corpus import (
    Context,
    Conversation,
    contexts_of,
    cut_contexts,
    halves,
    labelled_texts,
    read_conversations,
    set_aside,
    write_conversations,
)
from hef_graph.errors import HefInputError

HEADER = "conv_id,utterance_idx,context,prompt,speaker_idx,utterance,selfeval,tags"

KITE = Conversation("c1", "sad", "A kite", ("My kite tore.", "Oh no!", "It was red.", "A pity.", "Yes."))
CAKE = Conversation("c2", "proud", "A cake", ("I baked a cake!", "Well done!"))

encodable = st.text(st.characters(codec="utf-8"))
conversations = st.builds(Conversation, encodable, encodable, encodable, st.lists(encodable).map(tuple))


def write_csv(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "train.csv"
    path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return path


def write_jsonl(folder: Path, *lines: str) -> Path:
    path = folder / "data.jsonl"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_a_context_ends_before_each_turn_of_the_listener() -> None:
    assert list(cut_contexts(KITE)) == [
        Context("c1", "sad", ("My kite tore.",), "Oh no!"),
        Context("c1", "sad", ("My kite tore.", "Oh no!", "It was red."), "A pity."),
    ]


def test_the_situation_is_in_no_context() -> None:
    assert all("A kite" not in str(context) for context in cut_contexts(KITE))


def test_a_conversation_without_an_answer_has_no_context() -> None:
    assert list(cut_contexts(Conversation("c3", "sad", "", ("Hello?",)))) == []


def test_contexts_of_several_conversations_come_in_order() -> None:
    assert [context.conv_id for context in contexts_of([CAKE, KITE])] == ["c2", "c1", "c1"]


def numbered(count: int) -> list[Conversation]:
    return [Conversation(f"hit:{number}", "sad", "", ()) for number in range(count)]


def test_labelled_texts_are_the_contexts_and_what_nobody_answered() -> None:
    alone, empty = Conversation("c3", "calm", "Tea", ("The kettle sings.",)), Conversation("c4", "calm", "", ())
    assert labelled_texts(iter([alone, KITE, empty])) == [
        *contexts_of([KITE]),
        Context("c3", "calm", ("The kettle sings.",), ""),
    ]


def test_every_conversation_is_either_kept_or_set_aside() -> None:
    kept, aside = set_aside(numbered(200), fraction=0.3)
    assert sorted([*kept, *aside], key=str) == sorted(numbered(200), key=str)


def test_about_the_wished_fraction_is_set_aside() -> None:
    _, aside = set_aside(numbered(2000), fraction=0.25)
    assert 0.22 < len(aside) / 2000 < 0.28


def test_the_same_conversations_are_set_aside_whatever_else_is_there() -> None:
    _, among_many = set_aside(numbered(300))
    _, among_few = set_aside(numbered(100)[::-1])
    assert set(among_few) == set(among_many) & set(numbered(100))


def test_the_conversations_set_aside_never_change() -> None:
    _, aside = set_aside(numbered(40))
    assert [conversation.conv_id for conversation in aside] == ["hit:14", "hit:15", "hit:17"]


def test_of_a_handful_at_least_one_is_set_aside_and_one_kept() -> None:
    kept, aside = set_aside(numbered(50), fraction=0.0)
    assert (len(kept), len(aside)) == (49, 1)
    kept, aside = set_aside(numbered(2), fraction=1.0)
    assert (len(kept), len(aside)) == (1, 1)


def test_one_conversation_cannot_be_split() -> None:
    with pytest.raises(HefInputError, match="1 conversations cannot be split; give two or more"):
        set_aside(numbered(1))


def test_every_conversation_is_in_one_half() -> None:
    first, second = halves(numbered(200))
    assert sorted([*first, *second], key=str) == sorted(numbered(200), key=str)


def test_halves_are_of_about_one_size() -> None:
    first, _ = halves(numbered(2000))
    assert 0.47 < len(first) / 2000 < 0.53


def test_halves_do_not_follow_what_is_set_aside() -> None:
    _, aside = set_aside(numbered(2000), fraction=0.5)
    first, _ = halves(aside)
    assert 0.45 < len(first) / len(aside) < 0.55


def test_the_halves_never_change() -> None:
    first, _ = halves(numbered(8))
    assert [conversation.conv_id for conversation in first] == ["hit:0", "hit:2", "hit:5", "hit:6"]


@given(st.lists(conversations, min_size=1, max_size=5))
@settings(deadline=None)
def test_written_conversations_read_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, many: list[Conversation]
) -> None:
    path = tmp_path_factory.mktemp("corpus") / "new" / "folder" / "data.jsonl"
    write_conversations(many, path)
    assert read_conversations(path) == many


def test_written_text_stays_readable(tmp_path: Path) -> None:
    write_conversations([Conversation("c1", "sad", "", ("Café zu, traurig",))], tmp_path / "data.jsonl")
    assert "Café zu" in (tmp_path / "data.jsonl").read_text("utf-8")


def test_blank_lines_and_a_missing_situation_are_fine(tmp_path: Path) -> None:
    row = json.dumps({"conv_id": "c1", "emotion": "sad", "utterances": ["Hi"]})
    assert read_conversations(write_jsonl(tmp_path, "", row, " ")) == [Conversation("c1", "sad", "", ("Hi",))]


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        '{"conv_id": "c1", "emotion": "sad"}',
        '{"emotion": "sad", "utterances": []}',
        '{"conv_id": "c1", "emotion": "sad", "utterances": "one text"}',
        '{"conv_id": "c1", "emotion": "sad", "utterances": ["Hi", null]}',
        '["c1", "sad"]',
        "null",
    ],
)
def test_a_line_that_is_no_conversation_is_refused_by_its_number(tmp_path: Path, line: str) -> None:
    row = json.dumps({"conv_id": "c1", "emotion": "sad", "utterances": ["Hi"]})
    with pytest.raises(HefInputError, match=r"data\.jsonl, line 2: not a conversation"):
        read_conversations(write_jsonl(tmp_path, row, line))


def test_rows_of_the_official_file_become_one_conversation(tmp_path: Path) -> None:
    rows = ["c1,1,sad,A kite,7,My kite tore.,5|5|5,", "c1,2,sad,A kite,8,Oh no!,5|5|5,"]
    expected = Conversation("c1", "sad", "A kite", ("My kite tore.", "Oh no!"))
    assert read_conversations(write_csv(tmp_path, *rows)) == [expected]


def test_commas_are_restored_in_the_text_and_in_the_situation(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "c1,1,sad,Rain_comma_ again,7, Yes_comma_ it rained ,,")
    [conversation] = read_conversations(path)
    assert (conversation.situation, conversation.utterances) == ("Rain, again", ("Yes, it rained",))


def test_neighbouring_rows_of_one_person_become_one_utterance(tmp_path: Path) -> None:
    rows = ["c1,1,sad,p,7,I fell.,,", "c1,2,sad,p,7,Twice.,,", "c1,3,sad,p,8,Ouch!,,", "c1,4,sad,p,7,Yes.,,"]
    [conversation] = read_conversations(write_csv(tmp_path, *rows))
    assert conversation.utterances == ("I fell. Twice.", "Ouch!", "Yes.")


def test_rows_of_conversations_that_are_mixed_up_find_their_own(tmp_path: Path) -> None:
    rows = ["c1,1,sad,p,7,One.,,", "c2,1,proud,p,7,Two.,,", "c1,2,sad,p,8,Three.,,"]
    read = read_conversations(write_csv(tmp_path, *rows))
    assert [conversation.utterances for conversation in read] == [("One.", "Three."), ("Two.",)]


def test_quotation_marks_in_the_official_file_are_plain_letters(tmp_path: Path) -> None:
    rows = ['c1,1,sad,p,7,"Never again,,', 'c1,2,sad,p,8,he said",,']
    assert read_conversations(write_csv(tmp_path, *rows))[0].utterances == ('"Never again', 'he said"')


def test_a_missing_column_is_refused_by_its_name(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "c1,1,sad,p,hello", header="conv_id,utterance_idx,context,prompt,utterance")
    with pytest.raises(HefInputError, match="no column 'speaker_idx'"):
        read_conversations(path)


def test_a_row_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match="conversation 'c1' is cut short"):
        read_conversations(write_csv(tmp_path, "c1,1,sad,p,7"))


def test_an_unknown_kind_of_file_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match=r"'\.xml', expected one of \['\.csv', '\.jsonl', '\.parquet'\]"):
        read_conversations(tmp_path / "data.xml")


def test_a_missing_file_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match=r"no such file: .*gone\.csv"):
        read_conversations(tmp_path / "gone.csv")


@pytest.mark.parametrize("name", ["empty.jsonl", "empty.csv"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(HefInputError, match="holds no conversations"):
        read_conversations(tmp_path / name)


@pytest.mark.parametrize("name", ["data.jsonl", "data.csv"])
def test_a_file_in_another_encoding_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes("conv_id\ncafé, closed".encode("latin-1"))
    with pytest.raises(HefInputError, match="cannot be read: 'utf-8'"):
        read_conversations(tmp_path / name)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "data.parquet").touch()
    with pytest.raises(HefInputError, match=r"pip install 'hef-graph\[train\]'"):
        read_conversations(tmp_path / "data.parquet")


def test_rows_of_the_hubs_parquet_become_one_conversation(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    row = {"conv_id": "c1", "context": "sad", "prompt": "A kite", "speaker_idx": 7, "utterance": "Oh_comma_ no"}
    parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "data.parquet")
    assert read_conversations(tmp_path / "data.parquet") == [Conversation("c1", "sad", "A kite", ("Oh, no",))]
