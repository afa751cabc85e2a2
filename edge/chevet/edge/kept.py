"""What the box remembers of itself from one start to the next: nothing of patients, a word by its name."""

import contextlib
from typing import Literal

from chevet.edge.database import Database
from chevet.edge.errors import DiskFull

ElectrodeCode = Literal["iec", "aha"]
"""Names and colours of electrodes: IEC 60601-2-25 code 1, or the American one (AAMI EC53)."""
CONTACT_EVERY_MS = 5 * 60_000
"""Flash wears: the screens tell the age of the last contact in minutes, then in hours."""

_ELECTRODES, _CONTACT = "electrodes", "contact_ms"


class Kept:
    """The choices and times of one box, read once and written when they change."""

    def __init__(self, database: Database, electrodes: ElectrodeCode) -> None:
        """Read what is kept; `electrodes` is the setting, which counts until somebody chose at the kiosk."""
        self._database = database
        rows = database.rows("SELECT name, value FROM kept")
        words = {row["name"]: row["value"] for row in rows}
        chosen = words.get(_ELECTRODES, electrodes)
        self.electrodes: ElectrodeCode = "aha" if chosen == "aha" else "iec"
        self.contact_ms = int(words[_CONTACT]) if _CONTACT in words else None

    def choose_electrodes(self, code: ElectrodeCode) -> None:
        """Keep what the site's cable has.

        Raises:
            DiskFull: no room; it stays as it was.
        """
        self._write(_ELECTRODES, code)
        self.electrodes = code

    def contact_due(self, now_ms: int) -> bool:
        """Whether a contact now is worth a write; so it is too after the clock was set back."""
        return self.contact_ms is None or abs(now_ms - self.contact_ms) >= CONTACT_EVERY_MS

    def note_contact(self, now_ms: int) -> None:
        """Keep when the relay last said something; on a full disk the time before stays."""
        with contextlib.suppress(DiskFull):
            self._write(_CONTACT, str(now_ms))
            self.contact_ms = now_ms

    def _write(self, name: str, value: str) -> None:
        with self._database.write() as cursor:
            cursor.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, value))
