import pytest

from hef_graph.claims import claims_a_life


@pytest.mark.parametrize(
    "text",
    [
        "My cat does the same thing.",
        "I went there last summer.",
        "Same here!",
        "We had a flat like that.",
        "That happened to me too.",
        "Ours broke as well.",
        "im scared of spiders",
        "I hope so! I broke my arm once.",
        "I’ve been there myself.",
        "I was so angry when it rained.",
    ],
)
def test_a_story_of_its_own_is_a_claim(text: str) -> None:
    assert claims_a_life(text)


@pytest.mark.parametrize(
    "text",
    [
        "I'm so very sorry to hear that.",
        "I’m sorry.",
        "im so glad you found it",
        "I am happy for you!",
        "I hope the interview goes well.",
        "I can't imagine how loud that was.",
        "I think you should rest.",
        "I understand.",
        "I'll keep listening.",
        "Oh my goodness, tell me more!",
    ],
)
def test_courtesy_is_no_claim(text: str) -> None:
    assert not claims_a_life(text)


@pytest.mark.parametrize(
    "text", ["", "What did your sister say?", "The museum, because of the mice.", "Hi, time flies."]
)
def test_a_text_without_a_first_person_is_no_claim(text: str) -> None:
    assert not claims_a_life(text)
