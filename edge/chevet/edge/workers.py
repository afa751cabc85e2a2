"""Who uses the kiosk: names and PINs, and the brake on guessing them."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from chevet.edge.covered_rows import place
from chevet.edge.database import Database
from chevet.edge.errors import Refusal, SettingsError
from chevet.edge.patient_card import LETTERS

PIN_DIGITS = range(4, 13)
TRIES = 5
BADGE_MARK = "TW"
"""Of a badge made here; a patient's card begins otherwise, so that neither is taken for the other."""
BADGE_BYTES = 16
PAUSE_S = 60.0

BADGE_LETTERS = 8
"""Of a card from elsewhere; the badges made here have 34 (128 bits)."""
_BADGES = "/badges"
"""The brake of all badges; no worker's id has a stroke."""

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
        self._braked(brake)
        if row is None or not _matches(self._pin(row), pin):
            self._count_failure(brake)
            raise Refusal("wrong_pin", "The PIN is not right; try again.", status=401, field="pin")
        self._failures.pop(brake, None)
        return self._worker(row)

    def give_badge(self, worker_id: str, text: str) -> None:
        """Let a worker sign in by what a reader types; an earlier badge opens nothing any more.

        Raises:
            SettingsError: no such worker, or the text is shorter than 8 letters and digits.
        """
        if self._database.row("SELECT id FROM workers WHERE id = ?", (worker_id,)) is None:
            raise SettingsError(f"There is no worker {worker_id}; add one with `chevet-edge worker add`.")
        read = badge_read(text)
        if len(read) < BADGE_LETTERS:
            raise SettingsError(f"A badge has at least {BADGE_LETTERS} letters and digits; use another card.")
        hashed = self._database.hide(_HASHER.hash(read), place("badges", "hash", worker_id))
        with self._database.write() as cursor:
            cursor.execute("INSERT OR REPLACE INTO badges VALUES (?, ?)", (worker_id, hashed))

    def take_badge(self, worker_id: str) -> bool:
        """Let a lost badge open nothing; False when there was none."""
        with self._database.write() as cursor:
            cursor.execute("DELETE FROM badges WHERE id = ?", (worker_id,))
            return cursor.rowcount > 0

    def check_badge(self, text: str) -> Worker:
        """Return the worker whose badge this is.

        Raises:
            Refusal: wrong_badge (401), or too_many_attempts (429) for a minute after five unknown ones.
        """
        self._braked(_BADGES)
        read = badge_read(text)
        for row in self._database.rows("SELECT * FROM badges"):
            if _matches(self._database.show(row["hash"], place("badges", "hash", row["id"])), read):
                self._failures.pop(_BADGES, None)
                return next(worker for worker in self.all() if worker.id == row["id"])
        self._count_failure(_BADGES)
        raise Refusal("wrong_badge", "This badge is not known here; use your PIN.", status=401, field="text")

    def _braked(self, brake: str) -> None:
        if self._monotonic() < self._paused_until.get(brake, 0.0):
            raise Refusal(
                "too_many_attempts", "Too many wrong tries; wait a minute and try again.", status=429
            )

    def _worker(self, row: sqlite3.Row) -> Worker:
        return Worker(row["id"], self._database.show(row["name"], place("workers", "name", row["id"])))

    def _pin(self, row: sqlite3.Row) -> str:
        return self._database.show(row["pin"], place("workers", "pin", row["id"]))

    def _count_failure(self, brake: str) -> None:
        self._failures[brake] = self._failures.get(brake, 0) + 1
        if self._failures[brake] >= TRIES:
            self._failures[brake] = 0
            self._paused_until[brake] = self._monotonic() + PAUSE_S


def badge_read(text: str) -> str:
    """Return letters and digits of a badge, in one case: what readers agree on whatever their keyboard."""
    return "".join(letter for letter in text.upper() if letter.isascii() and letter.isalnum())


def new_badge(random: bytes) -> str:
    """Return the text of a new badge, from 16 random bytes.

    Raises:
        ValueError: there are too few bytes.
    """
    if len(random) < BADGE_BYTES:
        raise ValueError(f"a badge needs {BADGE_BYTES} random bytes")
    letters = "".join(LETTERS[byte >> 4] + LETTERS[byte & 15] for byte in random[:BADGE_BYTES])
    return BADGE_MARK + letters


def _matches(hashed: str, pin: str) -> bool:
    try:
        return _HASHER.verify(hashed, pin)
    except VerifyMismatchError:
        return False
