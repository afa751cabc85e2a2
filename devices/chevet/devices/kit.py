"""The kit's own front ends: ECG, stethoscope, oximeter, as firmware-bridge/PROTOCOL.md has it."""

from chevet.bridge.clock import DeviceClock, IndexTrack
from chevet.bridge.frame import Frame, FrameDecoder, encode
from chevet.bridge.packet import Packet
from chevet.devices import kit_messages as wire
from chevet.devices.counters import Counters
from chevet.devices.errors import BrokenPayload
from chevet.devices.samples import Event, Notice, Reading, SampleBlock

REPEAT_S = 0.5
"""PROTOCOL.md section 4: "repeats a command that was not answered within 500 ms"."""
REPEAT_FRONT_END_S = 2.0
"""Section 4, code 5: "asks again after 2 s"."""
QUIET_S = 0.25
"""Section 3, quiet line: 250 ms for the host."""
BATTERY_LOW_PCT = 10
INDEX_MODULUS = 1 << 32
RATE_TOLERANCE = 0.01
"""A crystal errs by less than 0.01 %; 1 % would already move a QT interval by 4 ms."""
RATE_AFTER_S = 20.0
FRESH_S = 2.0
"""A stream that the host has just begun cannot be further than its own time and this: else it ran before."""

_IDENTIFYING, _STARTING, _RUNNING, _STOPPING, _IDLE = range(5)
_COMMANDS = {_IDENTIFYING: wire.IDENTIFY, _STARTING: wire.START, _STOPPING: wire.STOP}


