"""The virtual instruments and the faults each of them knows."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path

from chevet.sim import kit, plx_sensor
from chevet.sim.bodies import SOUND_OF_SITE, ChestBody, EcgBody, FingerBody
from chevet.sim.camera import Camera, Ear
from chevet.sim.eardrum import CONDITIONS, SIDES
from chevet.sim.errors import FaultError
from chevet.sim.nonin import NoninDf2
from chevet.sim.plx_sensor import PlxSensor
from chevet.sim.pty_port import PtyPort
from chevet.sim.radio import SimLink
from chevet.sim.serial_runner import SerialRunner
from chevet.sim.wire_faults import WireFaults

ECG_SETS, SOUND_SETS = 25, 100
"""Sample sets a frame, PROTOCOL.md section 6."""
DEFAULT_PROBABILITY = 0.1
DEFAULT_MAINS_MV = 0.5
REPLUG_AFTER_S = 1.0

Switch = Callable[[bool, str], Awaitable[None] | None]
"""Turns a fault on or off; the text is its value, "" for the default."""


@dataclass(slots=True, eq=False)
class Instrument:
    """One virtual instrument as the outside sees it.

    Attributes:
        id: its name in devices.json and on the control socket.
        driver: name of the driver that reads it.
        url: its link.
        run: runs it until cancelled, then takes it away.
        faults: what can go wrong, by name.
        extra: further entries for devices.json.
    """

    id: str
    instrument: str
    driver: str
    url: str
    run: Callable[[], Coroutine[None, None, None]]
    faults: dict[str, Switch]
    extra: dict[str, str] = field(default_factory=dict[str, str])

    def listing(self) -> dict[str, str]:
        """Return its entry for devices.json."""
        own = {"id": self.id, "instrument": self.instrument, "driver": self.driver}
        own |= {"url": self.url, "link": self.url}  # "link" is what the agent's settings call it
        return own | self.extra

    async def set_fault(self, fault: str, on: bool, value: str) -> None:
        """Turn a fault on or off.

        Raises:
            FaultError: it does not know this fault, or not with this value.
        """
        switch = self.faults.get(fault)
        if switch is None:
            known = ", ".join(sorted(self.faults))
            raise FaultError(self.id, fault, f"{self.id} knows no fault {fault!r}; it knows {known}")
        try:
            pending = switch(on, value)
            if pending is not None:
                await pending
        except ValueError as error:
            raise FaultError(self.id, fault, f"{self.id} {fault}: {error}") from error


def probability(on: bool, value: str) -> float:
    """Return a probability 0..1 from a fault's value."""
    if not on:
        return 0.0
    chance = float(value) if value else DEFAULT_PROBABILITY
    if not 0.0 <= chance <= 1.0:
        raise ValueError("the value is a probability, 0 to 1")
    return chance


def choice(value: str, choices: tuple[str, ...] | list[str]) -> str:
    """Return `value` if it is one of `choices`."""
    if value not in choices:
        raise ValueError(f"the value is one of {', '.join(choices)}")
    return value


def ecg(folder: Path, seed: int, now: float) -> Instrument:
    """The kit's twelve-lead ECG at DIR/ecg."""
    body = EcgBody(seed)
    device = kit.KitDevice(kit.ecg_identity(f"SIM{seed:05d}E"), body, ECG_SETS, now)

    def lead_off(on: bool, value: str) -> None:
        for lead in value.split(",") if value else body.loop.names:
            name = choice(lead, body.loop.names)
            (body.leads_off.add if on else body.leads_off.discard)(name)

    def mains_hum(on: bool, value: str) -> None:
        body.mains_uv = 1000 * (float(value) if value else DEFAULT_MAINS_MV) if on else 0.0

    own: dict[str, Switch] = {"lead_off": lead_off, "mains_hum": mains_hum}
    return serial_instrument(
        "ecg", "ecg", "kit-ecg", folder, SerialRunner(device, *line(folder / "ecg", seed)), own
    )


def stethoscope(folder: Path, seed: int, now: float) -> Instrument:
    """The kit's stethoscope at DIR/stethoscope."""
    body = ChestBody(seed)
    device = kit.KitDevice(kit.stethoscope_identity(f"SIM{seed:05d}S"), body, SOUND_SETS, now)

    def friction(on: bool, value: str) -> None:
        body.friction = (float(value) if value else 0.5) if on else 0.0

    def sensor_off(on: bool, _value: str) -> None:
        body.lifted = on

    def site(on: bool, value: str) -> None:
        body.site = choice(value, tuple(SOUND_OF_SITE)) if on else "M"

    own: dict[str, Switch] = {"friction": friction, "sensor_off": sensor_off, "site": site}
    runner = SerialRunner(device, *line(folder / "stethoscope", seed + 1))
    return serial_instrument("stethoscope", "stethoscope", "kit-stethoscope", folder, runner, own)


