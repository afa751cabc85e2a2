"""Rules of pictures, films and encapsulated documents (PS3.3, A.32, A.45, C.7.6 and C.8.12)."""

import struct
from collections.abc import Iterator

from pydicom import uid as uids
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames

from chevet.relay.exports.dicom_fault import Fault, missing, one_item

PIXELS = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelData",
    "ImageType",
)
COLOUR = ("RGB", "YBR_FULL_422", "YBR_FULL")
MODALITIES = {uids.VLPhotographicImageStorage: "XC"}


def image_faults(ds: Dataset) -> Iterator[Fault]:
    """Yield the rules that a picture or film breaks; the side of an ear is one of them."""
    lacking = list(
        missing(ds, PIXELS, ("PatientOrientation", "AcquisitionContextSequence", "LossyImageCompression"))
    )
    yield from lacking
    if ds.get("Modality") != MODALITIES.get(ds.get("SOPClassUID"), "ES"):
        yield Fault("wrong_modality", "Modality")
    unpaired = ("U",) if ds.get("SOPClassUID") == uids.VLPhotographicImageStorage else ()
    if ds.get("ImageLaterality") not in ("L", "R", *unpaired):
        yield Fault("no_side", "ImageLaterality")
    if "Laterality" in ds:
        yield Fault("side_twice", "Laterality")
    if one_item(ds, "AnatomicRegionSequence") is None:
        yield Fault("missing", "AnatomicRegionSequence")
    if ds.get("LossyImageCompression") == "01":
        yield from missing(ds, ("LossyImageCompressionRatio", "LossyImageCompressionMethod"))
    if lacking:
        return
    if (ds.BitsAllocated, ds.BitsStored, ds.HighBit) != (8, 8, 7):
        yield Fault("pixel_width", "BitsAllocated")
    colours = ds.PhotometricInterpretation in COLOUR
    if ds.SamplesPerPixel != (3 if colours else 1):
        yield Fault("pixel_form", "SamplesPerPixel")
    if colours and "PlanarConfiguration" not in ds:
        yield Fault("missing", "PlanarConfiguration")
    yield from _frames(ds)


def _frames(ds: Dataset) -> Iterator[Fault]:
    film = ds.SOPClassUID == uids.VideoEndoscopicImageStorage
    count = int(ds.get("NumberOfFrames", 1))
    if film:
        yield from missing(ds, ("NumberOfFrames", "FrameIncrementPointer", "FrameTimeVector"))
        if "FrameTimeVector" in ds and count != ds["FrameTimeVector"].VM:
            yield Fault("frame_count", "FrameTimeVector")
    elif count != 1:
        yield Fault("frame_count", "NumberOfFrames")
    if not ds["PixelData"].is_undefined_length:
        size = ds.Rows * ds.Columns * ds.SamplesPerPixel * count
        if len(ds.PixelData) != size + size % 2:
            yield Fault("data_length", "PixelData")
        return
    try:
        frames = list(generate_frames(ds.PixelData, number_of_frames=count))
    except (ValueError, struct.error):
        frames = []
    if len(frames) != count or any(frame[:2] != b"\xff\xd8" for frame in frames):
        yield Fault("frame_count", "PixelData")


def pdf_faults(ds: Dataset) -> Iterator[Fault]:
    """Yield the rules that an encapsulated PDF breaks."""
    yield from missing(
        ds,
        ("ConversionType", "BurnedInAnnotation", "MIMETypeOfEncapsulatedDocument", "EncapsulatedDocument"),
        ("DocumentTitle", "ConceptNameCodeSequence", "ContentDate", "ContentTime", "AcquisitionDateTime"),
    )
    if ds.get("Modality") != "DOC":
        yield Fault("wrong_modality", "Modality")
    if ds.get("MIMETypeOfEncapsulatedDocument") != "application/pdf":
        yield Fault("unknown_word", "MIMETypeOfEncapsulatedDocument")
    data = ds.get("EncapsulatedDocument") or b""
    if not data.startswith(b"%PDF-"):
        yield Fault("data_form", "EncapsulatedDocument")
    if "EncapsulatedDocumentLength" in ds and not 0 <= len(data) - ds.EncapsulatedDocumentLength <= 1:
        yield Fault("data_length", "EncapsulatedDocument")
