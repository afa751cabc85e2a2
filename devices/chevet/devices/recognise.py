"""What a USB adapter, a Bluetooth advertisement or a camera means: tables, and pure functions on them.

A USB serial adapter says what chip it is, not what hangs on it, so it only hints: which speeds to listen at
first, and which of two look-alikes is meant. Bluetooth services and names do say what a device is.
"""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, replace

from chevet.devices.gatt import uuid
from chevet.devices.recognition import AMBIGUOUS, CERTAIN, LIKELY, NOTHING, Recognition


@dataclass(frozen=True, slots=True)
class Adapter:
    """A USB serial chip or board.

    Attributes:
        name: what it is, for people.
        drivers: who is known to come behind it, the likeliest first; a hint, never a recognition.
    """

    name: str
    drivers: tuple[str, ...] = ()


ADAPTERS: dict[tuple[int, int], Adapter] = {
    (0x0403, 0x6001): Adapter("FTDI FT232R", ("nonin-df2", "ads1292r", "bitalino")),
    (0x0403, 0x6015): Adapter("FTDI FT231X", ("cyton",)),  # the dongle of OpenBCI
    (0x10C4, 0xEA60): Adapter("Silicon Labs CP210x", ("contec-cms50-v1", "contec-cms50-v2", "healthypi-v4")),
    (0x1A86, 0x7523): Adapter("WCH CH340", ("chords", "ad8232")),
    (0x1A86, 0x55D4): Adapter("WCH CH9102", ("chords", "healthypi-v4")),
    (0x067B, 0x2303): Adapter("Prolific PL2303", ("nonin-ascii", "masimo-ascii")),
    (0x2341, 0x0043): Adapter("Arduino UNO R3", ("chords", "ad8232")),
    (0x2341, 0x0001): Adapter("Arduino UNO", ("chords", "ad8232")),
    (0x2A03, 0x0043): Adapter("Arduino UNO R3", ("chords", "ad8232")),
    (0x2341, 0x0069): Adapter("Arduino UNO R4 Minima", ("chords",)),
    (0x2341, 0x1002): Adapter("Arduino UNO R4 WiFi", ("chords",)),
    (0x2341, 0x006D): Adapter("Arduino UNO R4 WiFi", ("chords",)),
    (0x2341, 0x804D): Adapter("Arduino Zero", ("healthypi-v3",)),
    (0x2E8A, 0x000A): Adapter("Raspberry Pi Pico", ("healthypi-v5", "kit-stethoscope", "kit-ecg")),
    (0x0483, 0x5740): Adapter("STM32 virtual port", ("kit-ecg", "kit-stethoscope", "ads1298")),
}
"""USB ids of serial chips and boards: public knowledge of their makers. [?] which instrument comes with which
was read in the reference for CP210x (Contec) and FTDI (OpenBCI) only; HealthyPi v3 (Zero bootloader), v4
(CP210x) and 5 (RP2040) follow from the boards' processors. A wrong line costs some seconds of listening."""


@dataclass(frozen=True, slots=True)
class Advertised:
    """What tells a Bluetooth device.

    Attributes:
        driver: who reads it.
        service: 128-bit UUID that it advertises, "" where its name alone tells.
        names: patterns of its name, as in file names; with a service they narrow it down.
        doubt: what remains open even so.
    """

    driver: str
    service: str = ""
    names: tuple[str, ...] = ()
    doubt: str = ""


TRANSPARENT_UART = "49535343-fe7d-4ae5-8fa9-9fafd205e455"
NORDIC_UART = "6e400001-b5a3-f393-e0a9-e50e24dcca9e"
VIATOM = "14839ac4-7d7e-415c-9a42-167340cf2339"
POLAR_PMD = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"
NONIN = "46a970e0-0d5f-11e2-8b5e-0002a5d5c51b"
MOVESENSE = "34802252-7185-4d5d-b431-630e7050e8f0"

