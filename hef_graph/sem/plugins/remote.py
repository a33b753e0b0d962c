"""A small empathetic model (SEM) on another machine: it asks what `hef serve-sem` serves.

    sem = load_remote_sem("http://10.0.0.7:8765")
    [analysis] = sem.analyze([["I lost my job today."]])

The server's answers are checked against the dialogues that were sent: a word is a part of its turn, or the answer is
refused. A token comes from `token=` or the environment variable `HEF_SEM_TOKEN`.
"""

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, NoReturn, Self

import httpx

from hef_graph.errors import HefBusyError, HefInputError, HefModelError
from hef_graph.sem.plugins.exchange import (
    FORMAT,
    analysis_from_json,
    as_object,
    dialogue_to_json,
    read_json,
    write_json,
)
from hef_graph.types import Dialogue, EmotionAnalysis, Turn, turns_from_dialogues

TOKEN_VARIABLE: Final = "HEF_SEM_TOKEN"  # noqa: S105  the name of a variable
MOST_DIALOGUES: Final = 32
"""Dialogues in one request: many enough for one forward, few enough for a slow server within the timeout."""
MOST_BYTES: Final = 4 * 1024 * 1024
"""Text in one request; the server takes twice as much."""
MOST_ANSWER_BYTES: Final = 256 * 1024 * 1024
LONGEST_RETRY_AFTER: Final = 2.0
"""Seconds; a server that asks for more is asked again after this long."""

OK, BAD_REQUEST, UNAUTHORIZED, TOO_LARGE, BUSY = 200, 400, 401, 413, 503

_BROKEN: Final = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
"""The connection ended early, as when a server was restarted: worth one more try."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Description:
    """What a server says about its SEM."""

    name: str
    labels: tuple[str, ...]


class RemoteSem:
    """A SEM behind an address, for any number of threads; satisfies `SmallEmpatheticModel`.

    Args:
        url: where `hef serve-sem` listens, as `http://host:8765`.
        timeout: seconds for one request and its answer.
        token: the server's token; None takes the environment variable `HEF_SEM_TOKEN`.

    Raises:
        HefInputError: not an address, a timeout out of range, or a token that no header can carry.
    """

    def __init__(self, url: str, timeout: float = 10.0, token: str | None = None) -> None:
        if not timeout > 0:
            raise HefInputError(f"timeout is {timeout!r}; allowed are seconds above 0")
        self._url, self._timeout = _check_url(url), timeout
        limits = httpx.Limits(max_connections=None)
        self._client = httpx.Client(headers=_headers(token), timeout=timeout, limits=limits)
        self._described: Description | None = None
        self._describing = threading.Lock()

    @property
    def name(self) -> str:
        """The server's name for its SEM, and the address."""
        return f"{self.describe().name} at {self._url}"

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the server's SEM."""
        return self.describe().labels

    def describe(self) -> Description:
        """Name and labels, asked once.

        Raises:
            HefModelError: the server cannot be reached, or is not one of ours.
        """
        with self._describing:
            if self._described is None:
                self._described = self._read_description(self._ask("GET", "/sem"))
            return self._described

    def analyze(self, dialogues: Sequence[Dialogue]) -> list[EmotionAnalysis]:
        """Read each dialogue on the server; long lists go in several requests, the order stays.

        Raises:
            HefInputError: a dialogue that cannot be read, or that the server refuses.
            HefModelError: the server cannot be reached or answers with something else than analyses.
        """
        turns = turns_from_dialogues(dialogues)
        return [analysis for part in split_dialogues(turns) for analysis in self._analyze_part(part)]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _analyze_part(self, dialogues: list[list[Turn]]) -> list[EmotionAnalysis]:
        request = write_json({"dialogues": [dialogue_to_json(dialogue) for dialogue in dialogues]})
        body = self._ask("POST", "/analyze", request)
        labels = set(self.labels)
        try:
            values = as_object(read_json(body), "the answer").get("analyses")
            if not isinstance(values, list) or len(values) != len(dialogues):
                raise HefInputError(f"expected a list of {len(dialogues)} analyses")  # noqa: TRY301  told below
            analyses = [
                analysis_from_json(value, [turn.text for turn in turns], where=f"analyses[{index}]")
                for index, (value, turns) in enumerate(zip(values, dialogues, strict=True))
            ]
            if any({score.label for score in analysis.emotions} != labels for analysis in analyses):
                raise HefInputError("the labels are not those that /sem names")  # noqa: TRY301  told below
        except HefInputError as error:
            raise HefModelError(f"the SEM server at {self._url} gave a malformed answer: {error}") from error
        return analyses

    def _read_description(self, body: bytes) -> Description:
        try:
            fields = as_object(read_json(body), "/sem")
        except HefInputError:
            self._refuse_server()
        name, labels, version = fields.get("name"), fields.get("labels"), fields.get("format")
        if version != FORMAT and isinstance(version, int):
            raise HefModelError(
                f"the SEM server at {self._url} speaks format {version}, this hef_graph format {FORMAT}; install the "
                "same version on both sides"
            )
        if version != FORMAT or not isinstance(name, str) or not isinstance(labels, list) or not labels:
            self._refuse_server()
        if not all(isinstance(label, str) for label in labels):
            self._refuse_server()
        return Description(name, tuple(labels))

    def _refuse_server(self) -> NoReturn:
        raise HefModelError(f"{self._url} is not a SEM server; give the address that `hef serve-sem` prints")

    def _ask(self, method: str, path: str, content: bytes | None = None) -> bytes:
        """The body of a good answer, after one more try where that can help."""
        try:
            answer = self._try(method, path, content)
            if answer.status == BUSY:
                time.sleep(_retry_after(answer.headers))
                answer = self._send(method, path, content)
        except httpx.TimeoutException as error:
            raise HefModelError(f"the SEM server at {self._url} gave no answer in {self._timeout:g} s") from error
        except httpx.HTTPError as error:
            raise HefModelError(f"no SEM server can be reached at {self._url} ({type(error).__name__})") from error
        if answer.status != OK:
            self._refuse(path, answer)
        return answer.body

    def _try(self, method: str, path: str, content: bytes | None) -> Answer:
        try:
            return self._send(method, path, content)
        except _BROKEN:
            return self._send(method, path, content)

    def _send(self, method: str, path: str, content: bytes | None) -> Answer:
        """One request within the timeout as a whole, however slowly the answer drips."""
        deadline, body = time.monotonic() + self._timeout, bytearray()
        headers = {"Content-Type": "application/json"} if content else None
        with self._client.stream(method, self._url + path, content=content, headers=headers) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the answer drips")
                if len(body) > MOST_ANSWER_BYTES:
                    raise HefModelError(
                        f"the SEM server at {self._url} answers with more than {MOST_ANSWER_BYTES} bytes"
                    )
            return Answer(response.status_code, response.headers, bytes(body))

    def _refuse(self, path: str, answer: Answer) -> NoReturn:
        if answer.status == UNAUTHORIZED:
            raise HefModelError(f"the SEM server at {self._url} wants another token; set {TOKEN_VARIABLE}")
        if answer.status == BUSY:
            raise HefBusyError(f"the SEM server at {self._url} has too much to do; try again in a moment")
        if path == "/sem":
            self._refuse_server()
        if answer.status in {BAD_REQUEST, TOO_LARGE}:
            raise HefInputError(f"the SEM server at {self._url} refused the dialogues: {_sentence(answer.body)}")
        raise HefModelError(f"the SEM server at {self._url} failed with status {answer.status}")


