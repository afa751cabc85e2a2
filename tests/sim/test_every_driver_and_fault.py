"""Every driver under every fault of its instrument, through the real link, beside the ground truth."""

import contextlib
import tempfile
from pathlib import Path

import pytest
from fault_bench import bench
from fault_claims import complaints, lived_through
from fault_table import (
    ASKED,
    CLAIMS,
    ELSEWHERE,
    FAULTS,
    LATE_ONE,
    METERS,
    NO_RATE,
    NO_SAMPLES,
    NOT_TOLD,
    NOTHING_TO_HIT,
    NUMBERED,
    NUMBERED_IN_PACKETS,
    OWN_LINE,
    ROUNDS,
    SLACK,
    SLOW,
    UNCHECKED,
    WANTED,
    why_without,
)
from ground_truth import GroundTruth

from chevet.devices.driver import DRIVERS
from chevet.sim import serve
from chevet.sim.bedside import Bedside
from chevet.sim.twins import offered

ROOT = Path(__file__).resolve().parents[2]
KIT_DRIVERS = {
    "ecg": "kit-ecg",
    "stethoscope": "kit-stethoscope",
    "oximeter": "nonin-df2",
    "oximeter-ble": "plx",
}
NAMES = [name for name in serve.ALL if not any(name in twins for twins, _, _ in ELSEWHERE.values())]
SETTLED_S = 6.0


def driver_of(name):
    return KIT_DRIVERS.get(name) or offered.driver_of(name)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", NAMES)
async def test_a_driver_gives_what_was_taken_or_counts_what_is_missing(name, subtests, monkeypatch):
    with tempfile.TemporaryDirectory(prefix="chevet-") as folder:
        one = bench(name, Path(folder))
        await one.make(monkeypatch)
        truth = GroundTruth(one.witness, SLACK.get(name, 0), loose=name in NO_RATE)
        await one.open()
        calm = truth.judge([event for event in await one.run(SETTLED_S) if hasattr(event, "values")])
        assert (calm.wrong, calm.missing, calm.moved) == (0, 0, [])
        for fault in one.instrument.faults:
            with subtests.test(fault=fault):
                assert fault in FAULTS, "a new fault needs a row in tests/fault_table.py"
                found = complaints(await lived_through(one, truth, fault), one.witness)
                assert not found, f"{name} under {fault}: " + "; ".join(found)
        await one.aclose()


async def _faults_of_all(folder):
    """Return which faults there are, by instrument."""
    found = {}
    async with contextlib.AsyncExitStack() as taken_away:
        bedside = Bedside(folder, 1, 0.0, radio="unix:x")
        for name in NAMES:
            plan = serve.Plan(folder, devices=(name,))
            made = await serve._made(name, plan, bedside, taken_away)
            found[name] = set(made.faults)
    return found


async def test_the_table_is_complete_both_ways(tmp_path):
    found = await _faults_of_all(tmp_path)
    assert set().union(*found.values()) == set(FAULTS)
    cells = {(name, fault) for name, faults in found.items() for fault in faults}
    for exceptions in (CLAIMS, NOT_TOLD, SLOW, LATE_ONE, NOTHING_TO_HIT):
        assert set(exceptions) <= cells
    for names in (
        NUMBERED,
        NUMBERED_IN_PACKETS,
        ROUNDS,
        UNCHECKED,
        OWN_LINE,
        NO_SAMPLES,
        METERS,
        SLACK,
        ASKED,
        NO_RATE,
    ):
        assert set(names) <= set(found)
    for name, faults in found.items():
        for fault in WANTED:
            has = fault in faults or (fault == "sensor_off" and "lead_off" in faults)
            reason = why_without(name, fault, air="ble_drop" in faults)
            assert has == (not reason), f"{name}, {fault}: {reason or 'missing without a reason'}"


def test_every_driver_has_an_instrument_here_or_a_test_elsewhere():
    here = {driver_of(name) for name in NAMES}
    assert here.isdisjoint(ELSEWHERE)
    assert here | set(ELSEWHERE) == set(DRIVERS)
    for _, file, reason in ELSEWHERE.values():
        assert reason
        assert (ROOT / file).is_file()
