"""A voice note: up to a minute of speech as Ogg Opus, named by length, size and hash in what is signed.

The sound is a bundle of its own, in layer 2: the words that name it never wait for it, and they alone say
whose voice it is. At 10 kbit/s libopus codes speech with its linear predictor (RFC 6716 section 2.1.1 puts
narrowband speech at 8 to 12 kbit/s); a minute of the kiosk's own French prompts takes 70 KB.
"""

import hashlib
import io
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
import soundfile as sf

from chevet.study.bundle import Bundle, Part
from chevet.study.cbor import Row, Value
from chevet.study.errors import BundleError
from chevet.study.ids import to_wire
from chevet.study.ogg import pages, plain
from chevet.study.sound_stream import LOWEST_BITS, MOST_BITS, packet_samples

OGG: Final = "audio/ogg"
RATE_HZ: Final = 16_000
"""Of what is given to `encode_voice`: speech has little above 8 kHz."""
BITS: Final = 10_000
LONGEST_MS: Final = 60_000
SHORTEST_MS: Final = 500
"""Less is a slip of the finger."""
MOST_BYTES: Final = 112 * 1024
"""A minute at half as much again as BITS: the coder's rate varies with what is said."""
_SENTENCES: Final = {
    "too_short": "Less than half a second was said: record again.",
    "too_long": "A voice note lasts a minute at most: record a shorter one.",
    "too_large": "A voice note lasts a minute at most: record a shorter one.",
    "malformed": "This is no voice note of ours: record again.",
}
_CLOCK_HZ: Final = 48_000
_HEAD: Final = struct.Struct("<8sBBH")  # RFC 7845 section 5.1: magic, version, channels, pre-skip
_SLACK_MS: Final = 100
"""The coder fills its last packet."""


@dataclass(frozen=True, slots=True)
class VoiceNote:
    """What signed words say of a voice note.

    Attributes:
        id: of the bundle that holds the sound, UUIDv7 as text.
        length_ms: what is heard.
        size: bytes of the sound.
        sha256: of these bytes; the signature over it covers the sound.
    """

    id: str
    length_ms: int
    size: int
    sha256: bytes

    def names(self, ogg: bytes) -> bool:
        """Say whether this is the sound that was signed."""
        return hashlib.sha256(ogg).digest() == self.sha256


def encode_voice(pcm: bytes) -> bytes:
    """Return speech as Ogg Opus.

    Args:
        pcm: signed 16-bit little-endian samples of one channel at RATE_HZ.

    Raises:
        BundleError: `too_short`, `too_long`, or `malformed` where half a sample is left over.
    """
    if len(pcm) % 2:
        raise BundleError("malformed")
    milliseconds = len(pcm) // 2 * 1000 // RATE_HZ
    _within(milliseconds)
    sound = np.frombuffer(pcm, dtype="<i2").astype(np.float64) / 32768
    level = 1.0 - (BITS - LOWEST_BITS) / (MOST_BITS - LOWEST_BITS)
    out = io.BytesIO()
    sf.write(out, sound, RATE_HZ, format="OGG", subtype="OPUS", compression_level=level)
    return plain(out.getvalue())


def why_unfit(error: BundleError) -> tuple[str, str]:
    """Return the code of what is wrong with a voice note, and a sentence that says what to do."""
    code = error.reason if error.reason in _SENTENCES else "malformed"
    return code, _SENTENCES[code]


def told_of(ident: str, ogg: bytes) -> VoiceNote:
    """Return what may be signed of a sound, once it is found to be one.

    Raises:
        BundleError: `malformed`, `too_short`, `too_long` or `too_large`.
    """
    return VoiceNote(ident, voice_ms(ogg), len(ogg), hashlib.sha256(ogg).digest())


def voice_ms(ogg: bytes) -> int:
    """Return how long a voice note sounds, counted in its packets.

    Raises:
        BundleError: `malformed`, `too_short`, `too_long` or `too_large`.
    """
    if len(ogg) > MOST_BYTES:
        raise BundleError("too_large")
    packets = _packets(ogg)
    if len(packets) < 3 or not packets[0].startswith(b"OpusHead") or len(packets[0]) < _HEAD.size:
        raise BundleError("malformed")
    _, _, channels, skip = _HEAD.unpack_from(packets[0])
    if channels != 1 or not packets[1].startswith(b"OpusTags"):
        raise BundleError("malformed")
    heard = sum(packet_samples(packet, _CLOCK_HZ) for packet in packets[2:]) - skip
    milliseconds = int(heard * 1000 // _CLOCK_HZ)
    _within(milliseconds)
    return min(milliseconds, LONGEST_MS)


def pack_voice(note: VoiceNote, case: str, ogg: bytes) -> Bundle:
    """Return the sound as a bundle of one part, in the layer that waits for all words and previews."""
    return Bundle(note.id, "voice", case, (Part(0, 2, "voice", OGG, "", ogg),))


def unpack_voice(bundle: Bundle) -> bytes:
    """Return the sound; whose it is, and that it is whole, is said by the signed words that name it.

    Raises:
        BundleError: the bundle is damaged, or holds something else.
    """
    parts = bundle.parts
    if bundle.kind != "voice" or len(parts) != 1 or (parts[0].kind, parts[0].media_type) != ("voice", OGG):
        raise BundleError("another_kind")
    voice_ms(parts[0].data)
    return parts[0].data


def voice_row(note: VoiceNote) -> Value:
    """Return what is signed of a voice note."""
    return [to_wire(note.id), note.length_ms, note.size, note.sha256]


def read_voice(row: Row) -> VoiceNote:
    """Return what signed words say of a voice note.

    Raises:
        BundleError: `wrong_type`.
    """
    note = VoiceNote(row.ident(), row.whole(1, LONGEST_MS), row.whole(1, MOST_BYTES), row.data(32))
    row.end()
    return note


def _within(milliseconds: int) -> None:
    if milliseconds < SHORTEST_MS:
        raise BundleError("too_short")
    if milliseconds > LONGEST_MS + _SLACK_MS:
        raise BundleError("too_long")


def _packets(ogg: bytes) -> list[bytes]:
    """Return the packets of all pages; one that goes on over a page's end is joined (RFC 3533 section 6)."""
    found: list[bytes] = []
    begun = b""
    try:
        for _, _, lacing, body in pages(ogg):
            at = 0
            for size in lacing:
                begun, at = begun + body[at : at + size], at + size
                if size < 255:
                    found.append(begun)
                    begun = b""
    except ValueError:
        raise BundleError("malformed") from None
    return found
