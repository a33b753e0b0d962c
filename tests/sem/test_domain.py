import math
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hef_graph.sem
from hef_graph.sem.domain import LEAST_LIMIT, DomainCheck, fit_limits, piece_rarities
from hef_graph.sem.tokenization import SPECIAL_TOKENS, UNKNOWN_ID, DialogueTokenizer
from hef_graph.types import Turn
from tests.sem.tiny import VOCABULARY, build_tokenizer

WEIGHTS = Path(hef_graph.sem.__file__).parent / "weights"

PIECES = (*SPECIAL_TOKENS, "!", "=", "7", "a", "k", "##k", "\u0629", "the", "dog", "##gy", "19", "##th", "owl")
"""In the order of a pruned vocabulary: single characters first, then by falling frequency."""
FIRST_WORD = PIECES.index("the")

LEARNED = """\
My neighbour lent me her car when mine would not start.
I finally finished painting the kitchen and it looks great.
The baby kept us awake all night again.
My boss took credit for the report I wrote.
I am so nervous about the dentist tomorrow.
We are flying to see my grandparents next month!
Somebody scratched my car in the parking lot and drove off.
I miss the town where I grew up.
My daughter got a part in the school play.
I ate my flatmate's leftovers and now I feel bad.
I can't believe she remembered my birthday after all these years.
He never calls me back, I don't know why I bother.
It rained on our whole camping trip but we still had fun.
I dropped my phone in the sink this morning.
My best friend is moving to another country.
They gave the job to someone with less experience than me.
I found a spider the size of my hand in the shower.
I've studied for weeks, so I think I'll pass.
My husband cooked dinner and cleaned the house, I was so surprised.
I wish I had a bigger apartment like my sister.
The doctor says it is nothing serious, thank goodness.
I told my mom a lie and she found out.
Our cat has been missing for three days.
I tripped in front of the whole class.
I've been saving for a new guitar and I can buy it on Friday!
My son scored his first goal yesterday.
Nobody came to my party, I just sat there.
How was your weekend?
What happened then?
That sounds awful, I'm sorry.
Yes, it was the best day of my life.
No, I haven't told anyone yet.
Thanks, I really needed to hear that.
I guess you're right.
I don't know what to do anymore.
It was disgusting, there was hair in my soup.
We waited two hours for the bus and it never came.
She said yes!!
I'm so tired of all this noise from upstairs.
I keep thinking about what I said to him.
My grandpa used to take me fishing on that lake.
I'm hoping the results come back fine.
My little brother ate the whole cake before the guests came.
I finally forgave my father.
You won't believe what I found in the attic.
I feel calm when I walk along the beach.
My wife is pregnant and we couldn't be happier.
I got lost in a city where I don't speak the language.""".splitlines()

SHORT = """
ok hi lol hey yes no thanks ugh wow omg idk why? really? nice haha brb hmm cool sure good sad bye depressed heartbroken
furious!! embarrassing
""".split()

LIKE_IT = """\
good morning
me too
not much
yeah right
I won
it hurts
so tired
I feel gr8 2day
thx m8
omg so happy rn
My cat's named Whiskers.
I moved to Kazakhstan as a neurosurgeon.
We adopted a labradoodle.
The barista spilled espresso on my laptop.
My landlord raised the rent.
Chemotherapy starts on Tuesday.
Grandma's funeral
I'm devastated
So proud of you!
What a week...
I burnt the lasagna
Stuck in traffic, ugh
The quarterly revenue grew by four per cent.
My therapist suggested journaling.
lonely tonight
u ok?
gonna cry
my hamster escaped lol
Uncle Bob passed away
broke up w/ my gf
Got an A on my chem exam""".splitlines()

