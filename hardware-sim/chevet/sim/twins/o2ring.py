"""A Viatom/Wellue O2Ring: says nothing unless asked, answers in notifications of 20 bytes.

Layout: device-protocols notes section 2.5.
"""

import json

from chevet.sim.twins import gatt
from chevet.sim.twins.finger import Finger
from chevet.sim.twins.gatt import NOTIFY, WRITE, Sent, Service, characteristic
from chevet.sim.twins.pace import Pace
from chevet.sim.twins.pulses import PulseMarks

SERVICE = "14839ac4-7d7e-415c-9a42-167340cf2339"
NOTIFIES = "0734594a-a8e7-4b1a-a6b1-cd5243059a57"
WRITES = "8b00ace7-eb0b-49b0-bbe9-9aee0a26e1a3"
RATE_HZ, TOP = 125.0, 100
LONGEST_WAVE = 250
"""What it keeps for the next question, assumed: two seconds."""
BEAT_MARK = 156


def checksum(data: bytes) -> int:
    """Return the CRC-8 as remainder of a division of polynomials over GF(2) by x^8 + x^2 + x + 1."""
    number = int.from_bytes(data + b"\x00", "big")
    divisor = 0b100000111
    while number.bit_length() > 8:
        number ^= divisor << (number.bit_length() - 9)
    return number


class O2Ring:
    """The ring.

    Attributes:
        knows_wave: False for older models, which refuse command 0x1B.
        deaf: it does not answer at all.
        beat_marks: it puts its mark of a beat in place of a sample, as real ones do.
    """

    name = "O2Ring 1234"
    linger_s = 0.0

    def __init__(self, finger: Finger, now: float, battery: int = 80) -> None:
        self.services: tuple[Service, ...] = (
            Service(SERVICE, (characteristic(NOTIFIES, NOTIFY), characteristic(WRITES, WRITE))),
        )
        self.knows_wave = True
        self.deaf = False
        self.beat_marks = False
        self.battery = battery
        self._finger = finger
        self._pulse = PulseMarks(finger, 1 / RATE_HZ)
        self._pace = Pace(RATE_HZ, now, LONGEST_WAVE / RATE_HZ)
        self._heard = b""
        self._at_s = 0.0

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._pace.began

    def connected(self, now: float) -> None:
        """Forget what was heard before."""
        self._heard = b""
        self._pace.due(now)

    def advance(self, now: float) -> list[Sent]:
        """Say nothing by itself."""
        del now
        return []

    def written(self, uuid: str, data: bytes, now: float) -> list[Sent]:
        """Answer each whole request, however it was cut."""
        if uuid != WRITES:
            return []
        self._heard += data
        sent: list[Sent] = []
        while len(self._heard) >= 8:
            size = 8 + int.from_bytes(self._heard[5:7], "little")
            if self._heard[0] != 0xAA or self._heard[1] + self._heard[2] != 255:
                self._heard = self._heard[1:]
                continue
            if len(self._heard) < size:
                break
            frame, self._heard = self._heard[:size], self._heard[size:]
            if checksum(frame[:-1]) == frame[-1] and not self.deaf:
                sent += gatt.in_parts(NOTIFIES, self._answer(frame[1], now))
        return sent

    def _answer(self, command: int, now: float) -> bytes:
        match command:
            case 0x14:
                return reply(self._information())
            case 0x17:
                return reply(self._numbers())
            case 0x1B if self.knows_wave:
                return reply(self._wave(now))
        return reply(b"", status=1)

    def _information(self) -> bytes:
        told = {
            "Region": "CE",
            "Model": "1611",
            "HardwareVer": "AA",
            "SoftwareVer": "1.4.0",
            "SN": "2012345678",
            "CurTIME": "2025-03-14,09:30:05",
            "CurBAT": f"{self.battery}%",
            "FileList": "20250313221500,",
        }
        return json.dumps(told, separators=(",", ":")).encode().ljust(256, b"\x00")

    def _numbers(self) -> bytes:
        shown = self._finger.shown(self._at_s)
        perfusion = round(10 * (shown.perfusion_pct or 0.0))
        motion = 20 if self._finger.moving else 0
        head = bytes([shown.spo2 or 0, shown.pulse_rate or 0]) + bytes(5)
        return head + bytes([self.battery, 0, motion, perfusion, 0 if self._finger.off else 1, 0])

    def _wave(self, now: float) -> bytes:
        due = self._pace.due(now)
        self._at_s = due.stop / RATE_HZ
        first = due.start
        samples = self._finger.wave(first, len(due), RATE_HZ, TOP) if due else []
        if self.beat_marks:
            samples = [
                BEAT_MARK if self._pulse.at((first + place) / RATE_HZ) else sample
                for place, sample in enumerate(samples)
            ]
        shown = self._finger.shown(self._at_s)
        perfusion = round(10 * (shown.perfusion_pct or 0.0))
        head = bytes([shown.spo2 or 0]) + (shown.pulse_rate or 0).to_bytes(2, "little")
        head += bytes([self.battery, 0, perfusion, 0 if self._finger.off else 1, 0, 0, 0])
        return head + len(samples).to_bytes(2, "little") + bytes(samples)


def reply(data: bytes, status: int = 0) -> bytes:
    """Return `55 status status^FF block length data crc`."""
    body = bytes([0x55, status, 255 - status, 0, 0]) + len(data).to_bytes(2, "little") + data
    return body + bytes([checksum(body)])
