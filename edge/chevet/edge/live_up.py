"""Live mode at the box: what the worker holds is sent while a desk watches, and not a byte otherwise.

Captures and the spool know nothing of it: a recording is written as ever. Nothing is sent without an open
visit and consent, nor while anything of an urgent study waits for the line or is on it.
"""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from chevet.devices.samples import Channel, Event, SampleBlock
from chevet.edge.bedside import Bedside
from chevet.edge.errors import Refusal
from chevet.edge.instruments import READY, Instrument
from chevet.edge.live import STEP_OF
from chevet.edge.live_streams import NOTHING, OPENINGS, PERIODS_S, LiveStream, cost, make_stream
from chevet.edge.main_stream import belongs
from chevet.edge.trust import Programme
from chevet.edge.visits import Visit
from chevet.exchange import topics
from chevet.exchange.errors import Refused
from chevet.exchange.live_sender import EXPIRY_S, LiveSender
from chevet.exchange.sender import Sender

log = logging.getLogger(__name__)

TICK_S: Final = 0.1
LOOK_EVERY_S: Final = 1.0
"""So often the visit is looked up, and whether a lower or higher level fits."""
PATIENCE_S: Final = 5.0
"""A higher level must have fitted for so long before it is taken, and with a quarter to spare where less is
sent already: from nothing any level is a gain."""
SPARE: Final = 1.25
BLOCKS_AT_MOST: Final = 256
WAVES: Final = ("ecg", "oximeter", "stethoscope")
"""Kinds of instruments that are sent; pictures are too large for a poor link and go with the study."""


class LiveLine(Protocol):
    """What live mode needs of the line."""

    def publish(
        self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False, expiry_s: int = 0
    ) -> int:
        """Publish now, or lose it."""
        ...


@dataclass(slots=True)
class _Source:
    """One instrument that is listened to."""

    instrument: Instrument
    blocks: deque[SampleBlock] = field(default_factory=lambda: deque[SampleBlock](maxlen=BLOCKS_AT_MOST))
    channels: tuple[Channel, ...] = ()
    stream: LiveStream | None = None
    shape: object = None
    newest_at: float = 0.0


