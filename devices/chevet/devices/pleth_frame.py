"""Frames of five bytes of which only the first has bit 7 set: older Contec oximeters and BerryMed's.

`[0] flags and signal strength, [1] pleth, [2] flags, pulse rate bit 7 and bar, [3] pulse rate, [4] SpO2`.
There is no checksum; a damaged frame is noticed when a byte with bit 7 stands where none may.
"""

FRAME_BYTES = 5


def frame_size(pending: bytearray) -> int:
    """Return the length of the frame that begins here, 0 where none can."""
    return FRAME_BYTES if pending[0] & 0x80 else 0


def whole(frame: bytes) -> bool:
    """Return whether bit 7 stands only in the first byte."""
    return not any(byte & 0x80 for byte in frame[1:])


def pulse_rate(frame: bytes) -> int:
    """Return the pulse rate of eight bits."""
    return (frame[2] & 0x40) << 1 | frame[3]


def frames_lost(skipped: int) -> int:
    """Return how many frames so many skipped bytes speak for."""
    return max(1, round(skipped / FRAME_BYTES))
