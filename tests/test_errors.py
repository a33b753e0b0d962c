import inspect

import pytest

from hef_graph import errors
from hef_graph.errors import HefError, HefInputError, HefReplyError

OWN_ERRORS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("kind", OWN_ERRORS)
def test_every_error_of_the_package_is_a_hef_error(kind: type[Exception]) -> None:
    assert issubclass(kind, HefError)


@pytest.mark.parametrize("kind", OWN_ERRORS)
def test_the_tree_at_the_top_of_the_file_names_every_error(kind: type[Exception]) -> None:
    assert kind.__name__ in str(errors.__doc__)


def test_only_bad_input_is_a_value_error() -> None:
    assert [kind for kind in OWN_ERRORS if issubclass(kind, ValueError)] == [HefInputError]


def test_a_reply_error_keeps_its_cause_beside_its_text() -> None:
    error = HefReplyError("truncated", "the answer is cut off")
    assert (error.cause, str(error)) == ("truncated", "the answer is cut off")
