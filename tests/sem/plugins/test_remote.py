import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

import pytest
import uvicorn

from hef_graph.cli.serve import address_of, build_app, open_socket
from hef_graph.errors import HefBusyError, HefInputError, HefModelError
from hef_graph.sem.batching import BatchingSem
from hef_graph.sem.plugins.exchange import analysis_to_json
from hef_graph.sem.plugins.remote import RemoteSem, load_remote_sem, split_dialogues
from hef_graph.types import SmallEmpatheticModel, Turn
from tests.fakes import LABELS, StubSem

TOKEN = "k3y"  # noqa: S105  of the server below
GOOD = {"name": "fake", "labels": list(LABELS), "version": "1", "format": 1}


@contextmanager
def served(*, token: str | None = None) -> Iterator[str]:
    """The real server with the stub, on a thread; its address."""
    with open_socket("127.0.0.1", 0) as listener, BatchingSem(StubSem()) as sem:
        config = uvicorn.Config(build_app(sem, token=token), log_level="critical", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield address_of(listener)
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served() as url:
        yield url


Play: TypeAlias = Callable[[BaseHTTPRequestHandler, int], None]


@contextmanager
def playing(*plays: Play) -> Iterator[tuple[str, list[str]]]:
    """A server that plays one part per request, the last one again and again; its address, and the paths asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append(self.path)
            plays[min(len(asked), len(plays)) - 1](self, len(asked))

        do_POST = do_GET  # noqa: N815  the base class wants this name

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
            """Keep standard error clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def say(status: int, value: Any, **headers: str) -> Play:
    def play(handler: BaseHTTPRequestHandler, _count: int) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        handler.send_response(status)
        for name, content in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), content)
        handler.end_headers()
        handler.wfile.write(body)

    return play


def hang_up(handler: BaseHTTPRequestHandler, _count: int) -> None:
    handler.close_connection = True


def drip(handler: BaseHTTPRequestHandler, _count: int) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        try:
            handler.wfile.write(b" ")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.05)


def analyses_of(*dialogues: list[str]) -> dict[str, Any]:
    return {"analyses": [analysis_to_json(analysis) for analysis in StubSem().analyze(dialogues)]}


def test_it_is_a_sem_with_the_name_and_labels_of_the_served_one(address: str) -> None:
    with load_remote_sem(address) as sem:
        assert isinstance(sem, SmallEmpatheticModel)
        assert (sem.name, sem.labels) == (f"stub at {address}", LABELS)


@pytest.mark.parametrize(
    "dialogue",
    [
        ["I lost my ring.", "Oh", "Such is life; thanks"],
        [Turn("listener", "Are you alone?"), Turn("speaker", "naïve 日本語 \ud800 lost"), Turn("speaker", "dark")],
        [""],
    ],
)
def test_it_reads_as_the_served_sem_does(dialogue: Any, address: str) -> None:
    with load_remote_sem(address) as sem:
        assert sem.analyze([dialogue]) == StubSem().analyze([dialogue])


def test_long_lists_keep_their_order(address: str) -> None:
    dialogues = [[f"won {n}"] if n % 3 else [f"lost {n}"] for n in range(300)]
    with load_remote_sem(address) as sem:
        assert sem.analyze(dialogues) == StubSem().analyze(dialogues)


def test_many_threads_share_one_sem(address: str) -> None:
    asked = [[[f"dark {n}"], [f"won {n}"]] for n in range(200)]
    with load_remote_sem(address) as sem, ThreadPoolExecutor(32) as threads:
        assert list(threads.map(sem.analyze, asked)) == [StubSem().analyze(each) for each in asked]


@pytest.mark.parametrize("dialogues", ["text", [[]], ["text"], [[1]]])
def test_a_bad_dialogue_is_found_before_anything_is_sent(dialogues: Any) -> None:
    with RemoteSem("http://127.0.0.1:9") as sem, pytest.raises(HefInputError):
        sem.analyze(dialogues)


def test_parts_hold_32_dialogues_or_4_megabytes() -> None:
    small, large = [Turn("speaker", "a")], [Turn("speaker", "a" * 3_000_000)]
    assert [len(part) for part in split_dialogues([small] * 70)] == [32, 32, 6]
    assert [len(part) for part in split_dialogues([large, large, small])] == [1, 2]
    assert list(split_dialogues([])) == []


