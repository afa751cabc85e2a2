"""What a driver has counted since it was made."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Running totals of one driver.

    Attributes:
        frames: good frames, notifications or pictures.
        bad_frames: those refused for length, checksum or content.
        lost_samples: samples known to be missing while the device was streaming.
        resyncs: times that bytes had to be skipped to find the next good frame.
    """

    frames: int = 0
    bad_frames: int = 0
    lost_samples: int = 0
    resyncs: int = 0