ELSE = {
    "Spanish": (
        "Hoy perdí mi trabajo y no sé qué hacer.",
        "Estoy muy triste porque mi perro se murió.",
        "Mañana viajo con mi hermana a la playa.",
        "No puedo dormir por las noches.",
        "Tengo miedo de quedarme solo.",
        "Me regalaron una bicicleta nueva.",
        "Gracias por escucharme.",
    ),
    "French": (
        "J'ai perdu mon travail aujourd'hui.",
        "Je suis tellement heureux pour toi.",
        "Mon chat est tombé malade hier soir.",
        "Elle ne m'a pas rappelé depuis lundi.",
        "Nous partons en vacances demain matin.",
        "J'ai peur du noir.",
    ),
    "German": (
        "Ich habe heute meine Arbeit verloren.",
        "Meine Schwester bekommt ein Kind.",
        "Der Hund hat die ganze Nacht gebellt.",
        "Ich bin so stolz auf meinen Sohn.",
        "Das war wirklich schlimm.",
        "Warum hast du nichts gesagt?",
    ),
    "Portuguese": (
        "Perdi meu emprego hoje e estou com medo.",
        "Minha filha ganhou o campeonato da escola.",
        "Estou muito feliz com a notícia.",
        "Não consigo parar de pensar nisso.",
        "Meu vizinho faz barulho a noite toda.",
    ),
    "Chinese": (
        "我今天丢了工作",
        "我很难过不知道怎么办",
        "我的狗昨天死了",
        "明天我要去看奶奶",
    ),
    "letters": (
        "asdkjh qwe zxcmnb",
        "xkcd zzzqq jhgf gg",
        "fjdksla fjdksl qpwoe",
        "lkjh mnbv zxcv",
        "ghghgh tytyty",
    ),
    "code": (
        "def f(x): return x**2 + np.zeros(3)",
        "SELECT id, name FROM users WHERE id = 3;",
        "for (int i = 0; i < n; ++i) { sum += arr[i]; }",
        '<div class="row"><a href="#">x</a></div>',
        "import numpy as np; print(np.mean(xs))",
    ),
}


def rarity(piece: str) -> float | None:
    return piece_rarities(PIECES)[PIECES.index(piece)]


def ids(text: str) -> list[int]:
    return [PIECES.index(piece) for piece in text.split()]


@lru_cache(maxsize=1)
def shipped_tokenizer() -> DialogueTokenizer:
    vocabulary = (WEIGHTS / "vocab.txt").read_text("utf-8").splitlines()
    return DialogueTokenizer(vocabulary, max_tokens=128, decoder_vocab_size=7000)


def encode(text: str) -> tuple[int, ...]:
    return shipped_tokenizer().encode([Turn("speaker", text)]).ids


@lru_cache(maxsize=1)
def english() -> DomainCheck:
    """Fitted on the few dozen English sentences above."""
    vocabulary = shipped_tokenizer().vocabulary
    return DomainCheck(vocabulary, fit_limits(vocabulary, [encode(text) for text in LEARNED]))


def test_a_piece_is_as_rare_as_the_logarithm_of_its_rank() -> None:
    places = {"the": 2, "dog": 3, "##gy": 4, "##th": 6, "owl": 7}
    assert {piece: rarity(piece) for piece in places} == {piece: math.log(place) for piece, place in places.items()}


@pytest.mark.parametrize("piece", [*SPECIAL_TOKENS[:UNKNOWN_ID], *SPECIAL_TOKENS[UNKNOWN_ID + 1 :], "!", "7", "19"])
def test_special_tokens_punctuation_and_numbers_tell_nothing(piece: str) -> None:
    assert rarity(piece) is None


@pytest.mark.parametrize("piece", ["[UNK]", "k", "##k", "\u0629", "="])
def test_the_unknown_single_letters_and_signs_of_code_are_the_rarest(piece: str) -> None:
    assert rarity(piece) == math.log(len(PIECES))


def test_a_single_letter_that_is_a_word_is_common() -> None:
    assert rarity("a") == rarity("the")


def test_a_vocabulary_of_single_letters_has_no_common_pieces() -> None:
    assert piece_rarities([*SPECIAL_TOKENS, "k", "!"])[len(SPECIAL_TOKENS) :] == [math.log(8), None]


def test_without_limits_every_text_is_in_domain() -> None:
    assert DomainCheck(PIECES, ()).accepts(ids("! ="))


