"""The shipped detector: plain phrases decide by themselves, a classifier of its own weights reads everything else.

1. The newest user message is normalised (`normalisation.py`) and searched for plain phrases, all of it (`rules.py`).
2. A phrase that stands in no frame ("in the film …", "I would never …") is a signal, unless the classifier is all but
   certain that it is none, and hears none in the phrase's sentence by itself: nothing that stands around it hides it,
   and of many phrases none is dismissed.
3. So is a short answer that admits to what the listener asked (`answers.py`).
4. Else the classifier reads the message in windows, after what was said before, and where that leaves it in doubt also
   by itself, and decides. After a signal, the next message must tell of one by itself too: "yes, please" to an offer of
   help is none.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hef_graph.crisis.answers import admitted
from hef_graph.crisis.classifier import CrisisClassifier, CrisisReading, between, load_classifier
from hef_graph.crisis.normalisation import PlainText, normalise
from hef_graph.crisis.rules import ENOUGH, Hit, find_hits, split_sentences
from hef_graph.crisis.signals import LONGEST_EVIDENCE, CrisisSignal
from hef_graph.crisis.windows import Window, choose_windows
from hef_graph.errors import HefError
from hef_graph.types import Turn

_log = logging.getLogger(__name__)

CONTEXT_TURNS: Final = 2
"""Turns before the newest that the classifier sees."""
LONGEST_CONTEXT: Final = 600
"""Characters of each of them: their end."""
_LETTERS: Final = re.compile(r"[^\W\d_]{2,}[\W\d_]+[^\W\d_]{2,}|[\u4e00-\u9fff]{2}")
"""Two words: of a number, a smiley or one word alone the classifier knows nothing."""

SURELY_NONE: Final = 0.05
"""Probability of a signal below which the classifier takes a plain phrase for a harmless one."""

NEW_FROM: Final = 0.22
"""Probability of a signal, of the message by itself, from which it is a new one after a signal."""

DOUBT_FROM: Final = 0.01
"""Probability of a signal, after what was said before, from which a message is also read by itself."""

LONG: Final = 20
"""Words of a message that can be understood without what was said before."""

MOST_SENTENCES: Final = 6
"""Sentences that are read by themselves to find the one that tells of the signal."""

_OWN_DEATH: Final = frozenset({"suicidal_active", "suicidal_passive", "self_harm"})


@dataclass(frozen=True, slots=True)
class CrisisDetector:
    """Reads the newest user message in the light of what was said before."""

    classifier: CrisisClassifier | None
    """None leaves the plain phrases alone to decide."""

    def detect(self, turns: Sequence[Turn]) -> CrisisSignal | None:
        """The signal in the last turn, which must be the speaker's; None if there is none."""
        newest, earlier = turns[-1].text, turns[:-1]
        plain = normalise(newest)
        context = [normalise(turn.text[-LONGEST_CONTEXT:]).text for turn in earlier[-CONTEXT_TURNS:]]
        hits = find_hits(plain.text)
        windows = choose_windows(plain.text, hits)
        readings = [self._read_window(plain.text, window, context) for window in windows]
        free = [hit for hit in hits if not hit.framed]
        for hit in free:
            reading = _around(windows, readings, hit)
            if len(free) >= ENOUGH or not self._is_harmless(plain.text, hit, reading):
                return self._from_hit(newest, plain, hit, reading)
        if earlier and (category := admitted(context[-1], plain.text)):
            return CrisisSignal(category, evidence=_quote(newest, 0, len(newest)))
        return self._from_readings(newest, plain, windows, readings, context)

    def _read(self, text: str, context: Sequence[str]) -> CrisisReading | None:
        """None without a classifier, where it does not know the script or fails: the plain phrases decide then."""
        try:
            return self.classifier.read(text, context) if self.classifier and self.classifier.knows(text) else None
        except Exception as error:  # noqa: BLE001  damaged weights of any kind; nobody's help lines may hang on them
            _log.warning("the crisis classifier failed with %s; plain phrases alone decide", type(error).__name__)
            return None

    def _read_window(self, text: str, window: Window, earlier: Sequence[str]) -> CrisisReading | None:
        """The reading after what was said before; everyday talk there hides a little of what a text says by itself.

        So where that is the likelier signal, a long text counts by itself, a short one, which needs what was said
        before, half. Most texts are so surely none that it changes nothing.
        """
        said = text[window.start : window.end]
        if window.start or not earlier:
            return self._read(said, [text[:160]] if window.start else ())
        reading = self._read(said, earlier)
        if reading is None or self.classifier is None or not DOUBT_FROM <= reading.signal < self.classifier.threshold:
            return reading
        alone = self._read(said, ())
        if alone is None or alone.signal <= reading.signal:
            return reading
        return alone if len(said.split()) >= LONG else between(reading, alone)

    def _is_harmless(self, text: str, hit: Hit, reading: CrisisReading | None) -> bool:
        """Whether the classifier is sure of it around the phrase, and hears no signal in its sentence alone."""
        if reading is None or reading.signal >= SURELY_NONE:
            return False
        start, end = _sentence_around(text, hit.start)
        alone = self._read(text[start:end], ())
        return alone is not None and self.classifier is not None and alone.signal < self.classifier.threshold

    def _from_hit(self, newest: str, plain: PlainText, hit: Hit, reading: CrisisReading | None) -> CrisisSignal:
        """The phrase says what it is, unless the classifier, which sees the rest, also finds a signal.

        Who speaks of their own death is never answered as somebody who threatens others.
        """
        start, end = plain.span(*_sentence_around(plain.text, hit.start))
        evidence = _quote(newest, start, end)
        if (
            reading is None
            or self.classifier is None
            or reading.signal < self.classifier.threshold
            or (hit.category in _OWN_DEATH and reading.category == "harm_to_others")
        ):
            return CrisisSignal(
                hit.category, who="other" if hit.category == "harm_to_others" else "self", evidence=evidence
            )
        return CrisisSignal(reading.category, reading.time, reading.who, evidence)

    def _from_readings(
        self,
        newest: str,
        plain: PlainText,
        windows: Sequence[Window],
        readings: Sequence[CrisisReading | None],
        context: Sequence[str],
    ) -> CrisisSignal | None:
        spoken = [_LETTERS.search(plain.text, window.start, window.end) for window in windows]
        read = [(each.signal, -index, each) for index, each in enumerate(readings) if each and spoken[index]]
        if self.classifier is None or not read:
            return None
        signal, position, reading = max(read, key=lambda entry: entry[:2])
        if signal < self.classifier.threshold or not self._is_new(plain.text, windows[-position], context):
            return None
        start, end = plain.span(*self._telling_sentence(plain.text, windows[-position], context))
        return CrisisSignal(reading.category, reading.time, reading.who, _quote(newest, start, end))

    def _is_new(self, text: str, window: Window, context: Sequence[str]) -> bool:
        """Whether the window is a signal by itself too, where the user's turn before it was one already."""
        if self.classifier is None or len(context) < CONTEXT_TURNS or window.start:
            return True
        before = self._read(context[0], ())
        if before is None or before.signal < self.classifier.threshold:
            return True
        alone = self._read(text[window.start : window.end], ())
        return alone is None or alone.signal >= NEW_FROM

    def _telling_sentence(self, text: str, window: Window, context: Sequence[str]) -> tuple[int, int]:
        """The sentence of the window that is the likeliest signal by itself."""
        sentences = [
            s for s in split_sentences(text) if window.start <= s.start < window.end and text[s.start : s.end].strip()
        ]
        if len(sentences) <= 1 or self.classifier is None:
            return window.start, window.end
        readings = [(self._read(text[s.start : s.end], context), s) for s in sentences[:MOST_SENTENCES]]
        _, best = max(((reading.signal if reading else 0.0, s) for reading, s in readings), key=lambda entry: entry[0])
        return best.start, best.end


@lru_cache(maxsize=1)
def load_detector() -> CrisisDetector:
    """The shipped detector; if its weights cannot be read, the plain phrases alone, and a warning."""
    try:
        return CrisisDetector(load_classifier())
    except HefError as error:
        _log.warning("crisis detection goes on with plain phrases alone: %s", error)
        return CrisisDetector(None)


def _around(windows: Sequence[Window], readings: Sequence[CrisisReading | None], hit: Hit) -> CrisisReading | None:
    found = [
        reading for window, reading in zip(windows, readings, strict=True) if window.start <= hit.start < window.end
    ]
    return found[0] if found else None


def _sentence_around(text: str, position: int) -> tuple[int, int]:
    found = next(s for s in split_sentences(text) if s.start <= position < s.end)
    return found.start, found.end


def _quote(text: str, start: int, end: int) -> str:
    """A stretch of the user's text without the blanks around it, cut to what a signal may quote."""
    return text[start:end].strip()[:LONGEST_EVIDENCE]
