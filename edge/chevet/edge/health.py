"""How the box is: heat, memory, how long it has been up; and all of it in one shape for the health page."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chevet.edge.instruments import READY
from chevet.edge.support_code import age_word, write_code

if TYPE_CHECKING:
    from chevet.edge.bedside import Bedside

WARM_C, HOT_C = 70.0, 80.0
"""A Raspberry Pi slows itself down from 80 degrees (its documentation, "Frequency management")."""
LOW_BATTERY_PCT = 20
GIGABYTE = 1_000_000_000
THERMAL = Path("/sys/class/thermal")
MEMORY = Path("/proc/meminfo")


def read_heat(folder: Path = THERMAL) -> float | None:
    """Return the hottest zone in degrees Celsius, None where the box has no thermometer."""
    found = []
    for path in folder.glob("thermal_zone*/temp"):
        try:
            celsius = int(path.read_text("ascii")) / 1000
        except (OSError, ValueError):
            continue
        if -40.0 < celsius < 150.0:  # what lies outside is a sensor that is not there
            found.append(celsius)
    return max(found, default=None)


def heat_level(celsius: float | None) -> str:
    """Return "unknown", "ok", "warm" or "hot"."""
    if celsius is None:
        return "unknown"
    return "hot" if celsius >= HOT_C else "warm" if celsius >= WARM_C else "ok"


def read_memory(path: Path = MEMORY) -> int | None:
    """Return the memory that programs may still take, in bytes; None where the kernel does not say."""
    try:
        lines = path.read_text("ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def health_shape(bedside: "Bedside") -> dict[str, Any]:
    """Return Health of docs/api.md."""
    status = bedside.status()
    celsius = read_heat()
    ready = [one for one in bedside.instruments.values() if one.state == READY]
    weak = [
        one.id
        for one in bedside.instruments.values()
        if one.battery_pct is not None and one.battery_pct < LOW_BATTERY_PCT
    ]
    up_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    shape = {
        "disk": status["disk"],
        "heat": {"celsius": None if celsius is None else round(celsius, 1), "level": heat_level(celsius)},
        "memory_bytes": read_memory(),
        "clock": status["clock"] | {"up_s": round(up_s)},
        "power": status["power"],
        "uplink": status["uplink"],
        "queue": status["queue"],
        "devices": {"ready": len(ready), "known": len(bedside.instruments), "weak": weak},
        "version": status["version"],
        "visit_open": bedside.visits.current() is not None,
    }
    return shape | {"support_code": _code(shape, status["label"])}


def _code(shape: dict[str, Any], label: str) -> str:
    major, minor, patch = _version(shape["version"])
    contact = shape["uplink"]["last_contact_ms"]
    since_s = None if contact is None else (shape["clock"]["now_ms"] - contact) / 1000
    return write_code(
        {
            "major": major,
            "minor": minor,
            "patch": patch,
            "label": label,
            "disk": shape["disk"]["level"],
            "free_gb": shape["disk"]["free_bytes"] // GIGABYTE,
            "clock": shape["clock"]["quality"],
            "uplink": shape["uplink"]["state"],
            "contact": age_word(since_s),
            "power": shape["power"]["source"],
            "battery_tenths": (shape["power"]["percent"] or 0) // 10,
            "heat": shape["heat"]["level"],
            "waiting": shape["queue"]["waiting"] + shape["queue"]["travelling"],
            "refused": shape["queue"]["refused"],
            "ready": shape["devices"]["ready"],
            "absent": shape["devices"]["known"] - shape["devices"]["ready"],
            "up": age_word(shape["clock"]["up_s"]),
        }
    )


def _version(text: str) -> tuple[int, int, int]:
    """Return the three numbers of a version; what follows them is left out."""
    numbers = [int("".join(filter(str.isdigit, part)) or 0) for part in text.split(".")[:3]]
    major, minor, patch = (*numbers, 0, 0, 0)[:3]
    return major, minor, patch
