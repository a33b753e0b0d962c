import numpy as np

from hef_graph.crisis.ngrams import BIAS, BUCKETS, WEIGHT, NgramVotes
from hef_graph.evaluation.crisis_votes import VotesConfig, train_votes
from tests.evaluation.crisis_encoder import EXAMPLES, ORDINARY, SIGNALS

TALK = [("the sun was lovely",), ("my cat is lovely",)]
CONFIG = VotesConfig(share=1.0, epochs=40)


def learned(config: VotesConfig = CONFIG) -> NgramVotes:
    weights = train_votes(EXAMPLES, TALK, config)
    return NgramVotes(weights[WEIGHT][0], float(weights[BIAS][0]))


def test_a_handful_of_sentences_is_learned_by_heart() -> None:
    votes = learned()
    assert all(votes.vote(text) > 0 for text in SIGNALS)
    assert all(votes.vote(text) < 0 for text in ORDINARY)


def test_everyday_talk_counts_as_no_signal() -> None:
    weights = train_votes(EXAMPLES, [("kill me by friday",)] * 50, CONFIG)
    assert NgramVotes(weights[WEIGHT][0], float(weights[BIAS][0])).vote("kill me by friday") < 0


def test_the_share_is_in_the_weights() -> None:
    whole, half = train_votes(EXAMPLES, TALK, CONFIG), train_votes(EXAMPLES, TALK, VotesConfig(share=0.5, epochs=40))
    assert whole[WEIGHT].shape == (1, BUCKETS)
    assert np.allclose(half[WEIGHT], whole[WEIGHT] / 2)
    assert np.allclose(half[BIAS], whole[BIAS] / 2)
