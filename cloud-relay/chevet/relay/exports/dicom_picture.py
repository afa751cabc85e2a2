"""Pictures as DICOM (PS3.3, A.32): an ear VL Endoscopic and Video Endoscopic, the skin VL Photographic."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from PIL import Image, ImageSequence, UnidentifiedImageError
from pydicom import uid as uids
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.tag import Tag

from chevet.relay.exports.dicom_codes import EAR_CANAL, LEFT, LOSSY, RIGHT, Code, place
from chevet.relay.exports.dicom_object import Place, coded, new_object, series_number
from chevet.relay.exports.subject import LeftOut, Subject
from chevet.study.recording import Recording, StoredClip, StoredPicture

JPEG = uids.JPEGBaseline8Bit
JPEG_METHOD = "ISO_10918_1"
FILM_QUALITY = 92
SIDES = {"left": "L", "right": "R"}
STILLS, FILM = "pictures", "film"
STILL_CLASSES = {False: uids.VLEndoscopicImageStorage, True: uids.VLPhotographicImageStorage}
"""Of stills, by whether they show the skin."""
FORMATS = ("JPEG", "PNG", "AVIF", "WEBP")
"""What cameras and boxes give; a site's bytes are tried with no other decoder."""
UNREADABLE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Pixels:
    """Frames as they go into an object, all of one size."""

    frames: tuple[bytes, ...]
    syntax: str
    rows: int
    columns: int
    photometric: str

    @property
    def samples(self) -> int:
        """Return numbers a pixel."""
        return 1 if self.photometric.startswith("MONO") else 3


@dataclass(frozen=True, slots=True)
class Region:
    """What a picture shows: the place and its side, "U" where the body has but one of it."""

    code: Code
    side: str


def picture_objects(subject: Subject, recording: Recording) -> Iterator[tuple[Dataset, str] | LeftOut]:
    """Yield (dataset, transfer syntax) of each still and of the film; nothing without its side or place."""
    region = _region(recording)
    if isinstance(region, LeftOut):
        yield region
        return
    for number, taken in enumerate(recording.pictures, 1):
        own = subject.own_bytes(taken)
        still = taken if own is None else replace(taken, data=own)
        found = still_pixels(still, decoded=own is None)
        if found is None:
            yield LeftOut(recording.id, "not_an_image")
            continue
        at_ms = recording.started_ms + round(still.at_s * 1000)
        place = _place(subject, recording, STILLS, number, at_ms)
        yield _still(new_object(subject, place, recording), found, still, region), found.syntax
    if recording.clip is not None:
        yield _film(subject, recording, recording.clip, region)


def _region(recording: Recording) -> Region | LeftOut:
    if recording.step == "photo":
        found = place(recording.site)
        laterality = "R" if RIGHT in found else "L" if LEFT in found else "U"
        return Region(found[0], laterality) if found else LeftOut(recording.id, "no_place")
    if recording.side not in SIDES:
        return LeftOut(recording.id, "no_side")
    return Region(EAR_CANAL, SIDES[recording.side])


def still_pixels(still: StoredPicture, *, decoded: bool = False) -> Pixels | None:
    """Return the camera's own bytes where they are baseline JPEG, else the decoded pixels, else None.

    Args:
        still: with its bytes.
        decoded: never take the own bytes.
    """
    try:
        with Image.open(io.BytesIO(still.data), formats=FORMATS) as image:
            colours = None if decoded else _baseline(still.data, image)
            if colours is not None:
                return Pixels((still.data,), JPEG, image.height, image.width, colours)
            rgb = image.convert("RGB")
            return Pixels((rgb.tobytes(),), uids.ExplicitVRLittleEndian, rgb.height, rgb.width, "RGB")
    except UNREADABLE:
        return None


def film_pixels(clip: StoredClip) -> tuple[Pixels, tuple[int, ...]] | None:
    """Return a film's pictures as JPEG and how long each is shown, in ms; None where it cannot be read."""
    frames, shown = [], []
    try:
        with Image.open(io.BytesIO(clip.data), formats=FORMATS) as film:
            for image in ImageSequence.Iterator(film):
                out = io.BytesIO()
                image.convert("RGB").save(out, "JPEG", quality=FILM_QUALITY, subsampling="4:2:2")
                frames.append(out.getvalue())
                shown.append(round(image.info.get("duration", 0)))
            size = film.size
    except UNREADABLE:
        return None
    return Pixels(tuple(frames), JPEG, size[1], size[0], "YBR_FULL_422"), tuple(shown)


