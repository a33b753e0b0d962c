"""Plain ways to say each thing, in each language that the detector has phrases for; written for these tests."""

from collections.abc import Mapping
from typing import Final

from hef_graph.crisis.signals import Category

SAYINGS: Final[Mapping[str, Mapping[Category, tuple[str, ...]]]] = {
    "english": {
        "suicidal_active": (
            "I want to kill myself.",
            "I'm going to kill myself tonight.",
            "Tonight I will end my life.",
            "I am thinking about suicide.",
            "I tried to hang myself yesterday.",
            "I have written my suicide note.",
            "I took all my pills an hour ago.",
            "I feel so suicidal.",
            "I keep thinking about jumping off a bridge.",
        ),
        "suicidal_passive": (
            "I just want to die.",
            "I wish I was dead.",
            "I don't want to live anymore.",
            "I wish I could go to sleep and never wake up.",
            "They would be better off without me.",
            "I have no reason to live.",
        ),
        "self_harm": (
            "I cut myself again last night.",
            "I have been self-harming for weeks.",
            "I get the urge to hurt myself.",
            "I am cutting my arms.",
        ),
        "abuse": (
            "My husband hits me.",
            "My boyfriend choked me yesterday.",
            "I was raped last week.",
            "He threatened to kill me.",
            "I am scared that he will kill me.",
        ),
        "harm_to_others": (
            "I am going to kill him tonight.",
            "I have thoughts of stabbing people.",
            "I will shoot up the school.",
        ),
        "medical_emergency": (
            "My dad is not breathing.",
            "She took too many pills.",
            "He just overdosed.",
            "There is blood everywhere.",
        ),
        "child_at_risk": (
            "My brother hits my daughter.",
            "I'm 12 and my dad beats me.",
            "He asked me to send nudes.",
        ),
    },
    "spanish": {
        "suicidal_active": ("Quiero suicidarme.", "Me quiero matar.", "Voy a quitarme la vida."),
        "suicidal_passive": ("Quiero morir.", "Ya no quiero vivir.", "Estarían mejor sin mí."),
        "self_harm": ("Me corto los brazos.", "Tengo ganas de cortarme."),
        "abuse": ("Mi marido me pega.", "Me violaron."),
        "harm_to_others": ("Lo voy a matar.", "Quiero matar a mi jefe."),
        "medical_emergency": ("Mi padre no respira.", "Tomé demasiadas pastillas."),
        "child_at_risk": ("Mi marido le pega a mi hijo.",),
    },
    "french": {
        "suicidal_active": ("Je veux me suicider.", "Je vais me tuer.", "J'ai essayé de me pendre."),
        "suicidal_passive": ("Je veux mourir.", "Je ne veux plus vivre.", "Ils seraient mieux sans moi."),
        "self_harm": ("Je me scarifie.", "J'ai envie de me couper."),
        "abuse": ("Mon mari me frappe.", "J'ai été violée."),
        "harm_to_others": ("Je vais le tuer.",),
        "medical_emergency": ("Il ne respire plus.", "J'ai pris trop de médicaments."),
        "child_at_risk": ("Mon mari frappe ma fille.",),
    },
    "german": {
        "suicidal_active": ("Ich will mich umbringen.", "Ich bringe mich um.", "Ich denke an Selbstmord."),
        "suicidal_passive": ("Ich will nicht mehr leben.", "Ich will sterben.", "Ich habe keinen Grund zu leben."),
        "self_harm": ("Ich ritze mich.", "Ich verletze mich selbst."),
        "abuse": ("Mein Mann schlägt mich.", "Ich wurde vergewaltigt."),
        "harm_to_others": ("Ich werde ihn umbringen.",),
        "medical_emergency": ("Mein Vater atmet nicht.", "Ich habe zu viele Tabletten genommen."),
        "child_at_risk": ("Mein Mann schlägt unser Kind.",),
    },
    "portuguese": {
        "suicidal_active": ("Quero me matar.", "Vou tirar a minha vida.", "Penso em suicidar-me."),
        "suicidal_passive": ("Quero morrer.", "Não quero mais viver.", "Estariam melhor sem mim."),
        "self_harm": ("Tenho vontade de me cortar.", "Me corto nos braços."),
        "abuse": ("Meu marido me bate.", "Fui estuprada."),
        "harm_to_others": ("Vou matá-lo.",),
        "medical_emergency": ("Ela não está respirando.", "Tomei muitos comprimidos."),
        "child_at_risk": ("Meu marido bate no meu filho.",),
    },
    "chinese": {
        "suicidal_active": ("我想自杀。", "我今晚要跳楼。"),
        "suicidal_passive": ("我不想活了。", "我真的好想死。"),
        "self_harm": ("我割了自己的手臂。", "我一直自残。"),
        "abuse": ("我老公打我。", "我被强奸了。"),
        "harm_to_others": ("我要杀了他。",),
        "medical_emergency": ("他没有呼吸。", "我吃了太多安眠药。"),
        "child_at_risk": ("他打我的孩子。",),
    },
}
