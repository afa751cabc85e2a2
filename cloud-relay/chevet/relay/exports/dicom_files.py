"""A case as DICOM files, each checked by the rules of its class before it leaves."""

from collections.abc import Iterator

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from chevet.relay.exports.dicom_check import faults
from chevet.relay.exports.dicom_object import DICOM, dicom_file
from chevet.relay.exports.dicom_picture import picture_objects
from chevet.relay.exports.dicom_wave import wave_objects
from chevet.relay.exports.files import ExportFile, stem
from chevet.relay.exports.subject import LeftOut, Subject
from chevet.study.recording import Recording

Made = tuple[Dataset, str]


def dicom_files(subject: Subject) -> Iterator[ExportFile | LeftOut]:
    """Yield every object of a case as a file."""
    for recording in subject.recordings():
        if isinstance(recording, LeftOut):
            yield recording
            continue
        made = 0
        for item in dicom_objects(subject, recording):
            if isinstance(item, LeftOut):
                yield item
                continue
            made += 1
            yield dicom_file(f"{stem(subject, recording)}-{made}.dcm", *item, media_type=DICOM)


def every_object(subject: Subject) -> Iterator[Made | LeftOut]:
    """Yield every object of a case with its transfer syntax."""
    for recording in subject.recordings():
        if isinstance(recording, LeftOut):
            yield recording
        else:
            yield from dicom_objects(subject, recording)


def dicom_objects(subject: Subject, recording: Recording) -> Iterator[Made | LeftOut]:
    """Yield each object of a recording with its transfer syntax; one that breaks a rule is left out."""
    if not recording.waveforms and not recording.pictures:
        yield LeftOut(recording.id, "nothing_to_show")
    for item in _made(subject, recording):
        broken = [] if isinstance(item, LeftOut) else faults(item[0])
        yield LeftOut(recording.id, f"broken:{broken[0].code}") if broken else item


def _made(subject: Subject, recording: Recording) -> Iterator[Made | LeftOut]:
    for wave in wave_objects(subject, recording):
        yield wave if isinstance(wave, LeftOut) else (wave, ExplicitVRLittleEndian)
    if recording.pictures or recording.clip:
        yield from picture_objects(subject, recording)
