"""The plainest phrasings in Spanish, French, German, Portuguese and Chinese; accents and case are gone by then."""

from typing import Final

from hef_graph.crisis.signals import Category

_SPANISH: Final[dict[Category, tuple[str, ...]]] = {
    "suicidal_active": (
        r"\b(?:me )?(?:quiero|voy a|pienso|pensando en|planeo|intente|trate de|necesito|ganas de|quisiera|decidi) (?:suicidar\w*|matarme|ahorcarme|colgarme|quitarme la vida|acabar con mi vida|terminar con mi vida)",
        r"\bme (?:voy a|quiero) (?:matar|suicidar|ahorcar|colgar|quitar la vida|tirar (?:del|de un|de la|al))|\bme quiero matar\b|\bestoy pensando en suicid",
    ),
    "suicidal_passive": (
        r"\b(?:me )?(?:quiero|quisiera|prefiero|prefiriria|preferiria|ojala|deseo|ganas de) (?:estar muert[oa]|morir(?:me)?|no despertar|no haber nacido|me muriera|desaparecer (?:para siempre|del mundo))\b(?! de (?:risa|hambre|ver|ganas|verguenza|calor|frio))",
        r"\b(?:ya )?no (?:quiero|tengo ganas de|deseo) (?:seguir )?(?:vivir|viviendo|estar viv[oa]|existir)\b|\bno vale la pena (?:vivir|seguir viviendo)|\bestarian mejor sin mi\b",
    ),
    "self_harm": (
        r"\b(?:me corto|me estoy cortando|me he cortado|me corte|me quemo|me autolesion\w*|me hago dano|cortarme|quemarme)(?: \w+){0,3} (?:los brazos|las munecas|las piernas|la piel|otra vez|de nuevo|a proposito|cuando|para)",
        r"\b(?:ganas|necesidad) de (?:cortarme|hacerme dano|lastimarme|autolesionarme)|\bme autolesiono\b",
    ),
    "abuse": (
        r"\b(?:mi (?:marido|esposo|novio|pareja|padre|papa|padrastro|ex|mujer|madre|jefe|tio|hermano)|el|ella)(?: \w+){0,2} me (?:pega|golpea|maltrata|amenaza|viola|violo|pego|golpeo|abusa|abuso|estrangula|ha pegado|ha violado)\b",
        r"\bme (?:violaron|han violado|violo|han pegado una paliza|abusaron (?:sexualmente )?de mi)\b|\babuso de mi\b",
    ),
    "harm_to_others": (r"\b(?:lo|la|los|le) (?:voy a|quiero) matar\b|\b(?:voy a|quiero) matar(?:lo|la|los|las| a (?:mi|ese|esa|todos))",),
    "medical_emergency": (
        r"\bno (?:respira|puede respirar|puedo respirar|esta respirando)\b|\b(?:tome|ha tomado|se ha tomado|se tomo|me tome)(?: \w+){0,3} (?:muchas|demasiadas|todas las) pastillas|\b(?:infarto|derrame|sobredosis) (?:ahora|y no)",
    ),
    "child_at_risk": (r"\b(?:le pega|golpea|pega|maltrata|toca|abusa)(?: \w+){0,2} (?:a|de) (?:mi|su|sus|mis|los|el|la) (?:hij[oa]s?|nin[oa]s?|sobrin[oa]|bebe)",),
}

