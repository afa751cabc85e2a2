"""Layer 0: everything of a study but its samples and images, in about a kilobyte.

A CBOR array without field names, deflated against a dictionary of the words our instruments and screens use
(RFC 1951), so that a whole visit is at the other end within two seconds of a 2G link.
"""

import zlib
from dataclasses import dataclass, replace

import numpy as np

from chevet.devices.samples import Channel, Reading
from chevet.study.cbor import Row, Value, decode, encode
from chevet.study.errors import BundleError
from chevet.study.ids import to_wire
from chevet.study.recording import (
    Gap,
    Measurement,
    QualityMark,
    Recording,
    StoredFile,
    StoredPicture,
    Waveform,
)
from chevet.study.study import Consent, EdgeClock, Patient, Study, Vital
from chevet.study.words import DICTIONARY

VERSION = 1
MAX_BYTES = 1 << 20
"""Of an inflated summary: a bomb stops here. A full visit takes about 3 KB,
a recording torn into a thousand gaps 8 KB."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How much lossless data one recording has, known from the summary alone.

    Attributes:
        samples: per waveform, samples per channel.
        picture_bytes: per picture, the size of the camera's own file.
        readings: how many the device gave; the summary has the last of each kind.
        source_bytes: size of the file it was read from, 0 without one.
    """

    samples: tuple[int, ...] = ()
    picture_bytes: tuple[int, ...] = ()
    readings: int = 0
    source_bytes: int = 0


def write_summary(study: Study) -> bytes:
    """Return the study without samples, images and all but the last reading of each kind.

    Raises:
        ValueError: it is larger than a reader takes: over a hundred thousand gaps, or a book for a question.
    """
    plain = encode(_study_row(study))
    if len(plain) > MAX_BYTES:
        raise ValueError("the summary is over 1 MiB; split the visit, or mend the link that tears recordings")
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, DICTIONARY)
    return bytes([VERSION]) + deflate.compress(plain) + deflate.flush()


def read_summary(part0: bytes) -> Study:
    """Return the study of layer 0: recordings have channels and gaps but no samples, pictures no bytes.

    Raises:
        BundleError: the bytes are damaged or of another version.
    """
    study, _ = read_shapes(part0)
    return study


def read_shapes(part0: bytes) -> tuple[Study, dict[str, Shape]]:
    """Return the study of layer 0 and, by recording id, how much its lossless layer holds.

    Raises:
        BundleError: the bytes are damaged or of another version.
    """
    row = Row(decode(_inflate(part0)))
    shapes: dict[str, Shape] = {}
    study = _read_study(row, shapes)
    row.end()
    if len(shapes) != len(study.recordings):
        raise BundleError("duplicate_recording")
    return study, shapes


