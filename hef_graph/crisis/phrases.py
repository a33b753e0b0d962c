"""What people say when they say it plainly, in English: one list of patterns for each category.

Patterns match normalised text (`normalisation.py`). Whoever says one of these, outside the frames of `frames.py`, is
believed: no classifier can overrule it. Anything less plain is left to the classifier.
"""

from typing import Final

from hef_graph.crisis.signals import Category

_MYSELF: Final = r"my\s*self"
_WILL: Final = (
    r"(?:want(?:ed)? to|going to|about to|ready to|have to|need to|trying to|tried to|plan(?:ning|ned)? (?:to|on)|will|i'll"
    r"|decided to|tempted to|like|thinking (?:of|about)|think (?:of|about)|thoughts? (?:of|about)|considering|urge to|ways? to"
    r"|how to|should|could|might|wish i could|keep|try|attempt(?:ed|ing)? to|intend(?:ing)? to|gonna)"
)
_ADVERBS: Final = r"(?: (?:just|really|actually|finally|probably|definitely|maybe|literally|seriously|always|even|still|go|be))*"
_PERSON: Final = (
    r"(?:he|she|they|(?:my|our) (?:\w+ )?(?:dad|father|stepdad|step-?father|mom|mum|mother|step-?mom|step-?mother|husband|wife"
    r"|boyfriend|girlfriend|bf|gf|partner|ex|fiance|uncle|aunt|brother|sister|cousin|grandpa|grandfather|boss|coach|teacher"
    r"|carer|caregiver|son|daughter|roommate|pastor|priest|neighbou?r|parents))"
)
_PERSONS: Final = (
    r"(?:him|her|them|you all|everyone|everybody|someone|somebody|people|my (?:\w+ )?(?:dad|father|stepdad|mom|mum|mother|husband"
    r"|wife|boyfriend|girlfriend|ex|boss|brother|sister|son|daughter|baby|kids?|child(?:ren)?|family|parents|neighbou?r"
    r"|teacher|roommate|landlord|coworkers?|manager)|the (?:baby|kids?|people|teacher|boss|manager))"
)
_PILLS: Final = r"(?:pills|tablets|meds|medication|sleeping pills|painkillers|paracetamol|tylenol|insulin)"