class LiveUp:
    """Listens to the instruments while somebody watches, and sends what is held."""

    def __init__(self, bedside: Bedside, line: LiveLine, bundles: Sender, sender: LiveSender) -> None:
        self.sender = sender
        self._bedside, self._line, self._bundles = bedside, line, bundles
        self._sources: dict[str, _Source] = {}
        self._visit: Visit | None = None
        self._patients: Mapping[str, str] = {}
        self._look_at = self._frame_at = 0.0
        self._level = 0
        self._fitting_since = 0.0
        self._number = 0

    def command(self, payload: bytes) -> None:
        """Take a word of the relay: somebody watches."""
        try:
            self.sender.watch(payload, self._now())
        except Refused as refused:
            log.warning("a word about watching was refused (%s)", refused.reason)

    def cut(self) -> None:
        """The connection ended."""
        self.sender.cut()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            watched = self.sender.watching(self._now()) and self._bundles.bulk
            if watched != self._bedside.uplink.watched:
                self._turn(on=watched)
            if watched:
                await self._look()
                self._send(self._now())

    # listening

    def offer(self, device: str, event: Event) -> None:
        """Take one event of an instrument."""
        source = self._sources.get(device)
        if source is None or not isinstance(event, SampleBlock):
            return
        if belongs(STEP_OF[source.instrument.kind], event.channels):
            source.blocks.append(event)
            source.channels = event.channels

    def lost(self, device: str, problem: str) -> None:  # noqa: ARG002 - the Listener's form
        """Forget what was heard of a device that went away."""
        source = self._sources.get(device)
        if source is not None:
            source.blocks.clear()
            source.stream = None

    def _turn(self, *, on: bool) -> None:
        """Begin or end, and let the worker see that a specialist watches."""
        log.info("live mode %s", "on" if on else "off")
        self._bedside.uplink.watched = on
        if not on:
            for source in self._sources.values():
                if self in source.instrument.listeners:
                    source.instrument.listeners.remove(self)
            self._sources.clear()
        self._level, self._fitting_since = 0, self._now()
        self._look_at = 0.0
        self._bedside.live.tell({"type": "status", "status": self._bedside.status()})

    async def _look(self) -> None:
        """Once a second: which visit is open, which instruments there are, which level fits."""
        now = self._now()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_EVERY_S
        self._visit, self._patients = await asyncio.to_thread(self._facts)
        for instrument in self._bedside.instruments.values():
            if instrument.kind in WAVES and instrument.id not in self._sources:
                self._sources[instrument.id] = _Source(instrument)
                instrument.listeners.append(self)
        self._choose_level(now)

    def _facts(self) -> tuple[Visit | None, dict[str, str]]:
        """Return the open visit, and how its patient relates to each watched case; runs in a thread."""
        visit = self._bedside.visits.current()
        if visit is not None and visit.words.training:
            visit = None  # nothing of a lesson leaves the box
        if visit is not None and visit.words.consent is None and not visit.words.override:
            visit = None
        return visit, {case: self._relation(case, visit) for case in self.sender.cases()}

    def _relation(self, case: str, visit: Visit | None) -> str:
        if visit is None:
            return "unknown"
        try:
            return "same" if self._bedside.visits.get(case).patient == visit.patient else "other"
        except Refusal:
            return "unknown"

    # sending

    def _send(self, now: float) -> None:
        state, held = self._state()
        simulated = bool(self._bedside.settings.label) or any(one.instrument.simulated for one in held)
        sections, newest = [], 0.0
        for source in self._sources.values():
            if source not in held:
                source.blocks.clear()
                source.stream = None
                continue
            newest = max(newest, self._feed(source))
        streams = tuple(source.stream.told for source in held if source.stream is not None)
        for opening in self.sender.openings(state, streams, self._patients, now, simulated=simulated):
            self._publish(opening)
        if now < self._frame_at or self._level >= NOTHING:
            return
        self._frame_at = now + PERIODS_S[self._level] - TICK_S / 2
        for source in held:
            sections += source.stream.take() if source.stream is not None else []
        if not sections:
            return
        frame = self.sender.frame(
            sections, newest or now, now, measured=self._measured(), simulated=simulated
        )
        if frame is not None:
            self._publish(frame)

    def _state(self) -> tuple[str, list[_Source]]:
        """Return what the desk is told, and the instruments that are sent now."""
        if self._visit is None:
            return "no_visit", []
        held = self._held()
        if not held:
            return "idle", []
        if self._bundles.urgent():
            return "paused", []
        if self._level >= NOTHING:
            return "narrow", []
        return ("live" if self._level == 0 else "poor"), held

    def _held(self) -> list[_Source]:
        """Return the instruments that the worker holds: on the screen, or being recorded."""
        running = self._bedside.captures.running()
        held = self._bedside.live.watched() | ({running.device} if running is not None else frozenset[str]())
        return [
            source
            for ident, source in self._sources.items()
            if ident in held and source.instrument.state == READY
        ]

    def _feed(self, source: _Source) -> float:
        """Give a source's blocks to its stream; return the time of the newest."""
        while source.blocks:
            block = source.blocks.popleft()
            shape = (block.channels, self._level)
            if source.stream is None or source.shape != shape:
                source.stream = make_stream(self._number, source.instrument.kind, block, self._level)
                source.shape = shape
                self._number = (self._number + 1) % 256
            source.stream.feed(block)
            source.newest_at = block.at
        return source.newest_at

    def _choose_level(self, now: float) -> None:
        """Step down at once when the rate is too low for a level, up when it has long been enough."""
        allowed = self.sender.rate.allowed(self._measured())
        held = [source for source in self._held() if source.channels]
        if not held:
            return

        def need(level: int) -> float:
            return OPENINGS + sum(cost(one.instrument.kind, one.channels, level) for one in held)

        if need(self._level) > allowed:
            self._level = next((level for level in range(NOTHING) if need(level) <= allowed), NOTHING)
            self._fitting_since = now
        elif self._level and need(self._level - 1) * (SPARE if self._level < NOTHING else 1.0) <= allowed:
            if now - self._fitting_since >= PATIENCE_S:
                self._level -= 1
                self._fitting_since = now
        else:
            self._fitting_since = now

    def _measured(self) -> float:
        return self._bundles.window.rate

    def _publish(self, payload: bytes) -> None:
        topic = topics.up(self._bedside.site.code, "l")
        self._line.publish(topic, payload, 0, expiry_s=EXPIRY_S)

    def _now(self) -> float:
        return self._bedside.clock.monotonic()


def make_live(bedside: Bedside, line: LiveLine, bundles: Sender, programme: Programme) -> LiveUp:
    """Return live mode of a box; its frames are for the programme alone, not for the recovery key."""

    def recipients() -> Sequence[X25519PublicKey]:
        return [one.key for one in programme.recipients if one.name != "recovery"]

    sender = LiveSender(
        relay_key=programme.relay_key,
        signer=bedside.site.signer,
        recipients=recipients,
        random=secrets.token_bytes,
    )
    return LiveUp(bedside, line, bundles, sender)
