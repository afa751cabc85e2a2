"""Numbers that a meter measured by itself: of now, of this visit, once, and only as the worker says."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from edge_fakes import Box, FakeDevice, make_box, make_instrument
from test_edge_api import error, kiosk

from chevet.devices.samples import Reading
from chevet.edge.errors import Refusal
from chevet.edge.live import Live
from chevet.edge.meters import OLD_AFTER_S, Measured, Meters, vitals_of

DAY_MS = 1_750_000_000_000


class Clocks:
    def __init__(self) -> None:
        self.s = 100.0

    def now_ms(self) -> int:
        return DAY_MS + round(self.s * 1000)

    def monotonic(self) -> float:
        return self.s


def number(
    kind: str, value: float | None, unit: str, at: float = 100.0, status: tuple[str, ...] = ()
) -> Reading:
    return Reading(kind, value, unit, at, status)


def pressure(at: float = 100.0, systolic: float = 152.0) -> list[Reading]:
    return [
        number("systolic", systolic, "mm[Hg]", at),
        number("diastolic", 91.0, "mm[Hg]", at),
        number("pulse_rate", 78.0, "/min", at),
    ]


def meters(clocks: Clocks, *readings: Reading) -> Meters:
    kept = Meters(clocks.now_ms, clocks.monotonic)
    for reading in readings:
        kept.offer("cuff", reading)
    return kept


def test_numbers_that_arrive_together_are_one_measurement() -> None:
    newest = meters(Clocks(), *pressure()).measured("cuff", 0)
    assert newest is not None
    assert {one.kind: one.value for one in newest.readings} == {
        "systolic": 152.0,
        "diastolic": 91.0,
        "pulse_rate": 78.0,
    }
    assert newest.at_ms == DAY_MS + 100_000


def test_a_new_measurement_leaves_nothing_of_the_one_before() -> None:
    clocks = Clocks()
    kept = meters(clocks, *pressure())
    clocks.s = 160.0
    kept.offer("cuff", number("systolic", 140.0, "mm[Hg]", 160.0))
    newest = kept.measured("cuff", 0)
    assert newest is not None
    assert [(one.kind, one.value) for one in newest.readings] == [("systolic", 140.0)]


@pytest.mark.parametrize(
    "reading",
    [
        number("systolic", None, "mm[Hg]"),
        number("systolic", 120.0, "mm[Hg]", status=("from_storage",)),
        number("battery", 80.0, "%"),
    ],
)
def test_what_is_no_number_of_now_is_not_offered(reading: Reading) -> None:
    assert meters(Clocks(), reading).measured("cuff", 0) is None


def test_a_number_from_before_the_visit_or_long_ago_is_not_offered() -> None:
    clocks = Clocks()
    kept = meters(clocks, *pressure())
    assert kept.measured("cuff", DAY_MS + 100_001) is None
    clocks.s += OLD_AFTER_S + 0.1
    assert kept.measured("cuff", 0) is None


def test_an_instrument_that_measured_nothing_has_nothing() -> None:
    assert meters(Clocks()).measured("cuff", 0) is None


def test_vitals_carry_the_driver_and_what_the_instrument_doubts() -> None:
    doubtful = Measured((number("systolic", 120.0, "mm[Hg]", status=("body_movement",)),), at_ms=DAY_MS)
    (vital,) = vitals_of(doubtful, "blood-pressure")
    assert (vital.source, vital.at_ms, vital.recording) == ("blood-pressure", DAY_MS, "")
    assert not vital.quality.usable
    assert vital.quality.reasons


def test_a_number_that_no_person_can_have_is_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        vitals_of(Measured((number("temperature", 12.0, "Cel"),), DAY_MS), "thermometer")
    assert refusal.value.code == "implausible"


def with_cuff(folder: Path) -> tuple[Box, FakeDevice]:
    box = make_box(folder)
    cuff = FakeDevice("cuff", "blood_pressure")
    box.bedside.instruments["cuff"] = make_instrument(cuff, lambda _: None)
    box.bedside.live.follow(box.bedside.instruments)
    return box, cuff


async def a_visit(client: httpx.AsyncClient) -> dict[str, Any]:
    body = {"name": "Test Person", "birth_year": 1970, "sex": "F", "local_number": "1"}
    patient = (await client.post("/api/patients", json=body)).json()
    visit: dict[str, Any] = (await client.post("/api/visits", json={"patient": patient["id"]})).json()
    return visit


async def test_a_worker_takes_a_measurement_once(tmp_path: Path) -> None:
    box, _ = with_cuff(tmp_path)
    async with kiosk(box) as client:
        visit = await a_visit(client)
        for reading in pressure(box.bedside.clock.monotonic()):
            box.bedside.live.offer("cuff", reading)
        place = f"/api/visits/{visit['id']}/measured"
        (shown,) = (await client.get(place)).json()["measured"]
        assert (shown["device"], shown["instrument"]) == ("cuff", "blood_pressure")
        assert [one["value"] for one in shown["readings"]] == [152.0, 91.0, 78.0]
        taken = (await client.post(place, json={"device": "cuff"})).json()
        assert {v["kind"]: v["value"] for v in taken["vitals"]}["systolic"] == 152.0
        assert {v["source"] for v in taken["vitals"]} == {"fake"}
        assert (await client.get(place)).json() == {"measured": []}
        assert error(await client.post(place, json={"device": "cuff"}))[:2] == (409, "nothing_measured")
    box.close()


async def test_numbers_of_the_patient_before_are_not_offered_in_this_visit(tmp_path: Path) -> None:
    box, _ = with_cuff(tmp_path)
    async with kiosk(box) as client:
        for reading in pressure(box.bedside.clock.monotonic() - 1.0):
            box.bedside.live.offer("cuff", reading)
        visit = await a_visit(client)
        assert (await client.get(f"/api/visits/{visit['id']}/measured")).json() == {"measured": []}
    box.close()


async def test_a_broken_instrument_s_number_is_refused_and_stays_out(tmp_path: Path) -> None:
    box, _ = with_cuff(tmp_path)
    async with kiosk(box) as client:
        visit = await a_visit(client)
        box.bedside.live.offer("cuff", number("systolic", 900.0, "mm[Hg]", box.bedside.clock.monotonic()))
        place = f"/api/visits/{visit['id']}/measured"
        assert error(await client.post(place, json={"device": "cuff"}))[:2] == (422, "implausible")
        assert (await client.get(f"/api/visits/{visit['id']}")).json()["vitals"] == []
    box.close()


async def test_every_screen_hears_a_meter_and_only_watchers_hear_a_stream(tmp_path: Path) -> None:
    box, _ = with_cuff(tmp_path)
    live: Live = box.bedside.live
    told: list[dict[str, Any]] = []
    screen = live.join()
    screen.tell = told.append  # type: ignore[method-assign] # a screen that is read at once
    live.offer("cuff", number("systolic", 120.0, "mm[Hg]"))
    live.offer("oximeter", number("spo2", 97.0, "%"))
    assert [(one["type"], one["device"]) for one in told] == [("reading", "cuff")]
    box.close()