_FRENCH: Final[dict[Category, tuple[str, ...]]] = {
    "suicidal_active": (
        r"\b(?:je )?(?:veux|vais|pense a|envisage de|compte|voudrais|essaye de|tente de|envie de|decide de|prevu de) (?:me (?:suicider|tuer|pendre|foutre en l'air|jeter (?:sous|par|du))|mettre fin a mes jours|en finir(?: avec la vie)?)",
        r"\bme suicider\b|\bmettre fin a mes jours|\bj'ai (?:essaye|tente) de (?:me tuer|me suicider|mourir)|\bje vais me tuer\b",
    ),
    "suicidal_passive": (
        r"\b(?:je )?(?:veux|voudrais|prefere|prefererais|souhaite|aimerais|envie de) (?:mourir|etre mort\w*|crever|ne (?:plus|pas) me reveiller|ne plus exister|disparaitre (?:pour toujours|a jamais))\b(?! de rire)",
        r"\bje (?:ne )?(?:veux|voudrais|peux) plus vivre\b|\bplus envie de vivre\b|\bla vie ne vaut (?:plus|pas) (?:la peine|le coup)|\b(?:seraient|serait) mieux sans moi\b|\baucune raison de vivre|\bmarre de vivre\b",
    ),
    "self_harm": (
        r"\bje me (?:coupe|scarifie|taillade|brule|mutile|fais du mal|suis (?:coupee?|scarifiee?|mutilee?|entaillee?))\b(?! (?:les cheveux|en cuisinant|la parole))|\b(?:envie|besoin) de me (?:couper|scarifier|faire du mal|mutiler|bruler)",
    ),
    "abuse": (
        r"\b(?:mon (?:mari|copain|compagnon|pere|beau-?pere|ex|patron|oncle|frere|conjoint)|ma (?:femme|mere|copine)|il|elle)(?: \w+){0,2} (?:me (?:frappe|bat|cogne|tape|menace|viole|gifle|etrangle|maltraite)|m'a (?:frappee?|battue?|violee?|etranglee?|menacee?|agressee?|tapee?))\b",
        r"\b(?:j'ai ete|je me suis fait|on m'a) (?:violee?|violer|agressee? sexuellement|abusee?|tabassee?|tabasser|frappee?)\b",
    ),
    "harm_to_others": (r"\bje (?:vais|veux|voudrais) (?:le|la|les) (?:tuer|buter|poignarder)\b|\bje (?:vais|veux) tuer (?:mon|ma|mes|quelqu)",),
    "medical_emergency": (
        r"\b(?:ne )?respire (?:plus|pas)\b|\b(?:j'ai|il a|elle a|a) (?:pris|avale)(?: \w+){0,3} (?:trop de|toute la boite|plein de|tous les) (?:medicaments|cachets|comprimes)|\b(?:fait|faire) (?:un avc|un infarctus|une overdose)\b",
    ),
    "child_at_risk": (r"\b(?:frappe|bat|tape|touche|maltraite|viole)(?: \w+)? (?:mon|ma|mes|son|sa|ses|les|leur) (?:fils|fille|enfants?|bebe|neveu|niece)",),
}

_GERMAN: Final[dict[Category, tuple[str, ...]]] = {
    "suicidal_active": (
        r"\b(?:will|werde|mochte|muss|wollte|konnte|daran denke|denke daran|uberlege|plane|versucht?)(?: \w+){0,6} (?:mich (?:umbringen|umzubringen|toten|erhangen|aufhangen|erschiessen|vor (?:den|einen|die) (?:zug|bahn)\w*)|mir das leben (?:nehmen|zu nehmen)|schluss (?:machen|zu machen) mit (?:dem|meinem) leben|selbstmord|suizid)",
        r"\b(?:bring|bringe|brachte) mich um\b|\bmich (?:selbst )?(?:umbringen|umzubringen)\b|\bmir das leben (?:nehmen|zu nehmen)|\bnehme mir das leben|\bselbstmord (?:begehen|zu begehen)|\bmeinem leben ein ende|\b(?:bin|fuhle mich) (?:suizidal|selbstmordgefahrdet)",
    ),
    "suicidal_passive": (
        r"\b(?:will|mochte|wollte) (?:nicht mehr|nimmer) (?:leben|aufwachen|da sein|hier sein|weiterleben)\b|\b(?:will|mochte|wunschte)(?: \w+){0,5} (?:sterben|tot sein|ware tot|tot ware|nie geboren)\b|\b(?:kein(?:en)? (?:sinn|grund|lust)(?: \w+){0,2} (?:zu leben|am leben|weiterzuleben|weiter zu leben))|\b(?:ohne mich|wenn ich (?:tot|weg) ware?)(?: \w+){0,2} besser dran|\blebensmude\b|\bware ich (?:doch |nur |bloss )*(?:tot|nie geboren)",
    ),
    "self_harm": (
        r"\b(?:ritze|ritz|schneide|verletze|verbrenne|schlage) mich (?:selbst|wieder|selber|absichtlich|jeden|heimlich|seit|immer)|\bich ritze mich\b|\bmich (?:selbst |wieder |selber )+(?:geritzt|geschnitten|verletzt)|\bmich geritzt\b|\b(?:drang|druck|lust)(?: \w+){0,3} mich (?:zu (?:ritzen|schneiden|verletzen)|selbst zu verletzen)|\bmir (?:die arme|den arm|in den arm|in die haut) (?:auf)?(?:geschnitten|geritzt|ritze)",
    ),
    "abuse": (
        r"\b(?:mein(?:e)? (?:mann|freund|ex|vater|stiefvater|papa|mutter|partner|frau|bruder|onkel|chef|sohn)|er|sie)(?: \w+){0,3} (?:schlagt|verprugelt|bedroht|wurgt|vergewaltigt|missbraucht|tritt|misshandelt) mich\b|\bhat mich (?:\w+ ){0,3}(?:geschlagen|verprugelt|gewurgt|vergewaltigt|missbraucht|bedroht|misshandelt)\b|\b(?:ich )?(?:wurde|bin)(?: \w+){0,4} (?:vergewaltigt|missbraucht|sexuell genotigt)",
    ),
    "harm_to_others": (r"\bich (?:bring|bringe|werde|will)(?: \w+){0,4} (?:ihn|sie|den|die|alle|meinen \w+|meine \w+)(?: \w+){0,2} (?:um\b|umbringen|toten|abstechen|erschiessen)",),
    "medical_emergency": (
        r"\b(?:atmet nicht|bekommt keine luft|bekomme keine luft|krieg keine luft|kriegt keine luft|bewusstlos|ohnmachtig und)\b|\b(?:zu viele|alle|zu viel)(?: \w+)? (?:tabletten|schlaftabletten|pillen) (?:genommen|geschluckt)|\b(?:hat|habe) (?:gerade )?einen (?:herzinfarkt|schlaganfall)",
    ),
    "child_at_risk": (r"\b(?:schlagt|verprugelt|missbraucht|schuttelt|misshandelt) (?:mein(?:e|en)?|sein(?:e|en)?|ihr(?:e|en)?|unser(?:e|en)?|das|die) (?:\w+ )?(?:sohn|tochter|kind(?:er)?|baby|neffen|nichte)",),
}