def load_remote_sem(url: str) -> RemoteSem:
    """The SEM that `hef serve-sem` serves at an address; asked once, so that a wrong address shows at once.

    Raises:
        HefInputError: not an address.
        HefModelError: no SEM server answers there.
    """
    sem = RemoteSem(url)
    sem.describe()
    return sem


def split_dialogues(dialogues: Sequence[list[Turn]]) -> Iterator[list[list[Turn]]]:
    """Parts that fit one request, in order; a dialogue that is too long alone is a part of its own."""
    part: list[list[Turn]] = []
    room = MOST_BYTES
    for turns in dialogues:
        size = len(write_json(dialogue_to_json(turns)))
        if part and (len(part) == MOST_DIALOGUES or size > room):
            yield part
            part, room = [], MOST_BYTES
        part.append(turns)
        room -= size
    if part:
        yield part


def _check_url(url: str) -> str:
    """The address without a slash at its end; user names and queries have no place in it."""
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        parts = httpx.URL()
    if parts.userinfo:
        raise HefInputError("the SEM server's address holds a user name; leave it out, and give a token instead")
    if parts.scheme not in {"http", "https"} or not parts.host or parts.query or parts.fragment:
        raise HefInputError(f"{url!r} is not the address of a SEM server; expected one like http://host:8765")
    return url.rstrip("/")


def _headers(token: str | None) -> dict[str, str]:
    given = (os.environ.get(TOKEN_VARIABLE, "") if token is None else token).strip()
    if not (given.isascii() and given.isprintable()):
        raise HefInputError("the SEM server's token holds characters that no header can carry; use letters and digits")
    return {"Authorization": f"Bearer {given}"} if given else {}


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds to wait before the second try."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return LONGEST_RETRY_AFTER
    return seconds if 0 <= seconds <= LONGEST_RETRY_AFTER else LONGEST_RETRY_AFTER


def _sentence(body: bytes) -> str:
    """The server's own words, which name fields and numbers."""
    try:
        said = as_object(read_json(body), "the answer").get("error")
    except HefInputError:
        said = None
    return said[:200] if isinstance(said, str) else "no reason given"