def last_readings(readings: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """Return the last reading of each kind, in order of first appearance."""
    return tuple({reading.kind: reading for reading in readings}.values())


def _inflate(data: bytes) -> bytes:
    if not data or data[0] != VERSION:
        raise BundleError("summary_version")
    inflate = zlib.decompressobj(-15, DICTIONARY)
    try:
        plain = inflate.decompress(data[1:], MAX_BYTES)
    except zlib.error:
        raise BundleError("summary_damaged") from None
    if not inflate.eof or inflate.unused_data:
        raise BundleError("summary_damaged")
    return plain


# Rows: one pair of functions per word, fields in the same order in both.


def _study_row(study: Study) -> Value:
    return [
        to_wire(study.id),
        study.site,
        to_wire(study.worker),
        _patient_row(study.patient),
        [list(study.consent.purposes), study.consent.given_ms, study.consent.witness],
        [study.reason, study.question, study.specialty, study.urgency, study.language, study.label],
        [study.closed.wall_ms, to_wire(study.closed.boot_id), study.closed.monotonic_s, study.closed.quality],
        [_recording_row(recording) for recording in study.recordings],
        [_vital_row(vital) for vital in study.vitals],
        dict(study.notes),
    ]


def _read_study(row: Row, shapes: dict[str, Shape]) -> Study:
    head = (row.ident(), row.text(), row.ident())
    patient, consent = _read_patient(row.row()), _read_consent(row.row())
    words, clock = row.texts(), _read_clock(row.row())
    if len(words) != 6:
        raise BundleError("wrong_type")
    recordings = tuple(_read_recording(item, shapes) for item in row.rows())
    vitals = tuple(_read_vital(item) for item in row.rows())
    return Study(*head, patient, consent, *words[:4], clock, recordings, vitals, *words[4:], row.words())


def _patient_row(patient: Patient) -> Value:
    return [to_wire(patient.id), patient.name, patient.birth_year, patient.sex, patient.local_number]


def _read_patient(row: Row) -> Patient:
    ident, name, year = row.ident(), row.text(), row.number_or_none()
    if year is not None and not isinstance(year, int):
        raise BundleError("wrong_type")
    return Patient(ident, name, year, row.text(), row.text())


def _read_consent(row: Row) -> Consent:
    return Consent(row.texts(), row.whole(), row.text())


def _read_clock(row: Row) -> EdgeClock:
    return EdgeClock(row.whole(), row.ident(), row.number(), row.text())


def quality_row(mark: QualityMark) -> Value:
    """Return a verdict as it travels."""
    return [mark.score, mark.usable, list(mark.reasons)]


def _read_quality(row: Row) -> QualityMark:
    return QualityMark(row.number(), row.flag(), row.texts())


def _vital_row(vital: Vital) -> Value:
    quality = quality_row(vital.quality)
    return [vital.kind, vital.value, vital.unit, vital.source, vital.at_ms, quality, to_wire(vital.recording)]


def _read_vital(row: Row) -> Vital:
    head = (row.text(), row.number_or_none(), row.text(), row.text(), row.whole())
    return Vital(*head, _read_quality(row.row()), row.ident())


def _recording_row(recording: Recording) -> Value:
    source: list[Value] = []
    if recording.source is not None:  # the field is there only where it says something
        source.append([recording.source.media_type, len(recording.source.data)])
    return [
        [
            to_wire(recording.id),
            recording.step,
            recording.driver,
            recording.link,
            recording.site,
            recording.side,
        ],
        [recording.started_ms, recording.duration_s, recording.lost_samples],
        [recording.accepted_poor, recording.simulated],
        quality_row(recording.quality),
        dict(recording.device),
        [waveform_row(waveform) for waveform in recording.waveforms],
        [[item.media_type, item.at_s, item.best, len(item.data)] for item in recording.pictures],
        [len(recording.readings), [reading_row(item) for item in last_readings(recording.readings)]],
        [[item.kind, item.value, item.unit, item.method] for item in recording.measurements],
        *source,
    ]


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


def waveform_row(waveform: Waveform) -> Value:
    """Return channels, samples per channel and gaps; and bytes a sample, where they are not two."""
    channels = [[item.name, item.unit, item.rate_hz, item.gain, item.offset] for item in waveform.channels]
    width: list[Value] = [] if waveform.values.itemsize == 2 else [waveform.values.itemsize]
    return [channels, waveform.values.shape[1], [[gap.first, gap.count] for gap in waveform.gaps], *width]


def read_waveform_row(row: Row) -> tuple[Waveform, int]:
    """Return a waveform without samples but of their type, and how many each channel has.

    Raises:
        BundleError: a field has the wrong type, or a gap lies outside the samples.
    """
    channels = tuple(_read_channel(item) for item in row.rows())
    count = row.whole(high=1 << 32)
    gaps = tuple(Gap(item.whole(), item.whole()) for item in row.rows())
    if any(gap.first + gap.count > count for gap in gaps):
        raise BundleError("gap_outside")
    width = row.whole(4, 4) if row.more() else 2
    none = np.zeros((len(channels), 0), np.int16 if width == 2 else np.int32)
    return Waveform(channels, none, gaps), count


def _read_channel(row: Row) -> Channel:
    return Channel(row.text(), row.text(), row.number(), row.number(), row.number())


def _read_picture(row: Row) -> tuple[StoredPicture, int]:
    return StoredPicture(b"", row.text(), row.number(), row.flag()), row.whole()


def _read_source(row: Row) -> tuple[StoredFile, int]:
    source, size = StoredFile(b"", row.text()), row.whole(high=1 << 32)
    row.end()
    return source, size


def reading_row(reading: Reading) -> Value:
    """Return one reading as it travels."""
    return [reading.kind, reading.value, reading.unit, reading.at, list(reading.status)]


def read_reading(row: Row) -> Reading:
    """Return one reading.

    Raises:
        BundleError: a field has the wrong type.
    """
    return Reading(row.text(), row.number_or_none(), row.text(), row.number(), row.texts())


def _read_measurement(row: Row) -> Measurement:
    return Measurement(row.text(), row.number_or_none(), row.text(), row.text())