_PORTUGUESE: Final[dict[Category, tuple[str, ...]]] = {
    "suicidal_active": (
        r"\b(?:quero|vou|penso em|pensando em|pretendo|tentei|vontade de|planejo|planeio|queria|decidi) (?:me )?(?:suicidar(?:-me)?|matar(?:-me)?(?= |$|[.,!?])|enforcar(?:-me)?|acabar com a (?:minha )?vida|tirar a (?:minha )?(?:propria )?vida|por fim a (?:minha )?vida)(?! (?:a|o|as|os) |\w)",
        r"\b(?:quero|vou) me matar\b|\bme matar (?:hoje|agora|amanha)|\bcometer suicidio|\bmatar-me\b|\bvou-me matar\b",
    ),
    "suicidal_passive": (
        r"\b(?:quero|queria|preferia|prefiro|gostava de|gostaria de|vontade de|desejo) (?:morrer|estar mort[oa]|nao (?:acordar|ter nascido|existir)|desaparecer (?:para sempre|do mundo)|sumir (?:para sempre|do mundo))\b(?! de (?:rir|vergonha|fome))|\bnao (?:quero|aguento|tenho vontade de) (?:mais )?viver\b|\b(?:quero|queria) nunca ter nascido|\bestariam melhor sem mim|\bnao vale a pena viver|\bsem (?:razao|motivo) para viver",
    ),
    "self_harm": (
        r"\b(?:me corto|corto-me|me cortei|cortei-me|me cortando|me queimo|me machuco|me mutilo|automutil\w*|autolesao)(?: \w+){0,3}(?: (?:os bracos|o braco|os pulsos|as pernas|a pele|de novo|outra vez|quando|para|de proposito))|\bvontade de me (?:cortar|machucar|magoar|mutilar|queimar)|\bme automutilo\b|\bvoltei a (?:me cortar|cortar-me)",
    ),
    "abuse": (
        r"\b(?:meu (?:marido|namorado|pai|padrasto|ex|companheiro|tio|chefe|irmao)|minha (?:mulher|mae|namorada)|o meu \w+|ele|ela)(?: \w+){0,2} (?:me (?:bate|bateu|agride|agrediu|ameaca|ameacou|estupra|estuprou|violentou|espanca|espancou|estrangulou|enforcou|abusa|abusou|violou)|bate-me|bateu-me|ameaca-me|agride-me|violou-me|abusou de mim)\b|\b(?:fui|sou) (?:estuprad[oa]|violad[oa]|violentad[oa]|abusad[oa]|espancad[oa]|agredid[oa])\b",
    ),
    "harm_to_others": (r"\b(?:vou|quero) (?:mata-l[oa]s?|matar (?:ele|ela|eles|o meu|a minha|meu|minha|todo|todos))|\bvou mata-l",),
    "medical_emergency": (
        r"\bnao (?:esta respirando|respira|consegue respirar|esta a respirar|consigo respirar)\b|\b(?:tomei|tomou)(?: \w+){0,3} (?:muitos|demasiados|todos os|um monte de) (?:remedios|comprimidos)|\b(?:overdose|enfarte|infarto|avc) (?:agora|e nao)|\btendo um (?:infarto|avc|enfarte)|\ba ter um (?:avc|enfarte)",
    ),
    "child_at_risk": (r"\b(?:bate|espanca|maltrata|toca|abusa)(?: \w+)? (?:n[oa]s?|em|d[oa]s?|[oa]s?) (?:meus?|minhas?|seus?|suas?|dele|dela)? ?(?:filh[oa]s?|crianca|criancas|bebe|sobrinh[oa])",),
}

