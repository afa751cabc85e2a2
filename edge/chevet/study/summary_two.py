"""Summaries of version 2: tables by column, decimal numbers, times counted from each other.

One pair of functions per word, the fields in the same order in both.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import numpy as np

from chevet.devices.samples import Channel, Reading
from chevet.study.cbor import Row, Value
from chevet.study.decimals import column, decimal, from_decimal, known, read_column, to_decimal
from chevet.study.errors import BundleError
from chevet.study.ids import to_wire
from chevet.study.recording import (
    Gap,
    Measurement,
    QualityMark,
    Recording,
    StoredClip,
    StoredFile,
    StoredPicture,
    StoredSamples,
    Waveform,
)
from chevet.study.shape import Shape
from chevet.study.study import Consent, EdgeClock, Patient, Study, Vital

_POOR: Final = 1
_SIMULATED: Final = 2


def study_row(study: Study) -> Value:
    """Return a study without samples, images and all but the last reading of each kind."""
    clock, now = study.closed, study.closed.wall_ms
    return [
        [to_wire(study.id), study.site, to_wire(study.worker)],
        [study.reason, study.question, study.specialty, study.urgency, study.language, study.label],
        [now, to_wire(clock.boot_id), to_decimal(clock.monotonic_s), clock.quality],
        _patient_row(study.patient),
        [list(study.consent.purposes), now - study.consent.given_ms, study.consent.witness],
        [_recording_row(recording, now) for recording in study.recordings],
        _vital_columns(study),
        dict(study.notes),
    ]


def read_study(row: Row, shapes: dict[str, Shape]) -> Study:
    """Return the study of a decoded summary, and into `shapes` what its lossless layer holds.

    Raises:
        BundleError: a field has the wrong type.
    """
    ids, words, times = row.row(), row.texts(), row.row()
    head = (ids.ident(), ids.text(), ids.ident())
    clock = EdgeClock(times.whole(), times.ident(), decimal(times), times.text())
    if len(words) != 6:
        raise BundleError("wrong_type")
    patient, given = _read_patient(row.row()), row.row()
    consent = Consent(given.texts(), _before(clock.wall_ms, given), given.text())
    recordings = tuple(_read_recording(item, clock.wall_ms, shapes) for item in row.rows())
    vitals = _read_vitals(row.row(), clock.wall_ms, recordings)
    for part in (ids, times, given):
        part.end()
    return Study(*head, patient, consent, *words[:4], clock, recordings, vitals, *words[4:], row.words())


def _patient_row(patient: Patient) -> Value:
    return [to_wire(patient.id), patient.name, patient.birth_year, patient.sex, patient.local_number]


def _read_patient(row: Row) -> Patient:
    ident, name, year = row.ident(), row.text(), row.number_or_none()
    if year is not None and not isinstance(year, int):
        raise BundleError("wrong_type")
    patient = Patient(ident, name, year, row.text(), row.text())
    row.end()
    return patient


def _before(moment_ms: int, row: Row) -> int:
    """Take the distance of an earlier (or, negative, later) time from a row; return the time."""
    at_ms = moment_ms - row.whole(low=-(1 << 62))
    if at_ms < 0:
        raise BundleError("wrong_type")
    return at_ms


def _born_ms(ident: str, otherwise_ms: int) -> int:
    """Return the time within a UUIDv7 (RFC 9562 section 5.7), `otherwise_ms` for any other id."""
    wire = to_wire(ident)
    if isinstance(wire, bytes) and UUID(bytes=wire).version == 7:
        return int.from_bytes(wire[:6], "big")
    return otherwise_ms


def _quality_row(mark: QualityMark) -> Value:
    return [to_decimal(mark.score), mark.usable, *mark.reasons]


def _read_quality(row: Row) -> QualityMark:
    score, usable = decimal(row), row.flag()
    reasons: list[str] = []
    while row.more():
        reasons.append(row.text())
    return QualityMark(score, usable, tuple(reasons))


def _recording_row(recording: Recording, now: int) -> Value:
    flags = _POOR * recording.accepted_poor + _SIMULATED * recording.simulated
    extras: list[Value] = []  # these fields are there only where they say something
    if recording.source is not None:
        extras = [[recording.source.media_type, len(recording.source.data)]]
    if (clip := recording.clip) is not None:
        extras = extras or [None]
        extras.append([clip.media_type, len(clip.data), to_decimal(clip.from_s), to_decimal(clip.seconds)])
    return [
        to_wire(recording.id),
        _born_ms(recording.id, now) - recording.started_ms,
        flags,
        recording.step,
        recording.driver,
        recording.link,
        recording.site,
        recording.side,
        [to_decimal(recording.duration_s), recording.lost_samples],
        _quality_row(recording.quality),
        dict(recording.device),
        [_waveform_row(waveform) for waveform in recording.waveforms],
        _picture_columns(recording.pictures),
        _reading_columns(recording.readings),
        _measurement_columns(recording.measurements),
        *extras,
    ]


def _read_recording(row: Row, now: int, shapes: dict[str, Shape]) -> Recording:
    ident = row.ident()
    started_ms = _before(_born_ms(ident, now), row)
    flags = row.whole(high=_POOR | _SIMULATED)
    names = (row.text(), row.text(), row.text(), row.text(), row.text())
    numbers = row.row()
    duration_s, lost = decimal(numbers), numbers.whole()
    numbers.end()
    quality, device = _read_quality(row.row()), row.words()
    waveforms = [_read_waveform(item) for item in row.rows()]
    pictures, sizes = _read_pictures(row.row())
    count, readings = _read_readings(row.row())
    measurements = _read_measurements(row.row())
    source, source_bytes = _read_source(row.any()) if row.more() else (None, 0)
    clip, clip_bytes = _read_clip(row.row()) if row.more() else (None, 0)
    row.end()
    samples = tuple(count for _, count in waveforms)
    shapes[ident] = Shape(samples, sizes, count, source_bytes, clip_bytes)
    blank = Recording(ident, *names[:3], started_ms, duration_s, quality, *names[3:], device, lost)
    return replace(
        blank,
        waveforms=tuple(waveform for waveform, _ in waveforms),
        pictures=pictures,
        readings=readings,
        measurements=measurements,
        accepted_poor=bool(flags & _POOR),
        simulated=bool(flags & _SIMULATED),
        source=source,
        clip=clip,
    )


def _waveform_row(waveform: Waveform) -> Value:
    channels = waveform.channels
    gaps: list[Value] = []
    end = 0
    for gap in waveform.gaps:
        gaps += [gap.first - end, gap.count]
        end = gap.first + gap.count
    width: list[Value] = [] if waveform.values.itemsize == 2 else [waveform.values.itemsize]
    return [
        [item.name for item in channels],
        column([item.unit for item in channels]),
        column([to_decimal(item.rate_hz) for item in channels]),
        column([to_decimal(item.gain) for item in channels]),
        column([to_decimal(item.offset) for item in channels]),
        waveform.values.shape[1],
        gaps,
        *width,
    ]


def _read_waveform(row: Row) -> tuple[Waveform, int]:
    names = row.texts()
    units = _texts(read_column(row, len(names)))
    rates, gains, offsets = (_numbers(read_column(row, len(names))) for _ in range(3))
    channels = tuple(map(Channel, names, units, rates, gains, offsets))
    count = row.whole(high=1 << 32)
    gaps = _read_gaps(row.row(), count)
    width = row.whole(4, 4) if row.more() else 2
    row.end()
    shape = (len(names), 0)
    none: StoredSamples = np.zeros(shape, np.int16) if width == 2 else np.zeros(shape, np.int32)
    return Waveform(channels, none, gaps), count


def _read_gaps(row: Row, count: int) -> tuple[Gap, ...]:
    gaps: list[Gap] = []
    end = 0
    while row.more():
        first = end + row.whole()
        length = row.whole()
        end = first + length
        if end > count:
            raise BundleError("gap_outside")
        gaps.append(Gap(first, length))
    return tuple(gaps)


def _picture_columns(pictures: Sequence[StoredPicture]) -> Value:
    if not pictures:
        return []
    return [
        [len(item.data) for item in pictures],
        column([item.media_type for item in pictures]),
        [to_decimal(item.at_s) for item in pictures],
        [index for index, item in enumerate(pictures) if item.best],
    ]


def _read_pictures(row: Row) -> tuple[tuple[StoredPicture, ...], tuple[int, ...]]:
    if not row.more():
        return (), ()
    sizes = tuple(_wholes(row.items()))
    kinds = _texts(read_column(row, len(sizes)))
    times = _numbers(read_column(row, len(sizes)))
    best = set(_wholes(row.items()))
    row.end()
    if any(index >= len(sizes) for index in best):
        raise BundleError("wrong_type")
    pictures = (
        StoredPicture(b"", kind, at_s, index in best)
        for index, (kind, at_s) in enumerate(zip(kinds, times, strict=True))
    )
    return tuple(pictures), sizes


def last_of_each_kind(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """Return the last reading of each kind, in order of first appearance."""
    return tuple({reading.kind: reading for reading in readings}.values())


def _reading_columns(readings: Sequence[Reading]) -> Value:
    if not readings:
        return []
    last = last_of_each_kind(readings)
    return [
        len(readings),
        [item.kind for item in last],
        [to_decimal(item.value) for item in last],
        column([item.unit for item in last]),
        column([to_decimal(item.at) for item in last]),
        [list(item.status) for item in last],
    ]


def _read_readings(row: Row) -> tuple[int, tuple[Reading, ...]]:
    if not row.more():
        return 0, ()
    count, kinds = row.whole(), row.texts()
    values = [from_decimal(item) for item in read_column(row, len(kinds))]
    units, times = _texts(read_column(row, len(kinds))), _numbers(read_column(row, len(kinds)))
    status = [Row([item]).texts() for item in read_column(row, len(kinds))]
    row.end()
    return count, tuple(map(Reading, kinds, values, units, times, status))


def _measurement_columns(measurements: Sequence[Measurement]) -> Value:
    if not measurements:
        return []
    return [
        [item.kind for item in measurements],
        column([item.unit for item in measurements]),
        column([item.method for item in measurements]),
        [to_decimal(item.value) for item in measurements],
    ]


def _read_measurements(row: Row) -> tuple[Measurement, ...]:
    if not row.more():
        return ()
    kinds = row.texts()
    units, methods = _texts(read_column(row, len(kinds))), _texts(read_column(row, len(kinds)))
    values = [from_decimal(item) for item in read_column(row, len(kinds))]
    row.end()
    return tuple(map(Measurement, kinds, values, units, methods))


def _read_source(value: Value) -> tuple[StoredFile | None, int]:
    if value is None:
        return None, 0
    row = Row(value)
    source, size = StoredFile(b"", row.text()), row.whole(high=1 << 32)
    row.end()
    return source, size


def _read_clip(row: Row) -> tuple[StoredClip, int]:
    media_type, size = row.text(), row.whole(high=1 << 32)
    clip = StoredClip(b"", media_type, decimal(row), decimal(row))
    row.end()
    return clip, size


def _vital_columns(study: Study) -> Value:
    if not study.vitals:
        return []
    places = {item.id: place for place, item in enumerate(study.recordings)}
    owners: list[Value] = [places.get(item.recording, to_wire(item.recording)) for item in study.vitals]
    starts = [
        study.recordings[owner].started_ms if isinstance(owner, int) else study.closed.wall_ms
        for owner in owners
    ]
    return [
        [item.kind for item in study.vitals],
        [item.unit for item in study.vitals],
        [item.source for item in study.vitals],
        [to_decimal(item.value) for item in study.vitals],
        owners,
        [start - item.at_ms for start, item in zip(starts, study.vitals, strict=True)],
        [_quality_row(item.quality) for item in study.vitals],
    ]


def _read_vitals(row: Row, now: int, recordings: Sequence[Recording]) -> tuple[Vital, ...]:
    if not row.more():
        return ()
    kinds = row.texts()
    units, sources = (_texts(read_column(row, len(kinds))) for _ in range(2))
    values = [from_decimal(item) for item in read_column(row, len(kinds))]
    owners = [_owner(item, recordings) for item in read_column(row, len(kinds))]
    starts = (now if isinstance(owner, str) else owner.started_ms for owner in owners)
    times = [
        _before(start, Row([item])) for start, item in zip(starts, read_column(row, len(kinds)), strict=True)
    ]
    marks = [_read_quality(Row(item)) for item in read_column(row, len(kinds))]
    row.end()
    of = [owner if isinstance(owner, str) else owner.id for owner in owners]
    return tuple(map(Vital, kinds, values, units, sources, times, marks, of))


def _owner(value: Value, recordings: Sequence[Recording]) -> Recording | str:
    """Return the recording that a vital came from, named by its place; or the id that is none of them."""
    if isinstance(value, int):
        return recordings[Row([value]).whole(high=len(recordings) - 1)]
    return Row([value]).ident()


def _texts(values: list[Value]) -> tuple[str, ...]:
    return Row([values]).texts()


def _wholes(values: list[Value]) -> list[int]:
    row = Row(values)
    return [row.whole() for _ in values]


def _numbers(values: list[Value]) -> list[float]:
    return [known(from_decimal(item)) for item in values]
