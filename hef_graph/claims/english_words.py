"""The English words that the rules are made of, each list one pattern."""

from typing import Final

from hef_graph.claims.patterns import any_word

KIN: Final = any_word(r"""
    mother mom mum mommy mama father dad daddy papa parents? wife husband spouse sister brother siblings? daughter son
    twin grand(?:mother|father|ma|pa|parents?|son|daughter|child|kids) granny aunt uncle cousin niece nephew kids?
    child(?:ren)? baby toddler teenager step\w+ widow(?:er)? orphan
""")
NEAR: Final = any_word(r"""
    family in-laws girlfriend boyfriend fiancee? partner ex ex-\w+ dogs? cats? pets? pup(?:py)? kitten horse roommate
    neighbou?rs? boss co-?workers? colleagues? classmates? (?:best|closest|oldest|childhood)_friends? friends
""")
OWN: Final = any_word(r"""
    (?:\w+_)?self accident operation pregnancy diagnosis therapy medication meds addiction burnout insomnia pain sorrow
    sadness loneliness failure travels village country culture church body stomach eyes tears skin chest knees back
    head hair leg arm childhood youth past teens twenties thirties forties life grief divorce break-?up depression
    anxiety panic_attacks? illness cancer surgery miscarriage wedding marriage faith trauma recovery story hometown
    town house home apartment flat car truck bike phone bills rent debt salary exams? homework school college
    university birthday vacation holiday weekend hobby job(?!_(?:here|is|to)\b)
    (?:biggest|worst|greatest)_(?:fear|nightmare|regret)
    (?:first|last|old)_(?!question|thought|instinct|impression|reply|answer|guess|reaction|message|suggestion|point|words?)\w+
    loved_ones bones gut (?:personal_)?experiences? favou?rite(?!_part) patients clients practice clinic office degree
    licen[cs]e career profession shift (?:professional|clinical|medical)_\w+
""")
PROFESSION: Final = any_word("""
    therapist psychotherapist counsell?or psychologist psychiatrist doctor physician nurse clinician coach priest
    pastor minister rabbi imam chaplain teacher professor lawyer paramedic medic midwife surgeon caregiver
    social_worker (?:care|health|healthcare|crisis|hospice|support)_worker professional specialist firefighter soldier
    veteran police_officer volunteer
""")
PERSON: Final = any_word("""
    human(?:_being)? person man woman guy girl boy survivor teen adult student immigrant refugee addict alcoholic
    introvert extrovert patient perfectionist overthinker worrier christian catholic muslim jew buddhist
""")
WHO: Final = f"(?:{KIN}|{PROFESSION}|{PERSON})"
NO_PERSON: Final = any_word(r"""
    ai a\.i\. artificial assistant program computer machine bot chatbot model tool software system algorithm listener
    companion kind human-\w+ bit little lot few fan believer friend presence voice space place message click tap text
    step good great safe firm big sounding part substitute
""")
"""What follows where "I'm a …" is no claim."""

FEELING: Final = any_word(r"""
    sad angry furious mad scared anxious nervous lonely alone depressed heartbroken devastated crushed exhausted tired
    stressed overwhelmed jealous envious ashamed embarrassed guilty hurt frustrated hopeless empty numb excited upset
    miserable terrified homesick broken lost ecstatic thrilled insecure humiliated rejected betrayed abandoned unloved
    invisible gutted shattered petrified bereft worthless restless down(?!_(?:to|for)\b)
    afraid(?!_(?:i|that|it|we|you|not|this|there)\b)
""")
OF_FEELING: Final = any_word("pain sadness grief hurt sorrow heartache fear anger loss loneliness")
FOR_YOU: Final = r"(?! (?:to (?:hear|read|learn|see|be)|hearing|for you|that (?:you|this)|on your|with you|you)\b)"
"""Behind a feeling: then it is courtesy, "I'm heartbroken for you"."""