class KitDriver:
    """Reads one kit front end: asks who it is, starts it, repeats what was not answered, places its samples.

    Events: `identified`, SampleBlocks (int16, gain and offset from the device's own description),
    `lost_samples` with the count, `lead_off` with the channel's name (ECG) or `sensor_off`, `battery_low`,
    Reading "battery", `refused` (detail: "version=..", "instrument=.." or an answer's code), `rate_wrong`
    when the device's clock is over 1 % off.

    The index goes on over a restart or a new connection, after a gap as long as the host's clock says.

    Attributes:
        identity: how the device described itself, None before.
        clock: its sample clock on the host's, None before the first samples.
    """

    def __init__(self, name: str, instrument: str) -> None:
        self.name = name
        self.instrument = instrument
        self.counters = Counters()
        self.identity: wire.Identity | None = None
        self.clock: DeviceClock | None = None
        self._decoder = FrameDecoder()
        self._track = IndexTrack(INDEX_MODULUS)
        self._broken = 0
        self._late: list[tuple[Frame, float]] = []
        self._seq = 0
        self._begin()

    def _begin(self) -> None:
        """Forget what belongs to one connection."""
        self._stage = _IDENTIFYING
        self._sent_at: float | None = None
        self._samples = b""
        self._wait_s = REPEAT_S
        self._heard_at = 0.0
        self._off: set[str] = set()
        self._battery: int | None = None
        self._battery_low = False
        self._rate_told = False
        self._refused = ""
        self._flowing = False
        self._begun_at: float | None = None

    def start(self) -> bytes:
        """Return the first `identify`; `start` follows from `tick` once the device has said who it is."""
        self._decoder.expire()
        self._late.clear()
        self._seq = 0
        self._track.restart()
        self.clock = None
        self._begin()
        return self._command(wire.IDENTIFY)

    def stop(self) -> bytes:
        """Return `stop`; `tick` repeats it as long as it is called and no answer came."""
        self._stage, self._sent_at, self._wait_s = _STOPPING, None, REPEAT_S
        return self._command(wire.STOP)

    def tick(self, at: float) -> bytes:
        """Return the command that is due, mostly nothing."""
        if self._decoder.pending and at - self._heard_at >= QUIET_S:
            self._late += [(frame, at) for frame in self._decoder.expire()]
        due = _COMMANDS.get(self._stage)
        if due is None:
            return b""
        if self._sent_at is None and due != wire.START:  # start() or stop() has just sent the first
            self._sent_at = at
            return b""
        if self._sent_at is not None and at - self._sent_at < self._wait_s:
            return b""
        self._sent_at = at
        return self._command(due)

    def _command(self, type_: int) -> bytes:
        payload = bytes((wire.MAJOR, wire.MINOR)) if type_ == wire.IDENTIFY else b""
        frame = Frame(type_, self._seq, payload)
        self._seq = (self._seq + 1) % 256
        return encode(frame)

    def feed(self, packet: Packet) -> list[Event]:
        """Take what arrived; never raises, whatever it is."""
        self._heard_at = packet.at
        waiting, self._late = self._late, []
        waiting += [(frame, packet.at) for frame in self._decoder.feed(packet.data)]
        events: list[Event] = []
        for frame, at in waiting:
            try:
                events += self._read(frame, at)
            except BrokenPayload:
                self._broken += 1
        self.counters.frames = self._decoder.frames - self._broken
        self.counters.bad_frames = self._decoder.bad_frames + self._broken
        self.counters.resyncs = self._decoder.resyncs
        return events

    def _read(self, frame: Frame, at: float) -> list[Event]:
        match frame.type:
            case wire.IDENTITY:
                return self._identified(wire.parse_identity(frame.payload), at)
            case wire.ANSWER:
                return self._answered(wire.parse_answer(frame.payload), at)
            case wire.SAMPLES if frame.payload == self._samples:
                return []  # the same frame again: sets are numbered, so that no two are alike
            case wire.SAMPLES:
                self._samples = frame.payload
                return self._sampled(wire.parse_samples(frame.payload), at)
            case wire.STATUS:
                return self._told(wire.parse_status(frame.payload), at)
        return []  # a later version's type

    def _identified(self, identity: wire.Identity, at: float) -> list[Event]:
        if self._stage != _IDENTIFYING:
            return []  # the answer to a repeat
        if identity.major != wire.MAJOR:
            return self._refuse(f"version={identity.major}.{identity.minor}", at)
        if identity.instrument != self.instrument:
            return self._refuse(f"instrument={identity.instrument}", at)
        self.identity = identity
        self._stage, self._sent_at, self._wait_s = _STARTING, None, REPEAT_S
        detail = f"model={identity.model};serial={identity.serial};firmware={identity.firmware}"
        return [Notice("identified", at, detail=detail + ";simulated=1" * identity.simulated)]

    def _refuse(self, detail: str, at: float) -> list[Event]:
        self._stage = _IDLE
        return self._tell_refused(detail, at)

    def _tell_refused(self, detail: str, at: float) -> list[Event]:
        if detail == self._refused:
            return []
        self._refused = detail
        return [Notice("refused", at, detail=detail)]

    def _answered(self, answer: wire.Answer, at: float) -> list[Event]:
        if answer.command != _COMMANDS.get(self._stage):
            return []  # the answer to a repeat
        code = wire.CODES.get(answer.code, f"code={answer.code}")
        match answer.code:
            case wire.DONE:
                if self._stage == _STARTING and not self._flowing:
                    self._begun_at = at
                self._stage = _RUNNING if self._stage == _STARTING else _IDLE
                return self._accepted(at)
            case wire.BUSY:
                self._wait_s = REPEAT_S
                return []
            case wire.FRONT_END:
                self._wait_s = REPEAT_FRONT_END_S
                return self._tell_refused(code, at)
        return self._refuse(code, at)

    def _accepted(self, at: float) -> list[Event]:
        was, self._refused = self._refused, ""
        return [Notice("refused", at, on=False, detail=was)] if was else []

    def _sampled(self, sets: wire.SampleSets, at: float) -> list[Event]:
        self._flowing = True
        if self.identity is None:
            return []  # without names and gains they say nothing yet
        channels = self.identity.channels
        if len(sets.values) != len(channels):
            raise BrokenPayload("samples")
        rate_hz, count = channels[0].rate_hz, sets.values.shape[1]
        placed = self._track.place(sets.first, count, at, rate_hz)
        events: list[Event] = []
        lost = self._lost_at_first(sets.first, at, rate_hz) if self.clock is None else placed.lost
        if lost:
            self.counters.lost_samples += lost
            events.append(Notice("lost_samples", at, detail=str(lost)))
        if self.clock is None or placed.restarted:
            self.clock = DeviceClock(rate_hz)
        self.clock.add(placed.first + count, at)
        events.append(SampleBlock(channels, sets.values, placed.first, at))
        return events + self._check_rate(self.clock, at)

    def _lost_at_first(self, first: int, at: float, rate_hz: float) -> int:
        """Return how many were lost before the first that came; what was before the stream is no loss.

        `start` resets the index of a stopped device (PROTOCOL.md section 4) and changes nothing in a stream.
        """
        if self._begun_at is None or first > (at - self._begun_at + FRESH_S) * rate_hz:
            return 0
        return first

    def _check_rate(self, clock: DeviceClock, at: float) -> list[Event]:
        if self._rate_told or clock.span_s < RATE_AFTER_S or abs(clock.error) <= RATE_TOLERANCE:
            return []
        self._rate_told = True
        return [Notice("rate_wrong", at, detail=f"nominal={clock.nominal_hz:g};measured={clock.rate_hz:.2f}")]

    def _told(self, status: wire.Status, at: float) -> list[Event]:
        self._flowing = status.streaming
        if self._stage == _RUNNING and not status.streaming:  # it has restarted: section 7
            self._stage, self._sent_at = _IDENTIFYING, at - REPEAT_S
        return self._contacts(status, at) + self._power(status, at)

    def _contacts(self, status: wire.Status, at: float) -> list[Event]:
        if self.identity is None:
            return []
        names = [channel.name for channel in self.identity.channels]
        off = {names[index] for index in status.off if index < len(names)}
        code = "lead_off" if self.instrument == "ecg" else "sensor_off"
        changed = [name for name in names if (name in off) != (name in self._off)]
        self._off = off
        return [Notice(code, at, on=name in off, detail=name) for name in changed]

    def _power(self, status: wire.Status, at: float) -> list[Event]:
        percent = status.battery_pct
        if percent == self._battery:
            return []
        self._battery = percent
        events: list[Event] = [Reading("battery", percent, "%", at, ("charging",) * status.charging)]
        low = percent is not None and percent <= BATTERY_LOW_PCT and not status.charging
        if low != self._battery_low:
            self._battery_low = low
            events.append(Notice("battery_low", at, on=low))
        return events


def kit_ecg() -> KitDriver:
    """Return the driver of the kit's ECG front end."""
    return KitDriver("kit-ecg", "ecg")


def kit_stethoscope() -> KitDriver:
    """Return the driver of the kit's stethoscope."""
    return KitDriver("kit-stethoscope", "stethoscope")


def kit_oximeter() -> KitDriver:
    """Return the driver of the kit's oximeter, which gives red and infrared light and no numbers."""
    return KitDriver("kit-oximeter", "oximeter")
