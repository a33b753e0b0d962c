"""Where `hef chat` keeps its conversations: one SQLite file of the user's."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from langgraph.checkpoint.sqlite import SqliteSaver

from hef_graph.errors import HefInputError
from hef_graph.graph import forget


def history_path() -> Path:
    """`chat.sqlite` in `$HEF_HOME`, else in the user's data folder."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return Path(os.environ.get("HEF_HOME") or data / "hef_graph") / "chat.sqlite"


@contextmanager
def open_history() -> Iterator[SqliteSaver]:
    """The conversations, for a graph's `checkpointer`; only the user may read the file.

    Raises:
        HefInputError: the file cannot be opened.
    """
    path = history_path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(path, check_same_thread=False)
        connection.execute("PRAGMA secure_delete = ON")
        path.chmod(0o600)
        saver = SqliteSaver(connection)
        saver.setup()
    except (OSError, sqlite3.Error) as error:
        raise HefInputError(f"cannot open {path}: {error}; set HEF_HOME to a folder you may write to") from error
    with closing(connection):
        yield saver


def delete_conversation(name: str) -> str:
    """Delete a conversation for good; what to tell the user.

    Raises:
        HefInputError: there is none of that name.
    """
    with open_history() as history:
        rows = history.conn.execute("SELECT DISTINCT thread_id FROM checkpoints ORDER BY thread_id").fetchall()
        names = [row[0] for row in rows]
        if name not in names:
            known = ", ".join(names) or "none yet"
            raise HefInputError(f"no conversation {name!r}; there are: {known}")
        forget(history, name)
    return f"forgot the conversation {name!r}"
