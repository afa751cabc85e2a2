"""Bad wires, bad clients, bad bytes: a clear error, every process alive, nothing acknowledged lost."""

import asyncio
import json

import httpx
import pytest
import serial
import walk
from running_kit import RunningDemo

from chevet.sim.control import set_fault
from chevet.sim.errors import StepError

pytestmark = [pytest.mark.flow, pytest.mark.timeout(400)]


async def test_garbage_on_the_wire_is_counted_and_the_recording_goes_on(kit: RunningDemo) -> None:
    async with walk.kiosk(kit.ports) as screen:
        visit = await walk.visit(screen)
        capture = await walk.start(screen, visit, "kit-ecg", 5)
        await walk.recorded(screen, capture, 1.0)
        await set_fault(kit.control, "ecg", "garbage")
        await asyncio.sleep(1.0)
        await set_fault(kit.control, "ecg", "garbage", on=False)
        ended = await walk.finished(screen, capture)
        assert ended["state"] == "done"
        after = await walk.device(screen, "kit-ecg")
        assert after["state"] == "ready"
        recording = ended["recording"]
        # Whatever the noise cost is marked as a gap, sample for sample.
        assert recording["lost_samples"] == sum(count for _, count in recording["gaps"])
    assert kit.stage.fallen() is None


async def test_instrument_pulled_out_while_recording_keeps_what_was_recorded(kit: RunningDemo) -> None:
    async with walk.kiosk(kit.ports) as screen:
        visit = await walk.visit(screen)
        capture = await walk.start(screen, visit, "kit-stethoscope", 20, site="A")
        await walk.recorded(screen, capture, 2.5)
        await set_fault(kit.control, "stethoscope", "unplug")
        ended = await walk.finished(screen, capture)
        assert (ended["state"], ended["problem"]) == ("failed", "device_lost")
        assert ended["recording"]["duration_s"] >= 1.5
        await walk.device(screen, "kit-stethoscope", state="absent")
        with pytest.raises(StepError) as refused:
            await screen.post(
                "capture", f"/api/visits/{visit}/captures", {"step": "heart_sound", "site": "M"}
            )
        assert refused.value.code in {"device_absent", "capture_running"}
        await set_fault(kit.control, "stethoscope", "replug")
        await walk.device(screen, "kit-stethoscope")
    assert kit.stage.fallen() is None


async def test_a_second_client_cannot_take_an_instrument_from_the_agent(kit: RunningDemo) -> None:
    async with walk.kiosk(kit.ports) as screen:
        await walk.device(screen, "kit-ecg")
    with pytest.raises(serial.SerialException, match="lock"):
        serial.Serial(str(kit.folder / "sim" / "ecg"), 921600, exclusive=True)


@pytest.mark.parametrize("room", ["kiosk", "desk"])
async def test_unknown_fields_and_truncated_bodies_get_a_sentence(kit: RunningDemo, room: str) -> None:
    url = kit.ports.kiosk_url if room == "kiosk" else kit.ports.desk_url
    async with httpx.AsyncClient(
        base_url=url, headers={"X-Chevet": "1"}, trust_env=False, timeout=60
    ) as client:
        who = {"worker": "amina", "pin": "2580"} if room == "kiosk" else {"user": "x", "password": "y"}
        unknown = await client.post("/api/session", json={**who, "colour": "red"})
        whole = json.dumps(who).encode()
        cut = await client.post(
            "/api/session", content=whole[:-4], headers={"Content-Type": "application/json"}
        )
        huge = await client.post("/api/session", json={**who, "colour": "r" * 70_000})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (422, "invalid")
    assert "colour" in unknown.json()["error"]["field"]
    assert cut.status_code == 422
    assert cut.json()["error"]["message"]
    assert huge.status_code == 413
    assert kit.stage.fallen() is None


async def test_bluetooth_oximeter_is_recorded_like_the_wired_one(kit: RunningDemo) -> None:
    async with walk.kiosk(kit.ports) as screen:
        visit = await walk.visit(screen)
        capture = await walk.finished(screen, await walk.start(screen, visit, "plx", 4))
        assert capture["state"] == "done", capture["problem"]
        kinds = {reading["kind"] for reading in capture["recording"]["readings"]}
        assert {"spo2", "pulse_rate"} <= kinds
