"""What goes wrong between a Bluetooth instrument and whoever is connected to it.

A live link repeats what is lost on air, so that single notifications hardly ever vanish; hosts with full
queues and busy devices lose, double and delay them all the same.
"""

import asyncio
import random
from typing import Protocol

from chevet.sim.faults import Fault, Faults, flag, level, likely, reading

Sent = tuple[str, bytes]
COMES_BACK_S = 5.0


class AirFaults:
    """Disturbs notifications; every switch can be turned while it runs.

    Attributes:
        silence: connected but sends nothing.
        deaf: what is written never arrives.
        lost, duplicate, truncated, checksum, garbage, odd_sizes: probabilities for each notification.
        stall_s: notifications are held back and arrive together.
        hangs_up_s: the device disconnects so long after each connection, 0 for never.
    """

    def __init__(self, seed: int = 0) -> None:
        self.silence = self.deaf = False
        self.lost = self.duplicate = self.truncated = self.checksum = self.garbage = self.odd_sizes = 0.0
        self.stall_s = self.hangs_up_s = 0.0
        self.disturbed = 0
        self._random = random.Random(seed)  # noqa: S311 - noise, not secrets
        self._held: list[Sent] = []
        self._held_since = 0.0

    def apply(self, sent: list[Sent], now: float) -> list[Sent]:
        """Return what reaches the other side now."""
        if self.silence:
            return []
        disturbed = [piece for one in sent for piece in self._disturb(*one)]
        return self._stalled(disturbed, now)

    def _disturb(self, uuid: str, value: bytes) -> list[Sent]:
        if self._happens(self.lost):
            return []
        if value and self._happens(self.checksum):
            value = value[:-1] + bytes((value[-1] ^ 0x55,))
        if self._happens(self.truncated):
            value = value[: self._random.randrange(max(1, len(value)))]
        pieces = [value]
        if len(value) > 1 and self._happens(self.odd_sizes):
            place = self._random.randrange(1, len(value))
            pieces = [value[:place], value[place:]]
        if self._happens(self.garbage):
            pieces.insert(0, self._random.randbytes(self._random.randint(1, 20)))
        if self._happens(self.duplicate):
            pieces *= 2
        return [(uuid, piece) for piece in pieces]

    def _stalled(self, sent: list[Sent], now: float) -> list[Sent]:
        if not self._held:
            self._held_since = now
        self._held += sent
        if self.stall_s and now - self._held_since < self.stall_s:
            return []
        held, self._held = self._held, []
        return held

    def _happens(self, probability: float) -> bool:
        # No draw while a fault is off, so that switching one on does not change what the others do.
        happens = probability > 0 and self._random.random() < probability
        self.disturbed += happens
        return happens


class OnAir(Protocol):
    """A Bluetooth instrument that can go out of range."""

    def leave(self) -> None:
        """Go out of range."""
        ...

    def come_back(self) -> None:
        """Come into range again."""
        ...

    async def hang_up(self) -> None:
        """Disconnect whoever is connected."""
        ...


def air_of(device: OnAir, faults: AirFaults) -> Faults:
    """Return the faults of a Bluetooth link."""
    back: list[asyncio.TimerHandle] = []

    def ble_drop(on: bool, _value: str) -> None:
        for timer in back:
            timer.cancel()
        back.clear()
        (device.leave if on else device.come_back)()

    away = reading(0.1, 600.0, COMES_BACK_S)

    def slow_reconnect(_on: bool, value: str) -> None:
        ble_drop(True, "")
        back.append(asyncio.get_running_loop().call_later(away(value), device.come_back))

    wire = "wire"
    return {
        "silence": flag(faults, "silence", "connected, but sends nothing", wire),
        "deaf": flag(faults, "deaf", "what the host writes is lost: commands, polls", wire),
        "ble_drop": Fault(ble_drop, "out of range until it is turned off", kind=wire),
        "slow_reconnect": Fault(
            slow_reconnect, "out of range, and back after a while", "0.1 to 600 s (5)", True, wire, away
        ),
        "hang_up": Fault(lambda _on, _value: device.hang_up(), "disconnects now", once=True, kind=wire),
        "hangs_up": level(
            faults, "hangs_up_s", "disconnects a while after every connection", (0.1, 600.0, 3.0), "s", wire
        ),
        "stall": level(
            faults, "stall_s", "notifications are held back, then come at once", (0.05, 30.0, 1.0), "s", wire
        ),
        "lost": likely(faults, "lost", "notifications are lost"),
        "duplicate": likely(faults, "duplicate", "notifications arrive twice"),
        "odd_sizes": likely(faults, "odd_sizes", "notifications come in two pieces"),
        "truncated": likely(faults, "truncated", "notifications are cut short"),
        "checksum": likely(faults, "checksum", "the last byte of a notification is wrong"),
        "garbage": likely(faults, "garbage", "notifications of noise between the others"),
    }
