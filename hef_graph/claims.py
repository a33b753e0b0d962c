"""Whether a listener's sentence claims a life of its own.

An assistant never says that it has lived or felt something ("my dog did that too"); courtesy ("I'm sorry to hear that")
is no claim. The SEM's training sorts replies by this rule, and the embedded listener drops candidates that break it.
"""

import re
from typing import Final

_COURTESY: Final = re.compile(
    r"\bi(?:'m|m| am| was)(?: (?:so|very|really|truly|just|also))* (?:sorry|glad|sure|here|happy (?:for|to|that|you))\b"
    r"|\bi (?:hope|bet|see|understand|imagine|wish you|know (?:that|how|it)|can(?:'t)? (?:imagine|see|understand|tell)"
    r"|wonder|would(?:n't)? worry|agree|think (?:you|that|it|he|she|they))\b"
    r"|\bi'll\b|\blet me\b|\btell me\b|\bmy (?:goodness|gosh|god|word)\b",
    re.IGNORECASE,
)
_FIRST_PERSON: Final = re.compile(r"\b(?:i|im|ive|me|my|mine|myself|we|us|our|ours)\b|\bsame here\b", re.IGNORECASE)


def claims_a_life(text: str) -> bool:
    """Whether, once courtesy is taken away, the text still speaks in the first person.

    >>> claims_a_life("I'm so sorry. I hope it gets better!"), claims_a_life("I lost my dog last year too.")
    (False, True)
    """
    return bool(_FIRST_PERSON.search(_COURTESY.sub(" ", text.replace("’", "'"))))
