"""ECG files that came from a cart and wait for a visit: each kept whole on the box, known by its content."""

import datetime
import json
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chevet.devices.ecg_file import EcgFile, FilePatient
from chevet.devices.ecg_files import read_ecg_file
from chevet.devices.errors import BrokenPayload
from chevet.edge.at_rest import Altered, cover_file, uncover_file
from chevet.edge.covered_rows import place
from chevet.edge.database import Database, is_full
from chevet.edge.disk import Disk
from chevet.edge.errors import DiskFull, Refusal, not_found
from chevet.edge.identity import new_id
from chevet.edge.journal import sync_folder

WAITING, REFUSED, DISMISSED = "waiting", "refused", "dismissed"
_WAITING = (
    "SELECT imports.* FROM imports LEFT JOIN captures ON captures.id = imports.capture"
    " LEFT JOIN visits ON visits.id = captures.visit"
    " WHERE imports.state = 'waiting' AND (imports.capture = '' OR captures.id IS NULL"
    " OR captures.verdict = 'discarded' OR visits.state = 'abandoned') ORDER BY imports.id DESC"
)
"""A file is free again when the capture made of it was discarded, or its visit given up."""


@dataclass(frozen=True, slots=True)
class Import:
    """One file that came.

    Attributes:
        driver: "contec-ecg90a", "dicom-ecg" or "scp-ecg".
        taken: by the cart's clock, ISO 8601; "" where the file does not say.
        named: who the file says it is; for a comparison only.
        simulated: the cart says that it is not real.
    """

    id: str
    arrived_ms: int
    driver: str
    leads: tuple[str, ...]
    rate_hz: float
    seconds: float
    taken: str
    named: FilePatient
    simulated: bool

    @property
    def started(self) -> datetime.datetime | None:
        """When it was recorded, by the cart's clock."""
        return datetime.datetime.fromisoformat(self.taken) if self.taken else None


class Imports:
    """The files on this box."""

    def __init__(self, folder: Path, database: Database, disk: Disk, now_ms: Callable[[], int]) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._folder = folder
        self._database = database
        self._disk = disk
        self._now_ms = now_ms

    def put(self, data: bytes, sha256: str) -> str:
        """Keep a file durably and return its id, or that of the same file that came before.

        A file that is no readable ECG is only noted, with the reason, and not kept.

        Raises:
            DiskFull: no room; the file is to be left where it is.
        """
        known = self._database.row("SELECT id FROM imports WHERE sha256 = ?", (sha256,))
        if known is not None:
            return str(known["id"])
        import_id = new_id()
        try:
            words = _words(read_ecg_file(data))
        except BrokenPayload as broken:
            self._note(import_id, sha256, REFUSED, broken.what, {})
            return import_id
        self._disk.require_room()
        self._write(import_id, data)
        self._note(import_id, sha256, WAITING, "", words)
        return import_id

    def _write(self, import_id: str, data: bytes) -> None:
        descriptor = os.open(self.path(import_id), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(cover_file(self._database.key, data, self._place(import_id)))
                file.flush()
                os.fsync(file.fileno())
            sync_folder(self._folder)
        except OSError as error:
            self.path(import_id).unlink(missing_ok=True)
            if is_full(error):
                raise DiskFull from None
            raise

    def _note(self, import_id: str, sha256: str, state: str, reason: str, words: dict[str, Any]) -> None:
        hidden = self._database.hide(json.dumps(words), place("imports", "words", import_id))
        with self._database.write() as cursor:
            cursor.execute(
                "INSERT INTO imports VALUES (?, ?, ?, ?, ?, '', ?)",
                (import_id, sha256, state, reason, self._now_ms(), hidden),
            )

    def path(self, import_id: str) -> Path:
        """Return where the box's copy lies."""
        return self._folder / f"{import_id}.ecg"

    def _place(self, import_id: str) -> str:
        """Return what the copy is authenticated with: its place in the data folder."""
        return f"{self._folder.name}/{self.path(import_id).name}"

    def refused(self, import_id: str) -> str:
        """Return why a file was refused, "" where it was not."""
        row = self._database.row("SELECT reason FROM imports WHERE id = ?", (import_id,))
        return str(row["reason"]) if row else ""

    def refused_count(self) -> int:
        """Return how many files were no ECG that can be read."""
        row = self._database.row("SELECT count(*) AS n FROM imports WHERE state = ?", (REFUSED,))
        return int(row["n"]) if row else 0

    def waiting(self) -> list[Import]:
        """Return the files that belong to no visit yet, the newest first."""
        return [self._import(row) for row in self._database.rows(_WAITING)]

    def get(self, import_id: str) -> Import:
        """Return one file that waits.

        Raises:
            Refusal: not_found, also when a visit has it already.
        """
        found = next((one for one in self.waiting() if one.id == import_id), None)
        if found is None:
            raise not_found("file")
        return found

    def read(self, import_id: str) -> EcgFile:
        """Return what a file says.

        Raises:
            Refusal: not_found when the box's copy is gone or no longer what it was.
        """
        try:
            data = self.path(import_id).read_bytes()
            return read_ecg_file(uncover_file(self._database.key, data, self._place(import_id)))
        except (OSError, Altered, BrokenPayload):
            raise Refusal("not_found", "This file is no longer on the box.", status=404) from None

    def give(self, import_id: str, capture_id: str) -> None:
        """Note which capture was made of a file."""
        with self._database.write() as cursor:
            cursor.execute("UPDATE imports SET capture = ? WHERE id = ?", (capture_id, import_id))

    def dismiss(self, import_id: str) -> None:
        """Forget a file that is for nobody here; the same file will not be offered again.

        Raises:
            Refusal: not_found.
        """
        self.get(import_id)
        with self._database.write() as cursor:
            cursor.execute("UPDATE imports SET state = ? WHERE id = ?", (DISMISSED, import_id))
        self.path(import_id).unlink(missing_ok=True)

    def drop_used(self, older_than_ms: int) -> int:
        """Delete copies whose study has left the box's visits since long; return how many."""
        rows = self._database.rows(
            "SELECT imports.id FROM imports JOIN captures ON captures.id = imports.capture"
            " JOIN visits ON visits.id = captures.visit"
            " WHERE visits.state = 'closed' AND captures.verdict = 'accepted' AND imports.arrived_ms < ?",
            (older_than_ms,),
        )
        gone = [self.path(row["id"]) for row in rows if self.path(row["id"]).exists()]
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)

    def _import(self, row: sqlite3.Row) -> Import:
        shown = self._database.show(row["words"], place("imports", "words", row["id"]))
        return _shown(row, json.loads(shown))


def _words(file: EcgFile) -> dict[str, Any]:
    named = file.patient
    return {
        "driver": file.format,
        "leads": [channel.name for channel in file.channels],
        "rate_hz": file.channels[0].rate_hz,
        "seconds": file.seconds,
        "taken": file.started.isoformat() if file.started else "",
        "named": [named.name, named.number, named.birth_year, named.sex],
        "simulated": file.simulated,
    }


def _shown(row: sqlite3.Row, words: dict[str, Any]) -> Import:
    return Import(
        row["id"],
        row["arrived_ms"],
        words["driver"],
        tuple(words["leads"]),
        words["rate_hz"],
        words["seconds"],
        words["taken"],
        FilePatient(*words["named"]),
        words["simulated"],
    )
