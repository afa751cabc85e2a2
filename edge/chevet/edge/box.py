"""What the box can say of itself: its clock and its power."""

import ctypes
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from chevet.edge.clock_floor import ClockFloor
from chevet.study.study import EdgeClock

_TIMEX_BYTES = 512  # struct timex is 208 bytes on 64-bit Linux; more room does no harm
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised to a reliable server


@dataclass(frozen=True, slots=True)
class Power:
    """Where the power comes from: `source` is mains, battery or unknown; `percent` of the battery, if any."""

    source: str
    percent: int | None


class BoxClock:
    """The wall clock, the monotonic clock, the boot they belong to, and how good the wall clock is."""

    def __init__(
        self, boot_id: Path = Path("/proc/sys/kernel/random/boot_id"), floor: ClockFloor | None = None
    ) -> None:
        self._floor = floor
        try:
            self.boot_id = boot_id.read_text("ascii").strip()
        except OSError:
            self.boot_id = ""

    def now_ms(self) -> int:
        """Return Unix milliseconds, never below the floor; for people, never for order."""
        now = time.time_ns() // 1_000_000
        return now if self._floor is None else max(now, self._floor.ms())

    def fits(self, begins: datetime, ends: datetime) -> bool:
        """Tell whether a certificate valid between these times, its signature verified, does now."""
        now, synchronised = self.now_ms(), self.quality() == "synchronised"
        if self._floor is None:
            return begins.timestamp() * 1000 <= now <= ends.timestamp() * 1000
        return self._floor.fits(begins, ends, now, synchronised=synchronised)

    def note(self, told_ms: int | None = None) -> None:
        """Take note of the time: the relay's signed word, else this clock's own where it is synchronised."""
        if self._floor is None:
            return
        if told_ms is not None:
            self._floor.told(told_ms)
        else:
            self._floor.seen(self.now_ms() if self.quality() == "synchronised" else self._floor.ms())

    def monotonic(self) -> float:
        """Return seconds that only grow while the box is on."""
        return time.monotonic()

    def quality(self) -> str:
        """Return "synchronised", "free-running" or "unknown", as the kernel tells it."""
        try:
            state = int(ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
        except (OSError, AttributeError):
            return "unknown"
        if state < 0:
            return "unknown"
        return "free-running" if state == _TIME_ERROR else "synchronised"

    def reading(self) -> EdgeClock:
        """Return all of it, as it travels with a study."""
        return EdgeClock(self.now_ms(), self.boot_id, self.monotonic(), self.quality())


def read_power(folder: Path = Path("/sys/class/power_supply")) -> Power:
    """Return the power source as the kernel lists it."""
    supplies = [_supply(path) for path in sorted(folder.glob("*"))] if folder.is_dir() else []
    batteries = [supply for supply in supplies if supply.get("type") == "Battery"]
    mains = [supply for supply in supplies if supply.get("type") in {"Mains", "USB"}]
    percent = next((int(b["capacity"]) for b in batteries if b.get("capacity", "").isdigit()), None)
    if any(supply.get("online") == "1" for supply in mains):
        return Power("mains", percent)
    if any(battery.get("status") == "Discharging" for battery in batteries):
        return Power("battery", percent)
    return Power("mains" if batteries else "unknown", percent)


def _supply(folder: Path) -> dict[str, str]:
    words: dict[str, str] = {}
    for name in ("type", "online", "status", "capacity"):
        try:
            words[name] = (folder / name).read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
    return words
