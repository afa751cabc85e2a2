"""`chevet-edge devices --find`, `--use` and their like: what is on the buses, with the agent or without."""

import asyncio
import datetime
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from chevet.bridge.errors import REMEDIES
from chevet.bridge.link import Link
from chevet.devices.driver import DRIVERS
from chevet.edge.box import BoxClock
from chevet.edge.box_word import agent_runs
from chevet.edge.discovery import Discovery
from chevet.edge.discovery_compose import make_discovery, real_buses
from chevet.edge.discovery_memory import Calibrations, FoundDevices
from chevet.edge.discovery_use import InUse
from chevet.edge.discovery_watch import Buses
from chevet.edge.errors import Refusal
from chevet.edge.instruments import Instrument
from chevet.edge.live import Live
from chevet.edge.settings import DeviceSettings, EdgeSettings, all_devices
from chevet.edge.store import open_uncovered
from chevet.edge.terminal_devices import call_agent

LISTENED_WITHIN_S = 60.0
"""Every speed of one silent or unknown port, with time to spare."""
POLL_S = 0.5
REASONS = {
    "frames": "{} whole frames in a row",
    "answer": 'asked, it said "{}"',
    "service": "advertises service {}",
    "name": 'its name is "{}"',
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of `devices` beside the list; each "" for nothing.

    Attributes:
        use, refuse, ask: id of a found thing.
        driver: which of several to use.
        forget: id of an instrument.
        calibrated: id of an instrument, and `day` of its last calibration (ISO 8601, "none" to take it back).
    """

    use: str = ""
    refuse: str = ""
    ask: str = ""
    driver: str = ""
    forget: str = ""
    calibrated: str = ""
    day: str = ""


def told_found(settings: EdgeSettings, wish: Wish, buses: Buses | None = None) -> Iterator[str]:
    """Yield the lines of what is on the buses, or of what became of a wish.

    Args:
        settings: of the box.
        wish: what to do; nothing lists.
        buses: stand in for the box's own where no agent runs.

    Raises:
        SettingsError: the configuration is wrong.
        Refusal: the agent does not answer, or what is wished cannot be done.
    """
    if agent_runs(settings.data_dir):
        yield from _through_agent(settings, wish)
        return
    with _own_discovery(settings, buses) as (discovery, calibrations):
        yield from asyncio.run(_by_ourselves(settings, discovery, calibrations, wish))


def _through_agent(settings: EdgeSettings, wish: Wish) -> Iterator[str]:
    if wish.forget:
        call_agent(settings, "DELETE", f"/api/devices/{quote(wish.forget, safe='')}")
        yield _forgotten(wish.forget)
    elif wish.calibrated:
        day = None if wish.day == "none" else wish.day
        path = f"/api/devices/{quote(wish.calibrated, safe='')}"
        shape = call_agent(settings, "POST", path, {"calibrated_on": day})
        yield _calibrated(wish.calibrated, shape["calibrated_on"])
    elif wish.ask:
        yield from found_lines(call_agent(settings, "POST", f"/api/found/{quote(wish.ask, safe='')}/ask", {}))
    elif wish.use or wish.refuse:
        body = {"use": bool(wish.use), "driver": wish.driver}
        answer = call_agent(settings, "POST", f"/api/found/{quote(wish.use or wish.refuse, safe='')}", body)
        yield from found_lines(answer["found"])
    else:
        yield "Looking at every bus; an unknown serial port takes up to half a minute."
        call_agent(settings, "POST", "/api/found", {})
        until, listing = time.monotonic() + LISTENED_WITHIN_S, call_agent(settings, "GET", "/api/found")
        while any(one["state"] == "listening" for one in listing["found"]) and time.monotonic() < until:
            time.sleep(POLL_S)
            listing = call_agent(settings, "GET", "/api/found")
        yield from listing_lines(listing["found"], listing["problems"])


@contextmanager
def _own_discovery(settings: EdgeSettings, buses: Buses | None) -> Iterator[tuple[Discovery, Calibrations]]:
    database, clock = open_uncovered(settings.data_dir / "edge.db"), BoxClock()
    buses = buses or real_buses(settings)
    live = Live(clock.now_ms, clock.monotonic)
    instruments: dict[str, Instrument] = {}

    def make(device: DeviceSettings, connect: Callable[[str], Link]) -> Instrument:
        return Instrument(device, DRIVERS, connect, clock.monotonic, lambda _: None)

    try:
        use = InUse(instruments, make, live, buses.connect)
        memory = FoundDevices(database, clock.now_ms)
        discovery = make_discovery(settings, buses, memory, use, clock, lambda _: None)
        yield discovery, Calibrations(database, clock.now_ms)
    finally:
        database.close()


async def _by_ourselves(
    settings: EdgeSettings, discovery: Discovery, calibrations: Calibrations, wish: Wish
) -> Sequence[str]:
    """Return the lines; what is decided is remembered and done when the agent runs."""
    if wish.forget:
        await discovery.forget(wish.forget)
        calibrations.forget(wish.forget)
        return [_forgotten(wish.forget)]
    if wish.calibrated:
        return [_note(settings, discovery, calibrations, wish)]
    logging.getLogger("chevet.bridge").setLevel(logging.CRITICAL)
    await discovery.look()
    await discovery.watch.settled()
    if wish.ask:
        return list(found_lines(discovery.shape(await discovery.ask(wish.ask))))
    if wish.use or wish.refuse:
        thing = await discovery.decide(wish.use or wish.refuse, use=bool(wish.use), driver=wish.driver)
        return [*found_lines(discovery.shape(thing)), "The agent will know when it is started."]
    shapes = [discovery.shape(thing) for thing in discovery.things]
    return list(listing_lines(shapes, discovery.watch.problems))


def _note(settings: EdgeSettings, discovery: Discovery, calibrations: Calibrations, wish: Wish) -> str:
    known = {device.id for device in all_devices(settings)} | {one.device for one in discovery.used}
    if wish.calibrated not in known:
        raise Refusal("not_found", f"There is no instrument '{wish.calibrated}' on this box.")
    day = None if wish.day == "none" else wish.day
    try:
        datetime.date.fromisoformat(day or "2026-01-01")
    except ValueError:
        raise Refusal("invalid", f"'{day}' is no day; write it as 2026-05-04, or none.") from None
    calibrations.note(wish.calibrated, "", day)
    return _calibrated(wish.calibrated, day)


def _forgotten(device: str) -> str:
    return f"{device}: forgotten; it will be offered again when it is found."


def _calibrated(device: str, day: str | None) -> str:
    return f"{device}: last calibrated {day}." if day else f"{device}: no calibration noted."


def listing_lines(found: Sequence[dict[str, Any]], problems: dict[str, str]) -> Iterator[str]:
    """Yield the lines of a list of Found, and of the buses that could not be looked at."""
    if not found:
        yield "Nothing is on the buses."
    for one in found:
        yield from found_lines(one)
    for bus, code in problems.items():
        yield f"{bus}: {REMEDIES.get(code, code)}"
    if any(one["state"] == "offered" for one in found):
        yield "Use one with `chevet-edge devices --use ID`, or refuse it with `--refuse ID`."


def found_lines(found: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of one Found: what it is and why, who it says it is, what is in doubt."""
    yield f"{found['id']}  {found['state']:<9} {found['place']:<18} {_taken_for(found)}"
    who = [found["name"], found["maker"], f"serial {found['serial']}" if found["serial"] else ""]
    if found["rssi"] is not None:
        who.append(f"{found['rssi']} dBm")
    yield "    " + "; ".join(filter(None, who))
    if found["doubt"]:
        yield f"    {found['doubt']}"
    if found["problem"]:
        yield f"    {REMEDIES.get(found['problem'], found['problem'])}"


def _taken_for(found: dict[str, Any]) -> str:
    if found["device"] and not found["drivers"]:
        return f"is {found['device']}"
    if not found["drivers"]:
        silent = "; if it is silent until asked, try `--ask ID`" if found["bus"] == "serial" else ""
        return f"nothing known{silent}" if found["state"] == "unknown" else ""
    code, _, detail = found["reason"].partition(":")
    why = REASONS.get(code, found["reason"]).format(detail)
    who = " or ".join(found["drivers"]) + (" (choose with --driver)" if len(found["drivers"]) > 1 else "")
    kind = f"{found['instrument']}: " if found["instrument"] else ""
    own = f", is {found['device']}" if found["device"] else ""
    return f"{kind}{who}, {found['certainty']} ({why}){own}"
