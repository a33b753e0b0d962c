"""Short answers that say it all to whoever knows the question: "yes", "tonight", "not really"."""

import re
from typing import Final

from hef_graph.crisis.signals import Category

_ASKED: Final[tuple[tuple[Category, re.Pattern[str]], ...]] = (
    (
        "suicidal_active",
        re.compile(
            r"\b(?:kill(?:ing)? yourself|suicid\w*|end(?:ing)? (?:your (?:own )?life|it all)|tak(?:e|ing) your (?:own )?life|have a plan"
            r"|suicidio|matarte|quitarte la vida|te (?:tuer|suicider)|en finir|umzubringen|umbringen|das leben nehmen|selbstmord|te matar|matar-te|"
            r"tirar a (?:sua|tua) vida)\b|自杀|结束(?:自己的)?生命|轻生"
        ),
    ),
    (
        "suicidal_passive",
        re.compile(
            r"\b(?:wish(?:ing)? (?:that )?you (?:were|was) dead|(?:want(?:ing)?|wish(?:ing)?) to die|not (?:want(?:ing)?|wake|be alive)\b.{0,20}"
            r"\b(?:live|alive|here|up)|better off (?:dead|without you)|not wanting to (?:live|be here))"
        ),
    ),
    ("self_harm", re.compile(r"\b(?:hurt(?:ing)?|harm(?:ing)?|cut(?:ting)?|burn(?:ing)?) yourself\b|\bself[- ]?harm\w*")),
    (
        "abuse",
        re.compile(
            r"\b(?:he|she|they|somebody|someone|anyone|anybody|your \w+)\b.{0,30}\b(?:hit|hits|hitting|hurt|hurts|hurting|beat|beats|beating|"
            r"threaten\w*|forc\w+|touch\w*|abus\w+|chok\w+) you\b"
        ),
    ),
    ("harm_to_others", re.compile(r"\b(?:hurt(?:ing)?|kill(?:ing)?|harm(?:ing)?) (?:him|her|them|someone|somebody|anyone|anybody|others|people)\b")),
)
_ASKED_SAFETY: Final = re.compile(r"\b(?:are you|do you feel|you feel|is it|is everyone|somewhere) (?:\w+ )?safe\b|\bare you in a safe\b")
_QUESTION: Final = re.compile(r"[?？]")

_AGREES: Final = re.compile(
    r"^\W*(?:yes|yeah|yep|yea|yup|ya|i do|i am|i have|i did|i think so|i guess(?: so)?|sometimes|often|kind ?of|kinda|sort of|a little|a bit|maybe|"
    r"(?:almost )?every (?:day|night)|all the time|lately|both|tonight|tomorrow|soon|right now|he (?:does|did|has|is)|she (?:does|did|has|is)|they (?:do|did)|"
    r"a lot|a few times|once|twice|most days|on and off|si|oui|ja|sim|claro|manchmal|parfois|a veces|as vezes|是|是的|对|嗯|有|有时|经常)\b"
)
_AGREES_HAN: Final = re.compile(r"^\W*(?:是|对|嗯|有时|有|经常|想)")
_REFUSES: Final = re.compile(r"^\W*(?:no|nope|nah|not really|i'm not|i am not|i don't(?: feel safe| think so| know)?|never|nein|non|nao|not at all|不|没有)\b")
_TURNS_ROUND: Final = re.compile(r"\b(?:no|not|n't|never|kidding|joking|nope|safe|fine|okay|lol|nothing|but only in|in the past|years ago)\b")
_LONGEST_ANSWER: Final = 9
"""Words: whoever says more says what it is about."""


def admitted(question: str, answer: str) -> Category | None:
    """What a short answer admits to, given the listener's last words; both normalised.

    >>> admitted("are you thinking of killing yourself?", "yeah. tonight")
    'suicidal_active'
    """
    if not _QUESTION.search(question) or len(answer.split()) > _LONGEST_ANSWER:
        return None
    asked = next((category for category, pattern in _ASKED if pattern.search(question)), None)
    if asked and (_AGREES.match(answer) or _AGREES_HAN.match(answer)) and not _TURNS_ROUND.search(answer):
        return asked
    if _ASKED_SAFETY.search(question) and _REFUSES.match(answer):
        return asked or "suicidal_passive"
    return None
