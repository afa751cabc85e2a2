"""Which instrument streams on a serial line, told by its frames alone: nothing is sent.

`recognise_stream` weighs what was heard at one speed and parity. A frame counts when its fixed bits, its
checksum or its grammar hold and it follows another one directly; what counts is the longest run, in bits that
noise would have had to hit by chance. Noise is never recognised, and what two drivers would both read is
reported as both.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chevet.bridge.frame import FrameDecoder
from chevet.devices import signature_frames as frames
from chevet.devices.recognition import AMBIGUOUS, CERTAIN, LIKELY, Recognition

ENOUGH_BITS = 64.0
"""Chance makes such a run once in 2^64 places: not in the life of any box."""
LEAST_SHARE = 0.5
"""Half of what was heard may be damaged or another text (a banner); the rest must be frames."""
KIT_FRAMES = 2
"""Two CRC-checked frames of a known type; an idle kit device sends one a second (PROTOCOL.md section 7)."""


@dataclass(frozen=True, slots=True, order=True)
class LineSetting:
    """How a serial line is opened: speed in bit/s, parity N, E or O (eight data bits, one stop bit)."""

    baud: int
    parity: str = "N"

    @property
    def options(self) -> str:
        """Return the options of a `serial:` link."""
        return f"baud={self.baud}" + (f"&parity={self.parity}" if self.parity != "N" else "")


@dataclass(frozen=True, slots=True)
class Signature:
    """How one kind of stream is told from all others.

    Attributes:
        drivers: who reads it; several where the frames do not say which.
        settings: the speeds at which it is spoken.
        length: length of the good frame at a place, 0 where there is none.
        bits: what a single frame has that noise hits by chance once in 2^bits places.
        least: frames in a row that are needed, whatever their bits.
        follows: judges a frame by the one before it.
        whole: judges a run as a whole.
        doubt: what remains open even so, "" for nothing.
    """

    drivers: tuple[str, ...]
    settings: tuple[LineSetting, ...]
    length: Callable[[bytes, int], int]
    bits: float
    least: int
    follows: Callable[[bytes, bytes], bool] = lambda _before, _frame: True
    whole: Callable[[Sequence[bytes]], bool] = lambda _run: True
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Weight:
    """What one signature found: frames in the longest run, and the share of all bytes that are in runs."""

    run: int
    share: float


S9600, S57600, S115200 = LineSetting(9600), LineSetting(57600), LineSetting(115200)
S19200_ODD, S230400, S921600 = LineSetting(19200, "O"), LineSetting(230400), LineSetting(921600)
KIT = ("kit-ecg", "kit-stethoscope", "kit-oximeter")
AFE_DOUBT = "the frames do not tell gain, reference and rate, so amplitudes and times must be compared first"

SIGNATURES: tuple[Signature, ...] = (
    Signature(("nonin-df2",), (S9600,), frames.df2, 18, 50, whole=frames.df2_synchronous),
    Signature(("nonin-df7",), (S9600,), frames.df7, 10, 50, whole=frames.df7_synchronous),
    Signature(("nonin-df8",), (S9600,), frames.df8, 9, 8, follows=frames.df8_follows),
    Signature(("nonin-df13",), (S9600,), frames.df13, 56, 1),
    Signature(("nonin-ascii",), (S9600,), frames.nonin_line, 100, 2),
    Signature(("masimo-ascii",), (S9600,), frames.masimo_line, 100, 2),
    Signature(
        ("ad8232",),
        (S9600,),
        frames.number_line,
        20,
        100,
        doubt="any sketch that prints one number a line looks like this; look at the wave first",
    ),
    Signature(("contec-cms50-v1",), (S19200_ODD,), frames.pleth, 5, 90, follows=frames.pleth_follows),
    Signature(("berrymed",), (S115200,), frames.pleth, 5, 150, follows=frames.pleth_follows),
    Signature(("contec-cms50-v2",), (S115200,), frames.contec_live, 16, 30),
    # v3 and v4 send the same 20 bytes; only their adapters differ (see recognise.narrowed).
    Signature(("healthypi-v4", "healthypi-v3"), (S115200, S57600), frames.openview(20, 2), 56, 20),
    Signature(("healthypi-v5",), (S115200,), frames.healthypi_v5, 56, 20),
    Signature(("ads1292r",), (S57600, S115200), frames.openview(9, 2), 56, 20),
    Signature(
        ("ads1292r",),
        (S57600, S115200, S921600),
        frames.ads1292r,
        17,
        50,
        whole=frames.alive,
        doubt=AFE_DOUBT,
    ),
    Signature(
        ("ads1298",),
        (S921600, S115200),
        frames.ads1298,
        4,
        100,
        follows=frames.same_status,
        whole=frames.eight_channels,
        doubt=AFE_DOUBT,
    ),
    Signature(("cyton",), (S115200,), frames.cyton, 13, 25, follows=frames.cyton_follows),
    Signature(("chords",), (S230400, S115200), frames.chords, 24, 25, follows=frames.chords_follows),
)
"""Everything that streams by itself, or goes on streaming after another program started it."""

LISTENING: tuple[LineSetting, ...] = (S9600, S115200, S921600, S19200_ODD, S57600, S230400)
"""The order in which an unknown line is listened to."""


def weigh(signature: Signature, data: bytes) -> Weight:
    """Return what `signature` finds in `data`; a run counts from its `least` frames on."""
    best = inside = at = 0
    while at < len(data):
        run = _run(signature, data, at)
        if len(run) < signature.least or not signature.whole(run):
            at += 1
            continue
        size = sum(map(len, run))
        best, inside, at = max(best, len(run)), inside + size, at + size
    return Weight(best, inside / len(data) if data else 0.0)


def _run(signature: Signature, data: bytes, at: int) -> list[bytes]:
    """Return the frames that follow each other from `at` on."""
    run: list[bytes] = []
    while size := signature.length(data, at):
        frame = data[at : at + size]
        if run and not signature.follows(run[-1], frame):
            break
        run.append(frame)
        at += size
    return run


def recognise_stream(data: bytes, setting: LineSetting) -> Recognition | None:
    """Return who is speaking, or None while nobody known is (or not enough was heard).

    Args:
        data: all bytes heard at this setting, in order.
        setting: how the line was open.
    """
    kit = _kit_frames(data) if setting == S921600 else 0
    if kit >= KIT_FRAMES:
        return Recognition(KIT, AMBIGUOUS, f"frames:{kit}", "", setting.options)
    found = [
        (signature, weight.run)
        for signature in SIGNATURES
        if setting in signature.settings
        for weight in [weigh(signature, data)]
        if weight.share >= LEAST_SHARE and weight.run * signature.bits >= ENOUGH_BITS
    ]
    if not found:
        return None
    drivers = tuple(dict.fromkeys(name for signature, _ in found for name in signature.drivers))
    doubt = next((signature.doubt for signature, _ in found if signature.doubt), "")
    certainty = AMBIGUOUS if len(drivers) > 1 else LIKELY if doubt else CERTAIN
    return Recognition(drivers, certainty, f"frames:{max(run for _, run in found)}", doubt, setting.options)


def _kit_frames(data: bytes) -> int:
    """Count frames of PROTOCOL.md that are of a device's types."""
    return sum(frame.type in frames.KIT_TYPES for frame in FrameDecoder().feed(data))


def settings_for(drivers: Sequence[str]) -> tuple[LineSetting, ...]:
    """Return the settings to listen at, those of `drivers` (what the port's adapter hints at) first."""
    hinted = [
        setting
        for signature in SIGNATURES
        if not set(drivers).isdisjoint(signature.drivers)
        for setting in signature.settings
    ]
    if not set(drivers).isdisjoint(KIT):
        hinted.insert(0, S921600)
    return tuple(dict.fromkeys((*hinted, *LISTENING)))


_PRINTED = re.compile(rb"[\t\r\n -~]*")


def looks_meant(data: bytes) -> bool:
    """Tell whether bytes are plain text: the speed is right then, whoever speaks."""
    return len(data) >= 16 and _PRINTED.fullmatch(data) is not None