def oximeter(folder: Path, seed: int, now: float) -> Instrument:
    """A Nonin module in data format 2 at DIR/oximeter."""
    finger = FingerBody(seed)
    runner = SerialRunner(NoninDf2(finger, now), *line(folder / "oximeter", seed + 2))
    return serial_instrument("oximeter", "oximeter", "nonin-df2", folder, runner, _finger_faults(finger))


async def ble_oximeter(air: SimLink, spec: str, seed: int) -> Instrument:
    """A pulse oximeter with the Bluetooth service, advertising on the virtual air when this returns."""
    finger = FingerBody(seed)
    sensor = PlxSensor(air, finger, f"SIM{seed:05d}P")
    await sensor.start()

    def silence(on: bool, _value: str) -> None:
        sensor.silence = on

    def ble_drop(on: bool, _value: str) -> None:
        (sensor.leave if on else sensor.come_back)()

    return Instrument(
        id="oximeter-ble",
        instrument="oximeter",
        driver="plx",
        url=f"ble:{plx_sensor.ADDRESS}?notify=2a5f,2a5e",
        run=sensor.run,
        faults={"silence": silence, "ble_drop": ble_drop, **_finger_faults(finger)},
        extra={"bluetooth_backend": "chevet.sim.bumble_backend:bluetooth", "bluetooth_spec": spec},
    )


def otoscope(camera: Camera) -> Instrument:
    """The network camera; it must have been plugged, so that its port is known."""
    ear = camera.ear

    def show(on: bool, value: str) -> Awaitable[None]:
        side, condition = Ear().side, Ear().condition
        for word in value.split(":") if on and value else []:
            if choice(word, (*SIDES, *CONDITIONS)) in SIDES:
                side = word
            else:
                condition = word
        return camera.look_at(condition, side)

    def defocus(on: bool, _value: str) -> None:
        ear.defocus = on

    def silence(on: bool, _value: str) -> None:
        ear.frozen = on

    def garbage(on: bool, value: str) -> None:
        ear.garbage = probability(on, value)

    def unplug(on: bool, _value: str) -> Awaitable[None]:
        return camera.unplug() if on else camera.plug()

    return Instrument(
        id="otoscope",
        instrument="otoscope",
        driver="camera",
        url=f"mjpeg:{camera.url}",
        run=camera.run,
        faults={
            "ear": show,
            "defocus": defocus,
            "silence": silence,
            "garbage": garbage,
            "unplug": unplug,
            "replug": _replugging(camera.unplug, camera.plug),
        },
    )


def _replugging(
    unplug: Callable[[], Awaitable[None] | None], plug: Callable[[], Awaitable[None] | None]
) -> Switch:
    async def replug(_on: bool, value: str) -> None:
        for action, pause_s in ((unplug, float(value) if value else REPLUG_AFTER_S), (plug, 0.0)):
            pending = action()
            if pending is not None:
                await pending
            await asyncio.sleep(pause_s)

    return replug


def _finger_faults(finger: FingerBody) -> dict[str, Switch]:
    def sensor_off(on: bool, _value: str) -> None:
        finger.off = on

    def motion(on: bool, _value: str) -> None:
        finger.moving = on

    return {"sensor_off": sensor_off, "motion": motion}


def line(link: Path, seed: int) -> tuple[PtyPort, WireFaults]:
    """Return a port at `link` and the faults of its wire, quiet."""
    return PtyPort(link), WireFaults(random.Random(seed))  # noqa: S311 - noise, not secrets


def serial_instrument(
    device: str,
    instrument: str,
    driver: str,
    folder: Path,
    runner: SerialRunner,
    own: dict[str, Switch],
    options: str = "",
) -> Instrument:
    """Return an instrument on a port with the faults of its wire and its `own`.

    Args:
        device: its id and the name of its port in `folder`.
        instrument: such as "ecg".
        driver: name of the driver.
        folder: where the port is.
        runner: runs it.
        own: faults beside those of the wire.
        options: what the link needs beside the speed, such as "&parity=O".
    """
    faults = runner.faults

    def silence(on: bool, _value: str) -> None:
        faults.silence = on

    def garbage(on: bool, value: str) -> None:
        faults.garbage = probability(on, value)

    def lost_bytes(on: bool, value: str) -> None:
        faults.lost_bytes = probability(on, value)

    def checksum(on: bool, value: str) -> None:
        faults.checksum = probability(on, value)

    def unplug(on: bool, _value: str) -> None:
        (runner.unplug if on else runner.plug)()

    wire: dict[str, Switch] = {
        "silence": silence,
        "garbage": garbage,
        "lost_bytes": lost_bytes,
        "checksum": checksum,
        "unplug": unplug,
        "replug": _replugging(runner.unplug, runner.plug),
    }
    url = f"serial:{folder / device}?baud={runner.device.baud}{options}"
    return Instrument(device, instrument, driver, url, runner.run, {**wire, **own})
