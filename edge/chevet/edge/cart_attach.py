"""From a cart's file to a capture of a visit: exact samples, gaps as the file has them, the file kept."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chevet.devices.ecg_file import EcgFile
from chevet.devices.samples import Event, SampleBlock
from chevet.edge.box import BoxClock
from chevet.edge.capture import Captures
from chevet.edge.cart_identity import OTHER, compare
from chevet.edge.cart_store import Import, Imports
from chevet.edge.errors import Refusal
from chevet.edge.identity import new_id
from chevet.edge.journal import Opening
from chevet.edge.patients import Patients
from chevet.edge.visits import DRAFT, CaptureRow, Visits
from chevet.study.recording import StoredFile

STEP, DEVICE = "ecg", "cart"
CONFIRMED = "confirmed"
EARLIEST = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Attaching:
    """Gives files of a cart to visits; all of it runs in a thread."""

    imports: Imports
    visits: Visits
    patients: Patients
    captures: Captures
    clock: BoxClock
    simulated: bool = False

    def named(self, one: Import) -> str:
        """Return a word of cart_identity on the open visit's patient, "" while no visit is open."""
        visit = self.visits.current()
        return compare(one.named, self.patients.get(visit.patient)) if visit else ""

    def attach(self, visit_id: str, import_id: str, *, confirm: bool) -> CaptureRow:
        """Make a capture of a file.

        Raises:
            Refusal: not_found; conflict when the visit is closed; no_consent; capture_running; disk_full;
                other_patient when the file names another person and nobody confirmed.
        """
        visit = self.visits.get(visit_id)
        if visit.state != DRAFT:
            raise Refusal("conflict", "This visit is already closed; start a new one.")
        if visit.words.consent is None:
            raise Refusal("no_consent", "Ask for consent before the first recording.", field="consent")
        if self.captures.running() is not None:
            raise Refusal("capture_running", "Another recording is running; stop it first.")
        one = self.imports.get(import_id)
        match = compare(one.named, self.patients.get(visit.patient))
        if match == OTHER and not confirm:
            raise Refusal(
                "other_patient",
                "The file names another patient; ask the patient's name, and confirm only if it is the same.",
                field="confirm",
            )
        file = self.imports.read(import_id)
        if visit.words.training and not (self.simulated or file.simulated):
            raise Refusal("conflict", "A file of the cart is of a real person; it is not for training.")
        row = CaptureRow(new_id(), visit_id, STEP, "", "", DEVICE, file.seconds)
        opening = self._opening(row, file, import_id, CONFIRMED if match == OTHER else match)
        self.imports.give(import_id, row.id)
        return self.captures.take_in(
            row, opening, list(blocks(file)), StoredFile(file.source, file.media_type)
        )

    def _opening(self, row: CaptureRow, file: EcgFile, import_id: str, match: str) -> Opening:
        identity = file.device | {"patient_in_file": match}
        if file.derived:
            identity["derived_leads"] = ",".join(file.derived)
        if file.started is not None:
            identity["cart_time"] = file.started.isoformat()
        return Opening(
            capture=row.id,
            visit=row.visit,
            step=STEP,
            site="",
            side="",
            device=DEVICE,
            driver=file.format,
            link=f"file:{import_id}",
            seconds=file.seconds,
            started_ms=started_ms(file.started, self.clock.now_ms()),
            started_at=0.0,
            simulated=self.simulated or file.simulated,
            identity=identity,
        )


def started_ms(started: datetime.datetime | None, now_ms: int) -> int:
    """Return a cart's time as Unix ms: in the box's zone where it names none, now where it cannot be true."""
    if started is None:
        return now_ms
    try:
        said = started.astimezone()
        told_ms = round(said.timestamp() * 1000)
    except (OverflowError, OSError, ValueError):
        return now_ms
    return told_ms if said >= EARLIEST and told_ms <= now_ms + DAY_MS else now_ms


def blocks(file: EcgFile) -> Iterator[Event]:
    """Yield a file's samples, those leads together that were measured at the same samples.

    A lead that was never measured is left out; where some were, what was not is a gap of those alone.
    """
    groups: dict[tuple[str, bytes], list[int]] = {}
    for row, channel in enumerate(file.channels):
        if file.measured[row].any():
            groups.setdefault((channel.unit, file.measured[row].tobytes()), []).append(row)
    for rows in groups.values():
        channels = tuple(file.channels[row] for row in rows)
        rate_hz = channels[0].rate_hz
        for first, last in _runs(file.measured[rows[0]]):
            yield SampleBlock(channels, file.values[rows, first:last], first, last / rate_hz)


def _runs(measured: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and past-the-last index of each stretch that was measured."""
    padded = np.concatenate(([False], measured, [False]))
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
