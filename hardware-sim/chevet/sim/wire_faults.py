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
        lost_frames: each frame is lost whole with this probability.
        duplicate: each frame is sent twice with this probability.
        mid_frame: whoever attaches hears the first frame from its middle on.
        wrong_baud: the device speaks at another speed than its client listens.
        deaf: what the client sends never arrives.
        stall_s: bytes are held back and arrive together after so many seconds.
    """

    random: random.Random
    silence: bool = False
    garbage: float = 0.0
    lost_bytes: float = 0.0
    checksum: float = 0.0
    lost_frames: float = 0.0
    duplicate: float = 0.0
    mid_frame: bool = False
    wrong_baud: bool = False
    deaf: bool = False
    stall_s: float = 0.0
    disturbed: int = field(default=0)
    _said: list[bytes] = field(default_factory=list[bytes])
    _cut_next: bool = False

    def apply(self, frames: list[bytes]) -> bytes:
        """Return the bytes that leave the device."""
        said, self._said = self._said, []
        if self.silence:
            return b""
        whole = b"".join([*said, *(self._disturb(frame) for frame in frames)])
        if self._cut_next and frames:
            self._cut_next = False
            whole = whole[self.random.randint(1, max(1, len(frames[0]) - 1)) :]
        return whole

    def say(self, text: bytes) -> None:
        """Put text before the next frame, as a boot loader or a debug print does."""
        self._said.append(text)

    def attached(self) -> None:
        """Take note that a client opened the port."""
        self._cut_next = self.mid_frame

    def cut(self) -> None:
        """Let the next frame begin in its middle."""
        self._cut_next = True

    def _disturb(self, frame: bytes) -> bytes:
        if self._happens(self.lost_frames):
            return b""
        if self._happens(self.checksum):
            frame = frame[:-1] + bytes((frame[-1] ^ 0x55,))
        if self._happens(self.lost_bytes):
            hole = self.random.randrange(len(frame))
            frame = frame[:hole] + frame[hole + 1 :]
        if self._happens(self.garbage):
            frame = self.random.randbytes(self.random.randint(1, GARBAGE_BYTES)) + frame
        return frame * (2 if self._happens(self.duplicate) else 1)

    def _happens(self, probability: float) -> bool:
        # No draw while a fault is off, so that switching one on does not change what the others do.
        happens = probability > 0 and self.random.random() < probability
        self.disturbed += happens
        return happens

    def at_wrong_baud(self, data: bytes) -> bytes:
        """Return what a receiver at another speed makes of `data`."""
        return self.random.randbytes(int(len(data) * BAUD_CUT))
