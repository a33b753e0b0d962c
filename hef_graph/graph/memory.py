"""Memory across conversations: the emotional course of each, kept per user in a LangGraph store.

```python
store = InMemoryStore()
UserMemory(store, "ada@example.org", "monday").remember(Moment("anxious", ("exam",), time.time()))
UserMemory(store, "ada@example.org", "tuesday").recall()  # Moment("anxious", ("exam",), …)
```

One item per thread, plain JSON: `{"moments": [{"emotion", "words", "at"}, …], "updated"}`. No text of the conversation
is kept but the cause words. A store that fails raises here; whoever calls decides what a turn does without memory.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Self

from langgraph.store.base import BaseStore, Item, PutOp

from hef_graph.errors import HefInputError
from hef_graph.types import LONGEST_WORD

ROOT: Final = ("hef", "moments")
"""The namespace above all users'."""

MOMENTS: Final = 20
"""So many of a thread's newest moments are kept."""
THREADS: Final = 20
"""So many of a user's newest threads are kept."""
WORDS: Final = 3
"""So many cause words of a moment are kept: as many as an instruction shows by default."""

PAGE: Final = 100
"""Items read at once: more than a user ever has, so that no choice depends on the order in which a store searches."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One turn's emotion."""

    emotion: str
    words: tuple[str, ...]
    """The cause words, heaviest first."""
    at: float
    """`time.time()` of the turn."""

    def to_json(self) -> dict[str, Any]:
        """What is kept of it: few words, and none longer than a word can be."""
        words = [_printable(word) for word in self.words[:WORDS]]
        return {"emotion": _printable(self.emotion), "words": words, "at": self.at}

    @classmethod
    def from_json(cls, value: Any) -> Self | None:
        """Read what `to_json` wrote; None for anything else."""
        match value:
            case {"emotion": str(emotion), "words": [*words], "at": int() | float() as at} if emotion:
                return cls(emotion, tuple(words[:WORDS]), at) if all(isinstance(word, str) for word in words) else None
        return None


@dataclass(frozen=True, slots=True)
class UserMemory:
    """What a user felt in other conversations, as seen from one of them."""

    store: BaseStore
    user_id: str
    thread_id: str

    def recall(self) -> Moment | None:
        """The moment of the user's other conversations to come back to; None if none is kept."""
        return self._choose(self.store.search(namespace_of(self.user_id), limit=PAGE))

    async def arecall(self) -> Moment | None:
        """`recall`, awaiting the store."""
        return self._choose(await self.store.asearch(namespace_of(self.user_id), limit=PAGE))

    def remember(self, moment: Moment) -> None:
        """Append the moment to this thread's course; what is beyond the bounds goes."""
        self.store.batch(self._writes(self.store.search(namespace_of(self.user_id), limit=PAGE), moment))

    async def aremember(self, moment: Moment) -> None:
        """`remember`, awaiting the store."""
        await self.store.abatch(self._writes(await self.store.asearch(namespace_of(self.user_id), limit=PAGE), moment))

    def _choose(self, items: Iterable[Item]) -> Moment | None:
        """Of the newest thread in which something was said of a feeling; else of the newest thread."""
        chosen = [_most_spoken_of(course.moments) for course in self._others(items) if course.moments]
        return next((moment for moment in chosen if moment.words), chosen[0] if chosen else None)

    def _writes(self, items: Sequence[Item], moment: Moment) -> list[PutOp]:
        """This thread's course with the moment, and the end of threads that are too many."""
        key, namespace = _label(self.thread_id), namespace_of(self.user_id)
        kept = next((_Course.read(item).moments for item in items if item.key == key), ())
        course = [each.to_json() for each in (*kept, moment)[-MOMENTS:]]
        value = {"moments": course, "updated": moment.at}
        lifetime = (self.store.ttl_config or {}).get("default_ttl")
        surplus = [course.key for course in self._others(items)][THREADS - 1 :]
        return [PutOp(namespace, key, value, index=False, ttl=lifetime), *deletions(namespace, surplus)]

    def _others(self, items: Iterable[Item]) -> list["_Course"]:
        """The user's other threads, newest first; those that cannot be read count as oldest."""
        courses = [_Course.read(item) for item in items if item.key != _label(self.thread_id)]
        return sorted(courses, key=lambda course: course.updated, reverse=True)


@dataclass(frozen=True, slots=True)
class _Course:
    """The moments of one thread, oldest first."""

    key: str
    moments: tuple[Moment, ...]
    updated: float

    @classmethod
    def read(cls, item: Item) -> Self:
        """An item's readable moments; an item of another make is an empty course, older than all."""
        match item.value:
            case {"moments": [*moments], "updated": int() | float() as updated}:
                return cls(item.key, tuple(filter(None, map(Moment.from_json, moments))), updated)
        return cls(item.key, (), float("-inf"))


def _most_spoken_of(course: Sequence[Moment]) -> Moment:
    """The newest moment of the emotion that most words were given to.

    Not simply the newest: a conversation about an exam ends with "thanks, bye".
    """
    said = Counter[str]()
    for moment in course:
        said[moment.emotion] += len(moment.words)
    return max(reversed(course), key=lambda moment: (said[moment.emotion], bool(moment.words)))


def namespace_of(user_id: str) -> tuple[str, ...]:
    """Where a user's items are.

    Raises:
        HefInputError: the id is empty or no text.
    """
    if not isinstance(user_id, str) or not user_id:
        kind = "empty" if isinstance(user_id, str) else type(user_id).__name__
        raise HefInputError(f"user_id is {kind}; allowed are texts that are not empty")
    return (*ROOT, _label(user_id))


def _label(text: str) -> str:
    """A label of the same form for every text, so that no text can be, begin or break another's.

    Namespaces refuse dots, databases refuse NUL and long keys; and ids are often mail addresses, which a store's
    namespaces need not show.
    """
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def deletions(namespace: tuple[str, ...], keys: Iterable[str]) -> list[PutOp]:
    """What a store is asked to do to lose these items."""
    return [PutOp(namespace, key, None) for key in keys]


def _printable(word: str) -> str:
    """What JSON and every database take, of bounded length."""
    return "".join(filter(str.isprintable, word[:LONGEST_WORD]))
