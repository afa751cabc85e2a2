"""Who was examined here before."""

import sqlite3
import unicodedata
from collections.abc import Callable

from chevet.edge.database import Database
from chevet.edge.errors import not_found
from chevet.edge.training_lessons import TRAINING_PREFIX
from chevet.study.study import Patient

FOUND_AT_MOST = 20


class Patients:
    """The patients known to this box."""

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms

    def add(self, patient: Patient) -> None:
        """Store a new patient durably."""
        with self._database.write() as cursor:
            cursor.execute(
                "INSERT INTO patients VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    patient.id,
                    patient.name,
                    _folded(patient.name),
                    patient.birth_year,
                    patient.sex,
                    patient.local_number,
                    self._now_ms(),
                ),
            )

    def get(self, patient_id: str) -> Patient:
        """Return one patient.

        Raises:
            Refusal: not_found.
        """
        row = self._database.row("SELECT * FROM patients WHERE id = ?", (patient_id,))
        if row is None:
            raise not_found("patient")
        return _patient(row)

    def touch(self, patient_id: str) -> None:
        """Bring a patient to the front of the most recent ones."""
        with self._database.write() as cursor:
            cursor.execute("UPDATE patients SET used_ms = ? WHERE id = ?", (self._now_ms(), patient_id))

    def search(self, text: str, *, training: bool = False) -> list[Patient]:
        """Return at most 20 patients whose name or local number contains `text`, most recent first.

        The invented ones of training and the real ones are never found together.
        """
        like = "%" + _folded(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        rows = self._database.rows(
            "SELECT * FROM patients WHERE (folded LIKE ? ESCAPE '\\' OR local_number LIKE ? ESCAPE '\\')"
            " AND (id LIKE ?) = ? ORDER BY used_ms DESC, id DESC LIMIT ?",
            (like, like, f"{TRAINING_PREFIX}%", int(training), FOUND_AT_MOST),
        )
        return [_patient(row) for row in rows]


def _patient(row: sqlite3.Row) -> Patient:
    return Patient(row["id"], row["name"], row["birth_year"], row["sex"], row["local_number"])


def _folded(text: str) -> str:
    """Fold case, accents and Arabic vowel marks, which people leave out when they search."""
    decomposed = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
