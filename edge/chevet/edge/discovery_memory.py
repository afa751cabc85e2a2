"""What the site decided about instruments that were found, and when each was calibrated last."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from chevet.edge.database import Database

USED, REFUSED = "used", "refused"


@dataclass(frozen=True, slots=True)
class Accepted:
    """An instrument that the site uses.

    Attributes:
        identity: what stays the same of it: USB ids and serial number, Bluetooth address, camera name.
        device: its id on this box, such as "oximeter-1".
        bus: serial, bluetooth or camera.
        driver: who reads it.
        options: of its link, such as "baud=9600".
        name: as it called itself when it was accepted.
        simulated: it is a program, not an instrument.
    """

    identity: str
    device: str
    bus: str
    driver: str
    options: str
    name: str = ""
    simulated: bool = False


class FoundDevices:
    """The remembered decisions: what is used comes back after a restart, what was refused stays quiet."""

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms
        rows = database.rows("SELECT * FROM found_devices ORDER BY decided_ms")
        self._used = {
            row["identity"]: Accepted(row["identity"], row["device"], **json.loads(row["words"]))
            for row in rows
            if row["choice"] == USED
        }
        self._refused = {row["identity"] for row in rows if row["choice"] == REFUSED}

    @property
    def used(self) -> list[Accepted]:
        """Return what is used, the oldest decision first."""
        return list(self._used.values())

    def of(self, identity: str) -> Accepted | None:
        """Return what is used under this identity."""
        return self._used.get(identity)

    def is_refused(self, identity: str) -> bool:
        """Whether the site does not want it."""
        return identity in self._refused

    def use(self, accepted: Accepted) -> None:
        """Remember that it is used.

        Raises:
            DiskFull: nothing was remembered.
        """
        words = asdict(accepted)
        del words["identity"], words["device"]
        self._put(accepted.identity, USED, accepted.device, json.dumps(words))
        self._used[accepted.identity] = accepted
        self._refused.discard(accepted.identity)

    def refuse(self, identity: str) -> None:
        """Remember that it is not wanted.

        Raises:
            DiskFull: nothing was remembered.
        """
        self._put(identity, REFUSED, "", "{}")
        self._used.pop(identity, None)
        self._refused.add(identity)

    def forget(self, identity: str) -> None:
        """Forget what was decided: it will be offered as if seen for the first time."""
        with self._database.write() as cursor:
            cursor.execute("DELETE FROM found_devices WHERE identity = ?", (identity,))
        self._used.pop(identity, None)
        self._refused.discard(identity)

    def _put(self, identity: str, choice: str, device: str, words: str) -> None:
        with self._database.write() as cursor:
            cursor.execute(
                "INSERT OR REPLACE INTO found_devices VALUES (?,?,?,?,?)",
                (identity, choice, device, words, self._now_ms()),
            )


class Calibrations:
    """The day of each unit's last calibration, as the site noted it; serial numbers tell units apart."""

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms
        rows = database.rows("SELECT device, serial, day FROM calibrations ORDER BY noted_ms")
        self._days: dict[tuple[str, str], str] = {(row["device"], row["serial"]): row["day"] for row in rows}

    def day(self, device: str, serial: str) -> str | None:
        """Return the day (ISO 8601) of this unit, None when none was noted.

        A unit that has not told its serial number (yet) has the day that was noted last for the device; one
        with another serial number than was noted is another unit and has none.
        """
        if serial:
            return self._days.get((device, serial)) or self._days.get((device, ""))
        own = [day for (of, _), day in self._days.items() if of == device]
        return own[-1] if own else None

    def note(self, device: str, serial: str, day: str | None) -> None:
        """Note the day of this unit's last calibration, or None to take it back."""
        with self._database.write() as cursor:
            cursor.execute("DELETE FROM calibrations WHERE device = ? AND serial = ?", (device, serial))
            if day is not None:
                cursor.execute(
                    "INSERT INTO calibrations VALUES (?,?,?,?)", (device, serial, day, self._now_ms())
                )
        self._days.pop((device, serial), None)
        if day is not None:
            self._days[device, serial] = day

    def forget(self, device: str) -> None:
        """Forget all units of a device that the box has forgotten."""
        with self._database.write() as cursor:
            cursor.execute("DELETE FROM calibrations WHERE device = ?", (device,))
        self._days = {key: day for key, day in self._days.items() if key[0] != device}
