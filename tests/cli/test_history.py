import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TypeAlias

import pytest

from hef_graph.cli.history import delete_conversation, history_path, open_history
from hef_graph.errors import HefInputError

Hef: TypeAlias = Callable[..., tuple[int, str, str]]
Pipe: TypeAlias = Callable[[str], None]


def test_a_file_that_is_no_history_is_bad_input(hef: Hef, pipe: Pipe) -> None:
    history_path().parent.mkdir()
    history_path().write_text("no database at all, " * 99)
    pipe("I lost my ring.")
    code, _, err = hef("chat")
    assert (code, err.count("\n")) == (2, 1)
    assert "file is not a database; set HEF_HOME" in err


def test_what_another_program_left_lying_in_the_file_goes_with_a_conversation(hef: Hef, pipe: Pipe) -> None:
    pipe("I lost my zirconia ring.")
    hef("chat", "--thread", "ring")
    pipe("I won!")
    hef("chat", "--thread", "prize")
    with closing(sqlite3.connect(history_path())) as careless:
        careless.execute("PRAGMA secure_delete = OFF")
        careless.execute("DELETE FROM writes WHERE thread_id = 'ring'")
        careless.commit()
    assert delete_conversation("ring") == "forgot the conversation 'ring'"
    assert not any(b"zirconia" in file.read_bytes() for file in history_path().parent.iterdir())
    with open_history() as history:
        assert history.get_tuple({"configurable": {"thread_id": "prize"}}) is not None


def test_an_unknown_name_is_told_with_those_that_there_are(hef: Hef, pipe: Pipe) -> None:
    pipe("I won!")
    hef("chat", "--thread", "prize")
    with pytest.raises(HefInputError, match="no conversation 'ring'; there are: prize"):
        delete_conversation("ring")
