"""What the box can say of itself: its clock and its power."""

import ctypes
import time
from dataclasses import dataclass
from pathlib import Path

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

    def __init__(self, boot_id: Path = Path("/proc/sys/kernel/random/boot_id")) -> None:
        try:
            self.boot_id = boot_id.read_text("ascii").strip()
        except OSError:
            self.boot_id = ""

    def now_ms(self) -> int:
        """Return Unix milliseconds; for people, never for order."""
        return time.time_ns() // 1_000_000

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
