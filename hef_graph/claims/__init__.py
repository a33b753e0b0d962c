"""Whether a reply claims to be human, or to have a life of its own.

An assistant never says that it is a person or a therapist, or that it has lived or felt something ("my dog did that
too"); courtesy ("I'm sorry to hear that", "I'm here with you") is no claim. `claims_a_life` is the strict rule for a
small decoder, whose words are mostly other people's: the SEM's training sorts replies by it, and the embedded listener
drops candidates that break it. `claims_to_be_human` is for large models, which say "I" for good reasons too.
"""

import re
from functools import lru_cache
from typing import Final

from hef_graph.claims.abroad import ABROAD
from hef_graph.claims.english import ANYTHING_ELSE, ENGLISH
from hef_graph.claims.patterns import any_of
from hef_graph.claims.plain import plain_words

_COURTESY: Final = re.compile(
    r"\bi(?:'m|m| am| was)(?: (?:so|very|really|truly|just|also))* (?:sorry|glad|sure|here|happy (?:for|to|that|you))\b"
    r"|\bi (?:hope|bet|see|understand|imagine|wish you|know (?:that|how|it)|can(?:'t)? (?:imagine|see|understand|tell)"
    r"|wonder|would(?:n't)? worry|agree|think (?:you|that|it|he|she|they))\b"
    r"|\bi'll\b|\blet me\b|\btell me\b|\bmy (?:goodness|gosh|god|word)\b",
    re.IGNORECASE,
)
_HUMAN: Final = any_of(pattern for patterns in (*ENGLISH.values(), *ABROAD.values()) for pattern in patterns)

_FIRST_PERSON: Final = re.compile(r"\b(?:i|im|ive|me|my|mine|myself|we|us|our|ours)\b|\bsame here\b", re.IGNORECASE)


def claims_a_life(text: str) -> bool:
    """Whether, once courtesy is taken away, the text still speaks in the first person.

    >>> claims_a_life("I'm so sorry. I hope it gets better!"), claims_a_life("I lost my dog last year too.")
    (False, True)
    """
    return bool(_FIRST_PERSON.search(_COURTESY.sub(" ", text.replace("’", "'"))))


def claims_to_be_human(sentence: str) -> bool:
    """Whether one sentence claims to be a person or a helper by profession, or to have lived or felt something.

    Rules for English, Spanish, French, German and Portuguese. What is quoted, denied or said of the user is no claim.

    >>> claims_to_be_human("I'm here with you."), claims_to_be_human("I'm no therapist, but I've been there too.")
    (False, True)
    """
    plain = plain_words(sentence)
    return bool(_HUMAN.search(plain) or ANYTHING_ELSE.search(plain))


def claims_to_be_a_person(sentence: str) -> bool:
    """Whether one English sentence claims to be a person or a helper by profession, whatever was lived or felt.

    For agents with work to do, which rightly say "I could not find it" and "I looked yesterday".

    >>> claims_to_be_a_person("I could not find it."), claims_to_be_a_person("As a mother, I understand.")
    (False, True)
    """
    return bool(_person().search(plain_words(sentence)))


@lru_cache(maxsize=1)
def _person() -> re.Pattern[str]:
    """Put together when it is first asked for: only agents need it."""
    return any_of((*ENGLISH["human"], *ENGLISH["role"]))
