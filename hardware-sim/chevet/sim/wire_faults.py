"""What goes wrong between an instrument and the computer."""

import random
from dataclasses import dataclass, field

GARBAGE_BYTES = 40
BAUD_CUT = 0.8
"""At the wrong speed a receiver sees about as many bytes, none of them meant."""


@dataclass(slots=True)
class WireFaults:
    """Disturbs a stream of whole frames; every switch can be turned while it runs.

    Attributes:
        silence: nothing leaves the device.
        garbage: noise is inserted between frames, each with this probability.
        lost_bytes: each frame loses one byte with this probability.
        checksum: each frame has its last byte, part of its checksum, changed with this probability.
    """

    random: random.Random
    silence: bool = False
    garbage: float = 0.0
    lost_bytes: float = 0.0
    checksum: float = 0.0
    disturbed: int = field(default=0)

    def apply(self, frames: list[bytes]) -> bytes:
        """Return the bytes that leave the device."""
        if self.silence:
            return b""
        return b"".join(self._disturb(frame) for frame in frames)

    def _disturb(self, frame: bytes) -> bytes:
        if self._happens(self.checksum):
            frame = frame[:-1] + bytes((frame[-1] ^ 0x55,))
        if self._happens(self.lost_bytes):
            hole = self.random.randrange(len(frame))
            frame = frame[:hole] + frame[hole + 1 :]
        if self._happens(self.garbage):
            frame = self.random.randbytes(self.random.randint(1, GARBAGE_BYTES)) + frame
        return frame

    def _happens(self, probability: float) -> bool:
        # No draw while a fault is off, so that switching one on does not change what the others do.
        happens = probability > 0 and self.random.random() < probability
        self.disturbed += happens
        return happens

    def at_wrong_baud(self, data: bytes) -> bytes:
        """Return what a receiver at another speed makes of `data`."""
        return self.random.randbytes(int(len(data) * BAUD_CUT))
