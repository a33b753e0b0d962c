"""A real PostgreSQL on a unix socket, and a fresh database for each test that asks for one.

A test module says `pytest_plugins = ["tests.postgres"]` and its tests take the fixture `database`. Where PostgreSQL is
missing they are skipped; with `HEF_REQUIRE_POSTGRES` set they fail.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Final, TypeAlias

import pytest

REQUIRED: Final = "HEF_REQUIRE_POSTGRES"
"""Environment variable: a missing PostgreSQL is a failure."""

DEBIAN: Final = Path("/usr/lib/postgresql")
"""Where Debian keeps the servers' programs, one folder a version, apart from the search path."""

SECONDS: Final = 30.0
"""The longest a start or a stop may take."""

SETTINGS: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=16MB")
"""Fast, for data that nobody needs after the tests."""

GUARD: Final = """
trap '' INT TERM
"$@" &
read -r _
kill -INT $!
wait $!
rm -rf "$0"
"""
"""Shell words around the server: once the tests' end of the pipe is closed, however they ended, both it and its folder
are removed."""

Command: TypeAlias = Sequence[str | Path]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    folder: Path
    """Its socket's folder."""
    _numbers: Iterator[int] = field(default_factory=count)

    def create_database(self) -> str:
        """The connection string of a new, empty database."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self._address(name)

    def execute(self, statement: str) -> None:
        """Run one statement."""
        import psycopg  # noqa: PLC0415  without it the tests of this fixture are skipped, no others

        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _address(self, database: str) -> str:
        return f"host={self.folder} user=postgres dbname={database}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server for the session; each worker of a parallel run has its own."""
    programs = find_programs()
    if programs is None or find_spec("psycopg") is None:
        reason = f"no PostgreSQL to test with: its programs are in {programs}, psycopg is {find_spec('psycopg')}"
        (pytest.fail if os.environ.get(REQUIRED) else pytest.skip)(reason)
    with run_server(programs) as server:
        yield server


@pytest.fixture
def database(postgres: Server) -> str:
    """The connection string of an empty database."""
    return postgres.create_database()


def find_programs() -> Path | None:
    """The folder of `initdb` and `postgres`: the newest of Debian's, else where the search path leads."""
    debian = sorted(DEBIAN.glob("*/bin"), key=lambda path: (len(path.parent.name), path), reverse=True)
    on_path = shutil.which("initdb")
    folders = [*debian, *([Path(on_path).resolve().parent] if on_path else [])]
    return next(
        (folder for folder in folders if all((folder / name).exists() for name in ("initdb", "postgres"))), None
    )


@contextmanager
def run_server(programs: Path) -> Iterator[Server]:
    """A server with an empty cluster; at the end both are gone."""
    owner = _owner()
    # Not pytest's own folders: a socket's path must be short, and other users cannot enter them.
    folder = Path(tempfile.mkdtemp(prefix="hef-postgres-", dir="/tmp" if owner else None))  # noqa: S108  as said above
    data = folder / "data"
    try:
        if owner:
            shutil.chown(folder, owner)
        _initialise([programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"], owner)
        options = [word for setting in (*SETTINGS, "listen_addresses=") for word in ("-c", setting)]
        server = Server(folder)
        with _serving([programs / "postgres", "-D", data, "-k", folder, *options], owner, server):
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _owner() -> str | None:
    """Whom the server runs as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    known = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _initialise(command: Command, owner: str | None) -> None:
    ended = subprocess.run(
        command, user=owner, cwd="/", capture_output=True, text=True, timeout=SECONDS * 4, check=False
    )
    assert ended.returncode == 0, ended.stderr


@contextmanager
def _serving(command: Command, owner: str | None, server: Server) -> Iterator[None]:
    log = server.folder / "log"
    guarded = ["sh", "-c", GUARD, server.folder, *command]
    with log.open("wb") as output:
        guard = subprocess.Popen(guarded, user=owner, cwd="/", stdin=subprocess.PIPE, stdout=output, stderr=output)
    try:
        _wait_until_ready(server, log)
        yield
    finally:
        guard.communicate(timeout=SECONDS)


def _wait_until_ready(server: Server, log: Path) -> None:
    import psycopg  # noqa: PLC0415  as above

    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        with suppress(psycopg.OperationalError):
            return server.execute("SELECT 1")
        time.sleep(0.05)
    raise ConnectionError(f"PostgreSQL does not answer:\n{log.read_text('utf-8')}")
