"""The same in Spanish, French, German and Portuguese: the plain forms; `plain_words` has taken the accents away."""

from collections.abc import Mapping
from typing import Final

from hef_graph.claims.patterns import any_word, rules

_SPANISH_WHO: Final = any_word("""
    madre padre mama papa hij[oa] herman[oa] abuel[oa] espos[oa] viud[oa] mujer hombre persona human[oa] ser_humano
    psicolog[oa] terapeuta medic[oa] doctora? enfermer[oa] trabajadora?_social consejer[oa] maestr[oa] profesora?
    sobreviviente superviviente
""")
_FRENCH_WHO: Final = any_word(r"""
    mere pere maman papa fille fils soeur frere epoux epouse veuve veuf femme homme personne humaine? etre_humain
    parent psychologue therapeute psy medecin infirmiere? assistante?_sociale? conseillere? professeure? survivante?
    grand-\w+
""")
_GERMAN_WHO: Final = any_word("""
    mutter vater mama papa tochter sohn schwester bruder witwer? frau mann mensch person elternteil psychologe
    psychologin therapeut(?:in)? arzt arztin krankenschwester pfleger(?:in)? sozialarbeiter(?:in)? berater(?:in)?
    seelsorger(?:in)? lehrer(?:in)? uberlebender?
""")
_PORTUGUESE_WHO: Final = any_word("""
    mae pai filh[oa] irma irmao avo espos[oa] viuv[oa] mulher homem pessoa human[oa] ser_humano psicolog[oa]
    terapeuta medic[oa] enfermeir[oa] assistente_social conselheir[oa] professora? sobrevivente
""")
_GERMAN_LIVED: Final = any_word("""
    erlebt durchgemacht durchlebt mitgemacht gefuhlt empfunden gespurt verloren geweint gelitten uberlebt gehabt
    getrauert
""")

