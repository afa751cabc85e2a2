"""Sound while it is heard: Opus packets of 20 ms out of a running encoder, and PCM out of a few of them.

libsndfile holds the encoder and has no call for packets, so it writes Ogg pages into memory as soon as one is
full and the packets are taken out of those; for decoding, packets are put into a small Ogg file. RFC 6716
(packets), RFC 7845 (Opus in Ogg).
"""

import io
import struct
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from chevet.study.errors import BundleError
from chevet.study.ogg import pages, write_page

RATES: Final = (8_000, 12_000, 16_000, 24_000, 48_000)
"""Samples a second that Opus takes (RFC 6716 section 2)."""
LOWEST_BITS, MOST_BITS = 6_000, 256_000
"""What libsndfile's compression levels 1 and 0 mean, bit/s of one channel."""
PREROLL: Final = 4
"""Packets until a decoder that starts anew sounds right: 80 ms, RFC 7845 section 4.6."""
MOST_PACKETS: Final = 50
MOST_PACKET: Final = 1_275
"""Bytes of one Opus frame, RFC 6716 section 3.2.1."""
_CLOCK_HZ: Final = 48_000
_PAGE_MS: Final = 20.0
_SET_PAGE_LATENCY: Final = 0x1302  # SFC_SET_OGG_PAGE_LATENCY_MS of sndfile.h


class OpusStream:
    """One running encoder; its packets follow each other without a gap, so a gap needs a new one."""

    def __init__(self, rate_hz: int, bits: int) -> None:
        """Start.

        Args:
            rate_hz: one of RATES.
            bits: bit/s, 6,000 to 256,000.

        Raises:
            ValueError: Opus does not take that rate.
        """
        if rate_hz not in RATES:
            raise ValueError("Opus takes 8, 12, 16, 24 or 48 thousand samples a second")
        self._pages = _Pages()
        level = 1.0 - (bits - LOWEST_BITS) / (MOST_BITS - LOWEST_BITS)
        self._file = sf.SoundFile(
            self._pages, "w", rate_hz, 1, format="OGG", subtype="OPUS", compression_level=level
        )
        _short_pages(self._file)

    def feed(self, sound: NDArray[np.float64]) -> list[bytes]:
        """Take samples, full scale at 1; return the packets that are whole by now."""
        self._file.write(np.clip(sound, -1.0, 32767 / 32768))
        return self._pages.packets()

    def close(self) -> None:
        """End the encoder; what it still holds is dropped."""
        self._file.close()


class _Pages(io.RawIOBase):
    """Where libsndfile writes: keeps pages until they are taken."""

    def __init__(self) -> None:
        super().__init__()
        self._data = bytearray()
        self._at = 0

    def write(self, data: Any) -> int:
        self._data += data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:  # noqa: ARG002 - an encoder only goes on
        return self._at

    def tell(self) -> int:
        return self._at

    def packets(self) -> list[bytes]:
        data, self._data = bytes(self._data), bytearray()
        return [packet for packet in _packets(data) if not packet.startswith((b"OpusHead", b"OpusTags"))]


def _short_pages(file: sf.SoundFile) -> None:
    """Ask for a page a packet; libsndfile's own is a second, far too long to listen along.

    soundfile has no call for this command, so its binding is used; where a later version hides it, sound
    comes a second late instead of failing.
    """
    binding: Any = sf
    library, binder = getattr(binding, "_snd", None), getattr(binding, "_ffi", None)
    handle = getattr(file, "_file", None)
    if library is not None and binder is not None and handle is not None:
        library.sf_command(handle, _SET_PAGE_LATENCY, binder.new("double*", _PAGE_MS), 8)


def _packets(data: bytes) -> list[bytes]:
    found: list[bytes] = []
    for _, _, lacing, body in pages(data):
        at = start = 0
        for size in lacing:
            at += size
            if size < 255:  # a packet ends with the first value below 255, RFC 3533 section 5
                found.append(body[start:at])
                start = at
    return found


def packet_samples(packet: bytes, rate_hz: int) -> int:
    """Return how many samples one packet holds, by its first byte (RFC 6716 section 3.1).

    Raises:
        BundleError: `malformed`, or not one frame a packet, which is all that travels here.
    """
    if not packet or len(packet) > MOST_PACKET + 1 or packet[0] & 3:
        raise BundleError("malformed")
    config = packet[0] >> 3
    if config < 12:
        tenths = (100, 200, 400, 600)[config & 3]
    elif config < 16:
        tenths = (100, 200)[config & 1]
    else:
        tenths = (25, 50, 100, 200)[config & 3]
    return rate_hz * tenths // 10_000


def decode_packets(before: Sequence[bytes], packets: Sequence[bytes], rate_hz: int) -> NDArray[np.int16]:
    """Return the sound of `packets`, int16 [samples].

    Args:
        before: what came just before without a gap, at most PREROLL are used.
        packets: at most MOST_PACKETS.
        rate_hz: of the encoder.

    Raises:
        BundleError: `malformed`.
    """
    lead = list(before[-PREROLL:])
    every = [*lead, *packets]
    if rate_hz not in RATES or not packets or len(every) > MOST_PACKETS + PREROLL:
        raise BundleError("malformed")
    wanted = sum(packet_samples(packet, rate_hz) for packet in packets)
    try:
        sound, _ = sf.read(io.BytesIO(_ogg(every, rate_hz)), dtype="int16")
    except (sf.LibsndfileError, ValueError):
        raise BundleError("malformed") from None
    out = np.zeros(wanted, dtype=np.int16)
    tail = np.asarray(sound, dtype=np.int16).reshape(-1)[-wanted:]
    out[wanted - len(tail) :] = tail
    return out


def _ogg(packets: Sequence[bytes], rate_hz: int) -> bytes:
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, rate_hz, 0, 0)
    tags = b"OpusTags" + struct.pack("<I6sI", 6, b"chevet", 0)
    out = [write_page(0, 2, 0, bytes([len(head)]), head), write_page(1, 0, 0, bytes([len(tags)]), tags)]
    at = 0
    for number, packet in enumerate(packets):
        at += packet_samples(packet, _CLOCK_HZ)
        lacing = b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
        out.append(write_page(number + 2, 4 if number == len(packets) - 1 else 0, at, lacing, packet))
    return b"".join(out)