@pytest.mark.parametrize("text", ["", "[CLS] [SEP]", "! 7 19", "[UNK]", "[CLS] [UNK] [UNK] ! [SEP]"])
def test_a_text_without_a_known_word_is_not_in_domain(text: str) -> None:
    assert not DomainCheck(PIECES, (1.0, 1.0, 0.0, 99.0)).accepts(ids(text))


def test_the_distance_grows_with_the_length_of_what_is_rare() -> None:
    check = DomainCheck(PIECES, (1.0, 2.0, 0.0, 4.0))
    assert [check.distance([3.0] * count) for count in (1, 4, 16)] == [1.0, 2.0, 4.0]


def test_the_spread_between_texts_bounds_what_length_can_tell() -> None:
    assert DomainCheck(PIECES, (1.0, 2.0, 1.0, 4.0)).distance([3.0] * 10_000) == pytest.approx(2, rel=0.01)


def test_common_words_are_in_domain_however_many() -> None:
    assert DomainCheck(PIECES, (1.5, 1.0, 0.0, 1.0)).accepts(ids("the dog") * 50)


def test_only_what_lies_above_the_limit_is_refused() -> None:
    owl = rarity("owl")
    assert owl is not None
    at, below = (DomainCheck(PIECES, (0.0, 1.0, 0.0, limit)) for limit in (owl, owl - 0.01))
    assert (at.accepts(ids("owl")), below.accepts(ids("owl"))) == (True, False)


def test_limits_are_mean_spread_within_spread_between_and_the_least_limit() -> None:
    texts = [ids("the the"), ids("the the the the dog"), ids("dog dog")]
    two, three = math.log(2), math.log(3)
    mean, within, between, limit = fit_limits(PIECES, texts)
    assert mean == pytest.approx((6 * two + 3 * three) / 9, abs=1e-4)
    assert within == pytest.approx(math.sqrt(0.8 * (three - two) ** 2 / 9), abs=1e-4)
    assert between > 0
    assert limit == LEAST_LIMIT


def test_texts_without_words_have_no_limits() -> None:
    assert fit_limits(PIECES, [ids("! 7"), []]) == ()


def test_texts_without_words_are_left_out() -> None:
    assert fit_limits(PIECES, [ids("the dog"), ids("!")]) == fit_limits(PIECES, [ids("the dog")])


def test_texts_that_are_all_alike_can_be_fitted() -> None:
    check = DomainCheck(PIECES, fit_limits(PIECES, [ids("the the")]))
    assert check.accepts(ids("the"))
    assert check.accepts(ids("the owl"))


token_ids = st.lists(st.integers(0, len(PIECES) - 1), min_size=1, max_size=12).map(lambda found: [FIRST_WORD, *found])


@given(st.lists(token_ids, min_size=1, max_size=60), st.sampled_from([0.001, 0.1, 0.5]))
@settings(deadline=None)
def test_no_more_than_the_share_of_the_texts_lies_outside(texts: list[list[int]], share: float) -> None:
    check = DomainCheck(PIECES, fit_limits(PIECES, texts, share=share))
    assert sum(not check.accepts(text) for text in texts) <= share * len(texts)


@given(st.text())
@settings(deadline=None, max_examples=50)
def test_any_text_is_judged(text: str) -> None:
    tokens = build_tokenizer().encode([Turn("speaker", text)]).ids
    assert DomainCheck(VOCABULARY, (3.0, 1.0, 0.1, 4.0)).accepts(tokens) in {True, False}


def test_the_sentences_that_the_limits_were_fitted_on_are_in_domain() -> None:
    assert [text for text in LEARNED if not english().accepts(encode(text))] == []


@pytest.mark.parametrize("text", [*SHORT, *LIKE_IT])
def test_other_english_of_everyday_talk_is_in_domain_short_or_rare_as_it_may_be(text: str) -> None:
    assert english().accepts(encode(text))


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in ELSE.items() for text in texts])
def test_another_language_noise_and_code_are_not(kind: str, text: str) -> None:
    assert not english().accepts(encode(text))


@pytest.mark.parametrize("text", ["", "   ", "!!!", "12345", "\U0001f642\U0001f642", "\ud800", "。。"])
def test_what_has_no_word_is_not(text: str) -> None:
    assert not english().accepts(encode(text))
