"""Dialogue files → conversations → contexts: the one place that knows how EmpatheticDialogues is cut."""

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from hef_graph.errors import HefInputError


@dataclass(frozen=True, slots=True)
class Conversation:
    """One labelled conversation; utterances alternate speaker, listener, speaker and so on."""

    conv_id: str
    emotion: str
    situation: str
    utterances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """One example of the task: the history before a listener's turn, and that turn."""

    conv_id: str
    emotion: str
    turns: tuple[str, ...]
    """Alternating speaker and listener, ending with the speaker."""
    reply: str


def cut_contexts(conversation: Conversation) -> Iterator[Context]:
    """One context per listener turn: the full preceding history, labelled as the conversation.

    The situation text is never part of a context (systems that read it are not comparable).
    """
    for index in range(1, len(conversation.utterances), 2):
        yield Context(
            conv_id=conversation.conv_id,
            emotion=conversation.emotion,
            turns=conversation.utterances[:index],
            reply=conversation.utterances[index],
        )


def contexts_of(conversations: Iterable[Conversation]) -> list[Context]:
    """The contexts of all conversations, in order."""
    return [context for conversation in conversations for context in cut_contexts(conversation)]


def labelled_texts(conversations: Iterable[Conversation]) -> list[Context]:
    """What emotions are learned from: the contexts, and the only utterance of a conversation that nobody answered."""
    conversations = list(conversations)
    unanswered = [c for c in conversations if len(c.utterances) == 1]
    return contexts_of(conversations) + [Context(c.conv_id, c.emotion, c.utterances, "") for c in unanswered]


def set_aside(
    conversations: Iterable[Conversation], *, fraction: float = 0.1
) -> tuple[list[Conversation], list[Conversation]]:
    """Split into (kept, set aside) by a hash of `conv_id`: stable across runs, orders and machines.

    Of a handful of conversations at least one is set aside and at least one kept.

    Raises:
        HefInputError: fewer than two different `conv_id`s.
    """
    shared = [(conversation, _share(conversation.conv_id)) for conversation in conversations]
    shares = sorted({share for _, share in shared})
    if len(shares) < 2:  # noqa: PLR2004  one to keep, one to set aside
        raise HefInputError(f"{len(shared)} conversations cannot be split; give two or more, each with its own conv_id")
    limit = fraction if shares[0] <= fraction < shares[-1] else shares[0]
    kept = [conversation for conversation, share in shared if share > limit]
    return kept, [conversation for conversation, share in shared if share <= limit]


def _share(conv_id: str) -> float:
    """0 to 1, evenly spread over ids."""
    return int.from_bytes(hashlib.sha256(conv_id.encode()).digest()[:4], "big") / 2**32


def halves(conversations: Iterable[Conversation]) -> tuple[list[Conversation], list[Conversation]]:
    """Split into two halves by another hash of `conv_id` than `set_aside`: one to calibrate on, one to measure on."""
    first: list[Conversation] = []
    second: list[Conversation] = []
    for conversation in conversations:
        digest = hashlib.sha256(f"half {conversation.conv_id}".encode()).digest()
        (second if digest[0] % 2 else first).append(conversation)
    return first, second


def read_conversations(path: Path) -> list[Conversation]:
    """Read conversations from JSONL (ours), or from the official CSV or the hub's parquet (one utterance a row).

    Raises:
        HefInputError: the file is missing or empty, of an unknown kind, or has a line that cannot be read.
    """
    readers = {".jsonl": _read_jsonl, ".csv": _read_csv, ".parquet": _read_parquet}
    if path.suffix not in readers:
        raise HefInputError(f"cannot read {path}: its name ends in {path.suffix!r}, expected one of {sorted(readers)}")
    if not path.is_file():
        raise HefInputError(f"no such file: {path}")
    try:
        conversations = list(readers[path.suffix](path))
    except (UnicodeDecodeError, csv.Error) as error:
        raise HefInputError(f"{path} cannot be read: {error}") from error
    if not conversations:
        raise HefInputError(f"{path} holds no conversations")
    return conversations


def write_conversations(conversations: Iterable[Conversation], path: Path) -> None:
    """Write conversations as JSONL, one a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for conversation in conversations:
            file.write(json.dumps(asdict(conversation), ensure_ascii=False) + "\n")


def _read_jsonl(path: Path) -> Iterator[Conversation]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _parse_line(line, f"{path}, line {number}")


def _parse_line(line: str, where: str) -> Conversation:
    try:
        row = json.loads(line)
        utterances = tuple(row["utterances"])
        if not isinstance(row["utterances"], list) or not all(isinstance(text, str) for text in utterances):
            raise TypeError("utterances are not a list of texts")  # noqa: TRY301  the handler below names the line
        conv_id, emotion = str(row["conv_id"]), str(row["emotion"])
        return Conversation(conv_id, emotion, str(row.get("situation", "")), utterances)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HefInputError(
            f'{where}: not a conversation ({error!r}); expected {{"conv_id", "emotion", "utterances": [texts]}}'
        ) from error


def _read_csv(path: Path) -> Iterator[Conversation]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from _group_rows(csv.DictReader(file, quoting=csv.QUOTE_NONE), str(path))


def _read_parquet(path: Path) -> Iterator[Conversation]:
    try:
        from pyarrow import parquet  # noqa: PLC0415  an extra; only parquet needs it
    except ImportError as error:
        raise HefInputError("reading parquet needs pyarrow: pip install 'hef-graph[train]'") from error
    yield from _group_rows(parquet.read_table(path).to_pylist(), str(path))


def _group_rows(rows: Iterable[Mapping[str, object]], where: str) -> Iterator[Conversation]:
    """Join the rows of each conversation; neighbouring rows of one person become one utterance."""
    grouped: dict[str, list[Mapping[str, object]]] = {}
    try:
        for row in rows:
            if row["utterance"] is None:
                raise HefInputError(f"{where}: a row of conversation {row['conv_id']!r} is cut short")
            grouped.setdefault(str(row["conv_id"]), []).append(row)
        for conv_id, members in grouped.items():
            yield _join_rows(conv_id, members)
    except KeyError as error:
        raise HefInputError(f"{where}: no column {error}; expected the columns of the official files") from error


def _join_rows(conv_id: str, rows: list[Mapping[str, object]]) -> Conversation:
    utterances: list[str] = []
    last_speaker: object = None
    for row in rows:
        text = _restore_commas(row["utterance"])
        if utterances and row["speaker_idx"] == last_speaker:
            utterances[-1] += " " + text
        else:
            utterances.append(text)
        last_speaker = row["speaker_idx"]
    return Conversation(conv_id, str(rows[0]["context"]), _restore_commas(rows[0]["prompt"]), tuple(utterances))


def _restore_commas(text: object) -> str:
    """The official files write a comma inside a field as `_comma_`."""
    return str(text).replace("_comma_", ",").strip()
