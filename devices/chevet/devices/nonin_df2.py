"""Nonin OEM III, Xpod and 3012LP in serial data format 2.

75 frames a second of five bytes, `01 STATUS PLETH DATA CHK`; 25 frames are a packet, whose first carries
SYNC and whose DATA bytes carry the numbers. 9600 baud 8N1, the module starts by itself. Source: Nonin OEM
III specification, as used by the Pufferfish ventilator's driver and tests and by OpenICE.

Doubts: which of the display, fast and beat-to-beat numbers a given reader expects; here the four-beat
averages (frames 1 to 3). Red perfusion alone is taken as low and yellow (both bits) as medium, after the
green-yellow-red code of the modules' own light; the medium state was never seen on a real unit here. The
unit of the timer in frames 6 and 7 differs between documents, so it is not used and whole packets lost are
judged by the host's clock.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chevet.bridge.packet import Packet
from chevet.devices.counters import Counters
from chevet.devices.samples import Channel, Event, Notice, Reading, SampleBlock

FRAME_BYTES = 5
PACKET_FRAMES = 25
RATE_HZ = 75.0
BLOCK_FRAMES = 5
"""15 blocks a second: 67 ms from the sensor to the screen."""
HELD_FRAMES = 2 * PACKET_FRAMES
CLOCK_SLACK_FRAMES = 4
"""53 ms: how exactly a frame's arrival tells when it was sent."""
LATE_S = 0.3
"""Frames that come so much later than the last follow a silence, or the host had paused."""
SETTLES_S = 0.25
"""So long after that all that a pause held up has come; what is still missing was never sent."""
LONGEST_PAUSE_FRAMES = 4500
MISSING_RATE = 511
MISSING_SPO2 = 127
PLETH = (Channel("pleth", "1", RATE_HZ, 1.0),)