NAMED: tuple[Advertised, ...] = (
    Advertised("polar-h10", names=("Polar H10 *",)),
    Advertised("nonin-ble", names=("Nonin3230_*", "Nonin3231_*", "Nonin3150_*", "Nonin Medical*")),
    Advertised("movesense", names=("Movesense *",)),
    Advertised("ganglion", names=("Ganglion-*", "Simblee*")),
    Advertised("berrymed", TRANSPARENT_UART, ("BerryMed*",)),
    Advertised("pc60fw", names=("PC-60F*", "PC-60NW*", "PC-68B*")),
    Advertised("er1", VIATOM, ("ER1*", "DuoEK*", "VisualBeat*")),
    Advertised("viatom-o2ring", VIATOM, ("O2Ring*", "Checkme O2*", "CheckO2*", "SleepU*", "O2M*", "WearO2*")),
)
"""Names that makers give, with the service where several makers share it. A device that advertises standard
services beside (Polar's strap, Nonin's) is taken for what its name says."""

UNREADABLE = ("healthypi*", "O2Ring-S*", "O2Ring S*", "KardiaMobile*", "Eko *", "CORE *")
"""Devices that look like one of the services below and are not (HealthyPi v4 sends other bytes under standard
numbers), or whose protocol is closed: never offered as what they are not."""

SERVICES: tuple[Advertised, ...] = (
    Advertised("polar-h10", POLAR_PMD),
    Advertised("nonin-ble", NONIN),
    Advertised("movesense", MOVESENSE),
    Advertised("ganglion", uuid(0xFE84)),
    Advertised("plx", uuid(0x1822)),
    Advertised("blood-pressure", uuid(0x1810)),
    Advertised("thermometer", uuid(0x1809)),
    Advertised("glucose", uuid(0x1808)),
    Advertised("weight-scale", uuid(0x181D)),
    Advertised("heart-rate", uuid(0x180D)),
    Advertised("viatom-o2ring", VIATOM, doubt="the O2Ring family and the ER1 share this service"),
    Advertised("er1", VIATOM, doubt="the O2Ring family and the ER1 share this service"),
    Advertised(
        "berrymed",
        TRANSPARENT_UART,
        doubt="many makers use this chip's service; look at its numbers before using it",
    ),
)
"""By advertised service, in order: the maker's own before the standard ones. The Battery Service is left out:
every mouse has it."""

BLUETOOTH_OPTIONS: dict[str, str] = {
    "plx": "notify=2a5f,2a5e,2a52,2a19&read=2a24,2a25,2a26,2a60&write=2a52",
    "blood-pressure": "notify=2a35&read=2a24,2a25,2a26&pair=1",
    "thermometer": "notify=2a1c&read=2a24,2a25,2a26&pair=1",
    "glucose": "notify=2a18,2a34,2a52&write=2a52,2a2b&read=2a24,2a25,2a26,2a2b&pair=1",
    "weight-scale": "notify=2a9d&read=2a24,2a25,2a26&pair=1",
    "heart-rate": "notify=2a37,2a19&read=2a24,2a25,2a26",
    "battery": "notify=2a19&read=2a19,2a29,2a24,2a25,2a26",
    "nonin-ble": (
        "notify=0aad7ea0-0d60-11e2-8e3c-0002a5d5c51b,ec0a883a-4d24-11e7-b114-b2f933d5fe66,"
        "34e27863-76ff-4f8e-96f1-9e3993aa6199,ec0a9302-4d24-11e7-b114-b2f933d5fe66"
        "&read=2a24,2a25,2a26&pair=1"
    ),
    "berrymed": "notify=49535343-1e4d-4bd9-ba61-23c647249616",
    "viatom-o2ring": (
        "notify=0734594a-a8e7-4b1a-a6b1-cd5243059a57&write=8b00ace7-eb0b-49b0-bbe9-9aee0a26e1a3"
    ),
    "er1": "notify=0734594a-a8e7-4b1a-a6b1-cd5243059a57&write=8b00ace7-eb0b-49b0-bbe9-9aee0a26e1a3",
    "pc60fw": "notify=6e400003-b5a3-f393-e0a9-e50e24dcca9e",
    "polar-h10": (
        "notify=fb005c81-02e7-f387-1cad-8acd2d8df0c8,fb005c82-02e7-f387-1cad-8acd2d8df0c8,2a37,2a19"
        "&write=fb005c81-02e7-f387-1cad-8acd2d8df0c8&read=2a24,2a25,2a26,2a19"
    ),
    "ganglion": (
        "notify=2d30c082-f39f-4ce6-923f-3484ea480596&write=2d30c083-f39f-4ce6-923f-3484ea480596&read=2a28"
    ),
    "movesense": (
        "notify=34800002-7185-4d5d-b431-630e7050e8f0&write=34800001-7185-4d5d-b431-630e7050e8f0"
        "&read=2a24,2a25,2a26,2a19"
    ),
}
"""Options of each driver's `ble:` link, as docs/instruments.md has them."""

