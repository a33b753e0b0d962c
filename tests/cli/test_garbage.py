import gc
from collections.abc import Iterator

import pytest

from hef_graph.cli.garbage import made_to_stay
from tests.cli.test_main import Hef


@pytest.fixture(autouse=True)
def _thaw() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_nothing_is_collected_while_it_is_made() -> None:
    with made_to_stay():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_was_made_is_not_searched_later() -> None:
    before = gc.get_freeze_count()
    with made_to_stay():
        kept = [[index] for index in range(1000)]
    assert gc.get_freeze_count() >= before + len(kept)


def test_who_collects_nothing_goes_on_so() -> None:
    gc.disable()
    try:
        with made_to_stay():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_command_of_a_process_that_goes_on_leaves_the_collector_as_it_was(hef: Hef) -> None:
    assert hef("reply", "I lost my ring.")[0] == 0
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
