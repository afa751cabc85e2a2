"""Ground truth as a file that grows: one JSON line a second, for whoever judges a recording afterwards."""

import asyncio
import json
from pathlib import Path

from chevet.sim.one_heart import OneHeart

EVERY_S = 1.0
LARGEST_BYTES = 16_000_000
"""Then the file is set aside as truth.old.jsonl and begun anew."""


class TruthFile:
    """Writes what happened, second by second, in seconds of the host's monotonic clock."""

    def __init__(self, path: Path, heart: OneHeart) -> None:
        self._path, self._heart = path, heart

    async def run(self) -> None:
        """Write until cancelled; what has happened by then is written to its end."""
        self._path.write_text("")
        told = self._heart.began
        try:
            while True:
                await asyncio.sleep(max(0.0, told + EVERY_S - self._heart.clock()))
                told = self._write(told, told + EVERY_S)
        finally:
            now = self._heart.clock()
            if now > told:
                self._write(told, now)

    def _write(self, start: float, stop: float) -> float:
        if self._path.exists() and self._path.stat().st_size > LARGEST_BYTES:
            self._path.replace(self._path.with_name(f"{self._path.stem}.old{self._path.suffix}"))
        with self._path.open("a") as file:
            for one in self._heart.truth(start, stop):
                file.write(json.dumps(one) + "\n")
        return stop
