"""What an assistant may not say of itself in English; the sentences come from `plain_words`."""

import re
from collections.abc import Mapping
from typing import Final

from hef_graph.claims.english_words import (
    ASSISTANT_DOES,
    ASSISTANT_HAS,
    FEELING,
    FOR_YOU,
    IS_ENGLISH,
    KIN,
    LIVED,
    NEAR,
    NO_PERSON,
    OF_FEELING,
    OWN,
    PROFESSION,
    TALKED,
    WHO,
)
from hef_graph.claims.patterns import rules

ENGLISH: Final[Mapping[str, tuple[str, ...]]] = {
    # to be a person, or no machine
    "human": rules(
        # "I'm only human", "I'm real"; but "I'm real sorry"
        r"i (?:am|was) (?:human|mortal|flesh|real(?! (?:sorry|glad|happy|proud)))\b(?!-)",
        r"i am (?:every bit )?as human as\b|who (?:says|said|thinks) i am not (?:human|real)\b",
        r"(?:there(?: is|'s)|you have) an? (?:real |live |living |actual )*(?:human|person) (?:being )?(?:here|on"
        r"|behind|typing|at|listening|reading)\b|made of flesh\b",
        # "I'm not a bot", "I'm no heartless machine"
        r"i am (?:not|no) (?:(?:an?|some|your|any) (?:[\w-]+ )?)?(?:ai|bot|chatbot|robot|machine|computer|program"
        r"|algorithm|software|language model|script|artificial)\b",
        r"(?:this|it) (?:is not|isn't) an? (?:ai|bot|chatbot|robot|machine|computer)\b",
        # "you're talking to a real person"
        r"you are (?:talking|speaking|chatting|texting|writing) (?:to|with) (?:an? )?(?:real |actual |living "
        r"|fellow )*(?:human|person|man|woman)\b(?! who)",
        # "we humans", "as human beings, we", "from one human to another"
        r"(?:we|us|fellow) humans?\b|we are (?:all |both )?human\b|human to (?:human|another)\b",
        r"as (?:an? )?(?:fellow )?human(?: being)?s?,? (?:i|we|my)\b",
        # "I have feelings too", "I'm 34", "I'm hungry", "I can come over"
        r"i have (?:an? |my |my own |real |human )*(?:body|childhood|feelings|emotions|pulse)\b",
        r"i am (?:\d\d|in my (?:\w+ )?\w+(?:ties|\ds))(?: years old)?(?=[.,!?]|$| and| too)|at my age\b"
        r"|my generation\b|at your age,? i\b",
        r"i am (?:hungry|thirsty|sleepy|cold|sick|ill|drunk|hungover|from|at (?:work|home|the (?:office|hospital|gym))"
        r"|in (?:bed|therapy|recovery|love|remission|mourning|college|school)|the (?:oldest|youngest|eldest|middle)"
        r"|on (?:meds|medication|antidepressants|a diet|leave|my (?:way|break|lunch))|off work|driving|smiling"
        r"|laughing|grinning)\b",
        r"i (?:am coming|can come|will come|could come) over\b|(?:let's|we could|we can|i'll|i will|i can"
        r"|shall we) meet (?:you )?(?:up )?(?:for|over) (?:a )?(?:coffee|drink|lunch)\b",
    ),
    # to be a therapist, a mother, a survivor; or to speak as one
    "role": rules(
        rf"i (?:am|was|have been|became|work(?:ed)? as|trained as) an? (?!(?:(?!not\b"
        rf"|no\b)[\w-]+,? ){{0,3}}?{NO_PERSON}\b)\w",
        rf"i (?:am|was|became|serve as) (?:the |your |her |his )(?:[\w-]+ ){{0,2}}?{WHO}\b(?!['-])",
        # "as a mother of two, I"; but "as a mother, you"
        rf"as (?:an? |your )?(?:[\w-]+ ){{0,2}}?{WHO}\b(?: myself| (?:of|to|with|from|who|and)\b[^,]{{0,60}})?,? "
        r"(?:i|my|me|we|let me|trust me|believe me)\b",
        rf"(?:speak|talk|speaking|talking|coming|say (?:this|that|it)|tell you(?: this)?) (?:as"
        rf"|from) (?:an? )?(?:[\w-]+ )?{WHO}\b",
        rf"i,? as an? (?:\w+ )?{WHO}\b|me,? an? (?:\w+ )?{WHO}\b",
        rf"{WHO} myself\b|think of me as (?:an? |your )?(?:[\w-]+ )?{WHO}\b",
        rf"as a fellow \w+|from one (?!day|moment|thing)\w+ to another\b|^(?:fellow |another "
        rf"|proud )?{WHO}(?: of \w+)? here\b",
        # "us moms", "those of us who"
        rf"(?:we|us) (?:(?:{KIN}|{PROFESSION})s|women|men|wives|children)\b|(?:those|one) of us who\b"
        rf"|people like (?:us|me|you and me)\b",
        r"i am (?:licensed|certified|qualified|registered|married|divorced|engaged|pregnant|widowed|retired|unemployed"
        r"|adopted|gay|straight|lesbian|autistic|bipolar|dyslexic|vegan|trained (?:in|as))\b(?!-)",
        r"i am (?:one of those|the (?:kind|type|sort) of person|no stranger to)\b",
        r"i have (?:(?!no \b)\w+ ){0,4}experience\b|in (?:all )?my (?:\w+ )?years\b",
        r"i (?:have|hold) an? (?:[\w']+ ){0,2}(?:degree|phd|doctorate|licen[cs]e|practice|job|career)\b",
        r"in my (?:own |professional |clinical |personal |line of )*(?:experience|work|practice|life|job)\b",
        # "I've worked with many people", "I see this with lots of couples"
        r"i (?:have )?(?:work(?:ed)?|help(?:ed)?|meet|met|treat(?:ed)?|counsell?(?:ed)?|known?|support(?:ed)?"
        r"|talk(?:ed)?|spoken)(?: with| to| from)? (?:too |a )?(?:many|countless|several|lots? of|plenty of"
        r"|hundreds of|dozens of|other|patients|clients|couples|families)\b",
        r"i (?:have )?(?:see|seen|saw|hear|heard|know|known|watched)(?: this| that| it)?(?: from| with| in)? (?:so "
        r"|too |a )?(?:many|countless|several|lots? of|plenty of|hundreds of|dozens of|other) (?:people|patients"
        r"|clients|couples|families|women|men|kids)\b",
        r"i work (?:in|at|for|nights|from home|with (?:people|kids|children|families|veterans|victims))\b",
    ),
    # to have people, animals, a body, a past, tastes
    "life": rules(
        rf"(?:my|mine) (?:own |late |dear |old |little |older |younger |elderly |big |first |poor |two "
        rf"|three )*(?:{KIN}|{NEAR}|{PROFESSION})\b(?!-)|my (?:own )?{OWN}\b|mine (?:is|was|does|did|has)\b"
        rf"|our (?:own )?(?:baby|dog|cat|pup\w*|son|daughter|house|wedding)\b",
        # a friend is spoken of where it goes on: "my friend had that too"; but "tell me more, my friend"
        r"my friend (?:had|has|went|was|lost|told|died|did|got|\w+ed)\b|(?<!question )(?<!mistake )of mine\b"
        r"|of my own\b",
        r"my own (?!words|way|limits|understanding|guess|mistake|reading|assumptions?|answers?|views?|questions?"
        r"|pace)\w+",
        # but "my heart goes out to you"
        r"my heart (?:broke|sank|stopped|raced|was)\b",
        rf"i have (?:an? |my own |two |three |four |several |some )?(?:(?!no \b)\w+ )?(?:{KIN}|dogs?|cats?|pets?"
        rf"|friends|family|scars"
        r"|anxiety|depression|adhd|ptsd|cancer|insomnia|trauma|panic attacks|nightmares|days like)\b",
        r"i (?:grew up|live|own|come from|usually (?!ask|suggest|recommend|say))\b",
        # but "I love how you put that", "I like this plan"
        r"i (?:do )?(?:love|hate|enjoy|adore|prefer|dislike|like) (?!to |that|this|it|how|when|what|where"
        r"|the (?:\w+ (?:that )?you|way|idea|thought|image|courage|warmth|sound|care|honesty)|you|hearing|seeing"
        r"|knowing|learning|listening|being|reading|talking|helping|about|for)",
        r"when i was (?!made|trained|built|created|programmed|asked|thinking|reading)|growing up,? (?:i|my|we)\b",
        r"(?:ago|yesterday|this morning|the other day|last (?:night|week|month|year|spring|summer|fall|autumn"
        r"|winter)),? i\b",
    ),
    # to have lived it
    "lived": rules(
        r"(?:i|we) (?:too,? )?(?:have )?(?:have|went|gone|been|lived|go) (?:right )?through (?!your|what you"
        r"|the (?:list|message))",
        # "I've been there"; but "I've been thinking about you"
        r"i (?:too,? )?have been (?!thinking|listening|reading|told|trained|designed|asked|made|built|created"
        r"|wondering|trying|here|hearing|paying|following|given|taught|programmed|able|too|unclear|wrong|helpful|a bit"
        r"|a little|hoping|asking|talking|with you|an ai)",
        rf"i (?:too,? )?(?:have )?(?!{TALKED}\b)(?:{LIVED}\b|\w+(?<!e)ed\b|used to\b)",
        r"i have (?:had|lost|felt|known (?!you|how you|that you)\w+|seen (?:it (?:happen|before|many|too)"
        r"|this (?:before|happen|many|too|so)|many|too many|people|what (?:grief|loss|it) does)|dealt|broken up"
        r"|done the same|made (?:that|the same))\b",
        r"we (?:lost|adopted|moved|lived|bought) (?!touch|the|track|on)",
        # "I was bullied"; but "I was wondering", "I was glad to hear it"
        r"i was (?!wondering|thinking|wrong|mistaken|glad|happy|touched|moved|sorry|sad to|hoping|going to|about to"
        r"|trying|asking|unclear|too|not|able|made|built|created|trained|designed|told|taught|programmed|reading"
        r"|listening|referring|talking about|suggesting|curious|struck|honou?red|grateful|impressed|given|here|an? )",
        # "I couldn't sleep for weeks"
        r"i (?:couldn't|could not|could barely|could hardly|barely|hardly) (?!find the|see (?:what|that|your)|tell"
        r"|agree|have|answer|follow|understand|help (?:you|with)|say|look up|hear|imagine|be\b|read|know)\w+",
        r"i didn't (?:sleep|eat|leave|want to (?:live|get|go|see)|know (?:how|what) to (?:do|cope|live|go on|feel))\b",
        # "I remember how it felt"; but "I remember what you said"
        r"i (?:can |do )?(?:remember|recall) (?:when (?:i|my)|how i|how (?:\w+ )?(?:it|that|\w+) felt|my|being|feeling"
        r"|crying|losing|having|the (?:first|day|night|moment|time|feeling|pain)(?! you)|that (?:feeling|pain|stage)"
        r"|those (?:days|nights)|it well|what (?:it|that) (?:was|felt))\b",
        r"(?:happened|happens|occurred) to me\b|i (?:am|was) in (?:the same|a similar|your)\b",
        # "that helped me through"; but "that helped me understand"
        r"(?:helped|helps|saved|broke|hurt|hit|crushed|destroyed|devastated|scared|taught|cost"
        r"|kept) me\b(?! (?:to )?(?:understand|see|know|get|follow|picture|be|support|help|answer|respond|from))",
        r"(?:that|this) (?:was|is|could have been|could be) me\b|it took me\b|work(?:s|ed) for me\b|got me through\b"
        r"|for me,? (?:it|that|what) (?:was|took|helped)|(?:is|was|been) (?:the same|similar|like that"
        r"|no different) for me\b|was (?:hard|difficult|tough|rough) for me\b|(?:better|easier|worse|harder"
        r"|lighter) for me\b(?! (?:to|if))",
        r"i (?:looked after|pushed (?:everyone|people|him|her|them)|changed (?:schools|jobs|my)|missed (?:him|her|them"
        r"|my|home)|reacted|told (?:myself|him|her|nobody|no one|people|them|everyone)|kept (?:crying|telling|going"
        r"|running|hoping)|tried (?:to (?:kill|leave|forget|hide|end|run)|therapy|everything|dating|medication)"
        r"|wanted to (?:give up|die|run|quit|disappear|scream|cry|hide|leave|end)|thought (?:i (?:was|would|had"
        r"|couldn't)|my))\b",
        # "he left me", "nobody told me"
        r"(?:nobody|no one|everyone|people|they|he|she) (?:told|left|bullied|called|dumped|ghosted|laughed at|believed"
        r"|loved|liked|cheated on) me\b",
        r"i am (?:grieving|healing|recovering|mourning|struggling|dealing with|getting over|raising|expecting|having a"
        r"|going through (?!your|what|the (?!same)))",
        r"i (?:can |do )?remember (?!talking|reading|hearing|asking|discussing|speaking|saying)\w+ing\b(?! (?:you|what"
        r"|that|about)\b)",
        # "when I'm sad, I go for a walk", "there are days I can't get up"
        r"when i (?:am (?!wrong|unclear|asked)|feel|get (?!it|that|things|something)|miss|wake)",
        r"(?:some|most|(?<!no )bad|good|many|are) days,? (?:(?:when|where) )?i\b|days (?:when|where) i\b",
        r"sometimes,? i (?!wonder|ask|get (?:it|things)|make|mis)",
        r"i (?:don't|can't|couldn't|didn't|never|haven't|wasn't|am not) (?!know|have (?:an|the)|think|believe|see|want"
        r"|judge|understand)[^,;.]{0,40}\beither(?=[.,!;]|$)",
        r"we both (?:lost|feel|felt|went|struggle|miss|grew|love|hate)\b|(?:you and i|we) (?:are|have) (?:alike"
        r"|a lot in common|so much in common|much in common)|i have an? (?:\w+ )?friend\b|i know (?:some(?:one|body)"
        r"|people) (?:who|that)\b",
        r"i do (?:that|this|it)(?=[.,!;]|$| too| a lot| all| every)|i blame myself\b|prepared me for\b",
        r"i (?:struggle|suffer|cope|battle|deal) with\b|i can't (?:sleep|stand)\b|(?:this|that"
        r"|it) hits close to home\b",
        r"i never (?:got over|told (?:any|my|him|her)|wanted to|thought i|knew|forgave|stopped|recovered|finished"
        r"|forgot)\b",
        r"i (?:have )?learn(?:ed|t) (?:the hard way|to (?!you)|over the years|early|that (?!you))",
        r"(?:for (?:years|months|weeks|a long time)|back then|in those days),? i\b|when i first (?!read|heard|said"
        r"|asked|saw)",
        r"ma(?:de|kes) me (?:cry|sad|tear|angry|want to cry|emotional|think of my|feel (?!honou?red|glad|grateful"
        r"|trusted))",
        r"reminds me of (?:my|when i|the time|myself|how i|something i|a time)|brought me to tears",
        r"tears (?:in|to) my|i (?:am|was) (?:crying|sobbing|weeping|bawling|tearing up|in tears|shaking)\b"
        r"|me (?:the )?(?:chills|goosebumps)|i (?:got|have|had) goosebumps",
        r"we (?:have all|all have) (?!the|a right|different|limits|strengths|our)|we have (?:been (?:there|married"
        r"|together)|felt|lost)\b|me included\b|we all (?:feel|felt|go|went|grieve|hurt|cry)\b",
    ),
    # to know it from within, to feel it now
    "felt": rules(
        r"(?:^|(?<=[,;:.!—])|(?<=[,;:.!—] ))(?:oh,? |yes,? |yeah,? |and )?(?:same(?=[.,!;]|$)|me as well|me neither"
        r"|likewise|been there|ditto)\b",
        r"(?<!to )(?<!for )(?<!tell )(?<!with )(?<!help )(?:me|mine) too\b|same (?:here|with me|for me)\b"
        r"|you and me both\b|makes two of us\b|i,? too,? (?!hope|want|wonder|think|would|can|see|believe|am (?:glad"
        r"|happy|sorry|here))\w",
        r"i (?:know|understand|get) (?:exactly|precisely|perfectly|intimately) (?:how|what|that)\b(?! you (?:mean"
        r"|said))",
        # "I know how it feels"; but "I know how much this hurts"
        r"i know (?:well )?(?:how (?:you (?:feel|must feel|are feeling)|(?:it|that|this) (?:feels|felt|is|hurts|goes))"
        r"|what (?:(?:it|that|this|loss|grief)(?:'s| is| was| feels| felt| does)|you are (?:going|feeling)|you feel"
        r"|\w+ (?:does|feels|is like|can do))|the feeling)(?! (?:is|can|must|has|matters))",
        # "I know that ache"; but "I know that pain can last"
        r"i know (?:well )?(?:the|that|this|your) (?:\w+ ){0,2}?(?:feeling|pain|ache|fear|emptiness|silence|loneliness"
        r"|place|road|struggle|grief|shame|panic|anger|sadness|guilt|longing|dread|sting|exhaustion|hole"
        r"|lump)(?=[.,!;—]| (?:well|all|too|myself|intimately)|$| in the| of\b(?![^.,]{0,40}\b(?:is|will|won't|can|may"
        r"|must|has|doesn't|isn't)\b))",
        r"i know how \w+ it is to (?:become|be|lose|have|grow|live|feel|start|fail|miss)\b(?!.{0,40}\byou)",
        r"i (?:know|understand)\b[^,;]{0,30} (?:all|only|too) well\b|i sort of have\b",
        r"i (?:know|understand|learned)\b[^,;]{0,20} (?:from|by) (?:\w+ )?experience\b",
        r"i (?:have )?(?:know|understand|experienced|felt|seen|learned)\b[^,;]{0,20} first-?hand\b",
        r"from (?:my |my own |personal |own )+experience\b|(?<!you )speaking from experience\b",
        r"take it from (?:me|some)|coming from some(?:one|body) who\b(?!.{0,80}\byour?\b)|(?:trust"
        r"|believe) me,? (?:i (?:know|have|was)|as|from) ",
        rf"i do feel (?!for|that|how)|i (?:can )?(?:relate|identify)\b|i feel (?:what|everything|all that) you (?:feel"
        rf"|are feeling)|i (?:(?:can )?feel|share) (?:all )?your {OF_FEELING}\b",
        # "I felt the same", "I'd have done that too"
        r"i (?:feel|felt|did|do|had|have|get|got|experienced|was|would (?:have )?(?:feel|felt|be|do|done)) (?:much "
        r"|exactly )?(?:(?:the )?same\b|like that(?=[.,!;]|$| too| some)|that way\b|similarly|this way)",
        rf"i (?:feel|get|have felt|am feeling|would feel|would be|would have (?:been|felt)) (?:a (?:bit"
        rf"|little) )?{FEELING}\b"
        r"(?! (?:for you|to (?:hear|be trusted)))",
        rf"i (?:am|have been) (?:a (?:bit|little) )?{FEELING}\b{FOR_YOU}",
        r"i (?:bleed|breathe|sleep|eat|cry|sweat|blush|dream|smoke|drive|jog|knit|ache(?! for you))\b|i (?:have"
        r"|lost) mine\b",
        r"i would (?:cry|scream|panic|freak out|lose it|be too)\b|i miss (?:my|him|her|them|mine|being|having|those)\b"
        r"|i envy\b",
        r"i feel like (?:crying|giving up|screaming|a failure|nobody)\b|i (?:see|recogni[sz]e) (?:\w+ ){0,3}(?:myself"
        r"|me) in\b",
        r"i (?:feel|felt|know|have) (?:it|that|this) too\b",
        r"i would have (?!liked|loved|to\b|been (?:glad|happy)|thought|expected|said|hoped|preferred|asked|missed"
        r"|guessed)\w+",
        r"i am (?:bad|terrible|awful|hopeless|horrible) (?:at|with)\b|same boat\b"
        r"|(?<!is )(?<!was )(?<!not )(?<!be )mine\b(?! (?:is|are) not)",
        r"having (?:been|lost|gone|lived|had|raised|grown|survived)\b[^.;]{0,60},? (?:i|my)\b|we had an? (?!question"
        r"|talk|conversation|chat|good)",
        # "as someone who lost a parent, I"; but "as someone who lost a parent, you"
        r"as (?:someone|somebody|one|a person) who(?:'s|se| has| have| is)? (?!(?:listens|cares|wants"
        r"|is here)\b)[^,;]{2,60},? (?:i|my|let me)\b",
        r"(?:speaking|talking) as some(?:one|body)\b|(?:so|neither|nor) (?:do|did|am|was|can|could|have"
        r"|would) i(?=[.,!;]|$)",
        r"i am some(?:one|body) who (?:has|have|had|lost|went|grew|lived|knows|struggl\w+)\b|i am (?:living )?proof\b",
        rf"i am as {FEELING} as you\b|i can (?:tell|say|speak|confirm)[^.;]{{0,40}}from experience\b",
        r"i(?:, as|.{0,40}, as) some(?:one|body) who (?:has|have|lost|went|lived|knows|felt|struggl\w+|is)\b",
        # "I do that too"
        r"i (?:do|did|am|was|have|had|would|can) too\b",
        r"i (?:am|do|have|get|like|live|cry|worry|overthink|need|go) (?!here|not|glad|happy|sorry|with|on|listening"
        r"|thinking|curious|wondering|sure|afraid|hope|understand|see|hear|want|think|wonder|care|that"
        r"|how)[^,;.]{0,40},? (?:too|as well|myself)(?=[.,!;]|$)",
    ),
}
"""By kind of claim: patterns, each from the beginning of a word."""

ANYTHING_ELSE: Final = re.compile(
    rf"^{IS_ENGLISH}(?:.*[^\w'])??(?:i (?!{ASSISTANT_DOES}\b|\w+ you)[a-z]|my (?!{ASSISTANT_HAS}\b)[a-z])"
)
"""Whatever else a person does or has: "I teach third grade", "my hands are shaking"."""