def _baseline(data: bytes, image: Image.Image) -> str | None:
    """Return the photometric interpretation of baseline JPEG with its own tables; None for any other file."""
    seen = dict(_markers(data)) if image.format == "JPEG" else {}
    if 0xC0 not in seen or 0xC4 not in seen:
        return None
    components = seen[0xC0][5] if len(seen[0xC0]) > 5 else 0
    if components == 1:
        return "MONOCHROME2"
    if components != 3:
        return None
    return "RGB" if image.info.get("adobe_transform") == 0 else "YBR_FULL_422"


def _markers(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker and content of each segment before the image data (ISO/IEC 10918-1, annex B)."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, size = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        yield marker, data[at + 4 : at + 2 + size]
        if marker == 0xDA:
            return
        at += 2 + size


def _place(subject: Subject, recording: Recording, what: str, number: int, at_ms: int) -> Place:
    film, skin = what == FILM, recording.step == "photo"
    poor = " marked poor" if recording.accepted_poor else ""
    words = f"{recording.step} {recording.site or recording.side} {what}{poor}"
    return Place(
        STILL_CLASSES[skin] if not film else uids.VideoEndoscopicImageStorage,
        "XC" if skin else "ES",
        f"{recording.id} {what}",
        # stills and film are of different classes: a series each, the films' numbers beyond all stills
        series_number(subject, recording) + (1000 if film else 0),
        words,
        number,
        at_ms,
    )


def _still(ds: Dataset, found: Pixels, still: StoredPicture, region: Region) -> Dataset:
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    lossy = found.syntax == JPEG or still.media_type == "image/jpeg"
    _image(ds, found, region)
    ds.LossyImageCompression = "01" if lossy else "00"
    if lossy:
        _compression(ds, found, len(still.data))
    ds.ImageComments = f"best still. {ds.PatientComments}" if still.best else ds.PatientComments
    return ds


def _film(
    subject: Subject, recording: Recording, clip: StoredClip, region: Region
) -> tuple[Dataset, str] | LeftOut:
    found = film_pixels(clip)
    if found is None:
        return LeftOut(recording.id, "not_an_image")
    pixels, shown = found
    at_ms = recording.started_ms + round(clip.from_s * 1000)
    ds = new_object(subject, _place(subject, recording, FILM, 1, at_ms), recording)
    ds.ImageType = ["DERIVED", "PRIMARY"]
    ds.DerivationDescription = "film coded as AV1 at the health centre, here as JPEG; the stills are original"
    ds.DerivationCodeSequence = [coded(LOSSY)]
    _image(ds, pixels, region)
    ds.LossyImageCompression = "01"
    _compression(ds, pixels, len(clip.data))
    ds.NumberOfFrames = len(pixels.frames)
    ds.FrameIncrementPointer = Tag("FrameTimeVector")
    # each is the time since the frame before (PS3.3, C.7.6.5)
    ds.FrameTimeVector = [0, *shown[:-1]]
    ds.CineRate = max(round(1000 * len(shown) / max(sum(shown), 1)), 1)
    ds.ImageComments = ds.PatientComments
    return ds, pixels.syntax


def _image(ds: Dataset, found: Pixels, region: Region) -> None:
    ds.AcquisitionContextSequence = []
    ds.PatientOrientation = ""
    ds.ImageLaterality = region.side
    ds.AnatomicRegionSequence = [coded(region.code)]
    ds.BurnedInAnnotation = "NO"
    ds.SamplesPerPixel = found.samples
    ds.PhotometricInterpretation = found.photometric
    if found.samples > 1:
        ds.PlanarConfiguration = 0
    ds.Rows, ds.Columns = found.rows, found.columns
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    if found.syntax == JPEG:
        ds.add_new("PixelData", "OB", encapsulate(list(found.frames)))
        ds["PixelData"].is_undefined_length = True
    else:
        data = found.frames[0]
        ds.add_new("PixelData", "OB", data + b"\0" * (len(data) % 2))


def _compression(ds: Dataset, found: Pixels, size: int) -> None:
    raw = found.rows * found.columns * found.samples * len(found.frames)
    ds.LossyImageCompressionRatio = f"{raw / max(size, 1):.2f}"
    ds.LossyImageCompressionMethod = JPEG_METHOD
