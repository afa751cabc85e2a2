"""What every driver hears from its virtual twin, on a clock of its own: for fuzzing and benchmarks."""

import datetime
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
from ecg_bench import SERIAL_TWINS

from chevet.bridge.packet import Packet
from chevet.devices.driver import DRIVERS
from chevet.devices.gatt import uuid
from chevet.devices.samples import Event
from chevet.sim import kit, nonin, plx
from chevet.sim.bodies import ChestBody, EcgBody, FingerBody
from chevet.sim.playback import Int16
from chevet.sim.twins import (
    ble_oximeters,
    ecg_er1,
    ecg_ganglion,
    ecg_movesense,
    ecg_polar,
    measuring,
    o2ring,
    records,
    vital_signs,
)
from chevet.sim.twins.contec import ContecNew, ContecOld
from chevet.sim.twins.ecg_body import RecordedChest
from chevet.sim.twins.finger import RecordedFinger
from chevet.sim.twins.masimo import MasimoRadical7
from chevet.sim.twins.nonin import NoninAscii, NoninDf7, NoninDf8
from chevet.sim.twins.nonin_spot_check import NoninSpotCheck

STEP_S = 0.05
TICK_S = 0.25
BEGAN = 100.0
WHEN = datetime.datetime(2025, 3, 14, 9, 30, 5)


class Heard(NamedTuple):
    """One packet as it came from the twin."""

    at: float
    source: str
    data: bytes


class RedAndInfrared:
    """Light for the kit's oximeter: no finger, but numbers that change."""

    def take(self, first: int, count: int) -> Int16:
        index = np.arange(first, first + count)
        return np.stack((1000 + index % 250, 1200 + index % 310)).astype(np.int16)

    def off(self) -> int:
        return 0


Twins = dict[str, Callable[[float], Any]]


def _on(body: Callable[[], Any], makes: dict[str, Callable[..., Any]]) -> Twins:
    def on_it(make: Callable[..., Any]) -> Callable[[float], Any]:
        return lambda now: make(body(), now)

    return {name: on_it(make) for name, make in makes.items()}


def _kit(identity: Any, front: Callable[[], Any], sets: int) -> Callable[[float], Any]:
    return lambda now: kit.KitDevice(identity, front(), sets, now)


SERIAL: Twins = {
    "nonin-df2": lambda now: nonin.NoninDf2(FingerBody(2), now),
    "kit-ecg": _kit(kit.ecg_identity("E1"), lambda: EcgBody(2), 25),
    "kit-stethoscope": _kit(kit.stethoscope_identity("S1"), lambda: ChestBody(2), 100),
    "kit-oximeter": _kit(kit.oximeter_identity("X1", 100.0), RedAndInfrared, 5),
    **_on(RecordedChest, SERIAL_TWINS),
    **_on(
        lambda: RecordedFinger(2),
        {
            "nonin-df7": NoninDf7,
            "nonin-df8": NoninDf8,
            "nonin-df13": NoninSpotCheck,
            "nonin-ascii": NoninAscii,
            "masimo-ascii": MasimoRadical7,
            "contec-cms50-v1": ContecOld,
            "contec-cms50-v2": ContecNew,
        },
    ),
}
"""By driver name, and the way it speaks where there are several ("ads1292r raw")."""


def _measured(monitor: vital_signs.Pushing, *values: bytes) -> vital_signs.Pushing:
    for value in values:
        monitor.measured(value)
    return monitor


def _stored(meter: records.Records, *kept: records.Record) -> records.Records:
    meter.records += kept
    return meter


