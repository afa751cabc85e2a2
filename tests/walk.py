"""A worker and a specialist in a few calls, through the screens' own interfaces."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from chevet.sim import demo
from chevet.sim.screens import Screen

SETTLED = ("at_relay", "opened", "answered")


@asynccontextmanager
async def kiosk(ports: demo.Ports) -> AsyncIterator[Screen]:
    """A kiosk at which the demo's worker has signed in."""
    screen = Screen("kiosk", ports.kiosk_url)
    try:
        await screen.post("sign in", "/api/session", {"worker": demo.WORKER, "pin": demo.PIN})
        yield screen
    finally:
        await screen.aclose()


@asynccontextmanager
async def desk(ports: demo.Ports) -> AsyncIterator[Screen]:
    """A desk at which the demo's specialist has signed in."""
    screen = Screen("desk", ports.desk_url)
    try:
        await screen.post("sign in", "/api/session", {"user": demo.SPECIALIST, "password": demo.PASSWORD})
        yield screen
    finally:
        await screen.aclose()


async def until(ask: Callable[[], Any], good: Callable[[Any], bool], within_s: float = 60.0) -> Any:
    """Ask again and again until the answer is good; the last answer is in the error."""
    end = time.monotonic() + within_s
    while True:
        answer = await ask()
        if good(answer):
            return answer
        assert time.monotonic() < end, f"not within {within_s:.0f} s; last answer: {answer}"
        await asyncio.sleep(0.2)


async def device(screen: Screen, driver: str, state: str = "ready", within_s: float = 60.0) -> dict[str, Any]:
    """Wait until the device with this driver is in `state`."""

    async def ask() -> dict[str, Any]:
        found = (await screen.get("devices", "/api/devices"))["devices"]
        return next(item for item in found if item["driver"] == driver)

    answer: dict[str, Any] = await until(ask, lambda item: item["state"] == state, within_s)
    return answer


async def visit(screen: Screen) -> str:
    """Open a visit with consent for a new patient, abandoning what an earlier test left open."""
    left = (await screen.get("visit", "/api/visits/current"))["visit"]
    if left is not None:
        await screen.post("visit", f"/api/visits/{left['id']}/abandon", {"reason": "another test"})
    person = {"name": "Tanirt Test", "birth_year": 1974, "sex": "F", "local_number": "T-1"}
    patient = await screen.post("patient", "/api/patients", person)
    opened = await screen.post("visit", "/api/visits", {"patient": patient["id"]})
    consent = {"purposes": ["care"], "witness": ""}
    await screen.call("consent", "PUT", f"/api/visits/{opened['id']}/consent", consent)
    return str(opened["id"])


async def start(screen: Screen, of: str, driver: str, seconds: float, **what: str) -> dict[str, Any]:
    """Start one capture and return it, still running."""
    ready = await device(screen, driver)
    steps = {"kit-ecg": "ecg", "kit-stethoscope": "heart_sound", "camera": "otoscopy"}
    asked = {"step": steps.get(driver, "oximetry"), "seconds": seconds, "device": ready["id"], **what}
    capture: dict[str, Any] = await screen.post("capture", f"/api/visits/{of}/captures", asked)
    return capture


async def recorded(screen: Screen, capture: dict[str, Any], seconds: float) -> float:
    """Wait until a running capture holds so many seconds; return how many it holds."""

    async def ask() -> Any:
        return await screen.get("capture", f"/api/captures/{capture['id']}")

    answer = await until(ask, lambda one: one["elapsed_s"] >= seconds or one["state"] != "recording")
    assert answer["state"] == "recording", answer
    return float(answer["elapsed_s"])


async def finished(screen: Screen, capture: dict[str, Any]) -> dict[str, Any]:
    """Wait for the end of a capture, good or bad."""

    async def ask() -> Any:
        return await screen.get("capture", f"/api/captures/{capture['id']}")

    answer: dict[str, Any] = await until(ask, lambda one: one["state"] != "recording", 90.0)
    return answer


async def accept(screen: Screen, capture: dict[str, Any]) -> dict[str, Any]:
    """Keep what was recorded, whatever its quality."""
    usable = capture["recording"]["quality"]["usable"]
    body = {"poor": not usable, "best": None}
    answer: dict[str, Any] = await screen.post("accept", f"/api/captures/{capture['id']}/accept", body)
    return answer


async def send(screen: Screen, of: str) -> str:
    """Ask cardiology and send; return the case."""
    words = {"reason": "palpitations", "question": "Normal?", "specialty": "cardiology", "urgency": "urgent"}
    await screen.call("question", "PATCH", f"/api/visits/{of}", words)
    return str((await screen.post("send", f"/api/visits/{of}/send"))["case"])


async def settled(screen: Screen, case: str, within_s: float = 90.0) -> dict[str, Any]:
    """Wait until the kiosk shows the verified receipt."""

    async def ask() -> Any:
        return await screen.get("receipt", f"/api/cases/{case}")

    answer: dict[str, Any] = await until(ask, lambda one: one["state"] in SETTLED, within_s)
    return answer