ABROAD: Final[Mapping[str, tuple[str, ...]]] = {
    "spanish": rules(
        # "soy psicóloga", "no soy un robot"
        rf"soy (?:(?:una?|tu|su|la|el) )?(?:\w+ )?{_SPANISH_WHO}\b",
        r"no soy (?:una? )?(?:robot|maquina|bot|ia|programa|chatbot)\b|(?:nosotros los|somos) humanos\b",
        # "como madre, entiendo"; but "como madre, llevas"
        rf"como {_SPANISH_WHO}(?: de [^,]{{0,60}}| que soy)?,? (?:yo|entiendo|comprendo|se|conozco|puedo|he|siento|me"
        rf"|mi"
        r"|creo|veo|te|oigo|escucho|atiendo|trabajo|tambien)\b",
        r"tengo (?:(?:una?|dos|tres) )?(?:hij|perr|gat|herman|ansiedad|depresion|familia)|trabajo (?:como|de|con)\b"
        r"|fui madre\b",
        r"recuerdo cuando (?:yo|era|mi|me|perdi)|me acuerdo de cuando|por experiencia propia|me rompieron",
        r"mis? (?:propi[oa]s? )?(?:madre|padres?|mama|papa|herman[oa]s?|hij[oa]s?|marido|espos[oa]|mujer|abuel[oa]s?"
        r"|familia|perr[oa]s?|gat[oa]s?|novi[oa]|pareja|mejor amig[oa]|infancia|vida|divorcio|experiencia|pacientes"
        r"|jefe)\b",
        # "he pasado por eso", "perdí a mi abuela", "a mí también me pasó"
        r"he (?:pasado|vivido|estado (?:ahi|alli|en tu)|sentido|perdido|sufrido|llorado|experimentado)\b",
        r"(?:pase por|vivi (?:lo|algo|eso|una?)|perdi (?:a )?(?:mi|un)|sufri|(?<!que )(?<!uno )llore|me senti"
        r"|senti lo mismo|yo tuve|tuve (?:depresion|ansiedad|cancer|miedo)|estuve (?!pensando|leyendo)\w+|creci en"
        r"|siento (?:lo mismo|tu dolor)|me siento igual|echo de menos a mi|sufro (?:de|con)|me identifico)\b",
        r"(?:a mi|yo) tambien(?! (?:quiero|espero|creo|deseo))\b|(?:a mi )?me (?:paso|ha pasado|ocurrio|sucedio)\b",
        r"cuando (?:yo|era|tenia|estuve|pase|perdi|me) |todos hemos (?:pasado|sentido|estado|vivido)",
        # "sé exactamente cómo te sientes"; but "sé lo difícil que es"
        r"se (?:(?:exactamente|muy bien|perfectamente|bien) (?:como|lo que)|como te sientes|lo que (?:se siente"
        r"|sientes|es)|por experiencia)",
        r"conozco (?:bien )?(?:esa sensacion|ese (?:dolor|sentimiento|miedo))",
    ),
    "french": rules(
        rf"je suis (?:(?:une?|ta|ton|votre) )?(?:(?:vraie?|simple) )?(?:{_FRENCH_WHO}\b|passee? par)",
        r"je ne suis pas (?:une? )?(?:robot|machine|ia|bot|programme|chatbot)\b|(?:nous,? les|sommes tous) humains\b",
        rf"(?:en tant qu(?:e |')|comme )(?:ancienne? )?{_FRENCH_WHO}\b[^,]{{0,60}},? (?:je|j'|moi|mon|ma)",
        r"(?:mon|ma|mes) (?:propres? )?(?:mere|pere|maman|papa|soeurs?|freres?|filles?|fils|mari|femme|epou\w+"
        r"|enfants?|famille|chiens?|chienne|chatte?|parents|grand-\w+|meilleure? amie?|copain|copine|enfance|vie"
        r"|divorce|experience|patients)\b",
        # "j'ai vécu ça", "ça m'est arrivé"
        r"j'ai (?:\w+ )?(?:vecu|perdu|traverse|connu|ressenti|pleure|souffert|eprouve|subi|grandi|survecu"
        r"|eu (?:le meme|la meme|peur|mal))\b",
        r"(?:ca|cela) m'est arrive\b|j'etais\b|je me (?:suis senti|reconnais)|on est tous passe|pareil pour moi\b",
        r"j'ai (?:une?|deux|trois) (?:enfants?|filles?|fils|chiens?|chats?|soeurs?|freres?)\b|je travaille (?:comme"
        r"|avec|en)\b",
        r"j'ai (?:\w+ )?ete (?!concue?|creee?|entraine|programme|touche|ravi)|je comprends exactement ce que"
        r"|je vis la meme chose|nous sommes tous passes",
        r"moi aussi(?!,? je (?:veux|voudrais|suis la|pense|crois))|moi,? j'(?!aimerais|espere)",
        r"je me souviens (?:quand|de (?:mon|ma|mes)|avoir)|quand j'(?:etais|avais)",
        # "je sais exactement ce que tu ressens"; but "je sais que c'est dur"
        r"je sais (?:(?:exactement|trop|tres|bien) )*(?:ce que (?:tu|vous) (?:ress|viv|vis|trav|end)|ce que (?:c'est"
        r"|ca fait)|comment (?:tu|vous) (?:te|vous) sen|par experience)",
        r"je me sens (?:seul|triste|perdu|pareil|comme toi)|je (?:souffre|pleure)\b",
        r"je ressens (?:la meme|le meme|ta|ton|votre|pareil)|je connais (?:\w+ )?(?:ce|cette) (?:sentiment|sensation"
        r"|douleur|peur)",
    ),
    "german": rules(
        rf"ich bin (?:(?:eine?|dein\w*|ja|doch) )*(?:(?:echte?r?|richtige?r?|ganz normale?r?) )?{_GERMAN_WHO}\b",
        r"ich bin kein\w* (?:ki|bot|roboter|maschine|computer|programm|chatbot)\b|wir (?:sind (?:alle )?)?menschen\b",
        # "als Mutter weiß ich"; but "als Mutter trägst du"
        rf"als {_GERMAN_WHO}(?: (?!du\b|sie\b|ihr\b)\w+){{0,4}},? ich\b",
        r"mein(?:e[nmrs]?)? (?:eigene\w* |beste\w* )?(?:mutter|vater|mama|papa|schwester|bruder|mann|frau|kind(?:er)?"
        r"|tochter|sohn|hund|katze|oma|opa|gross\w+|familie|eltern|chefin|chef|kindheit|leben|korper|patient\w*"
        r"|freundin|scheidung|erfahrung)\b|mein\w* beste\w* freund",
        # "ich habe das auch erlebt", "das habe ich erlebt"
        rf"ich hab(?:e|')? (?:(?!nicht\b|nie\b|kein)\w+ ){{0,4}}{_GERMAN_LIVED}\b",
        rf"habe? ich (?:(?!nicht\b|nie\b|kein|deine?\b)\w+ ){{0,4}}{_GERMAN_LIVED}\b",
        r"ich war (?!nicht|geruhrt|gespannt)|ich (?:fuhlte|weinte|verlor|litt|erlebte|trauerte)\b"
        r"|ich bin (?:\w+ )?aufgewachsen",
        r"konnte ich (?:nicht|kaum) (?:schlafen|essen|atmen)|als ich (?!deine|ihre|das (?:gelesen|las|horte))",
        # "mir ging es genauso", "das ist mir passiert"
        r"mir ging es\b|mir (?:geht|erging) es (?:\w+ )?(?:genauso|ahnlich|so|gleich|oft)|ist mir (?:\w+ )?passiert"
        r"|mir ist (?:\w+ ){0,3}passiert|ging es mir\b",
        # "ich weiß, wie du dich fühlst"; but "ich weiß, wie schwer das ist"
        r"ich weiss (?:(?:genau|zu gut|sehr gut|gut|aus (?:\w+ )?erfahrung),? )*(?:aus (?:\w+ )?erfahrung"
        r"|,? ?wie (?:du dich fuhlst|sie sich fuhlen|sich das anfuhlt|es sich anfuhlt|das ist|es ist|es dir geht)"
        r"|was du (?:durchmachst|fuhlst))",
        r"ich weiss(?: genau)?, (?:wie (?:du dich fuhlst|sich das anfuhlt|das ist|es dir geht)|was du (?:durchmachst"
        r"|fuhlst))",
        r"ich kenne (?:das|dieses gefuhl|diesen schmerz|solche)\b|ich auch(?=[.,!]|$)",
        r"ich fuhle (?:deinen|ihren|genauso|dasselbe|das gleiche|mich (?:so|oft|einsam|traurig))|ich (?:leide|weine"
        r"|vermisse)\b",
        r"ich hatte (?!den eindruck|das gefuhl|gehofft|nicht|gefragt|gedacht|verstanden)|ich wurde (?!entwickelt"
        r"|programmiert|trainiert|gemacht|gebaut|geschaffen)|ich bin (?:\w+ ){0,3}durch\w* (?:\w+ )?gegangen"
        r"|bei mir war\b",
        r"ich hab(?:e|') (?:\w+ ){0,2}(?:kinder|sohn|tochter|hund|katze|schwester|bruder|depressionen)\b"
        r"|ich arbeite (?:als|in|mit)\b",
        r"aus eigener erfahrung|mir (?:hat|haben) (?:\w+ ){0,4}geholfen|mir half|wir haben das alle|hatte (?:ich"
        r"|mein\w*)\b",
        r"ich erinnere mich(?:,? (?:als|wie) ich| an mein| gut)",
    ),
    "portuguese": rules(
        rf"sou (?:(?:uma?|sua?) )?(?:\w+ )?{_PORTUGUESE_WHO}\b",
        r"nao sou (?:uma? )?(?:robo|maquina|ia|bot|programa|chatbot)\b|(?:nos,? os|somos(?: todos)?) humanos\b",
        rf"como {_PORTUGUESE_WHO}(?: de [^,]{{0,60}})?,? (?:eu|entendo|compreendo|sei|posso|minha|meu|ja|tambem|vejo"
        rf"|vi|sinto|ouco|acompanho)\b",
        r"(?:eu )?tenho (?:(?:uma?|dois|duas|tres) )?(?:filh|cachorr|gat|irma|ansiedade|depressao)|trabalho (?:como"
        r"|com)\b|eu era\b",
        r"lembro(?:-me)? (?:de )?quando (?:eu|meu|minha|perdi)|por experiencia propria|ja (?:senti|estive|perdi)\b",
        r"(?:minhas?|meus?) (?:propri[oa] )?(?:mae|pais?|irma|irmao|filh[oa]s?|marido|esposa|mulher|avos?|familia"
        r"|cachorr[oa]|gat[oa]|namorad[oa]|melhor amig[oa]|infancia|vida|chefe|divorcio|experiencia|pacientes)\b",
        # "passei por isso", "perdi a minha avó", "isso aconteceu comigo"
        r"(?:passei por|vivi (?:isso|algo|uma?|o)|perdi (?:a |o )?(?:minha|meu|alguem|uma?)|eu tive|tive (?:depressao"
        r"|ansiedade|cancer|medo)|sei como e (?:perder|sentir|ser|ter|viver)|sofri|chorei|me senti|senti o mesmo"
        r"|estive (?:ai|la|no seu)|cresci em|sinto (?:o mesmo|a sua dor|sua dor)|me identifico|me sinto (?:sozinh"
        r"|trist|assim)\w*|sofro)\b",
        r"aconteceu (?:\w+ )?comigo|comigo (?:tambem|aconteceu)|eu tambem(?! (?:quero|gostaria|espero|acho))\b",
        r"quando (?:eu (?:era|tinha|perdi|estava|passei)|perdi)\b|todos (?:nos )?ja (?:passamos|sentimos)",
        # "sei exatamente como você se sente"; but "sei como isso é difícil"
        r"sei (?:(?:exatamente|bem|muito bem) (?:como|o que)|como (?:voce se sente|te sentes)|o que (?:(?:voce"
        r"|tu) (?:esta )?(?:sent|pass|viv)|e (?:passar|perder|sentir)))",
        r"conheco (?:bem )?(?:essa|esse) (?:dor|sensacao|sentimento|medo)",
    ),
}
"""By language: patterns, each from the beginning of a word."""