SYNC, GREEN, RED = 0x01, 0x02, 0x04
SENSOR_ALARM, OUT_OF_TRACK, ARTIFACT, DISCONNECTED = 0x08, 0x10, 0x20, 0x40
STAT2_SMARTPOINT, STAT2_LOW_BATTERY = 0x20, 0x01
WORDS = (
    (DISCONNECTED, "sensor_disconnected"),
    (SENSOR_ALARM, "sensor_alarm"),
    (OUT_OF_TRACK, "out_of_track"),
    (ARTIFACT, "artifact"),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """What a serial format's frames of five bytes look like; all else is common to them.

    Attributes:
        name: of the driver.
        model: what `identified` calls the device.
        channels: the pleth channel; its offset is taken off the raw values so that they fit int16.
        read: returns STATUS, raw pleth and DATA of a valid frame, None for any other five bytes.
        confirm: valid frames that must follow the first after a break before it is believed.
    """

    name: str
    model: str
    channels: tuple[Channel, ...]
    read: Callable[[bytearray], tuple[int, int, int] | None]
    confirm: int = 0


def _read_df2(frame: bytearray) -> tuple[int, int, int] | None:
    start, status, pleth, data, check = frame
    if start == 0x01 and status >= 0x80 and data < 0x80 and sum(frame[:4]) & 0xFF == check:
        return status, pleth, data
    return None


DF2 = Layout("nonin-df2", "Nonin DF2", PLETH, _read_df2)


class NoninDf2:
    """Reads the stream: pleth in SampleBlocks of 5 (int16, unit "1"), readings once per whole packet.

    A frame that is valid by start byte, fixed bits and checksum is taken at once: on a clean line no other
    alignment can look valid, because STATUS has bit 7 set where DATA never has. After a break, frames are
    held back until the next SYNC tells their place, at most a third of a second, so that the gap has its
    exact length.

    The index goes on over a new connection, after a gap as long as the host's clock says.
    """

    instrument = "oximeter"

    def __init__(self, layout: Layout = DF2) -> None:
        self.name = layout.name
        self.counters = Counters()
        self._layout = layout
        self._offset = int(layout.channels[0].offset)
        self._index = 0
        self._at: float | None = None
        self._seen: dict[str, bool] = {}
        self._firmware: int | None = None
        self.start()

    def start(self) -> bytes:
        """Forget the place in the stream; there is nothing to send."""
        self._pending = bytearray()
        self._skipped = 0
        self._resumed = True
        self._since_sync: int | None = None  # frames since the last SYNC boundary, None before the first
        self._packet: list[tuple[int, int]] = []  # status and data of an unbroken packet from its SYNC on
        self._in_packet = False
        self._run: list[int] = []
        self._held: list[tuple[int, list[tuple[int, float]]]] = []  # (guess of frames lost before, frames)
        self._late_at: float | None = None  # when the first came after a silence, while that is unexplained
        self._heard_at = 0.0
        self._missing: int | None = None  # as few frames as ever seemed missing since then
        return b""

    def tick(self, at: float) -> bytes:  # noqa: ARG002 (the module needs nothing)
        """Return nothing: the module streams by itself."""
        return b""

    def stop(self) -> bytes:
        """Return nothing: the module cannot be stopped."""
        return b""

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        self._pending += packet.data
        events: list[Event] = []
        at = 0
        while len(self._pending) - at >= self._needed():
            frame = self._read_at(at)
            if frame is not None:
                events += self._take(frame, packet.at)
                at += FRAME_BYTES
                continue
            self.counters.bad_frames += not self._skipped
            self._skipped += 1
            at += 1
        del self._pending[:at]
        return events

    def _needed(self) -> int:
        """Return how many bytes it takes to judge the next frame."""
        hunting = self._resumed or self._skipped > 0
        return FRAME_BYTES * (1 + self._layout.confirm * hunting)

    def _read_at(self, at: int) -> tuple[int, int, int] | None:
        places = range(at, at + self._needed(), FRAME_BYTES)
        frames = [self._layout.read(self._pending[place : place + FRAME_BYTES]) for place in places]
        return frames[0] if all(frames) else None

    def _take(self, frame: tuple[int, int, int], at: float) -> list[Event]:
        status, pleth, data = frame
        self.counters.frames += 1
        events: list[Event] = []
        if self._resumed:
            self._resume(at)
        elif self._skipped:
            events += self._flush()
            self._held.append((max(1, round(self._skipped / FRAME_BYTES)), []))
            self._in_packet = False
        elif not self._held and self._at is not None and at - self._at > LATE_S:
            events += self._flush()
            self._held.append((0, []))
            self._late_at = at
        if self._late_at is not None:
            self._watch(at)
        self.counters.resyncs += bool(self._skipped)
        self._skipped = 0
        if status & SYNC:
            events += self._synchronise(at)
        events += self._place(pleth, at)
        if self._in_packet:
            self._packet.append((status, data))
            if len(self._packet) == PACKET_FRAMES:
                self._in_packet = False
                events += self._numbers(at)
        return events

    def _resume(self, at: float) -> None:
        """Begin a connection: the index goes on where the host's clock says."""
        if self._at is not None:
            self._index += max(1, round((at - self._at) * RATE_HZ))
        self._resumed = False

    def _synchronise(self, at: float) -> list[Event]:
        """Frame 1 of a packet stands at the door: what was before must be whole packets."""
        self._packet.clear()
        self._in_packet = True
        if self._late_at is not None and at - self._late_at < SETTLES_S:
            return []
        held = sum(len(frames) for _, frames in self._held)
        if self._since_sync is None:
            lost = max(sum(guess for guess, _ in self._held), self._by_clock(at, held)) if self._held else 0
        else:
            lost = -(self._since_sync + held) % PACKET_FRAMES
            if lost or self._held:
                # A stall of the host looks like lost packets until the frames catch up, so nearly all of a
                # packet's time must have passed before it is believed lost.
                seen = self._by_clock(at, held) if self._missing is None else self._missing
                more = seen - lost + CLOCK_SLACK_FRAMES
                lost += max(0, more // PACKET_FRAMES) * PACKET_FRAMES
        events = self._release(lost, at)
        self._since_sync = 0
        return events

    def _watch(self, at: float) -> None:
        """Find how many frames are missing after a silence: pauses only delay some, so the least counts."""
        held = sum(len(frames) for _, frames in self._held)
        if held and at > self._heard_at:  # all that arrived together is there
            missing = self._by_clock(self._heard_at, held) + 1
            self._missing = missing if self._missing is None else min(self._missing, missing)
        self._heard_at = at

    def _by_clock(self, at: float, held: int) -> int:
        """Return how many frames are missing if the host's clock is right."""
        start = at if self._at is None else self._at
        return round((at - start) * RATE_HZ) - held - 1

    def _release(self, lost: int, at: float) -> list[Event]:
        """Give out what was held, `lost` frames missing in all."""
        events = self._flush()
        self._late_at = self._missing = None
        runs, self._held = self._held or [(0, [])], []
        if len(runs) == 1 or not lost:
            runs = [(0, frames) for _, frames in runs[:-1]] + [(lost, runs[-1][1])]
        elif sum(guess for guess, _ in runs) != lost:
            # Several breaks, and noise among them: where the frames between belong cannot be known.
            between = sum(len(frames) for _, frames in runs[:-1])
            runs = [(lost + between, runs[-1][1])]
        for missing, frames in runs:
            events += self._lose(missing, at)
            for pleth, arrived in frames:
                events += self._give(pleth, arrived)
            events += self._flush()
        return events

    def _lose(self, count: int, at: float) -> list[Event]:
        if count <= 0:
            return []
        self._index += count
        self.counters.lost_samples += count
        return [Notice("lost_samples", at, detail=str(count))]

    def _place(self, pleth: int, at: float) -> list[Event]:
        if not self._held:
            if self._since_sync is not None:
                self._since_sync += 1
            return self._give(pleth, at)
        self._held[-1][1].append((pleth, at))
        longest = HELD_FRAMES if self._late_at is None else LONGEST_PAUSE_FRAMES
        if sum(len(frames) for _, frames in self._held) < longest:
            return []
        # Two packets without SYNC: it is lost each time, and the guesses are all there is.
        self._since_sync = None
        return self._release(sum(guess for guess, _ in self._held), at)

    def _give(self, pleth: int, at: float) -> list[Event]:
        self._run.append(pleth - self._offset)
        self._index += 1
        self._at = at
        return self._flush() if len(self._run) == BLOCK_FRAMES else []

    def _flush(self) -> list[Event]:
        if not self._run or self._at is None:
            return []
        values = np.array([self._run], dtype=np.int16)
        first = self._index - len(self._run)
        self._run.clear()
        return [SampleBlock(self._layout.channels, values, first, self._at)]

    def _numbers(self, at: float) -> list[Event]:
        """Return what a whole packet says, at its last frame."""
        data = [value for _, value in self._packet]
        bits = 0
        for status, _ in self._packet:
            bits |= status
        rate = (data[0] & 3) << 7 | data[1] & 0x7F
        spo2 = data[2]
        words = self._words(bits, data[7])
        events = self._identify(data[3], at) + self._notices(words, at)
        events.append(Reading("spo2", None if spo2 >= MISSING_SPO2 else float(spo2), "%", at, words))
        events.append(Reading("pulse_rate", None if rate >= MISSING_RATE else float(rate), "/min", at, words))
        return events

    def _words(self, bits: int, stat2: int) -> tuple[str, ...]:
        words = [word for bit, word in WORDS if bits & bit]
        colours = {status & (GREEN | RED) for status, _ in self._packet}
        if GREEN | RED in colours:
            words.append("medium_perfusion")
        elif RED in colours:
            words.append("low_perfusion")
        if stat2 & STAT2_SMARTPOINT:
            words.append("smartpoint")
        if stat2 & STAT2_LOW_BATTERY:
            words.append("battery_low")
        return tuple(words)

    def _identify(self, firmware: int, at: float) -> list[Event]:
        if firmware == self._firmware:
            return []
        self._firmware = firmware
        return [Notice("identified", at, detail=f"model={self._layout.model};serial=;firmware={firmware}")]

    def _notices(self, words: tuple[str, ...], at: float) -> list[Event]:
        conditions = {
            "sensor_off": "sensor_disconnected" in words or "sensor_alarm" in words,
            "searching": "out_of_track" in words,
            "artifact": "artifact" in words,
            "low_perfusion": "low_perfusion" in words,
            "battery_low": "battery_low" in words,
        }
        changed = [code for code, on in conditions.items() if on != self._seen.get(code, False)]
        self._seen = conditions
        return [Notice(code, at, on=conditions[code]) for code in changed]
