"""How a waveform is cut into EDF+ data records: whole ones, none where nothing arrived.

A record has a fixed length. Records begin at samples that arrived; whole stretches of a gap are left out
(EDF+D), and what is left of a gap or beyond the end inside a record is told by an annotation.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import gcd

from chevet.relay.exports.edf_scale import FIELD
from chevet.study.recording import Gap

LONGEST_S = 1.0
SHORTEST_S = 0.05
LONG_S = 10.0
"""The longest record for a rate whose seconds do not hold whole samples."""
MAX_RECORD_BYTES = 61_440
"""The EDF specification asks for no more in one record."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where each record begins.

    Attributes:
        length: samples of each channel in a record.
        duration: seconds of a record, as the header tells it.
        starts: first sample of each record.
        samples: of the waveform in all; the last record may go beyond.
        told: whether `duration` is exact.
    """

    length: int
    duration: str
    starts: tuple[int, ...]
    samples: int
    told: bool

    @property
    def continuous(self) -> bool:
        """Return whether each record begins where the one before ended, as the header's duration tells it."""
        return self.told and all(
            start == self.starts[0] + n * self.length for n, start in enumerate(self.starts)
        )

    @property
    def beyond(self) -> int:
        """Return how many samples of the last record lie behind the waveform's end."""
        return max(self.starts[-1] + self.length - self.samples, 0) if self.starts else 0


def plan(samples: int, gaps: tuple[Gap, ...], rate_hz: float, frame_bytes: int) -> Plan:
    """Cut `samples` into records.

    Args:
        samples: of each channel.
        gaps: ascending, disjoint.
        rate_hz: samples a second.
        frame_bytes: bytes of one sample of every channel.
    """
    length = _length(samples, gaps, rate_hz, frame_bytes)
    starts = []
    at = _behind(0, gaps)
    while at < samples:
        starts.append(at)
        at = _behind(at + length, gaps)
    return Plan(length, duration(length, rate_hz), tuple(starts), samples, _told(length, rate_hz))


def duration(length: int, rate_hz: float) -> str:
    """Return how long `length` samples take, in seconds and at most eight characters."""
    seconds = f"{length / rate_hz:.7f}"[:FIELD].rstrip("0").rstrip(".")
    return seconds or "0"


def _behind(at: int, gaps: tuple[Gap, ...]) -> int:
    """Return the first sample from `at` on that arrived."""
    for gap in gaps:
        if gap.first <= at < gap.first + gap.count:
            at = gap.first + gap.count
    return at


def _length(samples: int, gaps: tuple[Gap, ...], rate_hz: float, frame_bytes: int) -> int:
    """Return a length that divides every stretch if one of a sensible size does, else about a second."""
    common, at = 0, 0
    for gap in gaps:
        common, at = gcd(common, gap.first - at), gap.first + gap.count
    common = gcd(common, samples - at)
    most = max(min(int(LONGEST_S * rate_hz), MAX_RECORD_BYTES // frame_bytes), 1)
    least = max(int(SHORTEST_S * rate_hz), 1)
    fitting = [d for d in range(least, most + 1) if common % d == 0 and _told(d, rate_hz)]
    if common and fitting:
        return fitting[-1]
    usual, longer = range(most, least, -1), range(most + 1, int(LONG_S * rate_hz))
    return next((d for d in (*usual, *longer) if _told(d, rate_hz)), most)


def _told(length: int, rate_hz: float) -> bool:
    """Return whether the header can tell exactly how long so many samples take."""
    return Fraction(duration(length, rate_hz)) * Fraction(repr(rate_hz)) == length
