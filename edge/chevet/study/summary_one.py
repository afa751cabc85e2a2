"""Summaries of version 1, which boxes wrote until version 2: read for ever, written no more."""

from dataclasses import replace

from chevet.study.cbor import Row
from chevet.study.errors import BundleError
from chevet.study.recording import Measurement, QualityMark, Recording, StoredFile, StoredPicture
from chevet.study.rows import read_reading, read_waveform_row
from chevet.study.shape import Shape
from chevet.study.study import Consent, EdgeClock, Patient, Study, Vital


def read_study(row: Row, shapes: dict[str, Shape]) -> Study:
    """Return the study of a decoded summary, and into `shapes` what its lossless layer holds.

    Raises:
        BundleError: a field has the wrong type.
    """
    head = (row.ident(), row.text(), row.ident())
    patient, consent = _read_patient(row.row()), _read_consent(row.row())
    words, clock = row.texts(), _read_clock(row.row())
    if len(words) != 6:
        raise BundleError("wrong_type")
    recordings = tuple(_read_recording(item, shapes) for item in row.rows())
    vitals = tuple(_read_vital(item) for item in row.rows())
    return Study(*head, patient, consent, *words[:4], clock, recordings, vitals, *words[4:], row.words())


def _read_patient(row: Row) -> Patient:
    ident, name, year = row.ident(), row.text(), row.number_or_none()
    if year is not None and not isinstance(year, int):
        raise BundleError("wrong_type")
    return Patient(ident, name, year, row.text(), row.text())


def _read_consent(row: Row) -> Consent:
    return Consent(row.texts(), row.whole(), row.text())


def _read_clock(row: Row) -> EdgeClock:
    return EdgeClock(row.whole(), row.ident(), row.number(), row.text())


def _read_quality(row: Row) -> QualityMark:
    return QualityMark(row.number(), row.flag(), row.texts())


def _read_vital(row: Row) -> Vital:
    head = (row.text(), row.number_or_none(), row.text(), row.text(), row.whole())
    return Vital(*head, _read_quality(row.row()), row.ident())


def _read_recording(row: Row, shapes: dict[str, Shape]) -> Recording:
    names, numbers, flags = row.row(), row.row(), row.row()
    blank = Recording(
        id=names.ident(),
        step=names.text(),
        driver=names.text(),
        link=names.text(),
        site=names.text(),
        side=names.text(),
        started_ms=numbers.whole(),
        duration_s=numbers.number(),
        lost_samples=numbers.whole(),
        accepted_poor=flags.flag(),
        simulated=flags.flag(),
        quality=_read_quality(row.row()),
        device=row.words(),
    )
    waveforms = [read_waveform_row(item) for item in row.rows()]
    pictures = [_read_picture(item) for item in row.rows()]
    readings = row.row()
    count, last = readings.whole(), tuple(read_reading(item) for item in readings.rows())
    measurements = tuple(_read_measurement(item) for item in row.rows())
    source, size = _read_source(row.row()) if row.more() else (None, 0)
    shapes[blank.id] = Shape(
        tuple(count for _, count in waveforms), tuple(size for _, size in pictures), count, size
    )
    return replace(
        blank,
        source=source,
        waveforms=tuple(waveform for waveform, _ in waveforms),
        pictures=tuple(picture for picture, _ in pictures),
        readings=last,
        measurements=measurements,
    )


def _read_picture(row: Row) -> tuple[StoredPicture, int]:
    return StoredPicture(b"", row.text(), row.number(), row.flag()), row.whole()


def _read_source(row: Row) -> tuple[StoredFile, int]:
    source, size = StoredFile(b"", row.text()), row.whole(high=1 << 32)
    row.end()
    return source, size


def _read_measurement(row: Row) -> Measurement:
    return Measurement(row.text(), row.number_or_none(), row.text(), row.text())
