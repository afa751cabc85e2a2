"""Lessons in which something goes wrong: the simulator is told, the right hand mends it, no other does."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from edge_fakes import Box, until
from test_edge_api import error, kiosk

from chevet.edge.errors import Refusal
from chevet.edge.settings import TrainingSettings
from chevet.edge.training_faults import CONTROL, Simulator, make_hands
from chevet.edge.training_lessons import BY_CODE, LESSONS
from chevet.edge.training_store import PASSED
from chevet.edge.visits import CaptureRow
from chevet.edge.workers import Worker
from chevet.sim.serve import Plan, served


class FakeSimulator:
    """Answers like `chevet-sim serve`; `on` is what is switched on."""

    def __init__(self) -> None:
        self.on: dict[tuple[str, str], str] = {}
        self.noise = b""
        self.open = 0

    async def client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        while line := await reader.readline():
            asked = json.loads(line)
            place = (asked["target"], asked["fault"])
            known = asked["target"] != "heart-rate-strap"
            if known and asked["on"]:
                self.on[place] = asked["value"]
            elif known:
                self.on.pop(place, None)
            writer.write(self.noise or json.dumps({"ok": known}).encode() + b"\n")
            await writer.drain()
        writer.close()
        await writer.wait_closed()
        self.open -= 1


@asynccontextmanager
async def simulated(box: Box, folder: Path) -> AsyncIterator[tuple[Box, FakeSimulator]]:
    """The box beside a simulator: its oximeter, ECG and stethoscope are simulated."""
    fake = FakeSimulator()
    server = await asyncio.start_unix_server(fake.client, str(folder / CONTROL))
    bedside = box.bedside
    settings = bedside.settings.model_copy(
        update={"training": TrainingSettings(devices_file=folder / "devices.json")}
    )
    kinds = {"oximeter": ["oximeter", "heart-rate-strap"], "ecg": ["ecg"], "stethoscope": ["stethoscope"]}
    hands = make_hands(settings, bedside.training, lambda kind: kinds.get(kind, [kind]))
    try:
        yield replace(box, bedside=replace(bedside, settings=settings, hands=hands)), fake
    finally:
        await until(lambda: fake.open == 0)
        server.close()
        await server.wait_closed()


def row(step: str, elapsed_s: float, name: str = "c1", state: str = "recording") -> CaptureRow:
    return CaptureRow(name, "v", step, "", "", "d", 10.0, state=state, elapsed_s=elapsed_s)


async def test_what_is_wrong_from_the_beginning_is_mended_by_the_right_hand(box: Box, tmp_path: Path) -> None:
    async with simulated(box, tmp_path) as (there, fake), kiosk(there) as client:
        fake.on["ecg", "unplug"] = "left over"
        begun = await client.post("/api/training", json={"lesson": "fault_cold"})
        assert begun.status_code == 201
        assert fake.on == {}, "instruments are in order when a lesson begins"
        assert (await client.post("/api/training/visit", json={})).status_code == 201
        assert fake.on == {("oximeter", "cold_finger"): "0.03"}
        wrong = (await client.post("/api/training/acts", json={"act": "plug"})).json()
        assert wrong["mended"] is False
        right = (await client.post("/api/training/acts", json={"act": "warm"})).json()
        assert (right["mended"], fake.on) == (True, {})
        steps = {step["check"]: step["value"] for step in right["attempt"]["steps"]}
        assert (steps["noticed"], steps["mended"]) == (1.0, 0.5)
        again = (await client.post("/api/training/acts", json={"act": "warm"})).json()
        assert again["mended"] is False
        assert (await client.post("/api/training/finish", json={})).json()["state"] != PASSED
        course = (await client.get("/api/training")).json()
        hands = {one["code"]: one["hands"] for one in course["lessons"]}
        assert hands["oximeter"] == []
        assert "warm" in hands["fault_cold"]
        assert hands["fault_cold"] == hands["fault_ear"], "what may be done gives nothing away"


async def test_who_signs_in_next_finds_the_instruments_in_order(box: Box, tmp_path: Path) -> None:
    box.bedside.workers.add(Worker("youssef", "Youssef"), "1357")
    async with simulated(box, tmp_path) as (there, fake), kiosk(there) as client:
        await client.post("/api/training", json={"lesson": "fault_cold"})
        await client.post("/api/training/visit", json={})
        assert fake.on == {("oximeter", "cold_finger"): "0.03"}
        other = await client.post("/api/session", json={"worker": "youssef", "pin": "1357"})
        assert other.status_code == 200
        assert (fake.on, box.bedside.training.attempts.current()) == ({}, None)


async def test_what_goes_wrong_in_the_middle_waits_for_the_first_recording(box: Box, tmp_path: Path) -> None:
    async with simulated(box, tmp_path) as (there, fake), kiosk(there) as client:
        hands = there.bedside.hands
        await client.post("/api/training", json={"lesson": "fault_plug"})
        await client.post("/api/training/visit", json={})
        early = (await client.post("/api/training/acts", json={"act": "plug"})).json()
        assert early["mended"] is False, "there was nothing to mend yet"
        hands.capture_changed(row("ecg", 0.5))
        hands.capture_changed(row("oximetry", 5.0, "c0"))
        hands.capture_changed(row("ecg", 5.0, "c3", "done"))
        await until(lambda: not hands.tasks)
        assert fake.on == {}
        for elapsed_s in (2.5, 3.0, 3.5):
            hands.capture_changed(row("ecg", elapsed_s))
        await until(lambda: fake.on == {("ecg", "unplug"): ""})
        await until(lambda: not hands.tasks)
        mended = (await client.post("/api/training/acts", json={"act": "plug"})).json()
        assert mended["mended"]
        hands.capture_changed(row("ecg", 2.5, "c2"))
        await until(lambda: not hands.tasks)
        assert fake.on == {}, "it happens once"
        assert (await client.post("/api/training/stop", json={})).status_code == 204


async def test_without_a_simulator_only_lessons_without_faults_begin(box: Box, tmp_path: Path) -> None:
    async with kiosk(box) as client:
        refusal = await client.post("/api/training", json={"lesson": "fault_swap"})
        assert error(refusal)[:2] == (503, "no_simulator")
        assert (await client.get("/api/training")).json()["open"] is None
        assert (await client.post("/api/training", json={"lesson": "danger"})).status_code == 201
        plain = (await client.post("/api/training/acts", json={"act": "warm"})).json()
        assert plain["mended"] is False
        assert (await client.post("/api/training/acts", json={"act": "Not a code"})).status_code == 422


async def test_a_simulator_that_falls_silent_or_talks_nonsense_harms_nobody(box: Box, tmp_path: Path) -> None:
    fault = BY_CODE["fault_swap"].fault
    assert fault is not None
    assert not await Simulator(None).set("ecg", fault, on=True)
    assert not await Simulator(tmp_path / "nothing.sock").set("ecg", fault, on=True)
    async with simulated(box, tmp_path) as (there, fake):
        for noise in (b"[]\n", b"{\n", b'{"ok": 0}\n'):
            fake.noise = noise
            assert not await there.bedside.hands.simulator.set("ecg", fault, on=True)
        fake.noise = b""
        hands, training = there.bedside.hands, there.bedside.training
        await hands.before("fault_swap")
        await hands.laid(training.begin("amina", "fault_swap"))
        assert fake.on == {("ecg", "swapped"): "LA/RA"}
        fake.noise = b"{}\n"
        with pytest.raises(Refusal, match="do not answer"):
            await hands.act("amina", "swap_back")
        await hands.laid(replace(training.require("amina"), marks={}))
        await hands.after()


async def test_every_fault_is_one_of_the_simulator_s() -> None:
    folder = Path(tempfile.mkdtemp(prefix="chevet-"))  # a socket's path is short
    try:
        async with served(Plan(folder, devices=("ecg", "oximeter", "stethoscope", "otoscope"))) as room:
            for lesson in LESSONS:
                if lesson.fault is not None:
                    switch = room.fault(lesson.fault.instrument, lesson.fault.name)
                    switch.check(lesson.fault.value)
                    assert not switch.once, "what is over at once cannot be mended"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
