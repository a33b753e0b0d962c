from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hef_graph.sem.attribution import Readout, gradient_norm, gradient_x_input, integrated_gradients, occlusion

SHARES = torch.tensor([1.0, 0.5, 2.0])
"""How much each of three tokens counts."""
MATRIX = torch.tensor([[0.4, -0.3, 0.1], [0.2, 0.5, -0.6]])
"""`(hidden, labels)`"""
EMBEDDED = torch.tensor([[[0.3, 0.8], [-0.5, 0.1], [0.2, 0.7]], [[0.9, -0.2], [0.4, 0.4], [-0.1, 0.3]]])

METHODS = [gradient_norm, gradient_x_input, integrated_gradients]
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: str(method.__name__))


def linear(embedded: Tensor) -> Tensor:
    return torch.einsum("t,bth,hl->bl", SHARES[: embedded.shape[1]], embedded, MATRIX)


def rising(embedded: Tensor) -> Tensor:
    """Whatever is positive speaks for the first of two labels."""
    first = embedded.sum(dim=(1, 2)) + embedded.square().sum(dim=(1, 2))
    return torch.stack([first, torch.zeros_like(first)], dim=1)


def slopes(embedded: Tensor) -> Tensor:
    """The winner's gradient in each hidden dimension, for a token of share 1: `W (onehot - p)`."""
    probabilities = torch.softmax(linear(embedded), dim=-1)
    winners = torch.nn.functional.one_hot(probabilities.argmax(dim=-1), MATRIX.shape[1])
    return (winners - probabilities) @ MATRIX.T


def test_the_gradient_norm_of_a_linear_model_is_its_slope() -> None:
    expected = slopes(EMBEDDED).norm(dim=-1)[:, None] * SHARES
    torch.testing.assert_close(gradient_norm(EMBEDDED, linear), expected)


def test_gradient_x_input_of_a_linear_model_is_slope_times_embedding() -> None:
    expected = (torch.einsum("bh,bth->bt", slopes(EMBEDDED), EMBEDDED) * SHARES).abs()
    torch.testing.assert_close(gradient_x_input(EMBEDDED, linear), expected)


@given(st.lists(st.floats(0.01, 1), min_size=8, max_size=8))
@settings(deadline=None)
def test_integrated_gradients_add_up_to_what_the_text_gained(values: list[float]) -> None:
    embedded = torch.tensor(values, dtype=torch.float64).view(1, 4, 2)
    gained = torch.log_softmax(rising(embedded), -1)[0, 0] - torch.log_softmax(rising(0 * embedded), -1)[0, 0]
    torch.testing.assert_close(integrated_gradients(embedded, rising).sum(), gained, rtol=0.01, atol=1e-4)


def test_more_steps_add_up_more_closely() -> None:
    embedded = torch.ones(1, 3, 2, dtype=torch.float64)
    gained = float(torch.log_softmax(rising(embedded), -1)[0, 0]) + float(torch.tensor(2.0).log())
    errors = [abs(float(integrated_gradients(embedded, rising, steps=steps).sum()) - gained) for steps in (2, 8, 64)]
    assert errors[0] > errors[1] > errors[2]


def test_integrated_gradients_follow_the_whole_texts_winner() -> None:
    def late(embedded: Tensor) -> Tensor:
        """The first label wins only at the end of the path, by the first token."""
        first = 9 * embedded[:, 0, 0] ** 4 - 1
        return torch.stack([first, torch.zeros_like(first)], dim=1)

    embedded = torch.ones(1, 2, 1)
    gained = torch.log_softmax(late(embedded), -1)[0, 0] - torch.log_softmax(late(0 * embedded), -1)[0, 0]
    scores = integrated_gradients(embedded, late, steps=64)
    torch.testing.assert_close(scores[0], torch.stack([gained, torch.tensor(0.0)]), rtol=0.01, atol=1e-4)


@every_method
def test_a_token_that_nothing_depends_on_scores_0(method: Callable[[Tensor, Readout], Tensor]) -> None:
    scores = method(EMBEDDED, lambda embedded: linear(embedded[:, :2]))
    assert torch.all(scores[:, 2] == 0)
    assert torch.all(scores[:, :2] > 0)


@every_method
def test_a_text_scores_alone_as_beside_others(method: Callable[[Tensor, Readout], Tensor]) -> None:
    together = method(EMBEDDED, linear)
    torch.testing.assert_close(together, torch.cat([method(row[None], linear) for row in EMBEDDED]))


@every_method
def test_scores_are_found_where_gradients_are_off_and_leave_no_trace(
    method: Callable[[Tensor, Readout], Tensor],
) -> None:
    embedded = EMBEDDED.clone()
    with torch.no_grad():
        scores = method(embedded, linear)
    assert not scores.requires_grad
    assert not embedded.requires_grad
    torch.testing.assert_close(scores, method(EMBEDDED, linear))


@every_method
def test_scores_are_not_negative(method: Callable[[Tensor, Readout], Tensor]) -> None:
    embedded = torch.randn(4, 5, 2, generator=torch.Generator().manual_seed(1))
    shares = torch.tensor([1.0, -2.0, 0.5, -0.1, 3.0])
    assert torch.all(method(embedded, lambda source: torch.einsum("t,bth,hl->bl", shares, source, MATRIX)) >= 0)


VOTES = torch.tensor([[3.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.5, 0.0]])
"""What each of four tokens says for two labels."""


def count_votes(masks: Tensor) -> Tensor:
    return masks.float() @ VOTES


def test_occlusion_is_the_fall_of_the_winners_log_probability() -> None:
    scores = occlusion(torch.ones(4, dtype=torch.bool), count_votes, [[0], [3], [0, 3]])
    whole, *hidden = (
        torch.log_softmax(torch.tensor(votes), -1)[0] for votes in ([3.5, 1.0], [0.5, 1.0], [3.0, 1.0], [0.0, 1.0])
    )
    assert scores == pytest.approx([float(whole - each) for each in hidden])
    assert scores[0] > scores[1] > 0


def test_hiding_what_speaks_against_the_winner_scores_0() -> None:
    assert occlusion(torch.ones(4, dtype=torch.bool), count_votes, [[1], [2]]) == [0, 0]


def test_hidden_tokens_stay_hidden() -> None:
    mask = torch.tensor([False, True, True, True])
    [score] = occlusion(mask, count_votes, [[1]])
    fall = torch.log_softmax(torch.tensor([0.5, 1.0]), -1)[1] - torch.log_softmax(torch.tensor([0.5, 0.0]), -1)[1]
    assert score == pytest.approx(float(fall))


def test_no_spans_give_no_scores() -> None:
    assert occlusion(torch.ones(4, dtype=torch.bool), count_votes, []) == []


def test_the_mask_is_left_as_it_was() -> None:
    mask = torch.ones(4, dtype=torch.bool)
    occlusion(mask, count_votes, [[0], [1]])
    assert mask.all()
