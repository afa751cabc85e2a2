"""The firmware's core, called from Python, and the same device as the simulator has it."""

import ctypes
from decimal import Decimal
from pathlib import Path

import numpy as np

from chevet.sim import kit_wire as wire

FIRMWARE = Path(__file__).parents[2] / "firmware-bridge" / "firmware"
ROOM = 1 << 16
BUFFER = ctypes.create_string_buffer(ROOM)
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def identity(instrument: str, serial: str, *, simulated: bool = True) -> wire.Identity:
    """Return how the firmware describes itself, written down a second time."""
    if instrument == "ecg":
        channels = tuple(wire.WireChannel(name, "mV", Decimal("0.001")) for name in LEADS)
        return wire.Identity(1, 500_000, "CHEVET-E12", serial, "0.1.0", channels, simulated=simulated)
    sound = (wire.WireChannel("sound", "1"),)
    return wire.Identity(2, 4_000_000, "CHEVET-S1", serial, "0.1.0", sound, simulated=simulated)


class Core:
    """One device made of the firmware's core; it starts at 0 ms."""

    def __init__(self, library: ctypes.CDLL, instrument: str, serial: str, *, simulated: bool = True) -> None:
        self._library = library
        library.shim_power_on(int(instrument == "ecg"), serial.encode(), int(simulated), 0)

    def receive(self, data: bytes, now_ms: int) -> None:
        self._library.shim_receive(data, ctypes.c_size_t(len(data)), ctypes.c_uint32(now_ms))

    def tick(self, now_ms: int, *, off: int = 0, ready: bool = True) -> None:
        self._library.shim_tick(int(ready), off, wire.NO_BATTERY, 1, ctypes.c_uint32(now_ms))

    def take(self, first: int, values: np.ndarray) -> None:
        """Take values int16 [channels, sets]."""
        flat = np.ascontiguousarray(values.T, dtype=np.int16)
        pointer = flat.ctypes.data_as(ctypes.POINTER(ctypes.c_int16))
        self._library.shim_take(ctypes.c_uint32(first), pointer, ctypes.c_size_t(values.shape[1]))

    def read(self) -> bytes:
        """Return what the device has sent since."""
        return ctypes.string_at(BUFFER, self._library.shim_read(BUFFER, ctypes.c_size_t(ROOM)))


class CoreDecoder:
    """The core's search for frames, with the words of the host's FrameDecoder."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        library.shim_decoder_reset()

    def feed(self, data: bytes) -> bytes:
        """Return the frames found, whole, one after the other."""
        size = self._library.shim_decode(data, ctypes.c_size_t(len(data)), BUFFER)
        return ctypes.string_at(BUFFER, size)

    def expire(self) -> bytes:
        return ctypes.string_at(BUFFER, self._library.shim_expire(BUFFER))

    @property
    def counts(self) -> tuple[int, int]:
        """Candidates refused, bytes discarded."""
        return self._library.shim_refused(), self._library.shim_discarded()
