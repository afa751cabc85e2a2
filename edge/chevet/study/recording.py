"""What one device gave for one examination step."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chevet.devices.samples import Channel, Reading

StoredSamples = NDArray[np.int16] | NDArray[np.int32]

STEPS = ("oximetry", "ecg", "heart_sound", "lung_sound", "otoscopy", "photo")
PHOTO_SITES = (
    *("head", "face", "mouth", "neck", "chest", "abdomen", "groin", "upper_back", "lower_back", "buttocks"),
    *(f"{limb}_{side}" for limb in ("arm", "forearm", "hand", "thigh", "leg", "foot") for side in ("r", "l")),
)
"""Where on the body a photograph was taken; r right and l left of the patient, as in the lungs' sites."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples that never arrived: indices in the recording, `count` samples from `first` on."""

    first: int
    count: int


@dataclass(frozen=True, slots=True)
class QualityMark:
    """The quality engine's verdict as it travels: score 0..1, usable or not, coded reasons."""

    score: float
    usable: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measurement:
    """A draft number computed from a recording; never a finding.

    Attributes:
        kind: such as "heart_rate", "qt", "qtc".
        value: in `unit`, or None rather than a guess.
        unit: UCUM code.
        method: the algorithm or formula, such as "Fridericia".
    """

    kind: str
    value: float | None
    unit: str
    method: str


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """Exact integer samples of channels that share a clock.

    Attributes:
        channels: one per row.
        values: int16 or int32, shape [channels, samples]; where `gaps` say so, zero stands for
            "nothing arrived".
        gaps: ascending, disjoint.
        later_s: seconds from the first sample of the recording's first waveform to this one's; streams of
            one device need not begin together.
    """

    channels: tuple[Channel, ...]
    values: StoredSamples
    gaps: tuple[Gap, ...] = ()
    later_s: float = 0.0


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """One still chosen by the worker or proposed as best: the camera's own bytes.

    `at_s` is its time from the recording's start; `best` marks the one to show first.
    """

    data: bytes
    media_type: str
    at_s: float
    best: bool = False


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The file that a recording was read from, byte for byte; without its name, which often names a person.

    `media_type` is such as "application/dicom".
    """

    data: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True, slots=True)
class StoredClip:
    """A few seconds about the best still, to look at: a coded copy, of which the box keeps no original.

    Attributes:
        data: the film.
        media_type: such as "image/avif" (an image sequence).
        from_s: where it begins, in seconds from the recording's start.
        seconds: how long it plays.
    """

    data: bytes = field(repr=False)
    media_type: str
    from_s: float
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One examination step of one device; a retake is a new recording with a new id.

    Attributes:
        id: UUIDv7 as text.
        step: one of STEPS.
        site: auscultation point ("A", "P", "E", "T", "M", lung keys), place of a photograph or "".
        side: "left" or "right" for an ear (the patient's), else "".
        driver: driver name, such as "kit-ecg".
        link: the link's URL scheme and a coded device id; never an operator's path with names in it.
        device: model, serial, firmware as the device identified itself ("" where it cannot).
        started_ms: edge wall clock at start, Unix ms (never used for order).
        duration_s: length in seconds by the device's clock.
        lost_samples: samples known to be missing.
        quality: verdict over the whole recording.
        waveforms: sample data, empty for stills.
        pictures: stills, empty for signals.
        readings: numbers the device reported meanwhile.
        measurements: drafts.
        accepted_poor: the worker chose "send anyway, marked poor".
        simulated: carries the HTEST label.
        source: the file it was read from, None where an instrument gave it.
        clip: a film about the best still, None where there is none.
    """

    id: str
    step: str
    driver: str
    link: str
    started_ms: int
    duration_s: float
    quality: QualityMark
    site: str = ""
    side: str = ""
    device: dict[str, str] = field(default_factory=dict[str, str])
    lost_samples: int = 0
    waveforms: tuple[Waveform, ...] = ()
    pictures: tuple[StoredPicture, ...] = ()
    readings: tuple[Reading, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    accepted_poor: bool = False
    simulated: bool = False
    source: StoredFile | None = None
    clip: StoredClip | None = None


def exact_samples(values: NDArray[np.signedinteger[Any]]) -> StoredSamples:
    """Return `values` as int16 where every one fits, else as int32, with not one sample changed.

    Raises:
        ValueError: a sample does not fit into 32 bits.
    """
    if fits(values, 16):
        return values.astype(np.int16)
    if fits(values, 32):
        return values.astype(np.int32)
    raise ValueError("a sample needs more than 32 bits")


def fits(values: NDArray[np.signedinteger[Any]], bits: int) -> bool:
    """Return whether `bits` hold every sample in two's complement."""
    if not values.size:
        return True
    edge = 1 << (bits - 1)
    return int(values.min()) >= -edge and int(values.max()) < edge