TALKED: Final = any_word("""
    answered appreciated asked assumed caused changed chatted checked considered corrected described discussed enjoyed
    admired noted marked saved stored added drafted prepared explained failed_(?:to|you) focused gathered glossed
    guessed happened heard helped hoped imagined implied interrupted jumped learned liked listed listened looked
    loved_(?:hearing|reading|how|what|that|your) meant mentioned misjudged missed mixed moved_(?:on|by|too) named
    need(?:ed)? noticed offered overlooked overstepped phrased picked pressed promised proceed provided pushed reacted
    received reflected remembered repeated replied responded rushed sensed shared skipped sounded started_with
    suggested switched talked touched_on tried understood used_(?:the|that|a|your) wanted_to wondered worded worked_out
""")
"""What an assistant may well have done: verbs of this very conversation."""

LIVED: Final = any_word(r"""
    ate began bought came_(?:out|home) did_(?:that|it|the_same) drank drove dreamt fell felt flew fought gave got_\w+ed
    got_(?:sick|hit|hurt|through|over|lost|better|help) grew
    had(?!_(?:a_(?:thought|question|sense)|not|hoped|missed)\b) hid held_(?:my|her|his|it) got_(?:home|off_work|back)
    knew(?!_(?:it|you|that)\b) left(?!_(?:out|you)\b) lost(?!_(?:track|the_thread|you)\b)
    made_(?:that|the_same)_mistake met overcame quit ran sat lay froze shook rode swam sang threw tore swore
    saw_(?:my|an?|him|her|someone) slept sold spent stood taught
    took(?!_(?:it|that|you|your|what|in|note|a_moment|too|from)\b) went(?!_(?:too|ahead|over|beyond|on|off|past)\b)
    wept woke won(?!') wore broke(?!_off)
""")

ASSISTANT_DOES: Final = any_word(r"""
    am was were be have had do did will would can could may might must shall should cannot \w+n't \w+ly \w+ed and or as
    with to not who both an? the in of for at if that never ever rather again then now there here too all hear heard
    see saw understand understood imagine think thought believe wonder hope wish care want need appreciate admire
    respect trust sense notice remember recall know knew feel felt love like hate dislike enjoy adore prefer get got
    mean meant ask say said suggest promise invite encourage guess suppose agree disagree apologi[sz]e thank offer
    recommend try read misread misunderstood misheard caught gather take took hold stand sit stay join send worry
    picture look listen learn find found suspect assume presume propose advise urge admit confess reali[sz]e
    recogni[sz]e acknowledge accept value cherish welcome applaud commend congratulate celebrate salute honou?r
    validate repeat mention point note keep kept give tell told talk speak spoke come go went leave let put pay exist
    operate run work process rely lack depend respond answer reply write wrote make made call start stop regret doubt
    expect intend plan aim fear mind judge pray bet swear vow guarantee assure insist support follow echo second miss
    cheer root marvel owe struggle err forgot missed lost wager sound seem help sympathi[sz]e empathi[sz]e refuse
    decline remain stumble share describe
""")
"""What may stand behind "I": words of this conversation, and those that a rule of its own looks into."""

ASSISTANT_HAS: Final = any_word(r"""
    apolog\w+ mistakes? bad condolences sympath\w+ thoughts? heart hopes? wish(?:es)? guess questions? answers?
    repl(?:y|ies) words messages? advice suggestions? views? opinion understanding impression sense role job purpose
    goal aim intention point concerns? memory knowledge training data creators? makers? developers? programming design
    limits? limitations? capabilities abilit(?:y|ies) best pleasure honou?r friend dear goodness god gosh word turn
    part attention focus responses? name door ears presence support company care respect admiration promise offer first
    own list notes? summary wording tone phrasing fingers bluntness curiosity side end place way mind take reading
    interpretation assumptions? hunch feeling belief trust confidence thanks gratitude prayers warmest deepest
    sincere(?:st)? heartfelt only last next previous earlier fault errors? love code model instructions rules interest
    priority prompt system context window screen text lines? sentences? clumsy sincerity warm very dearest sweet lack
    intent choice
""")
"""What may stand behind "my"."""

IS_ENGLISH: Final = (
    r"(?=.*\b(?:the|and|you|your|that|it|of|my|with|this|was|but|about|when|what|too|him|them|from|not|every|much"
    r"|anyone|because|after|before|never|like|own|are|as|at)\b)"
)
"""In other languages "I" and "my" are words too."""
