"""Recordings as Observations with samples, and as Media and DocumentReference with their files (FHIR R4)."""

import base64
import hashlib
from collections.abc import Iterator

import numpy as np

from chevet.devices.samples import Channel
from chevet.relay.exports.dicom_codes import place
from chevet.relay.exports.dicom_picture import SIDES
from chevet.relay.exports.edf_file import BDF, EDF, edf_file
from chevet.relay.exports.fhir_base import (
    CATEGORY,
    LOINC,
    MDC,
    UCUM,
    Json,
    coding,
    concept,
    instant,
    patient,
    ref,
    resource,
)
from chevet.relay.exports.fhir_codes import EKG_STUDY, LEADS, PLETH, body_site
from chevet.relay.exports.fhir_people import device_of
from chevet.relay.exports.fhir_vitals import signed
from chevet.relay.exports.files import ExportFile
from chevet.relay.exports.samples import arrived
from chevet.relay.exports.subject import LeftOut, Subject
from chevet.relay.exports.wav_file import WAV, wav_file
from chevet.study.recording import Recording, Waveform
from chevet.study.sound import is_sound

MOST_INLINE = 12 * 10 * 500
"""Samples that are worth writing as text, twice the size of their bytes: ten seconds of twelve leads."""
MEDIA_TYPE = "http://terminology.hl7.org/CodeSystem/media-type"
KNOWN = frozenset({"image/jpeg", "image/png", "image/avif", "image/webp", WAV, EDF, BDF})
"""What a site may declare; anything else is plain bytes."""
NOTHING = "E"
"""SampledData's word for a sample that is not there."""


def waves(subject: Subject) -> Iterator[Json]:
    """Yield what each recording holds: Observations of signals, and files with their descriptions."""
    for number, recording in enumerate(subject.recordings(), 1):
        if isinstance(recording, LeftOut):
            continue
        if not _placed(recording):
            continue
        for index, waveform in enumerate(recording.waveforms, 1):
            tail = f"{number}-{index}"
            if recording.step in ("ecg", "oximetry"):
                yield from _signal(subject, recording, waveform, tail)
            elif is_sound(waveform):
                file = wav_file("", waveform, subject.statement, {})
                data = b"".join(file.pieces())
                yield from _file(subject, recording, f"sound-{tail}", data, file.media_type, "audio")
        for index, still in enumerate(recording.pictures, 1):
            tail = f"still-{number}-{index}"
            own = subject.own_bytes(still)
            if own is not None:  # the bundle names it among what was left out
                yield from _file(subject, recording, tail, own, still.media_type, "image")
        if recording.clip is not None:
            clip = recording.clip
            yield from _file(subject, recording, f"clip-{number}", clip.data, clip.media_type, "video")


def _placed(recording: Recording) -> bool:
    """Return whether a picture tells what it shows: an ear without its side, skin without its place stay."""
    if recording.step == "photo":
        return bool(place(recording.site))
    return recording.step != "otoscopy" or recording.side in SIDES


def _signal(subject: Subject, recording: Recording, waveform: Waveform, tail: str) -> Iterator[Json]:
    if not arrived(waveform).any():
        return
    inline = waveform.values.size <= MOST_INLINE
    source = None
    if not inline:
        name = f"signal-{tail}"
        file = edf_file(name, subject, recording, waveform)
        if isinstance(file, ExportFile):
            data = b"".join(file.pieces())
            yield from _file(subject, recording, name, data, file.media_type, "")
            source = [ref(subject, "DocumentReference", name)]
    ecg = recording.step == "ecg"
    yield resource(
        subject,
        "Observation",
        f"wave-{tail}",
        status=signed(subject),
        category=[concept(coding(CATEGORY, "procedure"))],
        code=concept(coding(LOINC, *EKG_STUDY))
        if ecg
        else concept(coding(MDC, PLETH), text="pleth waveform"),
        subject=patient(subject),
        encounter=ref(subject, "Encounter"),
        effectiveDateTime=instant(recording.started_ms),
        device=device_of(subject, recording.id),
        derivedFrom=source,
        component=_components(waveform) if inline else None,
    )


def _components(waveform: Waveform) -> list[Json]:
    there = arrived(waveform)
    return [
        {
            "code": _channel_code(channel),
            "valueSampledData": {
                "origin": {
                    "value": channel.offset,
                    "unit": channel.unit,
                    "system": UCUM,
                    "code": channel.unit,
                },
                "period": 1000 / channel.rate_hz,
                "factor": channel.gain,
                "dimensions": 1,
                "data": " ".join(np.where(there, row.astype(str), NOTHING).tolist()),
            },
        }
        for channel, row in zip(waveform.channels, waveform.values, strict=True)
    ]


def _channel_code(channel: Channel) -> Json:
    code = LEADS.get(channel.name) or (PLETH if channel.name == "pleth" else "")
    return concept(*([coding(MDC, code)] if code else []), text=channel.name)


def _file(
    subject: Subject, recording: Recording, tail: str, data: bytes, media_type: str, kind: str
) -> Iterator[Json]:
    """Yield Binary, its DocumentReference (what R5 has alone), and Media where it is seen or heard."""
    media_type = media_type if media_type in KNOWN else "application/octet-stream"
    attachment = {
        "contentType": media_type,
        "url": ref(subject, "Binary", tail)["reference"],
        "size": len(data),
        # FHIR's hash is SHA-1 in base64; it finds accidents, the manifest's SHA-256 finds intent
        "hash": base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode(),
        "title": " ".join(
            word for word in (subject.label, recording.step, recording.site, recording.side) if word
        ),
        "creation": instant(recording.started_ms),
    }
    place = body_site(recording.site, recording.side)
    yield resource(
        subject, "Binary", tail, contentType=media_type, data=base64.b64encode(data).decode("ascii")
    )
    yield resource(
        subject,
        "DocumentReference",
        tail,
        status="current",
        docStatus="preliminary",
        type=concept(text=recording.step.replace("_", " ")),
        subject=patient(subject),
        date=instant(recording.started_ms),
        description=subject.statement,
        content=[{"attachment": attachment}],
        context={"encounter": [ref(subject, "Encounter")]},
    )
    if kind:
        yield resource(
            subject,
            "Media",
            tail,
            status="completed",
            type=concept(coding(MEDIA_TYPE, kind)),
            subject=patient(subject),
            encounter=ref(subject, "Encounter"),
            createdDateTime=instant(recording.started_ms),
            bodySite=place,
            device=device_of(subject, recording.id),
            content=attachment,
        )
