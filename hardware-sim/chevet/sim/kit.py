"""The kit's virtual front ends: what firmware does between sensor and serial line, without I/O."""

from decimal import Decimal
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chevet.sim import kit_wire as wire
from chevet.sim.playback import Int16

BAUD = 921600
"""PROTOCOL.md section 1, every kit device."""
STATUS_EVERY_S = 1.0
STATUS_AT_MOST_EVERY_S = 0.1
"""Section 7: a changed `off` bitmap is told at once, but at most ten times a second."""
CATCH_UP_S = 0.5
"""A host process that slept longer than this lost samples, as a real front end's buffer would."""
FIRMWARE = "0.1.0-sim"

MICROVOLT = Decimal("0.001")


class Front(Protocol):
    """The sensor side of a front end: samples by index, and which channels have no contact."""

    def take(self, first: int, count: int) -> Int16:
        """Return sample sets `first` to `first + count`, shape [channels, count]."""
        ...

    def off(self) -> int:
        """Return the bitmap of channels without contact."""
        ...


LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def ecg_identity(
    serial: str,
    rate_hz: float = 500.0,
    names: tuple[str, ...] = LEADS,
    steps_mv: NDArray[np.float64] | None = None,
) -> wire.Identity:
    """Twelve leads at 500 Hz, one microvolt a step; others where a recording is played, [names, 1] mV."""
    gains = [MICROVOLT] * len(names) if steps_mv is None else [_decimal(step) for step in steps_mv[:, 0]]
    channels = tuple(wire.WireChannel(name, "mV", gain) for name, gain in zip(names, gains, strict=True))
    return wire.Identity(1, round(1000 * rate_hz), "CHEVET-SIM-E12", serial, FIRMWARE, channels)


def _decimal(step: float) -> Decimal:
    """Return a step as the wire carries it: nine digits at most, so that the mantissa fits 32 bits."""
    return Decimal(f"{step:.9g}")


def stethoscope_identity(serial: str, rate_hz: float = 4000.0) -> wire.Identity:
    """One sound channel of 16 bit, usually at 4 kHz."""
    sound = (wire.WireChannel("sound", "1"),)
    return wire.Identity(2, round(1000 * rate_hz), "CHEVET-SIM-S1", serial, FIRMWARE, sound)


def oximeter_identity(serial: str, rate_hz: float) -> wire.Identity:
    """Red and infrared light, 25000 steps for the mean of the infrared."""
    channels = tuple(wire.WireChannel(name, "1", Decimal("0.00004")) for name in ("red", "infrared"))
    return wire.Identity(3, round(1000 * rate_hz), "CHEVET-SIM-X1", serial, FIRMWARE, channels)


class KitDevice:
    """One virtual front end from power-on on.

    Bytes from the host go in by `receive`, time by `advance`; both return whole frames to send.

    Attributes:
        battery_pct: None while the device is charged through its cable.
    """

    baud = BAUD

    def __init__(self, identity: wire.Identity, front: Front, sets_per_frame: int, now: float) -> None:
        self._identity = identity
        self._front = front
        self._sets_per_frame = sets_per_frame
        self._rate_hz = identity.rate_mhz / 1000
        self.battery_pct: int | None = None
        self.restart(now)

    @property
    def began_at(self) -> float:
        """When sample 0 was taken, on the device's clock."""
        return self._powered_at if self._started_at is None else self._started_at

    def restart(self, now: float) -> None:
        """Power on: counters at zero, silent but for the status."""
        self._reader = wire.CommandReader()
        self._powered_at = now
        self._status_at = now + STATUS_EVERY_S
        self._status_sent_at = now - STATUS_EVERY_S
        self._started_at: float | None = None
        self._index = 0
        self._lost = 0
        self._ahead = 0
        self._seq = 0
        self._off_told = 0

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Take bytes from the host, possibly none, and return the answers."""
        return [self._answer(command, now) for command in self._reader.feed(data, now)]

    def advance(self, now: float) -> list[bytes]:
        """Return the samples and status frames due at `now`."""
        return self._samples_due(now) + self._status_due(now)

    def overflow(self, sets: int) -> None:
        """Lose the sample sets that come next and count them, as a buffer that ran over does."""
        if self._started_at is not None:
            self._index += sets
            self._lost += sets

    def jump(self, sets: int) -> None:
        """Let the index jump without counting a loss, as faulty firmware does."""
        if self._started_at is not None:
            self._index += sets
            self._ahead += sets

    def _frame(self, kind: int, payload: bytes) -> bytes:
        framed = wire.frame(kind, self._seq, payload)
        self._seq = (self._seq + 1) & 0xFF
        return framed

    def _answer(self, command: wire.Command, now: float) -> bytes:
        if command.type == wire.IDENTIFY and len(command.payload) >= 2:
            return self._frame(wire.IDENTITY, wire.identity_payload(self._identity, command.seq))
        code = wire.DONE
        if command.type == wire.IDENTIFY:
            code = wire.BAD_LENGTH
        elif command.type == wire.START:
            self._start(now)
        elif command.type == wire.STOP:
            self._started_at = None
            self._index = 0
        else:
            code = wire.UNKNOWN_COMMAND
        return self._frame(wire.ANSWER, wire.answer_payload(command.type, command.seq, code))

    def _start(self, now: float) -> None:
        if self._started_at is None:
            self._started_at = now
            self._index = 0
            self._lost = 0
            self._ahead = 0

    def _samples_due(self, now: float) -> list[bytes]:
        frames: list[bytes] = []
        if self._started_at is None:
            return frames
        taken = int((now - self._started_at) * self._rate_hz) + self._ahead
        self._skip_overrun(taken)
        while taken - self._index >= self._sets_per_frame:
            values = self._front.take(self._index - self._ahead, self._sets_per_frame)
            payload = wire.samples_payload(self._index, self._lost, values)
            frames.append(self._frame(wire.SAMPLES, payload))
            self._index += self._sets_per_frame
        return frames

    def _skip_overrun(self, taken: int) -> None:
        late = taken - self._index
        if late <= CATCH_UP_S * self._rate_hz:
            return
        skipped = late // self._sets_per_frame * self._sets_per_frame
        self._lost += skipped
        self._index += skipped

    def _status_due(self, now: float) -> list[bytes]:
        off = self._front.off()
        changed = off != self._off_told and now - self._status_sent_at >= STATUS_AT_MOST_EVERY_S
        if now < self._status_at and not changed:
            return []
        if now >= self._status_at:
            self._status_at += STATUS_EVERY_S * (1 + int((now - self._status_at) / STATUS_EVERY_S))
        self._status_sent_at = now
        self._off_told = off
        status = wire.Status(
            uptime_ms=int((now - self._powered_at) * 1000),
            index=self._index,
            lost=self._lost,
            bad_commands=self._reader.bad_commands,
            off=off,
            streaming=self._started_at is not None,
            battery_pct=wire.NO_BATTERY if self.battery_pct is None else self.battery_pct,
            charging=self.battery_pct is None,
        )
        return [self._frame(wire.STATUS, wire.status_payload(status))]
