"""A sentence made plain before the rules read it: what the speaker says of itself, in as few forms as possible."""

import re
import unicodedata
from typing import Final

from hef_graph.claims.patterns import any_of, any_word, rules

_TYPOGRAPHY: Final = str.maketrans({"’": "'", "‘": "'", "*": None, "_": None, "…": " "})

_ALL_QUOTED: Final = re.compile(r"\W*[\"“«„][^\"“”«»„]*[\"”»“]\W*")
"""A sentence wholly in quotation marks is the speaker's own: some models put them around all that they say."""

_QUOTED: Final = re.compile(
    r"[\"“«„]\s*(?:(?:i|i'\w+|me|my|same|yo|mi|je|j'\w*|moi|ich|mir|mein\w*|eu|minha|meu)\b[^\"”»“]*"
    r"|[^\s\"”»“]+(?:\s+[^\s\"”»“]+){2,})\s*(?:[\"”»“]|$)",
    re.IGNORECASE,
)
"""Another's words: they begin in the first person, or are three or more. A word or two may be mere emphasis."""

_FILLERS: Final = any_word(r"""
    really truly actually honestly personally definitely certainly totally completely absolutely literally probably
    so(?!_(?:do|did|am|was|have|had|would|can)_i\b) very deeply just also even still only once simply sadly
    unfortunately already always often quite pretty indeed of_course realmente siempre vraiment egalement moi-meme deja
    auch selbst schon wirklich nur
""")
"""They only colour what is said; without them the rules need not name every place where they may stand."""

_REST: Final = r"(?:(?! (?:but|although|because|since|until|yet) |(?<!as) though )[^,;:.!?—]){0,120}"
"""To the clause's end: what follows may be a claim again."""

_DISCLAIMED: Final = any_of(
    rules(
        # "I won't pretend that I know exactly how you feel", "I can't tell you that I've been there"
        r"i (?:can't|cannot|can not|won't|will not|don't|do not|didn't|wouldn't|would not|couldn't|am not|will never"
        rf"|would never|wish i could)(?: \w+){{0,3}}? (?:say|saying|claim\w*|pretend\w*|act|suggest\w*|assume"
        rf"|tell you that)\b{_REST}",
        # "I don't have a mother of my own"
        r"i (?:don't|do not|can't|cannot|have no|haven't|have not|have never|never)\b[^,;:.!?—]{0,80}?\b(?:my own"
        r"|of mine)\b(?: \w+)?",
        # "if I had a body", "as though I were your mother"
        r"if i (?:was|were) (?:an? )?(?:human|person)\b.*",
        rf"(?:if|as though|than|wish) i (?:was|were|had|have|am|knew)\b{_REST}",
        # what the user might say: "you could tell him: I felt hurt"
        r"you (?:could|can|might|may)(?: \w+){0,3} (?:say|tell|write|try|answer)\b[^:]{0,60}:.*",
        # "no soy psicóloga", "nunca lo he vivido", "não sou terapeuta"; but "no soy un robot" is a claim
        r"(?:no|nunca|jamas|nao)(?: (?:lo|la|me|te|o|a|eu|yo|se|que)){0,2} (?:he|soy|se|fui|pase|vivi|perdi|senti|sou"
        r"|sei|passei|tenho|tengo)\b(?! (?:una? |um |uma )?(?:robot|robo|maquina|bot|ia|programa|chatbot))(?: \w+)?",
    )
)
"""What is said not to be so, or only supposed."""

_WHO_HAVE: Final = {f"{who}{mark}ve": f"{who} have" for who in ("i", "we", "you", "they") for mark in ("'", "")}
_WRITTEN_OUT: Final = {
    "have got": "have",
    **{f"{short} got": full for short, full in _WHO_HAVE.items()},
    **_WHO_HAVE,
    **dict.fromkeys(("i'm", "im"), "i am"),
    **{f"{who}'d": f"{who} would" for who in ("i", "we", "you")},
    **{f"{who}'re": f"{who} are" for who in ("we", "you", "they")},
}
"""Forms of a verb, longer ones first."""

_ELLIPSIS: Final = re.compile(r"\.\.+")

_PLAINER: Final = (
    (re.compile(r", so\b"), ","),
    (re.compile(rf"\b(?:{'|'.join(_WRITTEN_OUT)})\b"), lambda short: _WRITTEN_OUT[short.group()]),
    (re.compile(rf"(?:, | ){_FILLERS}\b,?(?= |$)"), ""),
    (re.compile(rf"^{_FILLERS}\b,? "), ""),
    (_DISCLAIMED, " "),
)


def plain_words(sentence: str) -> str:
    """The speaker's own words: lower case, no accents, no contractions, nothing quoted, disclaimed or merely colouring.

    >>> plain_words("You said “I felt lost”, and I’ve really heard that.")
    'you said , and i have heard that.'
    """
    text = sentence.translate(_TYPOGRAPHY)
    text = text if _ALL_QUOTED.fullmatch(text) else _QUOTED.sub(" ", text)
    text = text.casefold()
    if not text.isascii():
        text = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    text = _one_blank(_ELLIPSIS.sub(" ", text))
    for pattern, plainer in _PLAINER:
        text = pattern.sub(plainer, text)
    return _one_blank(text)


def _one_blank(text: str) -> str:
    return " ".join(text.split())
