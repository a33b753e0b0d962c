"""The frames that take a plain phrase out of the present: denied, idiom, quoted, fiction, work, recovered.

A phrase inside a frame is not dismissed: it is left to the classifier, which reads the whole message.
"""

import re
from typing import Final

DENIED_BEFORE: Final = re.compile(
    r"(?:\b(?:not|never|n't|no|neither|nor|without|stopped|nicht|kein(?:e|en)?|nie|pas|jamais|aucune|nunca|jamas|sin|nao|sem)"
    r"|\b(?:don't|didn't|wouldn't|won't|isn't|wasn't|haven't|couldn't|can't)|不|没有|没|别|不会|从不|从来没)"
    r"(?: (?:ever|really|actually|even|going|want(?:ed|ing)?|have|had|been|thinking|about|any|to|of|thoughts?|planning|the|a|feel|"
    r"feeling|that|i|i'm|am|plans?))*\s*$"
)
"""In front of the phrase, with nothing but function words between."""

_LAUGH = r"\b(?:lol|lmao|lmfao|rofl|haha\w*|hehe\w*|jk|just kidding|xd|jaja\w*|kkk+|mdr|ptdr|rsrs\w*)\b|😂|🤣|💀|😭😭|哈哈|笑死"
_TRIFLE = (
    r"\b(?:if|when|before|unless)\b(?: \S+){0,12} (?:one more|another|again|this (?:game|level|show|song|meeting|printer|homework|exam)|doesn't load"
    r"|monday|email|meeting|spreadsheet|zoom|homework|essay|assignment|exam|traffic|commercial|ad\b|season|episode)"
    r"|\b(?:this|that|the|my) (?:game|level|boss fight|homework|assignment|commute|traffic|meeting|class|lecture|song|movie|workout|heat|diet)\b"
)
IDIOM: Final = re.compile(f"{_LAUGH}|{_TRIFLE}")
"""In the same sentence."""

QUOTED: Final = re.compile(
    r"\b(?:song|lyrics?|quote|quoted|headline|article|documentary|podcast|movie|film|series|show|episode|scene|book|chapter|poem|play|"
    r"meme|caption|post|tweet|news|newspaper|character|villain|hero|heroine|narrator|protagonist|actor|actress|opera|cancion|pelicula|libro|"
    r"film|livre|chanson|serie|lied|buch|roman|musica|livro|filme|novela|noticias)\b|电影|小说|歌词|电视剧|书里|新闻|角色|主角"
)
FICTION: Final = re.compile(
    r"\b(?:novel|story|screenplay|script|fan ?fic(?:tion)?|role ?play|rp|dnd|d&d|campaign|npc|game|gta|minecraft|fortnite|call of duty|quest|"
    r"writing (?:a|my)|short story|thriller|halloween|costume|improv|theatre|theater|drama club)\b|游戏|剧本"
)
WORK: Final = re.compile(
    r"\b(?:patients?|clients?|students? of mine|my students|training|research|essay|thesis|dissertation|volunteer\w*|hotline (?:shift|volunteer)|"
    r"paramedic|emt|nurse|social work\w*|counsel+or|therapist in training|course|seminar|workshop|exam question|prevention|awareness|"
    r"moderat\w+|chatbot|what would you (?:say|do)|asking for (?:a|my) (?:paper|class|project))\b"
)
RECOVERED: Final = re.compile(
    r"\b(?:years? (?:ago|later|clean)|months? clean|used to|back then|in the past|when i was (?:younger|a (?:kid|teen\w*|child)|\d+)|recovered|"
    r"in recovery|not anymore|no longer|since then|got help|got better|i'm (?:better|fine|good|okay|happy|glad|grateful) now|"
    r"so glad i|looking back|survived|survivor|anniversary|decade|thank god (?:i|that)|he's in (?:jail|prison)|"
    r"hace (?:\w+ )?anos|il y a (?:\w+ )?(?:\w+ )?ans|vor (?:\w+ )?jahren|fruher|ha (?:\w+ )?anos|antes)\b|年前|以前|曾经|已经好了"
)
ANYWHERE: Final = (QUOTED, FICTION, WORK, RECOVERED)
"""In the same sentence or in the one before."""


def is_framed(before: str, sentence: str, start: int, end: int) -> bool:
    """Whether the phrase `sentence[start:end]` stands in a frame; `before` is the sentence before it."""
    denied = DENIED_BEFORE.search(sentence[max(0, start - 80) : start])
    nearby = f"{before} {sentence}"
    return bool(
        denied
        or IDIOM.search(sentence)
        or _is_in_quotes(sentence, start, end)
        or any(frame.search(nearby) for frame in ANYWHERE)
    )


def _is_in_quotes(sentence: str, start: int, end: int) -> bool:
    """Whether an odd number of quotation marks stands before the phrase, and another behind it."""
    return sentence.count('"', 0, start) % 2 == 1 and '"' in sentence[end:]
