"""What every DICOM object of a case has: patient, study, series, equipment, identity."""

import io
import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

import pydicom
from pydicom import config
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from chevet.relay.exports.dicom_codes import Code
from chevet.relay.exports.files import PIECE, ExportFile
from chevet.relay.exports.subject import Subject, moment
from chevet.study.recording import Recording

# What pydicom says of a value that it finds odd quotes the value, which may be a patient's name. The rules
# that every object is held to stand in dicom_check.
config.settings.reading_validation_mode = config.IGNORE
logging.getLogger("pydicom").setLevel(logging.CRITICAL)

DICOM = "application/dicom"
UTF_8 = "ISO_IR 192"
SOME_NAMESPACE = uuid.UUID("6111828e-0cfa-4484-bb89-8bf634ca3f66")
"""Of the identifiers made here; a change of what the objects hold takes another one."""
UNKNOWN = "UNKNOWN"
MADE_BY = f"Chevet {version('chevet')}"
SEXES = {"F": "F", "M": "M"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object stands: series by key and number, instance by number, and when it was acquired."""

    sop_class: str
    modality: str
    series: str
    series_number: int
    series_words: str
    instance: int
    at_ms: int


def new_object(subject: Subject, where: Place, recording: Recording | None) -> Dataset:
    """Return a dataset with everything but its content; no attribute names the patient unless allowed."""
    ds = Dataset()
    ds.SpecificCharacterSet = UTF_8
    ds.SOPClassUID = UID(where.sop_class)
    ds.SOPInstanceUID = uid(subject, where.series, str(where.instance))
    ds.TimezoneOffsetFromUTC = "+0000"
    _patient(ds, subject)
    _study(ds, subject)
    ds.Modality = where.modality
    ds.SeriesInstanceUID = uid(subject, "series", where.series)
    ds.SeriesNumber = where.series_number
    ds.SeriesDescription = f"{subject.label} {where.series_words}".strip()[:64]
    ds.InstanceNumber = where.instance
    at = moment(where.at_ms)
    ds.SeriesDate, ds.SeriesTime = f"{at:%Y%m%d}", f"{at:%H%M%S}.{at.microsecond:06d}"
    ds.ContentDate, ds.ContentTime = ds.SeriesDate, ds.SeriesTime
    ds.AcquisitionDateTime = f"{at:%Y%m%d%H%M%S}.{at.microsecond:06d}+0000"
    _equipment(ds, subject, recording)
    return ds


def uid(subject: Subject, *words: str) -> UID:
    """Return an identifier that the same content has at every export: a UUID under 2.25 (PS3.5, B.2).

    With names and without are two different objects to an archive, so identity is part of it.
    """
    name = "\0".join((subject.case.id, subject.identity, *words))
    return UID(f"2.25.{uuid.uuid5(SOME_NAMESPACE, name).int}")


def plain(text: str, size: int = 64) -> str:
    """Return text as LO and PN take it (PS3.5, 6.2): one value, no controls, no part marks of a name."""
    return "".join(" " if letter in r"\^=" or letter < " " else letter for letter in text)[:size].strip()


def coded(code: Code) -> Dataset:
    """Return one item of a code sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code
    return item


def series_number(subject: Subject, recording: Recording) -> int:
    """Return the recording's number in its study, from 1."""
    return [item.id for item in subject.study.recordings].index(recording.id) + 1


def dicom_file(
    name: str, ds: Dataset, syntax: str = ExplicitVRLittleEndian, *, media_type: str = DICOM
) -> ExportFile:
    """Return a dataset as a DICOM file (PS3.10)."""
    return ExportFile(name, media_type, lambda: _slices(encoded(ds, syntax)))


def encoded(ds: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """Return the bytes of a DICOM file."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    meta.TransferSyntaxUID = UID(syntax)
    ds.file_meta = meta
    out = io.BytesIO()
    pydicom.dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


def _slices(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), PIECE):
        yield data[at : at + PIECE]


def _patient(ds: Dataset, subject: Subject) -> None:
    who = subject.patient
    ds.PatientName = plain(who.name) or who.id
    ds.PatientID = plain(who.local_number) or who.id
    ds.IssuerOfPatientID = "Chevet"
    ds.PatientBirthDate = ""  # of the birthday only the year is known
    ds.PatientSex = SEXES.get(who.sex, "")
    if subject.age is not None:
        ds.PatientAge = f"{min(subject.age, 999):03d}Y"
    ds.PatientComments = subject.statement
    # DICOM has no HTEST; this is what archives and viewers look at
    ds.QualityControlSubject = "YES" if subject.label else "NO"
    ds.PatientIdentityRemoved = "NO" if subject.identity == "full" else "YES"
    if subject.identity != "full":
        ds.DeidentificationMethod = "name, register number and birth year replaced by a random id"


def _study(ds: Dataset, subject: Subject) -> None:
    closed = moment(subject.study.closed.wall_ms)
    ds.StudyInstanceUID = uid(subject, "study")
    ds.StudyID = subject.case.id.replace("-", "")[-16:]
    ds.StudyDate, ds.StudyTime = f"{closed:%Y%m%d}", f"{closed:%H%M%S}"
    ds.StudyDescription = f"{subject.label} teleconsultation {subject.study.specialty}".strip()[:64]
    ds.AccessionNumber = ""
    ds.ReferringPhysicianName = ""


def _equipment(ds: Dataset, subject: Subject, recording: Recording | None) -> None:
    device = recording.device if recording else {}
    ds.Manufacturer = _first(device.get("maker"), UNKNOWN if recording else "Chevet")
    ds.ManufacturerModelName = _first(
        device.get("model"), recording.driver if recording else None, "Chevet relay"
    )
    ds.DeviceSerialNumber = _first(device.get("serial"), UNKNOWN)
    ds.SoftwareVersions = [plain(item) for item in (device.get("firmware"), MADE_BY) if item]
    ds.StationName = subject.study.site[:16]
    calibrated = device.get("calibrated_on", "").replace("-", "")
    if len(calibrated) == 8 and calibrated.isdigit():
        ds.DateOfLastCalibration = calibrated


def _first(*words: str | None) -> str:
    return plain(next(word for word in words if word))
