"""Masimo Radical-7, Rad-8 and others in "ASCII 1" output: one line of `KEY=VALUE` a second.

`03/14/25 09:30:05 SN=0000070986 SPO2=097% BPM=072 PI=05.40% SPCO=--.-% ... ALARM=0000 EXC=000000`, 9600
baud 8N1; dashes are "no number". Source: MD PnP OpenICE.

Doubts: the baud rate is known, not read in a source. What the bits of ALARM and EXC mean is in Masimo's
manual only, so words `alarm=` and `exception=` carry them raw. SpCO, SpMet, PVI are left: they are no
reading kinds here. There is no checksum: numbers of another width than documented are refused, a changed
digit cannot be noticed, and a serial number is believed when two lines agree.
"""

import re

from chevet.bridge.packet import Packet
from chevet.devices.conditions import identity, perfusion_reading, pulse_reading, spo2_reading
from chevet.devices.counters import Counters
from chevet.devices.errors import BrokenPayload
from chevet.devices.samples import Event, Notice, Reading
from chevet.devices.text_lines import TextLines

DATE = re.compile(r"\d{2}/\d{2}/\d{2} \d{2}:\d{2}:\d{2} (.*)")
FIELD = re.compile(r"[A-Z0-9]+=[^=\s]+")
SPO2 = re.compile(r"(\d{3}|---)%")
RATE = re.compile(r"(\d{3}|---)")
PERFUSION = re.compile(r"(\d{2}\.\d{2}|--\.--)%")


class MasimoAscii:
    """Reads SpO2, pulse rate and perfusion index once a second, and the serial number."""

    name = "masimo-ascii"
    instrument = "oximeter"

    def __init__(self) -> None:
        self.counters = Counters()
        self._lines = TextLines()
        self.start()

    def start(self) -> bytes:
        """Return nothing: the monitor prints by itself."""
        self._lines.restart()
        self._heard = self._told = ""
        return b""

    def tick(self, at: float) -> bytes:  # noqa: ARG002 (the monitor needs nothing)
        """Return nothing."""
        return b""

    def stop(self) -> bytes:
        """Return nothing: it cannot be stopped."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        events: list[Event] = []
        for line in self._lines.feed(packet.data):
            try:
                events += self._read(_fields(line or ""), packet.at)
            except BrokenPayload:
                self.counters.bad_frames += 1
            else:
                self.counters.frames += 1
        return events

    def _read(self, fields: dict[str, str], at: float) -> list[Event]:
        words = _flags(fields)
        spo2 = spo2_reading(_number(fields, "SPO2", SPO2), at, words)
        rate = pulse_reading(_number(fields, "BPM", RATE), at, words)
        readings: list[Reading] = [spo2, rate]
        if "PI" in fields:
            readings.append(perfusion_reading(_number(fields, "PI", PERFUSION), at, words))
        return [*self._identify(fields.get("SN", ""), at), *readings]

    def _identify(self, serial: str, at: float) -> list[Event]:
        agreed, self._heard = serial == self._heard, serial
        if not agreed or not serial or serial == self._told:
            return []
        self._told = serial
        return [Notice("identified", at, detail=identity("Masimo", serial))]


def _fields(line: str) -> dict[str, str]:
    found = DATE.fullmatch(line)
    words = found[1].split() if found else []
    if not words or not all(FIELD.fullmatch(word) for word in words):
        raise BrokenPayload("line")
    return dict(word.split("=") for word in words)


def _number(fields: dict[str, str], key: str, form: re.Pattern[str]) -> float | None:
    found = form.fullmatch(fields.get(key, ""))
    if found is None:
        raise BrokenPayload(key)
    return None if found[1].startswith("-") else float(found[1])


def _flags(fields: dict[str, str]) -> tuple[str, ...]:
    """Return ALARM and EXC as words, where they are not zero."""
    names = (("ALARM", "alarm"), ("EXC", "exception"))
    return tuple(f"{word}={fields[key]}" for key, word in names if fields.get(key, "").strip("0"))
