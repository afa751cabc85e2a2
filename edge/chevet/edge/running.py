"""The capture in progress: what it takes from its device and when it ends."""

import asyncio
import logging
from dataclasses import dataclass, field

from chevet.devices.samples import Channel, Event, Notice, Picture, SampleBlock
from chevet.edge.journal import JournalWriter, Opening
from chevet.edge.main_stream import belongs
from chevet.edge.visits import CaptureRow

log = logging.getLogger(__name__)

_KEPT_EVENTS = {
    # An otoscope's readings or a stethoscope's pictures do not exist; everything else a device says is kept.
    "otoscopy": (Picture,),
    "photo": (Picture,),
}


@dataclass(slots=True, eq=False)
class Running:
    """The capture in progress.

    Attributes:
        row: as last stored.
        opening: the journal's first record.
        writer: the journal.
        span_s: seconds covered by the samples of the device's main stream (or by time, where it gives none).
        problem: coded reason for a bad end, "" while all is well.
        ended: set when it should end, for whatever reason.
    """

    row: CaptureRow
    opening: Opening
    writer: JournalWriter
    ended: asyncio.Event
    span_s: float = 0.0
    problem: str = ""
    events: int = 0
    _firsts: dict[tuple[Channel, ...], int] = field(default_factory=dict[tuple[Channel, ...], int])
    _main_came: bool = False

    def offer(self, device: str, event: Event) -> None:  # noqa: ARG002 - it listens to one device only
        """Take one event of the device into the journal."""
        if self.ended.is_set():
            return
        if not isinstance(event, _KEPT_EVENTS.get(self.row.step, object)):
            if isinstance(event, Notice) and event.code == "snapshot_button":
                self.writer.append(event)  # it says which picture was meant, and is no signal by itself
            return
        self.writer.append(event)
        self.events += 1
        self._advance(event)
        if self.span_s >= self.row.seconds:
            self.ended.set()

    def lost(self, device: str, problem: str) -> None:  # noqa: ARG002 - it listens to one device only
        """End: the device was pulled out; what was recorded is kept."""
        log.warning("capture %s: device lost (%s)", self.row.id, problem)
        self.fail("device_lost")

    def fail(self, problem: str) -> None:
        """End with a problem; the first one counts."""
        self.problem = self.problem or problem
        self.ended.set()

    def _advance(self, event: Event) -> None:
        if isinstance(event, SampleBlock):
            self._reach(event)
        elif not self._firsts:
            self.span_s = max(self.span_s, event.at - self.opening.started_at)

    def _reach(self, block: SampleBlock) -> None:
        """Count the length; once the stream that is to be recorded has come, the others do not count."""
        first = self._firsts.setdefault(block.channels, block.first)
        if block.first < first:
            self.fail("device_restarted")
        main = belongs(self.row.step, block.channels)
        if main and not self._main_came:
            self._main_came, self.span_s = True, 0.0
        if main or not self._main_came:
            end = block.first + block.values.shape[1]
            self.span_s = max(self.span_s, (end - first) / block.channels[0].rate_hz)
