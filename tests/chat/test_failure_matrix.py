"""Every fault of a provider, in every way to run: always a typed result, three HTTP calls at most, in time."""

import pytest

from hef_graph.errors import HefReplyError
from hef_graph.graph import HefOptions
from tests.faults import DEADLINE, FAULTS, LIMIT, Fault, play
from tests.runs import MODES, Mode

every_mode = pytest.mark.parametrize("mode", MODES)
every_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


@every_mode
@every_fault
async def test_each_fault_gives_a_typed_answer_and_its_reason_in_time(fault: Fault, mode: Mode) -> None:
    measured = await play(fault, mode)
    out = measured.run.out
    assert out["structured_response"] == {"emotion": fault.emotion, "response": fault.expected(mode)}
    assert out["messages"][-1].text == fault.expected(mode)
    assert out["degraded_reason"] == fault.reason
    assert measured.requests == fault.expected_requests(mode) <= 3
    assert measured.seconds < (DEADLINE if fault.stalls else 9) + LIMIT


@pytest.mark.parametrize("mode", ["stream", "astream"])
@every_fault
async def test_each_fault_streams_exactly_what_it_answers(fault: Fault, mode: Mode) -> None:
    run = (await play(fault, mode)).run
    assert "".join(run.tokens) == run.out["structured_response"]["response"]


@every_mode
@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if not fault.reason.startswith("repaired:")])
async def test_strict_raises_each_fault_by_its_cause(name: str, mode: Mode) -> None:
    with pytest.raises(HefReplyError) as raised:
        await play(FAULTS[name], mode, HefOptions(strict=True))
    assert raised.value.cause == FAULTS[name].reason


@every_mode
async def test_strict_lets_a_repaired_answer_pass(mode: Mode) -> None:
    run = (await play(FAULTS["503, then good"], mode, HefOptions(strict=True))).run
    assert run.out["degraded_reason"] == "repaired:server"