def test_a_token_opens_a_guarded_server(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(token=TOKEN) as url:
        assert RemoteSem(url, token=TOKEN).labels == LABELS
        with pytest.raises(HefModelError, match="wants another token; set HEF_SEM_TOKEN"):
            load_remote_sem(url)
        monkeypatch.setenv("HEF_SEM_TOKEN", TOKEN)
        assert load_remote_sem(url).labels == LABELS


@pytest.mark.parametrize("broken", [hang_up, say(503, {"error": "full"}, Retry_After="0")])
def test_one_more_try_mends_a_broken_connection_and_a_full_server(broken: Play) -> None:
    with playing(say(200, GOOD), broken, say(200, analyses_of(["I won."]))) as (url, asked):
        assert load_remote_sem(url).analyze([["I won."]]) == StubSem().analyze([["I won."]])
        assert asked == ["/sem", "/analyze", "/analyze"]


def test_a_server_that_stays_full_is_a_busy_error() -> None:
    with playing(say(200, GOOD), say(503, {"error": "full"}, Retry_After="0")) as (url, asked):
        with pytest.raises(HefBusyError, match="has too much to do"):
            load_remote_sem(url).analyze([["I won."]])
        assert len(asked) == 3


@pytest.mark.parametrize(
    ("play", "error", "problem"),
    [
        (
            say(400, {"error": "dialogues[0] is empty"}),
            HefInputError,
            r"refused the dialogues: dialogues\[0\] is empty",
        ),
        (say(413, b"<html>"), HefInputError, "refused the dialogues: no reason given"),
        (say(500, {"error": "secret"}), HefModelError, "failed with status 500"),
        (say(200, b"<html>secret"), HefModelError, "malformed answer: not JSON"),
        (say(200, {"analyses": []}), HefModelError, "malformed answer: expected a list of 1 analyses"),
        (
            say(200, analyses_of(["other secret"])),
            HefModelError,
            r"malformed answer: analyses\[0\].words\[0\].word is not",
        ),
        (say(200, {"analyses": [{}]}), HefModelError, r"analyses\[0\].emotions is missing"),
        (hang_up, HefModelError, "no SEM server can be reached"),
    ],
)
def test_a_failure_is_one_typed_sentence_without_text(play: Play, error: type[Exception], problem: str) -> None:
    with playing(say(200, GOOD), play) as (url, _asked):
        sem = load_remote_sem(url)
        with pytest.raises(error, match=problem) as caught:
            sem.analyze([["I won my secret."]])
    assert "secret" not in str(caught.value)


def test_other_labels_than_promised_are_a_malformed_answer() -> None:
    answer = {"analyses": [analysis_to_json(StubSem(LABELS[:2]).analyze([["I won."]])[0])]}
    named = "the labels are not those that /sem names"
    with playing(say(200, GOOD), say(200, answer)) as (url, _asked), pytest.raises(HefModelError, match=named):
        load_remote_sem(url).analyze([["I won."]])


@pytest.mark.parametrize(
    ("play", "problem"),
    [
        (say(404, b"not here"), "is not a SEM server"),
        (say(200, b"<html>"), "is not a SEM server"),
        (say(200, {"name": "x"}), "is not a SEM server"),
        (say(200, GOOD | {"labels": [1]}), "is not a SEM server"),
        (say(200, GOOD | {"format": 2}), "speaks format 2, this hef_graph format 1"),
    ],
)
def test_another_server_is_told_at_once(play: Play, problem: str) -> None:
    with playing(play) as (url, _asked), pytest.raises(HefModelError, match=problem):
        load_remote_sem(url)


def test_nobody_there_is_a_model_error() -> None:
    with open_socket("127.0.0.1", 0) as listener:
        url = address_of(listener)
    with pytest.raises(HefModelError, match=r"no SEM server can be reached at http://127.0.0.1:\d+ \(ConnectError\)"):
        load_remote_sem(url)


def test_a_silent_server_is_left_after_the_timeout() -> None:
    with open_socket("127.0.0.1", 0) as listener, pytest.raises(HefModelError, match=r"gave no answer in 0.1 s"):
        RemoteSem(address_of(listener), timeout=0.1).describe()


def test_an_answer_that_drips_is_left_after_the_timeout() -> None:
    with playing(drip) as (url, _asked), pytest.raises(HefModelError, match=r"gave no answer in 0.3 s"):
        RemoteSem(url, timeout=0.3).describe()


@pytest.mark.parametrize("url", ["", "10.0.0.7:8765", "ftp://host", "http://", "http://host?x=1", None])
def test_what_is_not_an_address_is_bad_input(url: Any) -> None:
    with pytest.raises(HefInputError, match="is not the address of a SEM server"):
        RemoteSem(url)


def test_a_user_name_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(HefInputError, match="holds a user name") as caught:
        RemoteSem("http://me:secret@host")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("token", ["naïve", "a\nb"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(HefInputError, match="characters that no header can carry") as caught:
        RemoteSem("http://host", token=token)
    assert token not in str(caught.value)


def test_a_timeout_is_above_0() -> None:
    with pytest.raises(HefInputError, match="timeout is 0"):
        RemoteSem("http://host", timeout=0)