MAY_BOND = frozenset({"blood-pressure", "thermometer", "glucose", "weight-scale", "nonin-ble"})
"""Those whose link pairs: their makers mostly ask for it."""

SPOT = frozenset({"blood-pressure", "thermometer", "glucose", "weight-scale", "nonin-df13", "battery"})
"""Drivers of meters that speak once after a measurement and are silent for minutes or days by nature."""


def adapter(vid: int | None, pid: int | None) -> Adapter:
    """Return what is known of a USB serial adapter; its name is "" for one that is not."""
    return ADAPTERS.get((vid or 0, pid or 0), Adapter(""))


def narrowed(recognition: Recognition, hints: Sequence[str]) -> Recognition:
    """Settle look-alikes by what the adapter hints at: one of them that it is known for is likely."""
    fitting = tuple(driver for driver in recognition.drivers if driver in hints)
    if len(recognition.drivers) < 2 or len(fitting) != 1:
        return recognition
    others = ", ".join(driver for driver in recognition.drivers if driver not in fitting)
    doubt = f"its bytes fit {others} too; the USB adapter is that of {fitting[0]}"
    return replace(recognition, drivers=fitting, certainty=LIKELY, doubt=doubt)


def recognise_advertisement(name: str, services: Sequence[str]) -> Recognition:
    """Return what a Bluetooth device is by its advertised name and services.

    Args:
        name: as advertised, possibly cut short or "".
        services: 128-bit UUIDs, lower case.
    """
    if any(_matches(name, pattern) for pattern in UNREADABLE):
        return NOTHING
    for known in NAMED:
        if any(_matches(name, pattern) for pattern in known.names):
            return _bluetooth((known.driver,), f"name:{_shown(name)}", "")
    for known in SERVICES:
        if known.service in services:
            drivers = tuple(one.driver for one in SERVICES if one.service == known.service)
            return _bluetooth(drivers, f"service:{short(known.service)}", known.doubt)
    return NOTHING


def _bluetooth(drivers: tuple[str, ...], reason: str, doubt: str) -> Recognition:
    certainty = AMBIGUOUS if len(drivers) > 1 else LIKELY if doubt else CERTAIN
    return Recognition(drivers, certainty, reason, doubt, BLUETOOTH_OPTIONS[drivers[0]])


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name.lower(), pattern.lower())


def _shown(name: str) -> str:
    return "".join(char for char in name if char.isprintable())[:40]


def short(service: str) -> str:
    """Return a Bluetooth SIG UUID as its 16 bits, any other whole."""
    return service[4:8] if service == uuid(int(service[4:8], 16)) else service


def recognise_sound_card() -> Recognition:
    """Return what a USB sound card is: a stethoscope if a person says so, since headsets look the same."""
    doubt = "headsets and stethoscopes look alike on the bus: listen to it before using it as the stethoscope"
    return Recognition(("sound-card",), LIKELY, "sound_card", doubt)


def recognise_camera() -> Recognition:
    """Return what a camera is: an otoscope if a person says so, since all look alike on the bus."""
    doubt = "cameras look alike on the bus: look at its picture before using it as the otoscope"
    return Recognition(("camera",), LIKELY, "camera", doubt)