BLUETOOTH: Twins = {
    "blood-pressure": lambda now: _measured(
        vital_signs.blood_pressure_monitor(), vital_signs.blood_pressure(120, 80, 93, 72)
    ),
    "thermometer": lambda now: _measured(vital_signs.thermometer(), vital_signs.temperature(Decimal("36.6"))),
    "weight-scale": lambda now: _measured(vital_signs.scale(), vital_signs.weight(Decimal("70.5"))),
    "glucose": lambda now: _stored(records.glucose_meter(), records.glucose(1, Decimal("0.00095"), WHEN)),
    "plx stored": lambda now: _stored(
        records.storing_oximeter(), records.spot_check(1, Decimal(97), Decimal(72), WHEN)
    ),
    "battery": lambda now: measuring.BatteryOnly(now),
    **_on(
        RecordedChest,
        {
            "polar-h10": ecg_polar.PolarStrap,
            "movesense": ecg_movesense.MovesenseSensor,
            "ganglion": ecg_ganglion.GanglionBoard,
            "er1": ecg_er1.Er1Recorder,
        },
    ),
    **_on(
        lambda: RecordedFinger(2),
        {
            "nonin-ble": ble_oximeters.NoninBle,
            "berrymed": ble_oximeters.BerryMed,
            "pc60fw": ble_oximeters.Pc60Fw,
            "viatom-o2ring": o2ring.O2Ring,
            "heart-rate": vital_signs.Strap,
        },
    ),
}
OTHERS = ("plx",)
"""Devices whose twin is no more than an encoder and a radio."""


def driver_of(name: str) -> Any:
    return DRIVERS[name.partition(" ")[0]]()


def recorded(name: str, seconds: float, step_s: float = STEP_S, tick_s: float = TICK_S) -> list[Heard]:
    """Let driver and twin talk; return all that the driver heard, from the opening of the link on.

    Args:
        step_s: how often a serial port hands on what has come.
        tick_s: how often the driver is asked what it has to say, on a wire.
    """
    if name == "plx":
        return [_plx(BEGAN + second) for second in range(1, int(seconds) + 1)]
    return _on_a_wire(name, seconds, step_s, tick_s) if name in SERIAL else _on_air(name, seconds)


def replayed(driver: Any, heard: Iterable[Heard]) -> list[Event]:
    """Let a driver that has just been started hear a recording, ticking as a link's owner does."""
    events: list[Event] = []
    tick = BEGAN + TICK_S
    for at, source, data in heard:
        while tick <= at:
            driver.tick(tick)
            tick += TICK_S
        events += driver.feed(Packet(data, at, source))
    return events


def _on_a_wire(name: str, seconds: float, step_s: float, tick_s: float) -> list[Heard]:
    driver, twin = driver_of(name), SERIAL[name](BEGAN)
    heard: list[Heard] = []
    said = driver.start()
    frames = list(twin.receive(said, BEGAN)) if said else []
    for step in range(1, round(seconds / step_s) + 1):
        now = BEGAN + step * step_s
        if step % round(tick_s / step_s) == 0 and (said := driver.tick(now)):
            frames += twin.receive(said, now)
        frames += twin.advance(now)
        if data := b"".join(frames):
            heard.append(Heard(now, "", data))
            _feed(driver, heard[-1])
        frames = []
    return heard


def _on_air(name: str, seconds: float) -> list[Heard]:
    driver, twin = driver_of(name), BLUETOOTH[name](BEGAN)
    writes = [one.uuid for service in twin.services for one in service.characteristics if "write" in one.can]
    heard: list[Heard] = []
    twin.connected(BEGAN)
    for service in twin.services:  # what the link reads once when it opens
        for one in service.characteristics:
            if "read" in one.can and one.value:
                heard.append(Heard(BEGAN, one.uuid, one.value))
                _feed(driver, heard[-1])
    said, now = driver.start(), BEGAN
    for step in range(1, round(seconds / STEP_S) + 1):
        sent = twin.written(writes[0], said, now) if said and writes else []
        now = BEGAN + step * STEP_S
        for source, value in [*sent, *twin.advance(now)]:
            heard.append(Heard(now, source, value))
            _feed(driver, heard[-1])
        said = driver.tick(now) if step % round(TICK_S / STEP_S) == 0 else b""
    return heard


def _feed(driver: Any, one: Heard) -> None:
    driver.feed(Packet(one.data, one.at, one.source))


def _plx(at: float) -> Heard:
    return Heard(at, uuid(0x2A5F), plx.continuous(plx.PlxNumbers(Decimal(97), Decimal(72))))
