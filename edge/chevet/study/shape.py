"""How much lossless data one recording has, known from the summary alone."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """How much lossless data one recording has.

    Attributes:
        samples: per waveform, samples per channel.
        picture_bytes: per picture, the size of the camera's own file.
        readings: how many the device gave; the summary has the last of each kind.
        source_bytes: size of the file it was read from, 0 without one.
        clip_bytes: size of its film, 0 without one.
    """

    samples: tuple[int, ...] = ()
    picture_bytes: tuple[int, ...] = ()
    readings: int = 0
    source_bytes: int = 0
    clip_bytes: int = 0
