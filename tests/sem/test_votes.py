from dataclasses import replace

import pytest
import torch

from hef_graph.sem.dataset import collate_dialogues
from hef_graph.sem.modeling import EmpatheticModel, NgramVotes
from hef_graph.sem.phases import predict_logits
from hef_graph.sem.votes import VotesPhase, add_votes, weigh_votes
from tests.sem.tiny import CONFIG, FAST, LABELS, build_emotion_examples, build_model, encode

CPU = torch.device("cpu")
VOTING = replace(CONFIG, ngram_buckets=64)
EXAMPLES = build_emotion_examples()


def read_votes(votes: NgramVotes, *texts: str) -> torch.Tensor:
    batch = collate_dialogues([encode(*texts)])
    with torch.no_grad():
        read: torch.Tensor = votes(batch.ids, batch.roles, batch.poolable)
        return read[0]


@pytest.fixture
def voting() -> EmpatheticModel:
    return add_votes(build_model())


def test_new_votes_say_nothing(voting: EmpatheticModel) -> None:
    before, _ = predict_logits(build_model(), EXAMPLES, CPU)
    after, _ = predict_logits(voting, EXAMPLES, CPU)
    torch.testing.assert_close(after, before)


def test_a_piece_votes_for_its_row_and_many_votes_count_as_the_root_of_their_number() -> None:
    votes = NgramVotes(replace(CONFIG, ngram_buckets=1))
    torch.nn.init.ones_(votes.table.weight)
    [first, second] = [read_votes(votes, text)[0].item() for text in ("my", "my dog died")]
    assert (first, second) == pytest.approx((1.0, 5**0.5))  # one piece; three pieces and two pairs


def test_the_same_words_in_another_order_vote_differently() -> None:
    votes = NgramVotes(VOTING)
    assert not torch.allclose(read_votes(votes, "my dog died"), read_votes(votes, "died dog my"))


def test_a_listeners_words_have_rows_of_their_own() -> None:
    votes = NgramVotes(VOTING)
    assert not torch.allclose(read_votes(votes, "my dog", "died"), read_votes(votes, "my dog died"))


def test_padding_has_no_vote() -> None:
    votes, short = NgramVotes(VOTING), encode("my dog")
    padded = collate_dialogues([short, encode("my dog died , he was a good dog")])
    together = votes(padded.ids, padded.roles, padded.poolable)[0]
    torch.testing.assert_close(together, read_votes(votes, "my dog"))


def test_a_dialogue_without_words_has_no_votes() -> None:
    assert read_votes(NgramVotes(VOTING), "").tolist() == [0.0] * len(LABELS)


def test_votes_learn_the_labels_and_leave_the_deep_part_alone(voting: EmpatheticModel) -> None:
    phase = VotesPhase(voting, FAST, EXAMPLES, EXAMPLES)
    optimizer = torch.optim.SGD(phase.module.parameters(), lr=5.0)
    before = [parameter.clone() for parameter in voting.encoder.parameters()]
    first = phase.evaluate()["nll"]
    for _ in range(30):
        optimizer.zero_grad()
        phase.loss(range(len(EXAMPLES))).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
    assert phase.evaluate()["nll"] < first / 2
    assert all(torch.equal(old, new) for old, new in zip(before, voting.encoder.parameters(), strict=True))


def test_helpful_votes_are_weighed_in_and_misleading_ones_left_out(voting: EmpatheticModel) -> None:
    phase = VotesPhase(voting, FAST, EXAMPLES, EXAMPLES)
    optimizer = torch.optim.SGD(phase.module.parameters(), lr=5.0)
    for _ in range(30):
        optimizer.zero_grad()
        phase.loss(range(len(EXAMPLES))).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
    helpful = replace_votes(voting, 1.0)
    assert weigh_votes(helpful, EXAMPLES, CPU) > 0.5
    assert weigh_votes(replace_votes(voting, -1.0), EXAMPLES, CPU) == 0.0


def replace_votes(model: EmpatheticModel, factor: float) -> EmpatheticModel:
    """A copy whose votes are multiplied."""
    copy = add_votes(build_model())
    assert copy.votes is not None
    assert model.votes is not None
    with torch.no_grad():
        copy.votes.table.weight.copy_(model.votes.table.weight * factor)
    return copy
