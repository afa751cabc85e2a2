"""An eight-channel front end of one's own: a TI ADS1298 behind a microcontroller that passes frames on.

27 bytes a frame, most significant first: status 1100, LOFF_STATP[7:0], LOFF_STATN[7:0], GPIO[7:4], then
eight signed 24-bit numbers; bit n of LOFF_STATP and LOFF_STATN belongs to channel n + 1. Source: TI ADS1298
data sheet (SBAS459), RDATAC mode.

The channels are to be wired I, II, V1 to V6, V against Wilson's central terminal. III, aVR, aVL and aVF are
not measured: they are worked out here from I and II (the `identified` notice says `derived=...`), and they
are reported off whenever I or II has no contact or stands at the end of its range, because the identities
do not hold then.

Doubts: rate (500 Hz) and gain (6, VREF 2.4 V) are the chip's after reset; a firmware that sets others needs
another driver made with them. The serial speed is the firmware's. Frames carry no counter, so whole frames
lost in silence are found by the host's clock only. Not tried on a real front end.
"""

import numpy as np
from numpy.typing import NDArray

from chevet.bridge.packet import Packet
from chevet.devices.afe_frames import OffInputs, afe_frames, status_words, step_mv
from chevet.devices.byte_frames import Rows, int24
from chevet.devices.conditions import identity
from chevet.devices.counters import Counters
from chevet.devices.ecg_leads import DERIVED, MEASURED, TWELVE, LeadContacts, twelve_leads, without_contact
from chevet.devices.sample_line import SampleLine, add_between
from chevet.devices.samples import Channel, Event, Notice

FRAME_BYTES = 27
CHANNELS = 8
RATE_HZ = 500.0
"""CONFIG1 after reset (SBAS459, table 14)."""
GAIN = 6.0
"""CHnSET after reset."""
VREF_V = 2.4
BLOCK_SAMPLES = 20
"""40 ms."""


class Ads1298:
    """Reads the frames: twelve leads (int32) of which four are derived, and which electrodes are off."""

    name = "ads1298"
    instrument = "ecg"

    def __init__(self, rate_hz: float = RATE_HZ, gain: float = GAIN, vref_v: float = VREF_V) -> None:
        """Start with what the front end's firmware has set: rate in Hz, gain, reference in V."""
        self.counters = Counters()
        step = step_mv(vref_v, gain)
        channels = tuple(Channel(name, "mV", rate_hz, step) for name in TWELVE)
        self._frames = afe_frames(CHANNELS, self.counters)
        self._line = SampleLine(channels, self.counters, BLOCK_SAMPLES, dtype=np.int32)
        self._inputs = OffInputs(CHANNELS, _electrodes_off)
        self._contacts = LeadContacts(TWELVE)
        self.start()

    def start(self) -> bytes:
        """Forget the place in the stream; there is nothing to send."""
        self._frames.restart()
        self._line.restart()
        self._contacts.forget()
        self._inputs.forget()
        self._told = False
        return b""

    def tick(self, at: float) -> bytes:  # noqa: ARG002 (the front end needs nothing)
        """Return nothing: the front end streams by itself."""
        return b""

    def stop(self) -> bytes:
        """Return nothing: the front end cannot be stopped."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        events: list[Event] = []
        for skipped, rows in self._frames.feed(packet.data):
            values = int24(rows, 3, CHANNELS)
            words = self._words(rows, values, packet.at)
            guess = round(skipped / FRAME_BYTES)
            events += add_between(self._line, twelve_leads(values), packet.at, words, guess=guess)
        return events

    def _words(self, rows: Rows, values: NDArray[np.int32], at: float) -> dict[int, list[Event]]:
        words: dict[int, list[Event]] = {}
        if not self._told:
            self._told = True
            detail = identity("ADS1298") + ";derived=" + ",".join(DERIVED)
            words[0] = [Notice("identified", at, detail=detail)]
        for row, off in self._inputs.changes(rows, values):
            leads = {name for name, gone in zip(MEASURED, off, strict=True) if gone}
            words.setdefault(row, []).extend(self._contacts.tell(without_contact(leads), at))
        return words


def _electrodes_off(rows: Rows) -> NDArray[np.bool_]:
    status = status_words(rows)
    bits = np.arange(CHANNELS)[:, np.newaxis]
    off: NDArray[np.bool_] = ((status >> 12 | status >> 4) >> bits & 1) != 0
    return off