_CHINESE: Final[dict[Category, tuple[str, ...]]] = {
    "suicidal_active": (
        r"(?:我|要|想|想要|准备|打算|决定|试过|考虑)(?:现在|今晚|真的|就|去|过|再|也)*(?:自杀|轻生|自尽|了结自己|结束自己的生命|结束生命|结束我的生命|跳楼|上吊|割腕|烧炭)|(?:不如|干脆)(?:自杀|死了算了|跳楼)|安眠药(?:都|全)?(?:吃|吞)(?:了|下去)",
    ),
    "suicidal_passive": (
        r"我?(?:真的|就|只|好|很|有点)?(?:不想活|想死(?!你)|活不下去|活够了|不想再活|不想醒来|不想再醒|活着没意思|活着没有意义|活着好累|死了就好|死了更好|希望自己死|宁愿死|没有活下去|不想存在)|(?:没有我|我不在|我死了)(?:大家|他们|你们|家人|别人)?(?:会|都会|就|可能)?更?(?:更好|过得更好|轻松)|从来没有?出生",
    ),
    "self_harm": (r"(?:割|划|伤害|烫|打|掐)(?:了|着|过)?(?:我)?自己(?:的)?(?:手臂|手腕|胳膊|大腿|身体|来|才|又)?|我?(?:又|想|一直|开始|会|在)自残|割手(?:腕|臂)?",),
    "abuse": (
        r"(?:老公|丈夫|男朋友|男友|前男友|前夫|爸爸|父亲|继父|妈妈|老婆|他|她|家人|叔叔|舅舅|老板)(?:[^。!?,]{0,6})(?:打我|家暴我|殴打我|虐待我|掐我|威胁(?:要)?(?:杀|打)我|强奸(?:了)?我|性侵(?:了)?我|侵犯(?:了)?我|猥亵(?:了)?我)|我(?:曾经|小时候|昨天|昨晚)?(?:被[^。!?,]{0,8})(?:强奸|性侵|家暴|猥亵|殴打|虐待|侵犯)",
    ),
    "harm_to_others": (r"我(?:要|想|真想|会|一定要)(?:杀了|杀死|弄死|捅死|砍死|杀)(?:他|她|他们|那个|我|所有)",),
    "medical_emergency": (
        r"(?:没有呼吸|没呼吸|不能呼吸|呼吸不了|喘不过气来?了?|停止呼吸|昏迷不醒|叫不醒|大出血|一直流血|口吐白沫|抽搐不止)|(?:吃|吞)了(?:太多|很多|一整瓶|一瓶|过量)(?:的)?(?:安眠药|药)|(?:中风|心脏病发作|心梗)了",
    ),
    "child_at_risk": (r"(?:打|虐待|猥亵|性侵|摸|伤害)(?:我的?|他的?|她的?|邻居的?|那个|这个)?(?:孩子|小孩|儿子|女儿|宝宝|侄子|侄女|学生)(?:的身体)?",),
}

ABROAD: Final = (_SPANISH, _FRENCH, _GERMAN, _PORTUGUESE, _CHINESE)
