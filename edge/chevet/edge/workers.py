"""Who uses the kiosk: names and PINs, and the brake on guessing them."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from chevet.edge.covered_rows import place
from chevet.edge.database import Database
from chevet.edge.errors import Refusal, SettingsError

PIN_DIGITS = range(4, 13)
TRIES = 5
PAUSE_S = 60.0

# argon2-cffi's default: the second recommended choice of RFC 9106 section 4 (64 MiB, t=3).
_HASHER = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Worker:
    """One health worker; `id` is what studies carry."""

    id: str
    name: str


class Workers:
    """The workers of this box."""

    def __init__(self, database: Database, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._monotonic = monotonic
        self._failures: dict[str, int] = {}
        self._paused_until: dict[str, float] = {}

    def add(self, worker: Worker, pin: str) -> None:
        """Add a worker, or give an existing one a new name and PIN.

        Raises:
            SettingsError: the PIN is not 4 to 12 digits.
        """
        if not (pin.isascii() and pin.isdigit() and len(pin) in PIN_DIGITS):
            raise SettingsError("A PIN has 4 to 12 digits; choose another one.")
        hide = self._database.hide
        name = hide(worker.name, place("workers", "name", worker.id))
        hashed = hide(_HASHER.hash(pin), place("workers", "pin", worker.id))
        with self._database.write() as cursor:
            cursor.execute(
                "INSERT INTO workers (id, name, pin) VALUES (?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET name = excluded.name, pin = excluded.pin",
                (worker.id, name, hashed),
            )

    def all(self) -> list[Worker]:
        """Return every worker by name."""
        workers = [self._worker(row) for row in self._database.rows("SELECT * FROM workers")]
        return sorted(workers, key=lambda worker: worker.name)

    def check(self, worker_id: str, pin: str) -> Worker:
        """Return the worker whose PIN this is.

        Raises:
            Refusal: wrong_pin (401), or too_many_attempts (429) for a minute after five wrong ones.
        """
        row = self._database.row("SELECT * FROM workers WHERE id = ?", (worker_id,))
        # All unknown ids share one brake, so that guessing ids neither fills memory nor goes unbraked.
        brake = worker_id if row else ""
        if self._monotonic() < self._paused_until.get(brake, 0.0):
            raise Refusal(
                "too_many_attempts", "Too many wrong PINs; wait a minute and try again.", status=429
            )
        if row is None or not _matches(self._pin(row), pin):
            self._count_failure(brake)
            raise Refusal("wrong_pin", "The PIN is not right; try again.", status=401, field="pin")
        self._failures.pop(brake, None)
        return self._worker(row)

    def _worker(self, row: sqlite3.Row) -> Worker:
        return Worker(row["id"], self._database.show(row["name"], place("workers", "name", row["id"])))

    def _pin(self, row: sqlite3.Row) -> str:
        return self._database.show(row["pin"], place("workers", "pin", row["id"]))

    def _count_failure(self, brake: str) -> None:
        self._failures[brake] = self._failures.get(brake, 0) + 1
        if self._failures[brake] >= TRIES:
            self._failures[brake] = 0
            self._paused_until[brake] = self._monotonic() + PAUSE_S


def _matches(hashed: str, pin: str) -> bool:
    try:
        return _HASHER.verify(hashed, pin)
    except VerifyMismatchError:
        return False
