"""Who was examined here before: known by words that may be covered, so that the search looks through them."""

import itertools
import json
import sqlite3
import unicodedata
from collections.abc import Callable

from chevet.edge.covered_rows import place
from chevet.edge.database import Database
from chevet.edge.errors import not_found
from chevet.edge.training_lessons import TRAINING_PREFIX
from chevet.study.study import Patient

FOUND_AT_MOST = 20
PHOTO_AT_MOST = 2_000_000
"""Bytes of a photograph: a camera's JPEG of a few megapixels."""


class Patients:
    """The patients known to this box."""

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms
        # Words never change once written; ten thousand people are 5 MB, and uncovered once instead of at
        # every letter typed.
        self._known: dict[str, tuple[Patient, str]] = {}

    def add(self, patient: Patient) -> None:
        """Store a new patient durably."""
        words = [patient.name, patient.birth_year, patient.sex, patient.local_number]
        hidden = self._database.hide(json.dumps(words, ensure_ascii=False), _place(patient.id))
        with self._database.write() as cursor:
            cursor.execute(
                "INSERT INTO patients (id, used_ms, words) VALUES (?, ?, ?)",
                (patient.id, self._now_ms(), hidden),
            )

    def get(self, patient_id: str) -> Patient:
        """Return one patient.

        Raises:
            Refusal: not_found.
        """
        row = self._database.row("SELECT * FROM patients WHERE id = ?", (patient_id,))
        if row is None:
            raise not_found("patient")
        return self._read(row)[0]

    def touch(self, patient_id: str) -> None:
        """Bring a patient to the front of the most recent ones."""
        with self._database.write() as cursor:
            cursor.execute("UPDATE patients SET used_ms = ? WHERE id = ?", (self._now_ms(), patient_id))

    def search(self, text: str, *, training: bool = False) -> list[Patient]:
        """Return at most 20 patients whose name or local number contains `text`, most recent first.

        The invented ones of training and the real ones are never found together.
        """
        wanted = _folded(text)
        rows = self._database.rows(
            "SELECT id FROM patients WHERE (id LIKE ?) = ? ORDER BY used_ms DESC, id DESC",
            (f"{TRAINING_PREFIX}%", int(training)),
        )
        if any(row["id"] not in self._known for row in rows):
            for row in self._database.rows("SELECT id, words FROM patients"):
                self._read(row)
        known = (self._known[row["id"]] for row in rows if row["id"] in self._known)
        fitting = (patient for patient, searched in known if wanted in searched)
        return list(itertools.islice(fitting, FOUND_AT_MOST))

    def keep_photo(self, patient_id: str, jpeg: bytes) -> None:
        """Store a patient's photograph durably, in the place of an earlier one; it never leaves the box."""
        hidden = self._database.hide_bytes(jpeg, place("photos", "jpeg", patient_id))
        with self._database.write() as cursor:
            cursor.execute("INSERT OR REPLACE INTO photos VALUES (?, ?)", (patient_id, hidden))

    def photo(self, patient_id: str) -> bytes | None:
        """Return a patient's photograph, None where there is none."""
        row = self._database.row("SELECT jpeg FROM photos WHERE id = ?", (patient_id,))
        if row is None:
            return None
        return self._database.show_bytes(row["jpeg"], place("photos", "jpeg", patient_id))

    def forget_photo(self, patient_id: str) -> None:
        """Delete a photograph."""
        with self._database.write() as cursor:
            cursor.execute("DELETE FROM photos WHERE id = ?", (patient_id,))

    def _read(self, row: sqlite3.Row) -> tuple[Patient, str]:
        """Return a patient, and the text that searches look through."""
        known = self._known.get(row["id"])
        if known is None:
            words = json.loads(self._database.show(row["words"], _place(row["id"])))
            patient = Patient(row["id"], *words)
            known = self._known[row["id"]] = (
                patient,
                f"{_folded(patient.name)}\n{_folded(patient.local_number)}",
            )
        return known


def _place(patient_id: str) -> str:
    return place("patients", "words", patient_id)


def _folded(text: str) -> str:
    """Fold case, accents and Arabic vowel marks, which people leave out when they search."""
    decomposed = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
