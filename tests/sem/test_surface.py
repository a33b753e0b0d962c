import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hef_graph.sem.surface import close_sentence, restore_surface


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ("", ""),
        ("   ", ""),
        ("oh no ! what happened ?", "Oh no! What happened?"),
        ("that is sad , really", "That is sad, really"),
        ("wow ! ! that is great ? !", "Wow!! That is great?!"),
        ("well . . . maybe", "Well... Maybe"),
        ("i ' m sorry", "I'm sorry"),
        ("i don ' t know", "I don't know"),
        ("it 's late , we 'll go", "It's late, we'll go"),
        ("they ’ ve won", "They’ve won"),
        ("you ' re right , he ' d know", "You're right, he'd know"),
        ("the boys ' toys", "The boys ' toys"),
        ("i think i am . i", "I think I am. I"),
        ("in iran it is hi - fi", "In iran it is hi-fi"),
        ("come at 5 : 30", "Come at 5:30"),
        ("it cost $ 500", "It cost $500"),
        ("that is 1 , 000 or 2 . 5", "That is 1,000 or 2.5"),
        ("50 % of it", "50% of it"),
        ("it was 9 . that is late", "It was 9. That is late"),
        ("a well - known mother - in - law", "A well-known mother-in-law"),
        ("and / or", "And/or"),
        ("you ( and he ) won", "You (and he) won"),
        ("that is great : )", "That is great :)"),
        ("so sad : ( i know", "So sad :( I know"),
        ("nice ; ) bye", "Nice ;) bye"),
        ("so happy : d", "So happy :d"),
        ("one thing : do it", "One thing: do it"),
        ("are u ok ?", "Are you ok?"),
        ("is that ur dog", "Is that your dog"),
        ("im sure it isnt alot", "I'm sure it isn't a lot"),
        ("dont worry , thats ok", "Don't worry, that's ok"),
        ("see you on monday in december", "See you on Monday in December"),
        ("thank god", "Thank God"),
        ('"hello" he said', '"Hello" he said'),
    ],
)
def test_lower_case_pieces_become_text_as_people_write_it(pieces: str, text: str) -> None:
    assert restore_surface(pieces) == text


@pytest.mark.parametrize(
    ("spoken", "text"),
    [
        ("We went to Paris.", "I like Paris"),
        ("We saw (Paris) too", "I like Paris"),
        ("Paris is far.", "I like paris"),
        ("We went. Paris is far", "I like paris"),
        ("What? Paris?", "I like paris"),
        ("we went\nParis is far", "I like paris"),
        ("we love PARIS", "I like paris"),
        ("WE LOVE PARIS", "I like paris"),
        ("we love paris", "I like paris"),
    ],
)
def test_a_name_is_kept_as_the_user_wrote_it_inside_a_sentence(spoken: str, text: str) -> None:
    assert restore_surface("i like paris", [spoken]) == text


def test_the_users_mixed_capitals_are_kept() -> None:
    assert restore_surface("is mcdonald o'neil ok ?", ["I met McDonald and O'Neil"]) == "Is McDonald O'Neil ok?"


def test_names_of_any_turn_are_known() -> None:
    assert restore_surface("is bob ok ?", ["my friend Bob", "who ?", "him"]) == "Is Bob ok?"


def test_a_name_is_not_found_inside_other_words() -> None:
    assert restore_surface("that is bobsled", ["my friend Bob"]) == "That is bobsled"


def test_a_misspelt_contraction_of_the_user_is_not_taken_for_a_name() -> None:
    assert restore_surface("oh , im sorry", ["I lost it and Im sad"]) == "Oh, I'm sorry"


@given(st.text(alphabet="abis .,!?'-()$:;50", max_size=40))
def test_apart_from_known_spellings_only_spaces_and_capitals_change(pieces: str) -> None:
    assert restore_surface(pieces).replace(" ", "").lower() == pieces.replace(" ", "")


@given(st.text(max_size=40), st.lists(st.text(max_size=40), max_size=3))
def test_any_text_can_be_restored(pieces: str, spoken: list[str]) -> None:
    assert not restore_surface(pieces, spoken).startswith(" ")


def test_a_megabyte_of_dialogue_costs_next_to_nothing() -> None:
    started = time.perf_counter()
    assert restore_surface("rome is big .", ["I lost Rome! " * 80_000]) == "Rome is big."
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("text", "closed"), [("I am sorry", "I am sorry."), ("Oh no!", "Oh no!"), ("Fun :)", "Fun :)"), ("", "")]
)
def test_a_text_that_ends_in_a_word_gets_a_full_stop(text: str, closed: str) -> None:
    assert close_sentence(text) == closed