ENGLISH: Final[dict[Category, tuple[str, ...]]] = {
    "suicidal_active": (
        rf"{_WILL}{_ADVERBS} (?:kill(?:ing)?|hang(?:ing)?|shoot(?:ing)?|drown(?:ing)?|end(?:ing)?|off(?:ing)?|stab(?:bing)?|poison(?:ing)?) {_MYSELF}",
        rf"(?:i|i'm|i'll|i'd|i've)(?: \w+){{0,3}} (?:kill(?:ing)?|hang(?:ing)?|end(?:ing)?) {_MYSELF}",
        r"(?:end(?:ing)?|take|taking|took) my (?:own )?life\b",
        rf"{_WILL}{_ADVERBS} (?:end(?:ing)? (?:it all|it tonight|everything)|not be here (?:tomorrow|anymore))",
        rf"{_WILL}{_ADVERBS} (?:commit(?:ting)? )?suicide\b",
        r"\b(?:i'm|i am|i feel|i've been|feeling|been|i'm feeling)(?: (?:so|very|really|actually|pretty|just|still|kinda|a bit|super|quite))* suicidal\b",
        r"\bmy suicide (?:note|letter|plan|attempt)|my (?:last )?(?:goodbye|farewell) (?:note|letter)s?",
        r"\bi (?:attempted|tried) suicide\b|\bmy (?:own )?death is (?:planned|tonight|the only)",
        rf"\b(?:i|i've|i'll|i'm)(?: \w+){{0,4}} (?:took|taken|take|taking|swallow(?:ed|ing)?|overdos(?:e|ed|ing) on) (?:all|the whole|every|a whole|a bottle)(?: \w+){{0,4}} {_PILLS}",
        r"\b(?:jump(?:ing)?|throw(?:ing)? my\s*self) (?:off|from|in front of|under|out of) (?:(?:of )?(?:the|a|this|my) )?(?:\w+ )?(?:bridge|roof|building|balcony|train|cliff|window|truck|bus|tracks)",
        r"\bslit(?:ting)? my (?:wrists?|throat)|\bput a (?:gun|bullet) (?:to|in|through) my (?:head|brain|mouth)|\bblow my brains out",
        r"\bi(?:'m| am)? (?:want|going|ready|planning|about) to die (?:tonight|today|now|soon|this|tomorrow)",
        r"\bi (?:don't|do not) (?:want|plan) to be (?:alive|here) (?:tomorrow|by|after|next)",
    ),
    "suicidal_passive": (
        rf"\b(?:i|just|really|only)(?: \w+)? (?:want|wish|hope|pray|prefer|long|ready){_ADVERBS} (?:to die|(?:i|to) (?:was|were|be|am) dead|(?:i )?(?:would|could|might) (?:just )?die)\b",
        r"\b(?:i'd|i would|i'm|i am)(?: \w+)? (?:rather (?:be dead|die than live)|better off dead|tired of (?:living|being alive|life|existing))",
        r"\b(?:don't|do not|didn't|no longer|never) (?:even |really )?(?:want|wanna|wish)(?:ed)? to (?:live|be alive|exist|wake up|be here|be on this (?:earth|planet)|go on living)\b(?! (?:in|with|at|near|like|here|alone))",
        r"\b(?:wish|hope|pray|hoping|wishing|praying)(?:ed)?(?: that)? i (?:(?:just )?(?:don't|do not|didn't|won't|never|would never|wouldn't|could) (?:ever )?wake up|(?:was|were|had) (?:never|not) (?:been )?born|had never existed|(?:was|were) dead|didn't exist|(?:could|would) (?:just )?(?:die|stop existing|not exist))",
        r"\b(?:go to (?:sleep|bed)|fall asleep)(?: \w+){0,3} (?:and )?(?:never|not|don't|won't) (?:ever )?wake up",
        r"\b(?:everyone|everybody|they|my (?:\w+)|the world|people|you)(?: \w+)?(?:'d| would| will| is| are|'ll)?(?: all)?(?: be)? better off (?:if i (?:was|were) (?:dead|gone)|without me(?: here| alive| around)?|with me (?:dead|gone))",
        r"\b(?:no|any|have no|see no|nothing left) (?:reason|point|purpose)(?: \w+)? (?:to (?:live|be alive|keep living|go on living)|(?:in|for|of) (?:living|being alive))",
        r"\b(?:have|has|got|there's|is) nothing (?:left )?to live for\b|\blife(?:'s| is) (?:not|no longer|isn't) worth living",
        r"\bi (?:shouldn't|should not) (?:exist|be alive|have been born)|\b(?:tired|sick) of being alive\b",
    ),
    "self_harm": (
        r"\b(?:i|i'm|i've|i'll|i'd)(?: \w+){0,5} (?:cut|cutting|burn|burned|burning|hurt|hurting|harm|harmed|harming|hitting|scratching|punishing) my\s*self (?:again|on purpose|tonight|every|so|to feel|when|because|last night|today|with|just)",
        r"\b(?:urge|want|need|going|started|tempted|back|keep|wanting) (?:to |to start )?(?:cut|cutting|burn|burning|hurt|hurting|harm|harming) my\s*self",
        r"\b(?:i|i've|i'm|been|started)(?: \w+){0,3} (?:self[- ]?harm(?:ing|ed)?|selfharm(?:ing|ed)?)\b",
        r"\b(?:cut|cutting|carved?|carving|slic(?:e|ed|ing)|burn(?:ed|ing)?) (?:up |into )?my (?:own )?(?:arms?|wrists?|thighs?|legs?|skin|stomach)\b",
        r"\b(?:razor|blade|knife|lighter)(?: \w+){0,3} (?:on|to|against|into|across) my (?:own )?(?:arms?|wrists?|thighs?|legs?|skin)",
    ),
    "abuse": (
        rf"\b{_PERSON}(?:'s| is| has| had| was)?(?: (?:\w+ )?(?:been|always|just|sometimes|still|also|often|then|keeps|started|used to|will|would|tried to|tries to|likes to|nearly|almost|and|to))* (?:hit|hits|hitting|beat|beats|beating|beaten|punch(?:es|ed|ing)?|kick(?:s|ed|ing)?|slap(?:s|ped|ping)?|chok(?:e|es|ed|ing)|strangl(?:e|es|ed|ing)|rap(?:e|es|ed|ing)|molest(?:s|ed|ing)?|abus(?:es|ed|ing)|assault(?:s|ed|ing)?) me\b(?! (?:at|in|to|with a (?:joke|score|question)|by (?:one|two|\d)))",
        r"\b(?:i|i've|i'm)(?: \w+){0,3} (?:was|got|been|being|am) (?:\w+ )?(?:raped|molested|gang raped|sexually (?:abused|assaulted)|sex trafficked|trafficked)",
        rf"\b{_PERSON}(?: \w+){{0,3}} (?:threaten(?:s|ed|ing)?|said|says|swore|swears|promised)(?: \w+){{0,3}} (?:to kill me|he(?:'ll|'d| will| would) kill me|she(?:'ll|'d| will| would) kill me|they(?:'ll|'d| will| would) kill me)",
        rf"\b{_PERSON}(?: \w+){{0,2}} (?:forc(?:es|ed|ing)|makes|made) (?:me to (?:have sex|sleep with)|me have sex|himself on me|herself on me)",
        r"\b(?:afraid|scared|terrified)(?: \w+){0,4} (?:he|she|they|my \w+)(?:'ll|'s| will| is| might| would)?(?: going to| finally)? (?:kill|beat|hit|hurt|rape) me\b",
        rf"\b{_PERSON}(?: \w+){{0,3}} (?:locks|locked|keeps|kept) me (?:in|inside|up|locked)",
        rf"\b{_PERSON}(?: \w+){{0,2}} (?:put|puts|had|held|wrapped) (?:his|her|their) hands? (?:around|on|round) my (?:throat|neck)",
    ),
    "harm_to_others": (
        rf"\b(?:i'm|i am|i|i'll|i will)(?: \w+){{0,2}} (?:going to|want to|plan(?:ning)? to|ready to|about to|decided to) (?:kill|shoot|stab|murder|strangle|poison) {_PERSONS} (?:tonight|tomorrow|today|now|with|when|on|and)",
        r"\b(?:thoughts|urges|fantasies|voices)(?: \w+){0,6} (?:of|about|to) (?:kill(?:ing)?|stab(?:bing)?|shoot(?:ing)?|murder(?:ing)?|hurt(?:ing)?|strangl(?:e|ing)) (?:people|someone|somebody|others|him|her|them|everyone|my \w+)",
        r"\bshoot (?:up )?(?:the|my|this) (?:school|office|workplace|church|mall|class)",
    ),
    "medical_emergency": (
        r"\b(?:is|has|he's|she's|they're|dad's|mom's|i'm|baby's|just) (?:not|stopped|no longer|barely|isn't) breathing\b",
        rf"\b(?:i|he|she|they|my \w+)(?: \w+){{0,3}} (?:took|taken|swallowed|ate|drank) (?:too many|way too many|too much|a lot of|an overdose of|a bunch of|\d\d+)(?: \w+){{0,2}} (?:{_PILLS}|bleach)",
        r"\b(?:i|he|she|they|my \w+)(?:'s|'m|'ve| has| have| is| am| just)?(?: just)? (?:overdosed|overdosing|having a (?:stroke|seizure|heart attack)|drank bleach|swallowed (?:bleach|poison))\b(?! (?:last|years?|in|when|on (?:choc|net|cof|sug)))",
        r"\b(?:won't|doesn't|can't|isn't|not) (?:wake up|waking up|respond|responding|stop bleeding)\b(?: \w+){0,4} (?:blood|pulse|breath\w*|blue|pills|foam\w*)",
        r"\b(?:crushing|severe|terrible|bad|sharp) (?:chest pain|pain in (?:my|his|her) chest)(?: \w+){0,8} (?:arm|jaw|sweat\w*|breath\w*|now)",
        r"\bbleeding (?:a lot|heavily|everywhere|badly|out)\b|\bblood (?:everywhere|won't stop|gushing|pouring)",
        r"\b(?:face|mouth) (?:is |has )?(?:droop\w*|hanging)(?: \w+){0,8} (?:speech|speak|talk|slur\w*|arm)",
    ),
    "child_at_risk": (
        r"\b(?:my|our|the|his|her) (?:\w+ )?(?:dad|father|stepdad|mom|mum|mother|stepmom|uncle|teacher|coach|babysitter|boyfriend|grandpa|husband|ex|brother)(?: \w+){0,3} (?:hits?|beats?|hurts?|hurting|touch(?:es|ed|ing)?|molest(?:s|ed|ing)?|rap(?:es|ed|ing)|shakes?|starves?|burns?|kicks?|punch(?:es|ed)?) (?:my|our|the|his|her|their) (?:\w+ )?(?:son|daughter|baby|kids?|child(?:ren)?|nephew|niece|little (?:brother|sister)|stepson|stepdaughter|toddler)\b",
        r"\bi'?m (?:only )?(?:8|9|10|11|12|13|14|15|16|17)\b.{0,120}\b(?:hits?|beats?|touch(?:es|ed)|rap(?:es|ed)|chok(?:es|ed)) me\b",
        r"\b(?:he|she|they|someone|a man|this guy)(?: \w+){0,4} (?:asks?|asked|asking|wants?|made|makes) (?:me )?(?:for|to send)(?: \w+){0,3} (?:nudes|naked|pictures of my body)",
    ),
}
