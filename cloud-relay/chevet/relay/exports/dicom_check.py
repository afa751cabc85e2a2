"""The content rules that common DICOM validators do not know, and those whose breach shows a wrong scale.

From PS3.3 sections A.32, A.34, A.45, C.7 and C.10.9, PS3.5 and the context groups of PS3.16. Validators
accept a "12-lead ECG" of 2000 Hz and 20,000 samples, or a lead code as one decimal number, and viewers then
draw it wrong.
"""

import re
from collections.abc import Iterator

from pydicom import uid as uids
from pydicom.dataset import Dataset

from chevet.relay.exports.dicom_check_image import image_faults, pdf_faults
from chevet.relay.exports.dicom_check_wave import RULES, wave_faults
from chevet.relay.exports.dicom_fault import Fault, missing
from chevet.relay.exports.dicom_object import UTF_8

IMAGES = (uids.VLEndoscopicImageStorage, uids.VLPhotographicImageStorage, uids.VideoEndoscopicImageStorage)
FILLED = (
    "SpecificCharacterSet",
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "InstanceNumber",
)
ENHANCED = ("Manufacturer", "ManufacturerModelName", "DeviceSerialNumber", "SoftwareVersions")
PRESENT = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "SeriesNumber",
)
UIDS = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
UID_FORM = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")
DECIMAL = re.compile(r"\d+")


def faults(ds: Dataset) -> list[Fault]:
    """Return every rule that an object of ours breaks; empty for a good one.

    Args:
        ds: an object of one of the classes exported here; any other is a fault.
    """
    found = [*missing(ds, FILLED + ENHANCED, PRESENT), *_identity(ds), *_codes(ds), *_labels(ds)]
    sop_class = ds.get("SOPClassUID")
    if sop_class in RULES:
        found += wave_faults(ds, RULES[sop_class])
    elif sop_class in IMAGES:
        found += image_faults(ds)
    elif sop_class == uids.EncapsulatedPDFStorage:
        found += pdf_faults(ds)
    else:
        found.append(Fault("unknown_class", "SOPClassUID"))
    return found


def _identity(ds: Dataset) -> Iterator[Fault]:
    if ds.get("SpecificCharacterSet") != UTF_8:
        yield Fault("not_utf_8", "SpecificCharacterSet")
    for keyword in UIDS:
        text = str(ds.get(keyword, ""))
        if text and (len(text) > 64 or not UID_FORM.fullmatch(text)):
            yield Fault("bad_uid", keyword)
    if ds.get("PatientIdentityRemoved") == "YES" and not ds.get("DeidentificationMethod"):
        yield Fault("missing", "DeidentificationMethod")


def _labels(ds: Dataset) -> Iterator[Fault]:
    """A simulated object says so where archives look and where people look."""
    marked = ds.get("QualityControlSubject") == "YES"
    if marked != str(ds.get("SeriesDescription", "")).startswith("HTEST"):
        yield Fault("label", "SeriesDescription")
    if "not a certified medical device" not in str(ds.get("PatientComments", "")):
        yield Fault("no_statement", "PatientComments")


def _codes(ds: Dataset) -> Iterator[Fault]:
    """Every code has its three words, MDC ones as partition:code (PS3.16, section 8)."""
    for element in ds.iterall():
        if element.VR == "SQ" and element.keyword.endswith("CodeSequence") and not element.value:
            yield Fault("missing", element.keyword)
    for item in _items(ds):
        if "CodeValue" not in item:
            continue
        yield from missing(item, ("CodingSchemeDesignator", "CodeMeaning"))
        if item.get("CodingSchemeDesignator") == "MDC" and DECIMAL.fullmatch(str(item.CodeValue)):
            yield Fault("decimal_mdc", "CodeValue")
        if len(str(item.CodeValue)) > 16:
            yield Fault("too_long", "CodeValue")


def _items(ds: Dataset) -> Iterator[Dataset]:
    for element in ds:
        if element.VR == "SQ":
            for item in element.value:
                yield item
                yield from _items(item)
